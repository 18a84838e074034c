package telltale

import (
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// A counter's Inc is one atomic addition, too small to notice that other goroutines
// count too. So collections choose the counters for which to find out, and lead
// their Inc the slow way for a few calls, by a nil word: each counts, then looks for a
// moment whether the word goes on moving. If few saw that, the word is put back; if
// many did, lanes take its place. The word itself keeps what it has, so nothing moves
// and no value changes.

const (
	leastToLook   = 1 << 16   // counts of a counter that is worth it
	leastRate     = 1000      // counts a second since its creation, likewise
	looks         = 64        // calls that look for others
	metToSpread   = looks / 4 // of them, how many must have seen others
	readingsALook = 100       // of the word, which take some 50 nanoseconds
)

// tend is what a collection does for a counter: it takes what was counted late on the
// heap to the counter's row, and has the next calls look for other writers if the
// counter grew fast for its age.
func (c *Counter) tend(created model.Timestamp, s *scratch) {
	if c.family.moving.Moved() {
		c.follow()
	}
	w := c.whole()
	if w == nil {
		return
	}
	n := w.Load()
	if n < leastToLook {
		return
	}
	if s.now.IsZero() { // one reading of the clock for all series of a walk
		s.now = time.Now()
	}
	if float64(n) >= leastRate*s.now.Sub(created.Time()).Seconds() {
		c.beLooked()
	}
}

// beLooked leads counting the slow way, which looks for other writers.
func (c *Counter) beLooked() {
	e := c.grow()
	c.family.moving.Hold(func() {
		if c.whole() == nil {
			return
		}
		e.row.Store(c.row())
		e.looked.Store(0)
		e.met.Store(0)
		atomic.StorePointer(&c.word, nil)
	})
}

// slow returns the word in which to count while counting goes the slow way, and
// whether to look for others afterwards.
func (c *Counter) slow() (w *cell.Word, looking bool) {
	e := c.extra.Load()
	row := c.row()
	_, lanes := e.floats(row)
	if l := lanes.Load(); l != nil {
		return l.Mine(), false
	}
	if row != nil {
		return row, true
	}
	return &c.cell, true
}

// look sees whether others count in the word just now.
func (c *Counter) look(w *cell.Word) {
	e, before := c.extra.Load(), w.Load()
	for range readingsALook {
		if w.Load() != before {
			e.met.Add(1)
			break
		}
	}
	if e.looked.Add(1) == looks {
		c.decide(e, w)
	}
}

// decide spreads the counter if others were met often enough. Else, and without room
// for lanes, it puts the word back.
func (c *Counter) decide(e *counterExtra, w *cell.Word) {
	row := w
	if w == &c.cell {
		row = nil
	}
	if e.met.Load() >= metToSpread && c.spread(row) != nil {
		return
	}
	c.family.moving.Hold(func() {
		if _, lanes := e.floats(row); c.whole() == nil && c.row() == row && lanes.Load() == nil {
			atomic.StorePointer(&c.word, unsafe.Pointer(w))
		}
	})
}

// spread returns the counter's lanes of a row, or of the heap for nil, which it makes
// if there are none. It returns nil if there is no room, or if the counter has moved.
func (c *Counter) spread(row *cell.Word) (lanes *cell.Lanes) {
	fresh := c.family.room().Lanes(row, 2)
	e := c.grow()
	c.family.moving.Hold(func() {
		if _, at := e.floats(row); c.row() == row {
			if at.Load() == nil {
				at.Store(fresh)
			}
			lanes = at.Load()
		}
	})
	return lanes
}
