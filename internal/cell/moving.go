package cell

import (
	"sync"
	"sync/atomic"
)

// Moving is the lock under which the values of a family's series are moved from
// their words to others. Readers see a value before or after its move, see
// [Moving.Whole]; writers that only add to their words need only check
// [Moving.Moved]. The zero Moving is ready.
type Moving struct {
	mu      sync.Mutex
	version atomic.Uint64 // odd during a move
	moved   atomic.Bool
}

// Begin records, before the first move, that series may be moved while others
// write them. Series that no other goroutine has yet may be moved without.
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

// Moved reports whether Begin was called. A writer that sees true after it wrote
// checks whether its value left the words that it wrote to.
func (m *Moving) Moved() bool { return m.moved.Load() }

// Never reports whether nothing was moved so far. A reader that sees true after
// it read has read no moved value.
func (m *Moving) Never() bool { return m.version.Load() == 0 }

// Began returns the version to pass to Whole after a reading. It waits for a
// move in progress to end.
func (m *Moving) Began() uint64 {
	v := m.version.Load()
	for ; v%2 != 0; v = m.version.Load() {
		m.Hold(func() {})
	}
	return v
}

// Whole reports whether nothing was moved since Began returned the version.
func (m *Moving) Whole(version uint64) bool { return m.version.Load() == version }
