#include "textflag.h"

// func prefetchSlab(start unsafe.Pointer)
TEXT ·prefetchSlab(SB), NOSPLIT, $0-8
	MOVD start+0(FP), R0
	PRFM (R0), PLDL1KEEP
	PRFM 64(R0), PLDL1KEEP
	PRFM 128(R0), PLDL1KEEP
	PRFM 192(R0), PLDL1KEEP
	PRFM 256(R0), PLDL1KEEP
	PRFM 320(R0), PLDL1KEEP
	PRFM 384(R0), PLDL1KEEP
	PRFM 448(R0), PLDL1KEEP
	RET

// func prefetchLines(lines *unsafe.Pointer, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVD lines+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R1<<3, R0, R1

next:
	CMP  R0, R1
	BEQ  done
	MOVD.P 8(R0), R2
	PRFM (R2), PLDL1KEEP
	B    next

done:
	RET
