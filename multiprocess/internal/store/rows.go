package store

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// rows is the rows of a family in a store: in its file, and on the heap where the
// file could not grow.
type rows struct {
	store  *Store
	family segment.Family

	file atomic.Pointer[segment.Rows] // nil until there is room for the family
	heap atomic.Pointer[segment.Rows] // nil until it is needed

	mu    sync.Mutex
	lent  bool     // to an instrument; under the lock of the store
	shown uint64   // the round that counts
	last  uint64   // that was begun
	begun []uint64 // rounds that have not ended

	parked map[string][]*parked // by their labels: rows of series that this process does not update

	unshown atomic.Pointer[cell.Word] // row of an info not shown, as the error hook was told
}

// Rows implements [cell.Store].
func (s *Store) Rows(f cell.Family) cell.Rows {
	family := segment.Family{
		Name: f.Header.Name, Help: f.Header.Help, Unit: f.Header.Unit, Type: f.Header.Type,
		Mode: f.Mode, Bounds: f.Bounds.Upper(), States: f.States, Labels: f.Labels, Expiry: f.Expiry,
	}
	family.Layout = rowLayout(family.Type, f.Mode)
	if f.NativeBuckets > 0 {
		family.Layout = segment.LayoutNative
		family.NativeBuckets, family.NativeExemplars = uint32(f.NativeBuckets), uint32(f.NativeExemplars)
	}
	if family.Type == model.Histogram && f.Bounds.Len() == 0 {
		family.Bounds = onlyInfinity
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rows(family)
	r.lent = true
	return r
}

// rowLayout returns the layout of an instrument's rows. What custom collectors
// emit has it too, but for the counts of histograms, which are float64s there.
func rowLayout(t model.Type, mode uint8) segment.Layout {
	switch t {
	case model.Counter:
		return segment.LayoutCounter
	case model.Histogram:
		return segment.LayoutHistogram
	case model.Summary:
		return segment.LayoutSummary
	case model.Info:
		return segment.LayoutInfo
	case model.StateSet:
		return segment.LayoutState
	}
	if catalog.Modes[mode].Operation() == catalog.OpLatest {
		return segment.LayoutTimed
	}
	return segment.LayoutValue
}

// rows returns rows of a family that no instrument has, which are made if there are
// none. The caller holds the lock.
func (s *Store) rows(f segment.Family) *rows {
	for _, r := range s.families {
		if !r.lent && r.is(&f) {
			return r
		}
	}
	f.First = spool.Now().Moment() // if others have it too, the earliest word counts
	r := &rows{store: s, family: f}
	s.families = append(s.families, r)
	return r
}

// Release implements [cell.Rows].
func (r *rows) Release() {
	r.unparkAll()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.lent = false
}

func (r *rows) is(f *segment.Family) bool {
	g := &r.family
	return g.Name == f.Name && g.Help == f.Help && g.Unit == f.Unit && g.Type == f.Type && g.Layout == f.Layout &&
		g.Mode == f.Mode && g.Expiry == f.Expiry && g.Merge == f.Merge && g.Published == f.Published &&
		g.NativeBuckets == f.NativeBuckets && g.NativeExemplars == f.NativeExemplars && slices.Equal(g.Bounds, f.Bounds) &&
		slices.Equal(g.States, f.States) && slices.Equal(g.Labels, f.Labels)
}

// Add implements [cell.Rows].
func (r *rows) Add(labels model.Labels, created time.Time) *cell.Word {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(r.shown, labels, created)
}

// Begin implements [cell.Rows].
func (r *rows) Begin() (round uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	round = r.last + 1
	for slices.ContainsFunc(append(r.begun, r.shown), func(other uint64) bool { return segment.SameRound(other, round) }) {
		round++
	}
	r.last, r.begun = round, append(r.begun, round)
	return round
}

// Lay implements [cell.Rows].
func (r *rows) Lay(round uint64, labels model.Labels, created time.Time) *cell.Word {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(round, labels, created)
}

// Show implements [cell.Rows]. Other processes see the file alone, and this one is
// kept from reading. If there is no room to say that what ended processes have left was
// removed, that is said later.
func (r *rows) Show(round uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(round)
	r.shown = round
	for _, all := range r.parked {
		for _, p := range all {
			p.in.Retire(p.Row)
		}
	}
	clear(r.parked)
	alone := false
	if in := r.file.Load(); in != nil {
		if alone = !r.store.tombs.waiting.Load() && in.ShowAlone(round, spool.Monotonic()) == nil; !alone {
			in.Show(round)
		}
	}
	if in := r.heap.Load(); in != nil {
		in.Show(round)
	}
	if !alone {
		r.bury(nil)
	}
}

// Drop implements [cell.Rows].
func (r *rows) Drop(round uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(round)
}

func (r *rows) end(round uint64) {
	r.begun = slices.DeleteFunc(r.begun, func(begun uint64) bool { return begun == round })
}

// add has the segment give a row, or the heap if it cannot. Instruments hold locks
// meanwhile, so the error hook is called by a goroutine of its own: it may use
// instruments. The caller holds the lock.
func (r *rows) add(round uint64, labels model.Labels, created time.Time) *cell.Word {
	s := segment.Series{Labels: labels.Text(), Created: created.UnixMicro(), Round: round}
	r.store.segment.Alive(spool.MonotonicAtLeast()) // so that no earlier removal covers the series
	first, err := r.addTo(&r.file, r.store.segment, s)
	if err == nil {
		return first
	}
	heap, err := r.store.overflow(err)
	if err == nil {
		first, err = r.addTo(&r.heap, heap, s)
	}
	if err != nil { // a series that no segment takes, such as one with 1 GiB of labels
		go r.store.settings.Tell(err)
		return &make([]cell.Word, r.family.Words())[0]
	}
	return first
}

func (r *rows) addTo(rows *atomic.Pointer[segment.Rows], w *segment.Writer, s segment.Series) (*cell.Word, error) {
	if rows.Load() == nil {
		fresh, err := w.Rows(r.family)
		if err != nil {
			return nil, err
		}
		fresh.Show(r.shown)
		rows.Store(fresh)
	}
	return rows.Load().Add(s)
}

// Apart implements [cell.Rows].
func (r *rows) Apart(change func()) { r.store.settings.Apart(change) }

// holder returns the rows that have a row, nil if none have.
func (r *rows) holder(row *cell.Word) *segment.Rows {
	for _, rows := range []*segment.Rows{r.file.Load(), r.heap.Load()} {
		if rows != nil && rows.Has(row) {
			return rows
		}
	}
	return nil
}

// Remove implements [cell.Rows].
func (r *rows) Remove(row *cell.Word) { r.leave(row, (*segment.Rows).Remove) }

// Retire implements [cell.Rows].
func (r *rows) Retire(row *cell.Word) { r.leave(row, (*segment.Rows).Retire) }

// leave has the rows to which a row belongs, if any, let it rest.
func (r *rows) leave(row *cell.Word, leave func(*segment.Rows, *cell.Word) (had bool)) {
	for _, rows := range []*segment.Rows{r.file.Load(), r.heap.Load()} {
		if rows != nil && leave(rows, row) {
			return
		}
	}
}

// Touch implements [cell.Rows].
func (r *rows) Touch(row *cell.Word, created time.Time) {
	if rows := r.holder(row); rows != nil {
		rows.Touch(row, created.UnixMicro())
	}
}

// Lanes implements [cell.Rows].
func (r *rows) Lanes(row *cell.Word, words int) *cell.Lanes {
	if rows := r.holder(row); rows != nil {
		if lanes, err := rows.Lanes(row, words); err == nil {
			return lanes
		}
	}
	return nil
}

// LevelLanes implements [cell.Rows].
func (r *rows) LevelLanes(row *cell.Word) *cell.Lanes {
	if rows := r.holder(row); rows != nil {
		if lanes, err := rows.LevelLanes(row); err == nil {
			return lanes
		}
	}
	return nil
}

// SetExemplar implements [cell.Rows]. An exemplar for which there is no room is
// dropped: the next one may fit.
func (r *rows) SetExemplar(row *cell.Word, i int, e *model.Exemplar) {
	if rows := r.holder(row); rows != nil {
		_ = rows.SetExemplar(row, i, e)
	}
}

// SetInfo implements [cell.Rows]. It tells the error hook as Add does, of one series of the
// family until its labels are shown.
func (r *rows) SetInfo(row *cell.Word, labels model.Labels) {
	rows := r.holder(row)
	if rows == nil {
		return
	}
	switch err := rows.SetInfo(row, labels.Text()); {
	case err == nil:
		r.unshown.CompareAndSwap(row, nil)
	case r.unshown.CompareAndSwap(nil, row):
		go r.store.settings.Tell(fmt.Errorf("multiprocess: the labels of info %q are not shown: %w", r.family.Name, err))
	}
}

// set puts a value that was counted elsewhere into a row, in place of what
// was there.
func (r *rows) set(row *cell.Word, p *model.Point) {
	switch r.family.Layout {
	case segment.LayoutValue:
		cell.PutLevel(row, p.Value)
	case segment.LayoutTimed:
		cell.StoreFloat(row, p.Value)
		cell.At(row, 1).Store(uint64(cell.Now()))
	case segment.LayoutCounter:
		cell.StoreFloat(cell.At(row, 1), p.Value)
		if p.Exemplar != nil {
			r.SetExemplar(row, 0, p.Exemplar)
		}
	case segment.LayoutFloats:
		r.setHistogram(row, p.Histogram)
	case segment.LayoutSummary:
		cell.StoreFloat(row, p.Summary.Sum)
		cell.At(row, 1).Store(wholeOf(p.Summary.Count))
	case segment.LayoutInfo:
		r.SetInfo(row, p.Info)
	case segment.LayoutState:
		on := slices.IndexFunc(p.States, func(s model.State) bool { return s.On })
		row.Store(uint64(max(on, 0)))
		cell.At(row, 1).Store(uint64(cell.Now()))
	}
}

// setHistogram stores what each bucket has counted by itself; without buckets
// all is in the one that every family has.
func (r *rows) setHistogram(row *cell.Word, h *model.HistogramValue) {
	cell.StoreFloat(row, h.Sum)
	below := 0.0
	for i := range r.family.Bounds {
		upTo := h.Count
		if i < len(h.Cumulative) {
			upTo = h.Cumulative[i]
		}
		cell.StoreFloat(cell.At(row, 1+i), upTo-below)
		below = upTo
		if e := h.Exemplar(i); e != nil {
			r.SetExemplar(row, i, e)
		}
	}
}

func wholeOf(v float64) uint64 {
	if v >= 0 && v < math.MaxUint64 {
		return uint64(v)
	}
	return 0
}
