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
	"telltale/model"
)

// Counter is a series that only grows. Whole numbers are counted in one integer
// word by one atomic addition; a float word is linked to it at the first
// fraction, and when the integer word is almost full (see cell.AddWhole). All methods are safe for concurrent use, take no lock and allocate
// nothing in the steady state. The zero Counter counts nothing.
type Counter struct {
	word  unsafe.Pointer // *cell.Word, of whole numbers; nil if sharded
	extra atomic.Pointer[counterExtra]
	handle
	cell cell.Word // what word points to
}

// counterExtra is what few counters need.
type counterExtra struct {
	shards   *cell.Lanes                // integer and float words; nil unless sharded
	row      *cell.Word                 // the store's, where shards are its lanes
	fraction cell.Word                  // of a counter that counts on the heap
	lanes    atomic.Pointer[cell.Lanes] // of both words, once the fraction was fought over
	exemplar atomic.Pointer[model.Exemplar]
}

// CounterVec is a counter with labels given by position or by name.
type CounterVec = Vec[Counter]

// CounterOf is a counter with labels given by the struct L.
type CounterOf[L comparable] = Of[L, Counter]

var counters = &kind[Counter]{
	words: func(*definition) int { return 0 },
	bind: func(c *Counter, _ *cell.Word, d *definition) {
		c.handle = handle{d}
		if d.sharded {
			c.extra.Store(&counterExtra{shards: cell.NewLanes(2)})
		} else {
			c.word = unsafe.Pointer(&c.cell)
		}
	},
	share: (*Counter).share,
	part:  (*Counter).part,
	fresh: func(c *Counter) bool {
		e := c.extra.Load()
		return c.Value() == 0 && (e == nil || e.exemplar.Load() == nil)
	},
	read: func(c *Counter, _ *definition, p *model.Point, _ *scratch) {
		p.Has, p.Value, p.Exemplar = model.PartTotal, c.Value(), nil
		if e := c.extra.Load(); e != nil {
			p.Exemplar = e.exemplar.Load()
		}
	},
}

// NewCounter returns the counter of that name, which it creates and registers
// unless an identical one is there. "_total" is not part of the name and is
// stripped. It is an error if the name or an option is not valid, and a
// [*DuplicateError] if something else holds the name.
func NewCounter(name, help string, opts ...CounterOption) (*Counter, error) {
	return plain(model.Counter, name, help, counterSettings(opts), counters)
}

// NewCounterVec is [NewCounter] for a counter with the given label names.
func NewCounterVec(name, help string, labels []string, opts ...CounterOption) (*CounterVec, error) {
	return labelled(model.Counter, name, help, labels, counterSettings(opts), counters)
}

// NewCounterOf is [NewCounter] for a counter whose labels are the fields of L.
func NewCounterOf[L comparable](name, help string, opts ...CounterOption) (*CounterOf[L], error) {
	return typed[L](model.Counter, name, help, counterSettings(opts), counters)
}

func counterSettings(opts []CounterOption) *settings {
	return settingsOf(opts, CounterOption.applyCounter)
}

// whole returns the word of whole numbers, nil if the counter is sharded or zero.
// It is read through atomic.LoadPointer because that leaves Inc small enough to
// be inlined, which atomic.Pointer does not.
func (c *Counter) whole() *cell.Word { return (*cell.Word)(atomic.LoadPointer(&c.word)) }

