package telltale

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// digest is what a lookup compares first: a hash of label values, and their
// lengths.
type digest struct {
	hash   uint32
	widths uint64 // one byte for each value, its length plus one; 0 where that cannot be said
}

const (
	mostWidths = 8
	widest     = 254
)

// Two keys of this process, so that nobody outside can choose label values that
// collide.
var hashKeys = [2]uint64{maphash.String(maphash.MakeSeed(), "a"), maphash.String(maphash.MakeSeed(), "b") | 1}

// digestOf digests label values. The hash multiplies and folds 16 bytes at a
// time, as wyhash does (Wang Yi, "wyhash", final version 4), which for a few
// short strings is faster than a call to the runtime's hash for each.
func digestOf(values []string) digest {
	h, widths, known := hashKeys[0], uint64(0), len(values) <= mostWidths
	for i, v := range values {
		known = known && len(v) <= widest
		widths |= uint64(len(v)+1) << (8 * uint(i) & 63)
		h = hashString(h, v)
	}
	if !known {
		widths = 0
	}
	return digest{uint32(h ^ h>>32), widths}
}

func hashString(h uint64, s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := uint64(len(b))
	for len(b) > 16 {
		h = fold(binary.LittleEndian.Uint64(b)^hashKeys[1], binary.LittleEndian.Uint64(b[8:])^h)
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
	// The length, without which "10" and "100" were the same, must not meet the
	// text: "10" and "101" would be.
	return fold(low^hashKeys[1], high^(h+n*hashKeys[1]))
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// is reports whether the series has the label values. Equal widths mean that
// there is nothing in the series' text to unescape and that the values would lie
// where they are looked for; then equal bytes are equal values.
func (s *series) is(d digest, separators, values []string) bool {
	if s.hash != d.hash || s.widths != d.widths || d.widths == 0 {
		return false
	}
	text, at := s.text(), 0
	for i, v := range values {
		at += len(separators[i])
		if text[at:at+len(v)] != v {
			return false
		}
		at += len(v)
	}
	return true
}
