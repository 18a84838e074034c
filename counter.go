package telltale

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// Counter is a series that only grows. Whole numbers are counted in one integer
// word by one atomic addition; a float word is linked to it at the first
// fraction, and when the integer word is almost full (see cell.AddWhole). When a
// collection finds that it grows fast, the next calls of Inc look whether several
// goroutines count at once, and if so spread it over words on cache lines of their
// own. All methods are safe for concurrent use, take no lock and allocate nothing in
// the steady state. Updates of the zero Counter do nothing.
type Counter struct {
	word  unsafe.Pointer // *cell.Word, of whole numbers; nil while counting goes the slow way, to lanes above all, and where series expire
	extra atomic.Pointer[counterExtra]
	handle[Counter]
	cell cell.Word // what word points to on the heap
}

// counterExtra is what few counters need. Once made it stays. What is counted on the
// heap and what is counted in a row both belong to the value: of the former there is
// only what came late once the counter has moved, until that follows.
type counterExtra struct {
	open     atomic.Pointer[cell.Word]  // of a series that can expire: the word in which Inc counts at once; nil else
	current  atomic.Pointer[cell.Lanes] // those of the two below in which to count; nil if there are none
	fraction cell.Word                  // on the heap
	lanes    atomic.Pointer[cell.Lanes] // on the heap, of whole numbers and fractions
	row      atomic.Pointer[cell.Word]  // nil on the heap
	rowLanes atomic.Pointer[cell.Lanes] // of the row
	exemplar atomic.Pointer[model.Exemplar]
	reset    atomic.Int64  // when Reset was called, in nanoseconds since 1970; 0 if never
	looking  atomic.Bool   // calls look for other writers
	looked   atomic.Uint32 // how many did since a collection asked for it
	met      atomic.Uint32 // how many of them saw others
}

// CounterVec is a counter with labels given by position or by name.
type CounterVec = Vec[Counter]

// CounterOf is a counter with labels given by the struct L.
type CounterOf[L comparable] = Of[L, Counter]

var counters = &kind[Counter]{
	typ:   model.Counter,
	sums:  true,
	words: func(*definition) int { return 0 },
	bind: func(c *Counter, _ *cell.Word, of *core[Counter]) {
		c.core = of
		if !of.expires {
			c.word = unsafe.Pointer(&c.cell)
		}
	},
	share:  (*Counter).share,
	toHeap: (*Counter).toHeap,
	fresh: func(c *Counter) bool {
		e := c.extra.Load()
		return c.Value() == 0 && (e == nil || e.exemplar.Load() == nil)
	},
	read:    (*Counter).read,
	tend:    (*Counter).tend,
	scalars: counterScalars,
	life:    life[Counter]{updated: (*Counter).updated, leave: (*Counter).leave, enter: (*Counter).enter, resume: (*Counter).resume, pour: (*Counter).pour},
}

// NewCounter returns the counter of that name, which it creates and registers
// unless an identical one is there. "_total" is not part of the name and is
// stripped. It is an error if the name or an option is not valid, and a
// [*DuplicateError] if something else holds the name.
func NewCounter(name, help string, opts ...CounterOption) (*Counter, error) {
	return newPlain(counters, name, help, opts)
}

// NewCounterVec is [NewCounter] for a counter with the given label names.
func NewCounterVec(name, help string, labels []string, opts ...CounterOption) (*CounterVec, error) {
	return newVec(counters, name, help, labels, opts)
}

// NewCounterOf is [NewCounter] for a counter whose labels are the fields of L.
func NewCounterOf[L comparable](name, help string, opts ...CounterOption) (*CounterOf[L], error) {
	return newOf[L](counters, name, help, opts)
}

// whole returns the word of whole numbers, nil if counting goes the slow way or the
// counter is zero. It is read through atomic.LoadPointer because that leaves Inc
// small enough to be inlined, which atomic.Pointer does not.
func (c *Counter) whole() *cell.Word { return (*cell.Word)(atomic.LoadPointer(&c.word)) }

