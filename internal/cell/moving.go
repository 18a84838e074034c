package cell

import (
	"sync"
	"sync/atomic"
)

// Moving is held to move the values of a family's series from words to others. It
// remembers that one was moved, so that writers of families that never are need not
// look whether theirs was while they wrote. The zero Moving is ready.
type Moving struct {
	mu    sync.Mutex
	moved atomic.Bool
}

// Lock begins a move.
func (m *Moving) Lock() {
	m.mu.Lock()
	m.moved.Store(true)
}

// Unlock ends it.
func (m *Moving) Unlock() { m.mu.Unlock() }

// Moved reports whether a move ever began.
func (m *Moving) Moved() bool { return m.moved.Load() }
