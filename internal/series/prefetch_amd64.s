#include "textflag.h"

// func prefetchSlab(start unsafe.Pointer)
TEXT ·prefetchSlab(SB), NOSPLIT, $0-8
	MOVQ start+0(FP), AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	PREFETCHT0 192(AX)
	PREFETCHT0 256(AX)
	PREFETCHT0 320(AX)
	PREFETCHT0 384(AX)
	PREFETCHT0 448(AX)
	RET

// func prefetchLines(lines *unsafe.Pointer, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ lines+0(FP), AX
	MOVQ n+8(FP), CX
	LEAQ (AX)(CX*8), CX

next:
	CMPQ AX, CX
	JEQ  done
	MOVQ (AX), DX
	PREFETCHT0 (DX)
	ADDQ $8, AX
	JMP  next

done:
	RET