// Inc adds one.
func (c *Counter) Inc() {
	if w := (*cell.Word)(atomic.LoadPointer(&c.word)); w != nil {
		w.Add(1)
	} else {
		c.incSlow()
	}
}

// Add adds v. A negative v or NaN is dropped, counted and told to the registry's
// error hook.
func (c *Counter) Add(v float64) {
	if n := int64(v); float64(n) == v && n >= 0 {
		c.addWhole(uint64(n))
		return
	}
	if !(v > 0) {
		c.refuse(v)
		return
	}
	c.addFloat(v)
}

// addWhole adds n to the word of whole numbers, and what does not fit there to
// the float word.
func (c *Counter) addWhole(n uint64) {
	if c.core == nil {
		return // the zero Counter
	}
	if w := c.whole(); w != nil {
		c.added(cell.AddWhole(w, n))
	} else {
		c.addSlow(n)
	}
}

// added ends an addition of a whole number, of which cell.AddWhole left the rest.
func (c *Counter) added(rest float64) {
	if rest > 0 {
		c.addFloat(rest)
	} else if c.core.moving.Moved() {
		c.follow()
	}
}

// addFloat adds to the float word, or to the one of a lane.
func (c *Counter) addFloat(v float64) {
	e := c.extra.Load()
	if e == nil {
		if c.core == nil {
			return // the zero Counter
		}
		e = c.grow()
	}
	if lanes := e.current.Load(); lanes != nil {
		lanes.AddFloat(1, v)
		if lanes == e.rowLanes.Load() && !c.core.expires {
			return // what is added to a row need not follow it
		}
	} else {
		row := c.row()
		w := e.floats(row)
		switch added := cell.TryAddFloat(w, v); {
		case !added:
			c.fight(e, w, v)
		case row != nil && !c.core.expires:
			return
		}
	}
	if c.core.moving.Moved() {
		c.follow()
	}
}

// fight adds to a float word to which another writer came.
func (c *Counter) fight(e *counterExtra, w *cell.Word, v float64) {
	if cell.FightFloat(w, v) {
		return
	}
	row := c.row()
	if lanes := c.spread(row); lanes != nil {
		lanes.AddFloat(1, v)
	} else {
		cell.AddFloat(e.floats(row), v)
	}
}

// floats returns the float word of a row, or of the heap if it is nil.
func (e *counterExtra) floats(row *cell.Word) *cell.Word {
	if row != nil {
		return cell.At(row, 1)
	}
	return &e.fraction
}

// incSlow is Inc while the word is nil.
//
//go:noinline // or Inc would not be inlined
func (c *Counter) incSlow() {
	if e := c.extra.Load(); e != nil {
		if lanes := e.current.Load(); lanes != nil {
			w := lanes.Mine()
			lanes.Added(w, w.Add(1))
			if c.core.away(c) {
				c.goOn()
			}
			return
		}
		if row := e.open.Load(); row != nil {
			row.Add(1)
			if series.SlotOf(c).Away() {
				c.goOn()
			}
			return
		}
	} else if c.core != nil && c.core.expires {
		c.cell.Add(1)
		if series.SlotOf(c).Away() {
			c.goOn()
		}
		return
	}
	c.addWhole(1)
}

func (c *Counter) grow() *counterExtra {
	if e := c.extra.Load(); e != nil {
		return e
	}
	e := new(counterExtra)
	if c.core != nil && c.core.expires {
		e.open.Store(&c.cell)
	}
	c.extra.CompareAndSwap(nil, e)
	return c.extra.Load()
}

func (c *Counter) refuse(v float64) {
	if c.core == nil {
		return
	}
	reason := ReasonNegative
	if math.IsNaN(v) {
		reason = ReasonNaN
	}
	c.core.fault(reason, func() error {
		return fmt.Errorf("telltale: %s was increased by %v, which is ignored: a counter only grows", c.core, v)
	})
}

