package telltale

import (
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/model"
)

// Histogram is a series that counts observations in buckets. All methods are
// safe for concurrent use, take no lock and allocate nothing in the steady
// state. The zero Histogram observes nothing.
//
// Its count is the sum of its buckets as they are read, so that the two never
// disagree. With a negative first bound its sum is not exported, because it
// could fall (OpenMetrics 1.0, section "Histogram").
//
// Buckets are classic ones, with fixed bounds, unless [WithNativeBuckets] says
// otherwise.
type Histogram struct {
	cells atomic.Pointer[cell.Word]  // the sum, then each bucket's own count; nil with native buckets
	lanes atomic.Pointer[cell.Lanes] // of all words, once the sum was fought over
	extra atomic.Pointer[histogramExtra]
	handle
}

// HistogramVec is a histogram with labels given by position or by name.
type HistogramVec = Vec[Histogram]

// HistogramOf is a histogram with labels given by the struct L.
type HistogramOf[L comparable] = Of[L, Histogram]

var histograms = &kind[Histogram]{
	words: func(d *definition) int {
		if d.native != nil {
			return len(d.upper)
		}
		return 1 + d.bounds.Len()
	},
	bind: func(h *Histogram, w *cell.Word, d *definition) {
		h.handle = handle{d}
		if d.native != nil {
			h.extra.Store(newHistogramExtra(w, d))
		} else {
			h.cells.Store(w)
		}
	},
	share: (*Histogram).share,
	part:  (*Histogram).part,
	fresh: func(h *Histogram) bool { return h.Count() == 0 },
	read:  (*Histogram).read,
}

// NewHistogram returns the histogram of that name, which it creates and
// registers unless an identical one is there. It is an error if the name or an
// option is not valid, and a [*DuplicateError] if something else holds the name.
func NewHistogram(name, help string, opts ...HistogramOption) (*Histogram, error) {
	return plain(model.Histogram, name, help, histogramSettings(opts), histograms)
}

// NewHistogramVec is [NewHistogram] for a histogram with the given label names.
func NewHistogramVec(name, help string, labels []string, opts ...HistogramOption) (*HistogramVec, error) {
	return labelled(model.Histogram, name, help, labels, histogramSettings(opts), histograms)
}

// NewHistogramOf is [NewHistogram] for a histogram whose labels are the fields
// of L.
func NewHistogramOf[L comparable](name, help string, opts ...HistogramOption) (*HistogramOf[L], error) {
	return typed[L](model.Histogram, name, help, histogramSettings(opts), histograms)
}

func histogramSettings(opts []HistogramOption) *settings {
	return settingsOf(opts, HistogramOption.applyHistogram)
}

// fewBounds is how many bounds are compared one after the other. Observations
// mostly fall into the same few buckets, so those branches are foreseen, and
// halving is faster only for more.
const fewBounds = 16

// bucketOf returns the index of the bucket that v belongs to; NaN belongs to the
// last.
func bucketOf(upper []float64, v float64) int {
	low := 0
	for n := len(upper); n > fewBounds; n = len(upper) {
		if half := n / 2; v <= upper[half-1] {
			upper = upper[:half]
		} else {
			upper, low = upper[half:], low+half
		}
	}
	for i, bound := range upper {
		if v <= bound {
			return low + i
		}
	}
	return low + len(upper)
}

// Observe counts v. NaN counts in the +Inf bucket, but in no native one, and makes
// the sum NaN.
func (h *Histogram) Observe(v float64) {
	first := h.cells.Load()
	if first == nil {
		h.observeNative(v)
		return
	}
	bucket := 1 + bucketOf(h.family.upper, v)
	if lanes := h.lanes.Load(); lanes != nil {
		cell.At(lanes.Mine(), bucket).Add(1)
		lanes.AddFloat(0, v)
		return
	}
	cell.At(first, bucket).Add(1)
	if !cell.TryAddFloat(first, v) {
		fresh := h.family.addFought(first, first, 0, 1+h.family.bounds.Len(), &h.lanes, v)
		if fresh != nil && h.cells.Load() != first { // it has moved, and the lanes are those of the old row
			h.lanes.CompareAndSwap(fresh, nil)
		}
	}
}

// ObserveWithExemplar counts v and makes the labels, with v and the present
// time, the exemplar of v's bucket, or one of the native buckets'. It is an error, and nothing is counted, if
// the labels are not valid or have more than 128 characters together.
func (h *Histogram) ObserveWithExemplar(v float64, labels map[string]string) error {
	e, err := newExemplar(v, labels, h.family)
	if err != nil || h.family == nil {
		return err
	}
	h.Observe(v)
	h.exemplify(e)
	return nil
}

func (h *Histogram) share(row *cell.Word) {
	if h.family.native != nil {
		h.shareNative(row)
	} else {
		move(row, h.cells.Swap(row), h.lanes.Swap(nil), 1+h.family.bounds.Len())
	}
	if x := h.extra.Load(); x != nil {
		for i, e := range x.appendExemplars(nil) {
			if e != nil {
				h.family.rows().SetExemplar(row, i, e)
			}
		}
	}
}

func (h *Histogram) part() *cell.Word {
	if h.family.native != nil {
		return h.partNative()
	}
	words := make([]cell.Word, 1+h.family.bounds.Len())
	row := h.cells.Swap(&words[0])
	move(&words[0], row, h.lanes.Swap(nil), len(words))
	return row
}

// word returns what the i-th word and its lanes hold together, the sum for 0.
func (h *Histogram) word(first *cell.Word, lanes *cell.Lanes, i int) uint64 {
	n := cell.At(first, i).Load()
	if lanes != nil {
		n += lanes.Sum(i)
	}
	return n
}

// Count returns the number of observations in this process.
func (h *Histogram) Count() (n uint64) {
	first, lanes := h.cells.Load(), h.lanes.Load()
	if first == nil {
		s := h.snapshot()
		return s.Count()
	}
	for i := range h.family.bounds.Len() {
		n += h.word(first, lanes, 1+i)
	}
	return n
}

// Sum returns the sum of the observed values in this process.
func (h *Histogram) Sum() float64 {
	first, lanes := h.cells.Load(), h.lanes.Load()
	if first == nil {
		return h.snapshot().Sum
	}
	sum := cell.LoadFloat(first)
	if lanes != nil {
		sum += lanes.SumFloat(0)
	}
	return sum
}

// read puts the histogram into the point, reusing what the point has.
func (h *Histogram) read(d *definition, p *model.Point, s *scratch) {
	if d.native != nil {
		h.extra.Load().read(d, p, s)
		return
	}
	v := p.Histogram
	first, lanes := h.cells.Load(), h.lanes.Load()
	v.Bounds, v.Cumulative, v.Exemplars = d.bounds, v.Cumulative[:0], v.Exemplars[:0]
	var count uint64
	for i := range d.bounds.Len() {
		count += h.word(first, lanes, 1+i)
		v.Cumulative = append(v.Cumulative, float64(count))
	}
	v.Count, v.Sum = float64(count), h.Sum()
	p.Has = model.PartBucket | model.PartCount | model.PartSum
	if d.upper[0] < 0 {
		p.Has &^= model.PartSum
	}
	if e := h.extra.Load(); e != nil {
		v.Exemplars = e.appendExemplars(v.Exemplars)
	}
}
