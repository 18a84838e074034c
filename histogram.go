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
	cells cell.Accumulator // the sum, then each bucket's own count; none with native buckets
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
			h.cells.Init(w)
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
	first := h.cells.First()
	if first == nil {
		h.observeNative(v)
		return
	}
	bucket, w := 1+bucketOf(h.family.upper, v), h.cells.Mine(first)
	cell.At(w, bucket).Add(1)
	if added := cell.TryAddFloat(w, v); !added || h.family.moving.Moved() {
		h.family.finish(&h.cells, cell.Addition{I: bucket, V: v, Added: added}, first, w)
	}
}

// finish ends an addition to an accumulator, see [cell.Accumulator.Finish].
func (d *definition) finish(a *cell.Accumulator, added cell.Addition, first, w *cell.Word) {
	a.Finish(added, first, w, d.words(), &d.moving, d.room())
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
		h.family.moving.Lock()
		h.cells.ToRow(row, h.family.words())
		h.family.moving.Unlock()
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
	h.family.moving.Lock()
	defer h.family.moving.Unlock()
	return h.cells.ToHeap(make([]cell.Word, h.family.words()))
}

// words returns how many words a series of a histogram with classic buckets alone
// has, or of a summary.
func (d *definition) words() int {
	if d.typ == model.Summary {
		return 2
	}
	return 1 + d.bounds.Len()
}

// Count returns the number of observations in this process.
func (h *Histogram) Count() (n uint64) {
	if h.family == nil || h.family.native != nil {
		s := h.snapshot()
		return s.Count()
	}
	m := &h.family.moving
	for {
		version := m.Began()
		n = 0
		for i := range h.family.bounds.Len() {
			n += h.cells.Count(1 + i)
		}
		if m.Whole(version) {
			return n
		}
	}
}

// Sum returns the sum of the observed values in this process.
func (h *Histogram) Sum() float64 {
	if h.family == nil || h.family.native != nil {
		return h.snapshot().Sum
	}
	return h.family.sum(&h.cells)
}

// sum returns what an accumulator holds in its first word, before a move or after.
func (d *definition) sum(a *cell.Accumulator) float64 {
	for {
		version := d.moving.Began()
		if v := a.Sum(); d.moving.Whole(version) {
			return v
		}
	}
}

// read puts the histogram into the point, reusing what the point has.
func (h *Histogram) read(d *definition, p *model.Point, s *scratch) {
	if d.native != nil {
		h.readNative(d, p, s)
		return
	}
	v := p.Histogram
	v.Bounds, v.Exemplars = d.bounds, v.Exemplars[:0]
	for whole := false; !whole; {
		version := d.moving.Began()
		v.Cumulative = v.Cumulative[:0]
		var count uint64
		for i := range d.bounds.Len() {
			count += h.cells.Count(1 + i)
			v.Cumulative = append(v.Cumulative, float64(count))
		}
		v.Count, v.Sum = float64(count), h.cells.Sum()
		whole = d.moving.Whole(version)
	}
	p.Has = model.PartBucket | model.PartCount | model.PartSum
	if d.upper[0] < 0 {
		p.Has &^= model.PartSum
	}
	if e := h.extra.Load(); e != nil {
		v.Exemplars = e.appendExemplars(v.Exemplars)
	}
}