// AddWithExemplar adds v and makes the labels, with v and the present time, the
// counter's exemplar. It is an error, and nothing is added, if v is negative or
// NaN or the labels are not valid or have more than 128 characters together.
func (c *Counter) AddWithExemplar(v float64, labels map[string]string) error {
	if v < 0 || math.IsNaN(v) {
		c.refuse(v)
		return fmt.Errorf("telltale: counter %q cannot be increased by %v", c.name(), v)
	}
	e, err := newExemplar(c.core, v, labels)
	if err != nil || c.core == nil {
		return err
	}
	c.Add(v)
	c = c.core.shown(c)
	c.grow().exemplar.Store(e)
	if rows := c.core.rows(); rows != nil {
		if row := c.row(); row != nil {
			rows.SetExemplar(row, 0, e)
		}
	}
	return nil
}

// Value returns the counter's value in this process: every addition that ended before
// the call, and none that had not begun when it returned. It never returns less than an
// earlier call did, unless Reset was called between them. Of additions that go on
// meanwhile it may have a later one without an earlier one, since whole numbers,
// fractions and lanes are read one after the other.
func (c *Counter) Value() float64 {
	if c.core == nil {
		return 0
	}
	c = c.core.shown(c)
	if n, ok := c.alone(); ok {
		return float64(n)
	}
	for {
		version := c.core.moving.Began()
		if v := c.sum(); c.core.moving.Whole(version) {
			return v
		}
	}
}

// alone returns the value if its own word holds all of it, as for most counters.
func (c *Counter) alone() (n uint64, ok bool) {
	if c.whole() == &c.cell && c.extra.Load() == nil {
		n = c.cell.Load()
		ok = c.core.moving.Never()
	}
	return n, ok
}

// sum adds up all that the counter counted in. Each of it only grows, but in a move.
func (c *Counter) sum() (v float64) {
	n := c.cell.Load()
	row, e := c.row(), c.extra.Load()
	if row != nil {
		n += row.Load()
		v = cell.LoadFloat(cell.At(row, 1))
	}
	if e != nil {
		v += cell.LoadFloat(&e.fraction)
		for _, lanes := range [...]*cell.Lanes{e.lanes.Load(), e.rowLanes.Load()} {
			if lanes != nil {
				n += lanes.Sum(0)
				v += lanes.SumFloat(1)
			}
		}
	}
	return float64(n) + v
}

// Reset sets the counter back to zero and its created time to now. What other
// goroutines add at the same time may be lost.
func (c *Counter) Reset() {
	if c.core == nil {
		return
	}
	c = c.core.shown(c)
	c.core.unpark(c)
	if c.core.away(c) {
		return // there is nothing else to reset
	}
	row := c.zero()
	now := time.Now()
	c.grow().reset.Store(now.UnixNano())
	if rows := c.core.rows(); rows != nil && row != nil {
		rows.Touch(row, now)
	}
}

// zero sets all words of the counter to 0 and returns the row in which it counts, nil on
// the heap.
func (c *Counter) zero() (row *cell.Word) {
	for whole := false; !whole; {
		version := c.core.moving.Began()
		row = c.row()
		c.cell.Store(0)
		if row != nil {
			row.Store(0)
			cell.At(row, 1).Store(0)
		}
		if e := c.extra.Load(); e != nil {
			e.fraction.Store(0)
			e.exemplar.Store(nil)
			for _, lanes := range [...]*cell.Lanes{e.lanes.Load(), e.rowLanes.Load()} {
				if lanes != nil {
					lanes.Clear()
				}
			}
		}
		whole = c.core.moving.Whole(version) // else what was set to 0 may have been moved before
	}
	return row
}

// CountErrors calls f and returns its error, counting it if there is one; given
// targets, only if it is one of them by [errors.Is]. A panic of f is counted, and not
// recovered.
func (c *Counter) CountErrors(f func() error, targets ...error) error {
	finished := false
	defer func() {
		if !finished {
			c.Inc()
		}
	}()
	err := f()
	finished = true
	if err != nil && (len(targets) == 0 || slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })) {
		c.Inc()
	}
	return err
}
