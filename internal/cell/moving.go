package cell

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Moving is the lock under which the values of a family's series are moved from
// their words to others. Readers see a value before or after its move, see
// [Moving.Whole]; writers that only add to their words need only check
// [Moving.Moved]. The zero Moving is ready.
type Moving struct {
	version atomic.Uint64 // odd while it is held
	mu      sync.Mutex    // held by the one waiter that looks whether it is free
	moved   atomic.Bool
}

// Begin records, before the first move, that series may be moved while others
// write them. Series that no other goroutine has yet may be moved without.
func (m *Moving) Begin() { m.moved.Store(true) }

// Lock begins a move.
func (m *Moving) Lock() {
	if v := m.version.Load(); !m.take(v) {
		m.wait()
	}
}

// take takes the lock if it is free and the version is v still.
func (m *Moving) take(v uint64) bool { return v%2 == 0 && m.version.CompareAndSwap(v, v+1) }

// wait takes the lock once it is free. One goroutine looks for that at a time.
func (m *Moving) wait() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := 0; !m.take(m.version.Load()); i++ {
		pause(i)
	}
}

// yields is how often a goroutine that waits for the lock yields before it sleeps. It
// is held for less than a microsecond, unless its holder waits for a processor.
const yields = 100

// pause lets others go on, for the i-th time.
func pause(i int) {
	if i < yields {
		runtime.Gosched()
		return
	}
	time.Sleep(time.Microsecond)
}

// Unlock ends a move.
func (m *Moving) Unlock() { m.version.Add(1) }

// Hold calls f, which changes no value, while nothing is moved.
func (m *Moving) Hold(f func()) {
	m.Lock()
	defer m.version.Add(^uint64(0)) // as it was, for those who read meanwhile
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
	for i := 0; v%2 != 0; i++ {
		pause(i)
		v = m.version.Load()
	}
	return v
}

// Whole reports whether nothing was moved since Began returned the version.
func (m *Moving) Whole(version uint64) bool { return m.version.Load() == version }
