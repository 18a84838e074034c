package series

import "sync/atomic"

// marks has a bit for each of many things, by their index.
type marks []atomic.Uint32

const wordBits = 32 // of marks

// word returns the marks of wordBits things, of which i is one.
func (m marks) word(i uint32) uint32 {
	if i /= wordBits; int(i) < len(m) {
		return m[i].Load()
	}
	return 0
}

// mark marks a thing, for which there is room.
func (m marks) mark(i uint32) { m[i/wordBits].Or(1 << (i % wordBits)) }

// longer returns a copy with room for n things.
func (m marks) longer(n int) marks {
	copied := make(marks, (n+wordBits-1)/wordBits)
	copy(copied, m)
	return copied
}