// Inc adds one.
func (c *Counter) Inc() {
	if w := (*cell.Word)(atomic.LoadPointer(&c.word)); w != nil {
		w.Add(1)
	} else {
		c.incSharded()
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
	w := c.whole()
	if w == nil {
		e := c.extra.Load()
		if e == nil || e.shards == nil {
			return // the zero Counter
		}
		w = e.shards.Mine()
	}
	if rest := cell.AddWhole(w, n); rest > 0 {
		c.addFloat(rest)
	}
}

// addFloat adds to the float word.
func (c *Counter) addFloat(v float64) {
	e := c.extra.Load()
	if e == nil {
		if c.family == nil {
			return
		}
		e = c.grow()
	}
	switch {
	case e.shards != nil:
		e.shards.AddFloat(1, v)
	case e.lanes.Load() != nil:
		e.lanes.Load().AddFloat(1, v)
	default:
		whole := c.whole()
		if w := c.fractionOf(whole, e); !cell.TryAddFloat(w, v) {
			c.family.addFought(w, whole, 1, 2, &e.lanes, v)
		}
	}
}

// fractionOf returns the word of fractions: a row has it behind that of whole
// numbers, on the heap it is the extra's, which then must not be nil.
func (c *Counter) fractionOf(whole *cell.Word, e *counterExtra) *cell.Word {
	if whole != &c.cell {
		return cell.At(whole, 1)
	}
	return &e.fraction
}

//go:noinline // or Inc would not be inlined
func (c *Counter) incSharded() {
	if e := c.extra.Load(); e != nil && e.shards != nil {
		e.shards.Mine().Add(1)
	}
}

func (c *Counter) grow() *counterExtra {
	c.extra.CompareAndSwap(nil, &counterExtra{})
	return c.extra.Load()
}

func (c *Counter) refuse(v float64) {
	if c.family == nil {
		return
	}
	reason := ReasonNegative
	if math.IsNaN(v) {
		reason = ReasonNaN
	}
	c.family.fault(reason, func() error { return fmt.Errorf("telltale: %s was to be increased by %v", c.family, v) })
}

// AddWithExemplar adds v and makes the labels, with v and the present time, the
// counter's exemplar. It is an error, and nothing is added, if v is negative or
// NaN or the labels are not valid or have more than 128 characters together.
func (c *Counter) AddWithExemplar(v float64, labels map[string]string) error {
	if v < 0 || math.IsNaN(v) {
		c.refuse(v)
		return refused("counter", c.family, v)
	}
	e, err := newExemplar(v, labels, c.family)
	if err != nil || c.family == nil {
		return err
	}
	c.Add(v)
	extra := c.extra.Load()
	if extra == nil {
		extra = c.grow()
	}
	extra.exemplar.Store(e)
	if rows := c.family.rows(); rows != nil {
		if row := c.row(); row != nil {
			rows.SetExemplar(row, 0, e)
		}
	}
	return nil
}

// Value returns how far the counter has come, in this process.
func (c *Counter) Value() float64 {
	v := c.extra.Load().sum()
	if w := c.whole(); w != nil {
		v += float64(w.Load())
		if w != &c.cell {
			v += cell.LoadFloat(cell.At(w, 1))
		}
	}
	return v
}

// row returns the row that the counter counts in, nil if it does on the heap.
func (c *Counter) row() *cell.Word {
	switch w := c.whole(); w {
	case &c.cell:
		return nil
	case nil:
		if e := c.extra.Load(); e != nil {
			return e.row
		}
		return nil
	default:
		return w
	}
}

// share lets the counter count in a row, then takes there what was counted on the
// heap before.
func (c *Counter) share(row *cell.Word) {
	before := c.extra.Load()
	fresh := before.withExemplar()
	if fresh != nil {
		c.family.rows().SetExemplar(row, 0, fresh.exemplar.Load())
	}
	var lanes *cell.Lanes
	if c.family.sharded {
		lanes = c.family.lanes(row, 2)
	}
	if lanes != nil {
		if fresh == nil {
			fresh = &counterExtra{}
		}
		fresh.shards, fresh.row = lanes, row
		c.extra.Store(fresh)
		atomic.StorePointer(&c.word, nil)
	} else {
		atomic.StorePointer(&c.word, unsafe.Pointer(row))
		c.extra.Store(fresh)
	}
	c.addWhole(c.cell.Swap(0))
	before.addTo(c)
}

// part lets the counter count on the heap, then takes there what was counted in
// the row before. Which word of fractions counts follows from the word, so that
// nobody looks for that of the row in the new extra.
func (c *Counter) part() *cell.Word {
	row, before := c.row(), c.extra.Load()
	if row == nil {
		return nil
	}
	atomic.StorePointer(&c.word, unsafe.Pointer(&c.cell))
	c.extra.Store(before.withExemplar())
	c.addWhole(row.Load())
	c.Add(cell.LoadFloat(cell.At(row, 1)))
	before.addTo(c)
	return row
}

// withExemplar returns an extra with the exemplar alone, nil if there is none.
func (e *counterExtra) withExemplar() *counterExtra {
	if e == nil || e.exemplar.Load() == nil {
		return nil
	}
	fresh := &counterExtra{}
	fresh.exemplar.Store(e.exemplar.Load())
	return fresh
}

// sum returns what is counted beside the word.
func (e *counterExtra) sum() float64 {
	if e == nil {
		return 0
	}
	v := cell.LoadFloat(&e.fraction)
	if e.shards != nil {
		v += float64(e.shards.Sum(0)) + e.shards.SumFloat(1)
	}
	if lanes := e.lanes.Load(); lanes != nil {
		v += lanes.SumFloat(1)
	}
	return v
}

// addTo adds to a counter what is counted beside the word.
func (e *counterExtra) addTo(c *Counter) {
	if e == nil {
		return
	}
	c.Add(cell.LoadFloat(&e.fraction))
	if e.shards != nil {
		c.addWhole(e.shards.Sum(0))
		c.Add(e.shards.SumFloat(1))
	}
	if lanes := e.lanes.Load(); lanes != nil {
		c.Add(lanes.SumFloat(1))
	}
}

// Reset sets the counter back to zero and its created time to now. What other
// goroutines add at the same time may be lost.
func (c *Counter) Reset() {
	if c.family == nil {
		return
	}
	w, e := c.whole(), c.extra.Load()
	if w != nil {
		w.Store(0)
		if w != &c.cell {
			cell.At(w, 1).Store(0)
		}
	}
	if e != nil {
		e.fraction.Store(0)
		e.exemplar.Store(nil)
		for _, lanes := range []*cell.Lanes{e.shards, e.lanes.Load()} {
			if lanes != nil {
				lanes.Clear()
			}
		}
	}
	if s := c.family.owner.(*core[Counter]).series.Of(c); s != nil {
		s.Touch()
	}
	if rows := c.family.rows(); rows != nil {
		if row := c.row(); row != nil {
			rows.Touch(row, time.Now())
		}
	}
}

// CountErrors calls f and returns its error, counting it if there is one; given
// targets, only if it is one of them by [errors.Is]. A panic is counted and goes
// on.
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
