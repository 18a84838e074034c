package series

import "unsafe"

// arena keeps the texts of series in creation order, in blocks. A block is freed
// when no series' text lies in it.
type arena struct{ block []byte }

const (
	firstBlock = 64
	mostBlock  = 2 << 10 // small, because one text keeps the whole block
)

// keep copies text into the arena.
func (a *arena) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if cap(a.block)-len(a.block) < len(text) {
		a.block = make([]byte, 0, max(min(mostBlock, 4*cap(a.block)), len(text), firstBlock))
	}
	start := len(a.block)
	a.block = append(a.block, text...)
	return unsafe.String(&a.block[start], len(text))
}
