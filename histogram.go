package telltale

import (
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/model"
)

// Histogram is a series that counts observations in buckets. All methods are
// safe for concurrent use, take no lock and allocate nothing in the steady
// state. Observe of the zero Histogram does nothing.
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
	handle[Histogram]
}

// HistogramVec is a histogram with labels given by position or by name.
type HistogramVec = Vec[Histogram]

// HistogramOf is a histogram with labels given by the struct L.
type HistogramOf[L comparable] = Of[L, Histogram]

var histograms = &kind[Histogram]{
	typ:  model.Histogram,
	sums: true,
	words: func(d *definition) int {
		if d.native != nil {
			return d.counted()
		}
		return 1 + d.bounds.Len()
	},
	bind: func(h *Histogram, w *cell.Word, of *core[Histogram]) {
		h.core = of
		if of.native != nil {
			h.extra.Store(newHistogramExtra(w, &of.definition))
		} else {
			h.cells.Init(w)
		}
	},
	share:  (*Histogram).share,
	toHeap: (*Histogram).toHeap,
	fresh:  func(h *Histogram) bool { return h.Count() == 0 },
	read:   (*Histogram).read,
	life:   life[Histogram]{updated: (*Histogram).updated, leave: (*Histogram).leave, enter: (*Histogram).enter, resume: (*Histogram).resume, pour: (*Histogram).pour},
}

// NewHistogram returns the histogram of that name, which it creates and
// registers unless an identical one is there. It is an error if the name or an
// option is not valid, and a [*DuplicateError] if something else holds the name.
func NewHistogram(name, help string, opts ...HistogramOption) (*Histogram, error) {
	return newPlain(histograms, name, help, opts)
}

// NewHistogramVec is [NewHistogram] for a histogram with the given label names.
func NewHistogramVec(name, help string, labels []string, opts ...HistogramOption) (*HistogramVec, error) {
	return newVec(histograms, name, help, labels, opts)
}

// NewHistogramOf is [NewHistogram] for a histogram whose labels are the fields
// of L.
func NewHistogramOf[L comparable](name, help string, opts ...HistogramOption) (*HistogramOf[L], error) {
	return newOf[L](histograms, name, help, opts)
}

// Observe counts v. NaN counts in the +Inf bucket, but in no native one, and makes
// the sum NaN.
func (h *Histogram) Observe(v float64) {
	first := h.cells.First()
	if first == nil {
		e := h.extra.Load()
		switch {
		case e == nil || !e.counting: // the zero Histogram, or its series has left
			h.observeOn(v)
			return
		case e.counts == nil: // there are no classic buckets, or native ones tell
			e.native.Observe(v)
		default:
			e.observe(v, h.core.upper)
		}
		if h.extra.Load() != e {
			h.follow(e)
		}
		return
	}
	bucket, w := 1+bucketOf(h.core.upper, v), h.cells.Mine(first)
	cell.At(w, bucket).Add(1)
	if added := cell.TryAddFloat(w, v); !added || h.cells.First() != first {
		h.finish(cell.Addition{I: bucket, V: v, Added: added}, first, w)
	}
}

// finish ends an observation that met another writer, or whose series moved or left
// meanwhile.
func (h *Histogram) finish(added cell.Addition, first, w *cell.Word) {
	h.core.finish(h, &h.cells, added, first, w)
	if h.core.away(h) {
		h.core.counting(h)
	}
}

// ObserveWithExemplar counts v and makes the labels, with v and the present time,
// the exemplar of v's bucket, or one of the native buckets'. It is an error, and
// nothing is counted, if the labels are not valid or have more than 128 characters
// together.
func (h *Histogram) ObserveWithExemplar(v float64, labels map[string]string) error {
	e, err := newExemplar(h.core, v, labels)
	if err != nil || h.core == nil {
		return err
	}
	h.Observe(v)
	h.core.shown(h).exemplify(e)
	return nil
}

func (h *Histogram) share(row *cell.Word) {
	if h.core.native != nil {
		h.shareNative(row)
	} else {
		h.core.shareWords(h, &h.cells, row, nil)
	}
	if x := h.extra.Load(); x != nil {
		for i, e := range x.appendExemplars(nil) {
			if e != nil {
				h.core.rows().SetExemplar(row, i, e)
			}
		}
	}
}

func (h *Histogram) toHeap() *cell.Word {
	if h.core.native != nil {
		return h.toHeapNative()
	}
	h.core.moving.Lock()
	defer h.core.moving.Unlock()
	return h.cells.ToHeap(make([]cell.Word, h.core.words()))
}

// Count returns the number of observations in this process.
func (h *Histogram) Count() (n uint64) {
	if h.core != nil {
		h = h.core.shown(h)
	}
	if h.core == nil || h.core.native != nil {
		s := h.snapshot()
		return s.Count()
	}
	m := &h.core.moving
	for {
		version := m.Began()
		n = 0
		for i := range h.core.bounds.Len() {
			n += h.cells.Count(1 + i)
		}
		if m.Whole(version) {
			return n
		}
	}
}

// Sum returns the sum of the observed values in this process.
func (h *Histogram) Sum() float64 {
	if h.core != nil {
		h = h.core.shown(h)
	}
	if h.core == nil || h.core.native != nil {
		return h.snapshot().Sum
	}
	return h.core.sum(&h.cells)
}

// read puts the histogram into the point, reusing what the point has.
func (h *Histogram) read(p *model.Point, s *scratch) {
	d := h.core
	if d.native != nil {
		h.readNative(p, s)
		return
	}
	v := p.Histogram
	v.Bounds, v.Exemplars = d.bounds, v.Exemplars[:0]
	for whole := false; !whole; {
		version := d.moving.Began()
		v.Cumulative = h.cells.AppendCumulative(v.Cumulative[:0], 1, d.bounds.Len())
		v.Count, v.Sum = v.Cumulative[len(v.Cumulative)-1], h.cells.Sum()
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
