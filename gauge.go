package telltale

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// GaugeMode says how the values that several processes give a gauge become one.
// The live modes forget processes that ended.
type GaugeMode uint8

// The ten modes of Python's client.
const (
	ModeAll            GaugeMode = iota // one series for each process
	ModeMin                             // the smallest
	ModeMax                             // the largest
	ModeSum                             // the sum
	ModeMostRecent                      // what was set last
	ModeLiveAll                         // one series for each process alive
	ModeLiveMin                         // the smallest of processes alive
	ModeLiveMax                         // the largest of processes alive
	ModeLiveSum                         // the sum of processes alive
	ModeLiveMostRecent                  // what a process alive set last
	numModes
)

var modeNames = [numModes]string{"all", "min", "max", "sum", "mostrecent", "liveall", "livemin", "livemax", "livesum", "livemostrecent"}

// String returns the mode's name as Python's client spells it.
func (m GaugeMode) String() string {
	if m < numModes {
		return modeNames[m]
	}
	return fmt.Sprintf("GaugeMode(%d)", uint8(m))
}

// Gauge is a series that can have any value. All methods are safe for
// concurrent use; setting and adding take no lock and allocate nothing in the
// steady state. The zero Gauge keeps nothing.
type Gauge struct {
	word  unsafe.Pointer // *cell.Word; nil once there is an extra that minds it
	extra atomic.Pointer[gaugeExtra]
	handle
	cell cell.Word // what word points to
}

// gaugeExtra is what few gauges need: lanes, once several goroutines fought
// over adding, or a function in the value's place.
type gaugeExtra struct {
	word     *cell.Word
	timed    bool       // word is in a row of a store, with the value's time behind it
	row      *cell.Word // of a store, for what the function says; nil without one
	lanes    atomic.Pointer[cell.Lanes]
	setting  sync.Mutex    // held while the lanes are emptied for a Set
	version  atomic.Uint64 // odd while they are, so that nobody reads half of it
	function atomic.Pointer[func() float64]
}

// GaugeVec is a gauge with labels given by position or by name.
type GaugeVec = Vec[Gauge]

// GaugeOf is a gauge with labels given by the struct L.
type GaugeOf[L comparable] = Of[L, Gauge]

var gauges = &kind[Gauge]{
	words: func(*definition) int { return 0 },
	bind: func(g *Gauge, _ *cell.Word, d *definition) {
		g.handle = handle{d}
		g.word = unsafe.Pointer(&g.cell)
	},
	share: (*Gauge).share,
	part:  (*Gauge).part,
	fresh: func(g *Gauge) bool {
		e := g.extra.Load()
		return e != nil && e.function.Load() != nil || g.Value() == 0
	},
	confirm: (*Gauge).confirm,
	read:    (*Gauge).read,
}

// NewGauge returns the gauge of that name, which it creates and registers unless
// an identical one is there. It is an error if the name or an option is not
// valid, and a [*DuplicateError] if something else holds the name.
func NewGauge(name, help string, opts ...GaugeOption) (*Gauge, error) {
	return plain(model.Gauge, name, help, gaugeSettings(opts), gauges)
}

// NewGaugeVec is [NewGauge] for a gauge with the given label names.
func NewGaugeVec(name, help string, labels []string, opts ...GaugeOption) (*GaugeVec, error) {
	return labelled(model.Gauge, name, help, labels, gaugeSettings(opts), gauges)
}

// NewGaugeOf is [NewGauge] for a gauge whose labels are the fields of L.
func NewGaugeOf[L comparable](name, help string, opts ...GaugeOption) (*GaugeOf[L], error) {
	return typed[L](model.Gauge, name, help, gaugeSettings(opts), gauges)
}

func gaugeSettings(opts []GaugeOption) *settings {
	s := settingsOf(opts, GaugeOption.applyGauge)
	if s.mode >= numModes {
		s.err = fmt.Errorf("telltale: there is no gauge mode %s", s.mode)
	}
	return s
}

// Set sets the gauge to v.
func (g *Gauge) Set(v float64) {
	// Written out with functions, because the methods would make it too large to
	// be inlined.
	if w := (*uint64)(atomic.LoadPointer(&g.word)); w != nil {
		atomic.StoreUint64(w, math.Float64bits(v))
	} else {
		g.setSlow(v)
	}
}

