package telltale

import (
	"math"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/internal/series"
)

// A histogram whose series has left has neither a first word nor an extra to count in,
// which Observe notices before it counts, or after (see cell.Accumulator.Leave).

// observeOn is Observe of a histogram whose series has left.
func (h *Histogram) observeOn(v float64) {
	if h.core == nil {
		return // the zero Histogram
	}
	to := h.core.passesOn(h)
	if to == nil {
		to = h.core.counting(h)
	}
	to.Observe(v)
}

// updated reports whether the histogram was updated since the last call.
func (h *Histogram) updated(of *series.Track[Histogram]) bool {
	if h.core.native == nil {
		return accumulated(&h.cells, h.core, of)
	}
	return h.updatedNative(of)
}

// updatedNative is updated with native buckets.
func (h *Histogram) updatedNative(of *series.Track[Histogram]) bool {
	var s exponential.Snapshot
	h.extra.Load().native.Read(&s)
	count, sum := s.Count(), math.Float64bits(s.Sum)
	same := of.Count == count && of.Sum == sum
	of.Count, of.Sum = count, sum
	return !same
}

// leave empties a histogram that is away, unless it was updated.
func (h *Histogram) leave(of *series.Track[Histogram]) (from departure, left bool) {
	if h.core.native == nil {
		return parted(&h.cells, h.core, of)
	}
	h.core.moving.Lock()
	defer h.core.moving.Unlock()
	e, upper := h.extra.Swap(nil), h.core.upper // before it is read: who still sees it need not come back
	if e.row != nil {
		var s exponential.Snapshot
		if e.native.Read(&s); s.Count() != of.Count || math.Float64bits(s.Sum) != of.Sum {
			h.extra.Store(e)
			return from, false
		}
		return departure{row: e.row, kept: unsafe.Pointer(e)}, true
	}
	if e.counts == nil {
		upper = nil
	}
	counts := make([]uint64, len(upper)) // before the native buckets, see observe
	for i := range upper {
		counts[i] = cell.At(e.counts, i).Swap(0)
	}
	var s exponential.Snapshot
	e.native.Drain(&s)
	if s.Count() == of.Count && math.Float64bits(s.Sum) == of.Sum {
		return from, true
	}
	for i := range upper {
		cell.At(e.counts, i).Add(counts[i])
	}
	e.native.Merge(&s)
	h.extra.Store(e)
	return from, false
}

// enter begins another life of a histogram.
func (h *Histogram) enter(of *series.Track[Histogram]) {
	if h.core.native != nil {
		h.extra.Store(newHeapExtra(&h.core.definition, h.core.counted()))
		return
	}
	h.extra.Store(nil)
	entered(&h.cells, h.core, of)
}

// resume goes on in the row that the series has left.
func (h *Histogram) resume(in cell.Parked) {
	if h.core.native == nil {
		h.core.shareWords(h, &h.cells, in.Row, (*cell.Lanes)(in.Kept))
		return
	}
	h.core.moving.Lock()
	defer h.core.moving.Unlock()
	late, now := h.extra.Load(), (*histogramExtra)(in.Kept)
	h.extra.Store(now)
	late.drainInto(now, h.core.upper)
}

// pour adds what was counted late to another histogram. With native buckets
// [Histogram.follow] does that.
func (h *Histogram) pour(of *series.Track[Histogram], to *Histogram) {
	if h.core.native == nil {
		h.cells.Pour((*cell.Word)(of.Parked), h.core.words(), &to.cells)
	}
}
