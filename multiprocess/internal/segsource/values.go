package segsource

import (
	"cmp"
	"math"
	"slices"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/internal/exponential"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// merge merges a row that has a series, of any layout. The values of merged histograms
// follow each other from the first slot on, as rowSlots lays them out. What a row merely
// refers to is looked for only where it does.
func (r *familyRows) merge(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32, created int64) {
	first := r.Layout.Values(row)
	switch r.Layout {
	case segment.LayoutCounter:
		if r.op != catalog.OpAdd { // what a custom collector emits, which has no lanes
			t.Put(r.op, slot, float64(first.Load())+cell.LoadFloat(cell.At(first, 1)))
			break
		}
		t.Sums.AddWhole(slot, first.Load())
		t.Sums.Add(slot, cell.LoadFloat(cell.At(first, 1)))
		if linked(row) {
			spread, _ := r.SpreadOf(s, row)
			for lane := range spread.Lanes() {
				t.Sums.AddWhole(slot, spread.Word(lane, 0))
				t.Sums.Add(slot, math.Float64frombits(spread.Word(lane, 1)))
			}
			t.Exemplify(slot, r.Exemplar(s, row, 0))
		}
	case segment.LayoutValue:
		if !r.mergeLevel(t, s, row, slot) {
			return
		}
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
		t.Inform(slot, r.Info(s, row))
	case segment.LayoutState:
		when := r.when(cell.At(first, 1)) // before the value, which is set first
		n := first.Load()
		if left, closed := r.Closed(row, n); closed {
			n = left
		}
		if n < uint64(len(r.states)) && r.states[n] >= 0 {
			t.PutTimed(slot, float64(r.states[n]), max(when, 1)) // it has a state, set or not
		}
	case segment.LayoutTimed:
		when, bits := r.when(cell.At(first, 1)), first.Load()
		if left, closed := r.Closed(row, bits); closed {
			bits = left
		}
		switch v := math.Float64frombits(bits); {
		case r.op == catalog.OpLatest:
			t.PutTimed(slot, v, when)
		case r.expired(when):
			return
		default:
			t.Put(r.op, slot, v)
		}
	}
	t.Births.Born(slot, created)
}

// mergeLevel merges a gauge's row that may have lanes, and reports whether it can be
// read.
func (r *familyRows) mergeLevel(t *catalog.Totals, s segment.Space, row *cell.Word, slot uint32) bool {
	if v, ok := cell.LoadLevel(r.Layout.Values(row)); ok {
		t.Put(r.op, slot, v)
		return true
	}
	values, ok := r.Level(s, row, nil)
	switch {
	case !ok:
	case r.op == catalog.OpAdd:
		for _, v := range values {
			t.Put(r.op, slot, v)
		}
	default:
		t.Put(r.op, slot, exact.Sum(values))
	}
	return ok
}

// links returns the word of a row that refers to others; 0 if none does.
func links(row *cell.Word) uint64 { return cell.At(row, 1).Load() }

// linked reports whether a row refers to anything.
func linked(row *cell.Word) bool { return links(row) != 0 }

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

// mergeRests adds what words of an archive's rows lack of their sums.
func (p *part) mergeRests(t *catalog.Totals) {
	rests := p.of.Rests()
	first, _ := slices.BinarySearchFunc(rests, p.From, func(rest segment.Rest, row uint32) int { return cmp.Compare(rest.Row, row) })
	for _, rest := range rests[first:] {
		place := int(rest.Row - p.From)
		if place >= len(p.slots) {
			return
		}
		row := p.Row(place, p.of.words)
		_, in := p.In(place, row)
		offset, sums := p.of.offset(rest.Value)
		if !in || p.slots[place] == 0 || !sums || p.ends && !p.goesOn(t, row, p.slots[place]) {
			continue
		}
		for _, v := range rest.Pieces {
			t.Sums.Add(p.slots[place]+offset, v)
		}
	}
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
