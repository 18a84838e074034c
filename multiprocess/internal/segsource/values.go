package segsource

import (
	"math"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/internal/exponential"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// merge merges a row that has a series, of all layouts but those of which there
// are most. The values of merged histograms follow
// each other from the first slot on, as rowSlots lays them out. What a row merely
// refers to is looked for only where it does.
func (r *familyRows) merge(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32, created int64) {
	first := r.Layout.Values(row)
	switch r.Layout {
	case segment.LayoutHistogram, segment.LayoutFloats:
		r.mergeHistogram(t, s, row, slot)
	case segment.LayoutNative:
		if !r.mergeNative(t, s, row, slot) {
			return
		}
	case segment.LayoutSummary:
		t.Sums.Add(slot, cell.LoadFloat(first))
		t.Sums.AddWhole(slot+1, cell.At(first, 1).Load())
		if linked(row) {
			spread, _ := r.SpreadOf(s, row)
			for lane := range spread.Lanes() {
				t.Sums.Add(slot, math.Float64frombits(spread.Word(lane, 0)))
				t.Sums.AddWhole(slot+1, spread.Word(lane, 1))
			}
		}
	case segment.LayoutInfo:
		t.Inform(slot, r.Info(s, row).Sorted())
	case segment.LayoutState:
		when := int64(cell.At(first, 1).Load()) // before the value, which is set first
		if n := first.Load(); n < uint64(len(r.states)) && r.states[n] >= 0 {
			t.PutTimed(slot, float64(r.states[n]), max(when, 1)) // it has a state, set or not
		}
	case segment.LayoutTimed:
		when := int64(cell.At(first, 1).Load())
		switch {
		case r.op == catalog.OpLatest:
			t.PutTimed(slot, cell.LoadFloat(first), when)
		case r.expired(t, when):
			return
		default:
			t.Put(r.op, slot, cell.LoadFloat(first))
		}
	}
	t.Born(slot, created)
}

// readCounters merges rows of a counter.
func (r *familyRows) readCounters(t *catalog.Totals, s segment.Space, rows *segment.Stretch, slots []uint32) {
	const words = 4 // state, links, whole numbers, fractions
	for i, slot := range slots {
		row := rows.Row(i, words)
		created, in := rows.In(i, row)
		if !in || slot == 0 {
			continue
		}
		if r.op != catalog.OpAdd { // what a custom collector emits, which has no lanes
			t.Put(r.op, slot, float64(cell.At(row, 2).Load())+cell.LoadFloat(cell.At(row, 3)))
			t.Born(slot, created)
			continue
		}
		t.Sums.AddWhole(slot, cell.At(row, 2).Load())
		t.Sums.Add(slot, cell.LoadFloat(cell.At(row, 3)))
		if linked(row) {
			spread, _ := r.SpreadOf(s, row)
			for lane := range spread.Lanes() {
				t.Sums.AddWhole(slot, spread.Word(lane, 0))
				t.Sums.Add(slot, math.Float64frombits(spread.Word(lane, 1)))
			}
			t.Exemplify(slot, r.Exemplar(s, row, 0))
		}
		t.Born(slot, created)
	}
}

// readValues merges rows of a gauge.
func (r *familyRows) readValues(t *catalog.Totals, s segment.Space, rows *segment.Stretch, slots []uint32) {
	const words = 2 // state, value
	op, values := r.op, t.Values
	for i, slot := range slots {
		row := rows.Row(i, words)
		if _, in := rows.In(i, row); !in || slot == 0 {
			continue
		}
		v, ok := cell.LoadLevel(cell.At(row, 1))
		switch {
		case !ok:
			if !r.readLevel(t, s, row, slot) {
				continue
			}
		case op == catalog.OpAdd:
			t.Sums.Add(slot, v)
		case op.Prefers(v, values[slot]):
			values[slot] = v
		}
		t.Seen(slot)
	}
}

// readLevel merges a gauge's row that may have lanes, and reports whether it can be
// read.
func (r *familyRows) readLevel(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32) bool {
	parts, ok := segment.Level(s, row, nil)
	switch {
	case !ok:
	case r.op == catalog.OpAdd:
		for _, v := range parts {
			t.Put(r.op, slot, v)
		}
	default:
		t.Put(r.op, slot, exact.Sum(parts))
	}
	return ok
}

// linked reports whether a row refers to anything.
func linked(row *cell.Word) bool { return cell.At(row, 1).Load() != 0 }

func (r *familyRows) mergeHistogram(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32) {
	first := r.Layout.Values(row)
	t.Sums.Add(slot, cell.LoadFloat(first))
	for i, to := range r.buckets {
		r.count(t, slot+to, cell.At(first, 1+i).Load())
	}
	if !linked(row) {
		return
	}
	spread, _ := r.SpreadOf(s, row)
	for lane := range spread.Lanes() {
		t.Sums.Add(slot, math.Float64frombits(spread.Word(lane, 0)))
		for i, to := range r.buckets {
			r.count(t, slot+to, spread.Word(lane, 1+i))
		}
	}
	for i, to := range r.buckets {
		t.Exemplify(slot+to, r.Exemplar(s, row, i))
	}
}

// count adds the word of a bucket.
func (r *familyRows) count(t *catalog.Totals, slot uint32, n uint64) {
	if r.Layout == segment.LayoutFloats {
		t.Sums.Add(slot, math.Float64frombits(n))
	} else {
		t.Sums.AddWhole(slot, n)
	}
}

// mergeRests adds what words of an archive's rows lack of their sums, and returns the
// rests of rows behind these.
func (r *familyRows) mergeRests(t *catalog.Totals, rows *segment.Stretch, slots []uint32, rests []segment.Rest) []segment.Rest {
	for i, rest := range rests {
		place := int(rest.Row) - int(rows.From)
		if place >= len(slots) {
			return rests[i:]
		}
		_, in := rows.In(place, rows.Row(place, r.words))
		offset, sums := r.offset(rest.Value)
		if !in || slots[place] == 0 || !sums {
			continue
		}
		for _, v := range rest.Pieces {
			t.Sums.Add(slots[place]+offset, v)
		}
	}
	return nil
}

// offset returns how far the slot of a row's value is behind the first, if values
// there are added up.
func (r *familyRows) offset(value int) (offset uint32, sums bool) {
	switch r.Layout {
	case segment.LayoutCounter:
		return 0, true
	case segment.LayoutSummary:
		return uint32(value), true
	case segment.LayoutHistogram, segment.LayoutFloats:
		if value > 0 {
			offset = r.buckets[value-1]
		}
		return offset, true
	case segment.LayoutNative:
		if value < r.Classic() {
			offset = r.buckets[value]
		}
		return offset, true
	}
	return 0, r.op == catalog.OpAdd && value == 0
}

// mergeNative merges a row with native buckets, which have the count and the sum.
// It reads them last, as they are counted in first: so the last classic bucket,
// whose count is what is left of them, has none too few. It reports whether there
// is something in the row that can be read.
func (r *familyRows) mergeNative(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32) bool {
	first, below := r.Layout.Values(row), uint64(0)
	classic := make([]uint64, 0, manyBuckets)
	for i := range r.Classic() {
		classic = append(classic, cell.At(first, i).Load())
		below += classic[i]
	}
	lanes := func() ([]cell.Word, int) { return r.NativeLanes(s, row) }
	if err := exponential.Read(r.NativeWordsAt(first), lanes, &t.Work); err != nil {
		return false
	}
	for i, n := range append(classic, t.Work.Count()-min(below, t.Work.Count())) {
		t.Sums.AddWhole(slot+r.buckets[i], n)
	}
	t.Work.SumParts(func(v float64) { t.Sums.Add(slot, v) })
	native := t.NativeOf(slot, r.claim.Family)
	if linked(row) {
		for i, to := range r.buckets {
			t.Exemplify(slot+to, r.Exemplar(s, row, i))
		}
		for i := len(r.buckets); native != nil && i < r.Exemplars(); i++ {
			if e := r.Exemplar(s, row, i); e != nil {
				native.Exemplars.Add(e, int(r.claim.Family.Native.Exemplars), exemplarAge)
			}
		}
	}
	if native != nil {
		native.Sum.Merge(&t.Work)
		native.Sum.Limit(&exponential.Options{MaxBuckets: int(r.claim.Family.Native.Buckets)})
	}
	return true
}

const (
	manyBuckets = 32              // most histograms have fewer
	exemplarAge = 5 * time.Minute // as in the root package
)