// timed reports whether a row has the time of its value behind it.
func (g *Gauge) timed() bool {
	return g.family.mode == ModeMostRecent || g.family.mode == ModeLiveMostRecent
}

// setSlow empties the lanes and sets the word, as one step for readers. What is
// added meanwhile counts as added before or after.
func (g *Gauge) setSlow(v float64) {
	e := g.extra.Load()
	if e == nil {
		return // the zero Gauge
	}
	e.set(v)
}

func (e *gaugeExtra) set(v float64) {
	e.setting.Lock()
	defer e.setting.Unlock()
	e.version.Add(1)
	if lanes := e.lanes.Load(); lanes != nil {
		lanes.Clear()
	}
	cell.StoreFloat(e.word, v)
	if e.timed {
		raise(cell.At(e.word, 1))
	}
	e.version.Add(1)
}

// Add adds v, which may be negative.
func (g *Gauge) Add(v float64) {
	if w := (*cell.Word)(atomic.LoadPointer(&g.word)); w == nil || !cell.TryAddFloat(w, v) {
		g.addSlow(v)
	}
}

// addSlow adds to the lanes, or where another writer was.
func (g *Gauge) addSlow(v float64) {
	w := (*cell.Word)(atomic.LoadPointer(&g.word))
	switch {
	case w != nil && w != &g.cell:
		cell.AddFloat(w, v) // in a row: nobody else would see lanes
		return
	case w != nil && cell.FightFloat(w, v):
		return
	}
	e := g.grow()
	if e == nil {
		return // the zero Gauge
	}
	if e.timed {
		cell.AddFloat(e.word, v)
		raise(cell.At(e.word, 1))
		return
	}
	lanes := e.lanes.Load()
	if lanes == nil {
		e.lanes.CompareAndSwap(nil, cell.NewLanes(1))
		lanes = e.lanes.Load()
		atomic.StorePointer(&g.word, nil)
	}
	lanes.AddFloat(0, v)
}

// Sub subtracts v.
func (g *Gauge) Sub(v float64) { g.Add(-v) }

// Inc adds one.
func (g *Gauge) Inc() { g.Add(1) }

// Dec subtracts one.
func (g *Gauge) Dec() { g.Add(-1) }

// SetToCurrentTime sets the gauge to the seconds since the Unix epoch.
func (g *Gauge) SetToCurrentTime() { g.Set(float64(time.Now().UnixNano()) / 1e9) }

// SetFunc lets f say the value whenever it is read, in place of whatever was
// set; nil gives the gauge back its own value. From then on the gauge's family
// is collected as custom collectors are: f may be slow or panic without harm to
// the rest of the page. A scrape that has begun before may read the gauge's own
// value.
func (g *Gauge) SetFunc(f func() float64) {
	if g.family == nil {
		return
	}
	core := g.family.owner.(*core[Gauge])
	core.mu.Lock()
	defer core.mu.Unlock()
	e := g.grow()
	if f == nil {
		e.function.Store(nil)
		if e.row != nil {
			g.share(e.row)
		}
		return
	}
	core.callbacks.Store(true)
	e.function.Store(&f)
	if row := g.row(); row != nil && e.row == nil {
		g.share(row)
	}
}

// Value returns the gauge's value in this process. After SetFunc it calls the
// function, on the caller's goroutine: a panic there is the caller's. All other
// ways of reading run it as a custom collector is run.
func (g *Gauge) Value() float64 {
	if f := g.function(); f != nil {
		return f()
	}
	return g.held()
}

// function returns what SetFunc was given, nil if that is nothing.
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
	w := (*cell.Word)(atomic.LoadPointer(&g.word)) // before extra, which is there when it is nil
	e := g.extra.Load()
	switch {
	case e != nil:
		return e.value()
	case w != nil:
		return cell.LoadFloat(w)
	}
	return 0
}

