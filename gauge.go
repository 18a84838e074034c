package telltale

import (
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// Gauge is a series that can have any value. All methods are safe for concurrent
// use; setting and adding take no lock and allocate nothing in the steady state.
// Each Set and Add takes effect at one moment, for all readers. Updates of the
// zero Gauge do nothing.
type Gauge struct {
	word  unsafe.Pointer // *cell.Word; nil if each Set takes a time, if the series can expire, and while the gauge moves
	extra atomic.Pointer[gaugeExtra]
	handle[Gauge]
	cell cell.Word // what word points to on the heap
}

// gaugeExtra is what few gauges need: lanes, once several goroutines fought
// over adding, a function in the value's place, or a time beside it. A gauge that
// moves gets a new one.
type gaugeExtra struct {
	level    cell.Level // of the gauge's word
	timed    *cell.Word // in a row of a store, with the value's time behind it; nil if that has none
	row      *cell.Word // of a store, for what the function says; nil without one
	open     *cell.Word // of a series that can expire: its word in a row of a store; nil on the heap
	function atomic.Pointer[func() float64]
}

// GaugeVec is a gauge with labels given by position or by name.
type GaugeVec = Vec[Gauge]

// GaugeOf is a gauge with labels given by the struct L.
type GaugeOf[L comparable] = Of[L, Gauge]

var gauges = &kind[Gauge]{
	typ:   model.Gauge,
	words: func(*definition) int { return 0 },
	bind: func(g *Gauge, _ *cell.Word, of *core[Gauge]) {
		g.core = of
		if !of.expires {
			g.word = unsafe.Pointer(&g.cell)
		}
	},
	share:  (*Gauge).share,
	toHeap: (*Gauge).toHeap,
	fresh: func(g *Gauge) bool {
		e := g.extra.Load()
		return e != nil && e.function.Load() != nil || g.Value() == 0
	},
	confirm: (*Gauge).confirm,
	read:    (*Gauge).read,
	scalars: gaugeScalars,
	life:    life[Gauge]{updated: (*Gauge).updated, leave: (*Gauge).leave, enter: (*Gauge).enter, resume: (*Gauge).resume, pour: (*Gauge).pour},
}

// NewGauge returns the gauge of that name, which it creates and registers unless
// an identical one is there. It is an error if the name or an option is not
// valid, and a [*DuplicateError] if something else holds the name.
func NewGauge(name, help string, opts ...GaugeOption) (*Gauge, error) {
	return newPlain(gauges, name, help, opts)
}

// NewGaugeVec is [NewGauge] for a gauge with the given label names.
func NewGaugeVec(name, help string, labels []string, opts ...GaugeOption) (*GaugeVec, error) {
	return newVec(gauges, name, help, labels, opts)
}

// NewGaugeOf is [NewGauge] for a gauge whose labels are the fields of L.
func NewGaugeOf[L comparable](name, help string, opts ...GaugeOption) (*GaugeOf[L], error) {
	return newOf[L](gauges, name, help, opts)
}

// Set sets the gauge to v.
func (g *Gauge) Set(v float64) {
	w, core := (*cell.Word)(atomic.LoadPointer(&g.word)), g.core
	switch {
	case w == nil || v != v:
		g.setSlow(v)
		return
	case w == &g.cell: // an address that is known before w, whose cache line others may have
		cell.SetLevel(&g.cell, v)
	default:
		cell.SetLevel(w, v)
	}
	if core.moving.Moved() && (*cell.Word)(atomic.LoadPointer(&g.word)) != w {
		g.setSlow(v) // the gauge has left the word
	}
}

// timed reports whether a row has the time of its value behind it.
func (g *Gauge) timed() bool {
	return g.core.mode == ModeMostRecent || g.core.mode == ModeLiveMostRecent
}

// setSlow is Set for NaN, and for a gauge whose word is nil or that moves.
func (g *Gauge) setSlow(v float64) {
	if g.core == nil {
		return // the zero Gauge
	}
	if g.core.expires {
		g.setOpen(v)
		return
	}
	version := g.core.moving.Began()
	w, e := g.settled()
	switch {
	case w == nil:
		cell.StoreFloat(e.timed, v)
		raise(cell.At(e.timed, 1))
		if !g.core.moving.Whole(version) {
			g.setSlow(v) // the gauge may have left the row
		}
	case v == v:
		g.Set(v)
	default:
		cell.SetLevelNaN(w)
		if (*cell.Word)(atomic.LoadPointer(&g.word)) != w {
			g.setSlow(v)
		}
	}
}

// settled returns where the gauge keeps its value, once it does not move: a word,
// or nil and an extra with the word and its time.
func (g *Gauge) settled() (*cell.Word, *gaugeExtra) {
	w, e := (*cell.Word)(atomic.LoadPointer(&g.word)), g.extra.Load()
	if w != nil || e != nil && e.timed != nil {
		return w, e
	}
	g.core.moving.Lock()
	defer g.core.moving.Unlock()
	return (*cell.Word)(atomic.LoadPointer(&g.word)), g.extra.Load()
}

// Add adds v, which may be negative.
func (g *Gauge) Add(v float64) {
	if w := (*cell.Word)(atomic.LoadPointer(&g.word)); w == nil || !cell.TryAddLevel(w, v) {
		g.addSlow(v)
	}
}

// addSlow adds to the lanes, or where another writer was.
func (g *Gauge) addSlow(v float64) {
	if e := g.extra.Load(); e != nil && e.level.TryAdd((*cell.Word)(atomic.LoadPointer(&g.word)), v) {
		return
	}
	if g.core == nil {
		return // the zero Gauge
	}
	if g.core.expires {
		g.addOpen(v)
		return
	}
	for {
		switch w, e := g.settled(); {
		case w == nil:
			cell.AddFloat(e.timed, v)
			raise(cell.At(e.timed, 1))
			return
		case e == nil:
			g.grow()
		default:
			switch e.level.Add(w, v) {
			case cell.Added:
				return
			case cell.Fought:
				g.spread(w, e)
			case cell.Gone:
				g.mend(w, e)
			}
		}
	}
}

// spread gives the gauge lanes, if w and e are still its word and its extra.
func (g *Gauge) spread(w *cell.Word, e *gaugeExtra) {
	g.at(w, e, func() {
		if w == &g.cell {
			e.level.Spread(w, cell.Heap{})
		} else if rows := g.core.rows(); rows != nil {
			e.level.Spread(w, rows)
		}
	})
}

// mend sets the gauge to 0, if w and e are still its word and its extra. The word of a
// row whose file was damaged may refer to lanes that do not exist.
func (g *Gauge) mend(w *cell.Word, e *gaugeExtra) { g.at(w, e, func() { e.levelOfWord().Mend(w) }) }

// at runs f while the gauge does not move, if w and e are still its word and its extra.
func (g *Gauge) at(w *cell.Word, e *gaugeExtra, f func()) {
	g.core.moving.Hold(func() {
		if g.place() == w && g.extra.Load() == e {
			f()
		}
	})
}

// Sub subtracts v.
func (g *Gauge) Sub(v float64) { g.Add(-v) }

// Inc adds one.
func (g *Gauge) Inc() { g.Add(1) }

// Dec subtracts one.
func (g *Gauge) Dec() { g.Add(-1) }

// SetToCurrentTime sets the gauge to the seconds since the Unix epoch.
func (g *Gauge) SetToCurrentTime() { g.Set(float64(time.Now().UnixNano()) / 1e9) }

// SetFunc makes f the source of the gauge's value; with nil the gauge has the value
// that was set again. From then on the gauge's family is collected as custom collectors
// are: the rest of a page is complete if f is slow or panics. A scrape that began
// before may still read the value that was set.
func (g *Gauge) SetFunc(f func() float64) {
	if g.core == nil {
		return
	}
	core := g.core
	if core.away(g) {
		g = core.counting(g)
	}
	core.table.mu.Lock()
	defer core.table.mu.Unlock()
	if core.away(g) { // it has left again
		g, _ = core.table.bringBack(series.SlotOf(g))
	}
	e := g.grow()
	if f == nil {
		e.function.Store(nil)
		core.moving.Begin()
		if e.row != nil {
			g.share(e.row)
		}
		return
	}
	core.callbacks.Store(true)
	core.moving.Begin()
	e.function.Store(&f)
	if row := g.row(); row != nil && e.row == nil {
		g.share(row)
	}
}

// Value returns the gauge's value in this process. After SetFunc it calls the
// function, on the caller's goroutine: a panic there is the caller's. All other
// ways of reading run it as a custom collector is run.
func (g *Gauge) Value() float64 {
	if g.core != nil {
		g = g.core.shown(g)
	}
	if f := g.function(); f != nil {
		return f()
	}
	return g.held()
}

// function returns the function that SetFunc was given, nil if the gauge has none.
func (g *Gauge) function() func() float64 {
	if e := g.extra.Load(); e != nil {
		if f := e.function.Load(); f != nil {
			return *f
		}
	}
	return nil
}

// held returns the gauge's own value, whatever its function says.
func (g *Gauge) held() float64 {
	if g.core == nil {
		return 0 // the zero Gauge
	}
	if g.core.expires {
		return g.heldOpen()
	}
	for {
		w, e := g.settled()
		if w == nil {
			return cell.LoadFloat(e.timed)
		}
		if v, ok := e.levelOfWord().Load(w); ok {
			return v
		}
		g.mend(w, e)
	}
}

// levelOfWord returns the level of the gauge's word, nil without an extra.
func (e *gaugeExtra) levelOfWord() *cell.Level {
	if e == nil {
		return nil
	}
	return &e.level
}

// read puts the gauge into the point. What a function says, if the walk calls
// functions, is stored in the gauge's row, if it has one, for other processes.
func (g *Gauge) read(p *model.Point, room *scratch) {
	p.Has = model.PartValue
	var f *func() float64
	if e := g.extra.Load(); e != nil && room.functions {
		f = e.function.Load()
	}
	if f == nil {
		p.Value = g.held()
		return
	}
	p.Value = (*f)()
	g.core.table.mu.Lock()
	defer g.core.table.mu.Unlock()
	if e := g.extra.Load(); e.row != nil && e.function.Load() == f { // else the row is for something else by now
		cell.PutLevel(e.row, p.Value)
		if g.timed() {
			raise(cell.At(e.row, 1))
		}
	}
}

// gaugeScalars reads gauges, for walks that call no functions.
func gaugeScalars(run []series.Slot[Gauge], s *scratch) int {
	for i := range run {
		slot := &run[i]
		g, to := &slot.Handle, &s.scalars[s.read]
		v, ok := cell.LoadLevel(&g.cell)
		if to.Value = v; !ok || (*cell.Word)(atomic.LoadPointer(&g.word)) != &g.cell {
			to.Value = g.held()
		}
		to.Labels = slot.Labels()
		var there bool
		if to.Created, there = slot.Created(); !there {
			continue
		}
		if s.read++; s.full() {
			return i + 1
		}
	}
	return len(run)
}

// share moves the gauge into a row. Where the time of a value matters every Set
// goes the slow way, which knows of it. With a function the row is for what that
// says, and what the gauge is set to stays on the heap.
func (g *Gauge) share(row *cell.Word) {
	if g.core.expires {
		g.shareOpen(row)
		return
	}
	old := g.extra.Load()
	if old != nil && old.function.Load() != nil {
		g.moveToHeap(&gaugeExtra{row: row})
		return
	}
	w, e := unsafe.Pointer(row), &gaugeExtra{}
	if g.timed() {
		w, e.timed = nil, row
	}
	g.move(w, e, func(v float64) {
		switch {
		case e.timed == nil:
			cell.PutLevel(row, v)
		case v != 0 || cell.At(row, 1).Load() != 0: // else it was never set
			cell.StoreFloat(row, v)
			raise(cell.At(row, 1))
		}
	})
}

// confirm gives the value a time, if it needs one and has none.
func (g *Gauge) confirm() {
	if row := g.row(); row != nil && g.timed() {
		cell.At(row, 1).CompareAndSwap(0, uint64(cell.Now()))
	}
}

// toHeap moves the gauge to the heap and returns the row that it leaves, or nil if
// it had none.
func (g *Gauge) toHeap() *cell.Word {
	row := g.row()
	switch {
	case row == nil:
	case g.core.expires:
		g.openOnHeap(row)
	default:
		g.moveToHeap(&gaugeExtra{})
	}
	return row
}

// moveToHeap moves the gauge to the heap, where it may be already, with its function.
func (g *Gauge) moveToHeap(e *gaugeExtra) {
	if old := g.extra.Load(); old != nil {
		e.function.Store(old.function.Load())
	}
	g.move(unsafe.Pointer(&g.cell), e, func(v float64) { cell.PutLevel(&g.cell, v) })
}

// move has the gauge count in a word with an extra, once put has stored its value
// there. Updates wait. An Add or a Set of its own cell is either in the value that put
// is given, or fails there and is done again in the new word. What is added late to a
// row stays in the row.
func (g *Gauge) move(word unsafe.Pointer, e *gaugeExtra, put func(v float64)) {
	g.core.moving.Lock()
	defer g.core.moving.Unlock()
	from, old := atomic.SwapPointer(&g.word, nil), g.extra.Load()
	var v float64
	switch {
	case from == nil:
		v = cell.LoadFloat(old.timed)
	case from != unsafe.Pointer(&g.cell):
		v, _ = old.level.Load((*cell.Word)(from))
	default:
		v = old.levelOfWord().Close(&g.cell)
	}
	put(v)
	g.extra.Store(e)
	atomic.StorePointer(&g.word, word)
}

// row returns the gauge's row in a store, nil if it has none.
func (g *Gauge) row() *cell.Word {
	w, e := g.place(), g.extra.Load()
	switch {
	case w == nil:
		return e.timed
	case w != &g.cell:
		return w
	case e != nil:
		return e.row
	}
	return nil
}

// place returns the word that holds the gauge's value, nil if it is in the extra.
func (g *Gauge) place() *cell.Word {
	if g.core.expires {
		w, _ := g.openWord()
		return w
	}
	return (*cell.Word)(atomic.LoadPointer(&g.word))
}

// grow gives the gauge its extra.
func (g *Gauge) grow() *gaugeExtra {
	if e := g.extra.Load(); e != nil {
		return e
	}
	g.extra.CompareAndSwap(nil, new(gaugeExtra))
	return g.extra.Load()
}

// TrackInProgress adds one and returns a function that subtracts it:
//
//	defer inFlight.TrackInProgress()()
func (g *Gauge) TrackInProgress() (done func()) {
	g.Inc()
	return g.Dec
}
