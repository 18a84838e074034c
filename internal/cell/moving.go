package cell

import (
	"sync"
	"sync/atomic"
)

// Moving is held to move the values of a family's series from the words they are in
// to others. Readers see a value before or after its move, see [Moving.Whole]; writers
// that only add to their words need not know, but for what [Moving.Moved] says. The
// zero Moving is ready.
type Moving struct {
	mu      sync.Mutex
	version atomic.Uint64 // odd during a move
	moved   atomic.Bool
}

// Begin notes, before the first move, that series are moved which others may be
// writing. Those that nobody knows yet may be moved without.
func (m *Moving) Begin() { m.moved.Store(true) }

// Lock begins a move.
func (m *Moving) Lock() {
	m.mu.Lock()
	m.version.Add(1)
}

// Unlock ends a move.
func (m *Moving) Unlock() {
	m.version.Add(1)
	m.mu.Unlock()
}

// Hold calls f, which changes no value, while nothing is moved.
func (m *Moving) Hold(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// Moved reports whether Begin was called. A writer that finds so after it wrote looks
// whether its value left the words that it wrote to.
func (m *Moving) Moved() bool { return m.moved.Load() }

// Never reports whether there was no move. A reader that finds so after it read has
// read nothing that was moved.
func (m *Moving) Never() bool { return m.version.Load() == 0 }

// Began returns the version to give to Whole after a reading. It waits for a move
// that is going on.
func (m *Moving) Began() uint64 {
	v := m.version.Load()
	for ; v%2 != 0; v = m.version.Load() {
		m.Hold(func() {})
	}
	return v
}

// Whole reports whether nothing was moved since Began returned the version.
func (m *Moving) Whole(version uint64) bool { return m.version.Load() == version }
