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
	leastRate   = 1 << 20   // counts a second since its creation, likewise: many goroutines reach it, many counters cannot
	looks       = 64        // calls in a row of which some must see others
	metToSpread = looks / 4 // how many
	mostLooks   = 16        // such rows of calls: about a millisecond, in which others may begin
)

// tend is what a collection does for a counter: it takes what was counted late on the
// heap to the counter's row, has the next calls look for other writers if the counter
// grew fast for its age, and gives goroutines other lanes: Inc does not notice that
// two share one.
func (c *Counter) tend(created model.Timestamp, s *scratch) {
	if c.core.moving.Moved() {
		c.follow()
	}
	w := c.whole()
	if w == nil {
		switch e := c.extra.Load(); {
		case e != nil && e.current.Load() != nil:
			e.current.Load().Mix()
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

// beLooked leads counting the slow way, which looks for other writers.
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

// slow returns the word in which to count while counting goes the slow way, and
// whether to look for others afterwards.
func (c *Counter) slow() (w *cell.Word, looking bool) {
	e := c.extra.Load()
	if e == nil {
		return &c.cell, false // of a series that can expire
	}
	if lanes := e.current.Load(); lanes != nil {
		return lanes.Mine(), false
	}
	if row := c.row(); row != nil {
		return row, e.looking.Load()
	}
	return &c.cell, e.looking.Load()
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

// decide spreads the counter if others were met often enough in a row of calls. After
// the last row, and without room for lanes, it puts the word back.
func (c *Counter) decide(e *counterExtra, w *cell.Word, last bool) {
	switch met := e.met.Swap(0) >= metToSpread; {
	case met && c.spread(c.rowOf(w)) != nil:
	case met || last:
		c.putBack()
	}
}

// putBack lets Inc count in the word again, unless the counter has lanes. A collection
// does it, too, for a counter that was called less often since the last one than had to
// look for others, because it grew by large numbers.
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
