// Package hash mixes strings into words with keys of this process.
package hash

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// Keys are of this process, so that a client cannot choose label values that
// collide.
var Keys = [2]uint64{maphash.String(maphash.MakeSeed(), "a"), maphash.String(maphash.MakeSeed(), "b") | 1}

// String folds a string into h. It multiplies and folds 16 bytes at a time, as
// wyhash does (Wang Yi, "wyhash", final version 4), which for a few short strings
// is faster than a call to the runtime's hash for each.
func String(h uint64, s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := uint64(len(b))
	for len(b) > 16 {
		h = Fold(binary.LittleEndian.Uint64(b)^Keys[1], binary.LittleEndian.Uint64(b[8:])^h)
		b = b[16:]
	}
	var low, high uint64
	switch l := len(b); {
	case l >= 8: // the two halves may overlap
		low, high = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[l-8:])
	case l >= 4:
		low, high = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[l-4:]))
	case l > 0:
		low = uint64(b[0])<<16 | uint64(b[l/2])<<8 | uint64(b[l-1])
	}
	// The length is mixed in, or "10" and "100" would have one hash; and it is
	// kept apart from the text, or "10" and "101" would.
	return Fold(low^Keys[1], high^(h+n*Keys[1]))
}

// Fold mixes two words into one.
func Fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
