package mapped

import "unsafe"

// Aligned returns n zero bytes on the heap that atomic operations on words may be
// used in, as in a mapping: the first one's address is a multiple of 8.
func Aligned(n int) []byte {
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))[:n]
}