// value is what the word and the lanes hold together.
func (e *gaugeExtra) value() float64 {
	// While others add and subtract, a sum over lanes may have one without the
	// other. It is believed once a second reading agrees, or in the end anyway.
	v := e.sum()
	for range 8 {
		version := e.version.Load()
		again := e.sum()
		same := again == v || math.IsNaN(again) && math.IsNaN(v)
		if same && version%2 == 0 && e.version.Load() == version {
			return v
		}
		v = again
	}
	e.setting.Lock() // or those who set without a pause would never let it be read
	defer e.setting.Unlock()
	return e.sum()
}

func (e *gaugeExtra) sum() float64 {
	v := cell.LoadFloat(e.word)
	if lanes := e.lanes.Load(); lanes != nil {
		v += lanes.SumFloat(0)
	}
	return v
}

// read puts the gauge into the point. What a function says, if the walk calls
// functions, is stored in the gauge's row, if it has one, for other processes.
func (g *Gauge) read(_ *definition, p *model.Point, room *scratch) {
	p.Has = model.PartValue
	var f func() float64
	if room.functions {
		f = g.function()
	}
	if f == nil {
		p.Value = g.held()
		return
	}
	p.Value = f()
	if e := g.extra.Load(); e.row != nil && e.function.Load() != nil {
		cell.StoreFloat(e.row, p.Value)
		if g.timed() {
			raise(cell.At(e.row, 1))
		}
	}
}

// share lets the gauge count in a row. Where the time of a value matters every
// Set goes the slow way, which knows of it. With a function the row is for what
// that says, and what the gauge is set to stays on the heap.
func (g *Gauge) share(row *cell.Word) {
	old := g.extra.Load()
	v := g.own(old)
	if old != nil && old.function.Load() != nil {
		e := &gaugeExtra{word: &g.cell, row: row}
		e.function.Store(old.function.Load())
		g.keep(v, e)
		return
	}
	e := &gaugeExtra{word: row, timed: g.timed()}
	if !e.timed {
		cell.StoreFloat(row, v)
		atomic.StorePointer(&g.word, unsafe.Pointer(row))
		g.extra.Store(e)
		return
	}
	if v != 0 || cell.At(row, 1).Load() != 0 { // else it was never set
		e.set(v)
	}
	g.extra.Store(e)
	atomic.StorePointer(&g.word, nil)
}

// confirm gives the value a time, if it needs one and has none.
func (g *Gauge) confirm() {
	if row := g.row(); row != nil && g.timed() {
		cell.At(row, 1).CompareAndSwap(0, uint64(time.Now().UnixNano()))
	}
}

// part lets the gauge count on the heap again.
func (g *Gauge) part() *cell.Word {
	row, old := g.row(), g.extra.Load()
	if row == nil {
		return nil
	}
	e := &gaugeExtra{word: &g.cell}
	if old != nil {
		e.function.Store(old.function.Load())
	}
	g.keep(g.own(old), e)
	return row
}

// keep lets the gauge count on the heap, from v on.
func (g *Gauge) keep(v float64, e *gaugeExtra) {
	cell.StoreFloat(&g.cell, v)
	atomic.StorePointer(&g.word, unsafe.Pointer(&g.cell))
	g.extra.Store(e)
}

// row returns the gauge's row in a store, nil if it has none.
func (g *Gauge) row() *cell.Word {
	switch e := g.extra.Load(); {
	case e == nil, e.row == nil && e.word == &g.cell:
		return nil
	case e.row != nil:
		return e.row
	default:
		return e.word
	}
}

// own returns what the gauge was set to, whatever its function says.
func (g *Gauge) own(e *gaugeExtra) float64 {
	if e != nil {
		return e.sum()
	}
	return cell.LoadFloat(&g.cell)
}

// grow gives the gauge its extra. The zero Gauge has none.
func (g *Gauge) grow() *gaugeExtra {
	if e := g.extra.Load(); e != nil {
		return e
	}
	if w := (*cell.Word)(atomic.LoadPointer(&g.word)); w != nil {
		g.extra.CompareAndSwap(nil, &gaugeExtra{word: w})
	}
	return g.extra.Load()
}

// TrackInProgress adds one and returns a function that takes it away again:
//
//	defer inFlight.TrackInProgress()()
func (g *Gauge) TrackInProgress() (done func()) {
	g.Inc()
	return g.Dec
}
