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
// their Inc the slow way for some calls, by a nil word: each counts, then looks for a
// moment whether the word goes on moving. If few saw that, the word is put back; if
// many did, lanes take its place. The word itself keeps what it has, so nothing moves
// and no value changes.

const (
	leastToLook = 1 << 20   // counts of a counter that is worth it
	leastRate   = 1 << 20   // counts a second since its creation, likewise: one counter reaches it with several goroutines, many counters do not
	looks       = 64        // calls in a round, after which it is decided whether to spread the counter
	metToSpread = looks / 4 // calls of a round that must meet other writers for that
	mostLooks   = 16        // rounds, which take about a millisecond: others may begin meanwhile
)

// tend is what a collection does for a counter: it takes what was counted late on the
// heap to the counter's row, and has the next calls look for other writers if the
// counter grew fast for its age.
func (c *Counter) tend(created model.Timestamp, s *scratch) {
	if c.core.moving.Moved() {
		c.follow()
	}
	w := c.whole()
	if w == nil {
		switch e := c.extra.Load(); {
		case e != nil && e.current.Load() != nil:
			return
		case e != nil && e.looking.Load():
			c.putBack()
			return
		}
		w = &c.cell // of a series that can expire
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

// beLooked leads the next calls the slow way, which looks for other writers.
func (c *Counter) beLooked() {
	e := c.grow()
	c.core.moving.Hold(func() {
		if c.whole() == nil && (e.looking.Load() || e.current.Load() != nil) {
			return
		}
		e.row.Store(c.row())
		e.looked.Store(0)
		e.met.Store(0)
		e.looking.Store(true)
		e.open.Store(nil)
		atomic.StorePointer(&c.word, nil)
	})
}

// addSlow adds a whole number while counting goes the slow way: to lanes, or else to
// the word, after which it looks for others if a collection asked for that.
func (c *Counter) addSlow(n uint64) {
	e := c.extra.Load()
	if e == nil {
		c.added(cell.AddWhole(&c.cell, n)) // of a series that can expire
		return
	}
	if lanes := e.current.Load(); lanes != nil {
		c.added(lanes.AddWhole(n))
		return
	}
	w := c.row()
	if w == nil {
		w = &c.cell
	}
	c.added(cell.AddWhole(w, n))
	if e.looking.Load() {
		c.look(w)
	}
}

// look sees whether others count in the word just now.
func (c *Counter) look(w *cell.Word) {
	e := c.extra.Load()
	if cell.Changes(w) {
		e.met.Add(1)
	}
	if n := e.looked.Add(1); n%looks == 0 {
		c.decide(e, w, n == mostLooks*looks)
	}
}

// decide spreads the counter if enough calls of the round met other writers. After the
// last round, or if there is no room for lanes, it puts the word back.
func (c *Counter) decide(e *counterExtra, w *cell.Word, last bool) {
	switch met := e.met.Swap(0) >= metToSpread; {
	case met && c.spread(c.rowOf(w)) != nil:
	case met || last:
		c.putBack()
	}
}

// putBack lets Inc count in the word again, unless the counter has lanes. A collection
// calls it, too, for a counter that has had fewer calls since the last collection than
// a decision takes, because it grew by large numbers.
func (c *Counter) putBack() {
	e := c.extra.Load()
	c.core.moving.Hold(func() {
		if c.whole() != nil || e.current.Load() != nil {
			return
		}
		e.looking.Store(false)
		w := e.row.Load()
		if w == nil {
			w = &c.cell
		}
		if c.core.expires {
			e.open.Store(w)
		} else {
			atomic.StorePointer(&c.word, unsafe.Pointer(w))
		}
	})
}

// spread returns the counter's lanes of a row, or of the heap for nil, which it makes
// if there are none. It returns nil if there is no room, or if the counter has moved.
func (c *Counter) spread(row *cell.Word) (lanes *cell.Lanes) {
	fresh := c.core.room().Lanes(row, 2)
	e := c.grow()
	c.core.moving.Hold(func() {
		if c.row() != row {
			return
		}
		if lanes = e.current.Load(); lanes != nil || fresh == nil {
			return
		}
		if lanes = fresh; row != nil {
			e.rowLanes.Store(fresh)
		} else {
			e.lanes.Store(fresh)
		}
		e.open.Store(nil)
		e.current.Store(fresh)
	})
	return lanes
}
