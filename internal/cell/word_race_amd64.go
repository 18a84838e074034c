//go:build race

package cell

import (
	"sync/atomic"
	"unsafe"
)

// Word is eight bytes of a value, aligned to eight bytes. The race detector carries out
// atomic operations in code that no Go panic can leave. A fault there ends the process:
// that of a word in a mapping whose file is truncated meanwhile. So words that cannot be
// in Go's heap are loaded without it. It ignores those anyway.
type Word struct{ atomic.Uint64 }

// heapEnd is where the race detector has Go's heap end.
const heapEnd = 0xe0 << 32

// Load returns the value of the word.
func (w *Word) Load() uint64 {
	if uintptr(unsafe.Pointer(w)) < heapEnd {
		return w.Uint64.Load()
	}
	return loadMapped(w)
}

// loadMapped loads a word as the instruction does that is an atomic load on amd64.
//
//go:norace
//go:noinline
func loadMapped(w *Word) uint64 { return *(*uint64)(unsafe.Pointer(w)) }
