package telltale

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// Histograms with native buckets, and the exemplars of all histograms.

// histogramExtra is what few histograms need: exemplars, and all that those with native
// buckets count in. Histograms with native buckets have no cells of their own, by which
// Observe tells them from classic ones.
type histogramExtra struct {
	exemplars atomic.Pointer[[]atomic.Pointer[model.Exemplar]] // by bucket, from the first one on
	counts    *cell.Word                                       // each classic bucket's own, but that of +Inf; nil without classic buckets and where native ones tell
	counting  bool                                             // there are native buckets

	native exponential.Histogram
	row    *cell.Word            // nil on the heap
	spread exponential.Exemplars // of native buckets
	next   atomic.Uint32         // which of a row's native exemplars is replaced next
}

// newHistogramExtra returns the extra of a histogram with native buckets.
func newHistogramExtra(counts *cell.Word, d *definition) *histogramExtra {
	e := &histogramExtra{counts: counts, counting: true}
	e.native.Init(&d.native.Options)
	return e
}

// newHeapExtra is newHistogramExtra with n counts on the heap.
func newHeapExtra(d *definition, n int) *histogramExtra {
	var counts *cell.Word
	if n > 0 {
		counts = &make([]cell.Word, n)[0]
	}
	return newHistogramExtra(counts, d)
}

// observe counts v. The native buckets are first: they have the count and the sum, so
// that a reader that reads them last finds no fewer observations there than in the
// others.
func (e *histogramExtra) observe(v float64, upper []float64) {
	e.native.Observe(v)
	if bucket := bucketOf(upper, v); bucket < len(upper) {
		cell.At(e.counts, bucket).Add(1)
	}
}

// follow moves what was counted late in an extra to the one that counts now, if that
// is another. A series that has left comes back for it.
func (h *Histogram) follow(e *histogramExtra) {
	for to := h; !to.take(e); {
		to = to.core.counting(to)
	}
}

// take moves what was counted in another extra to that of the histogram, and reports
// whether it has one, which it does not while its series is away.
func (h *Histogram) take(e *histogramExtra) bool {
	h.core.moving.Lock()
	defer h.core.moving.Unlock()
	now := h.extra.Load()
	if now != nil && now != e {
		e.drainInto(now, h.core.upper)
	}
	return now != nil
}

// drainInto moves what was counted on the heap to another extra. What is counted
// late in a row stays there.
func (e *histogramExtra) drainInto(to *histogramExtra, upper []float64) {
	if e.row != nil {
		return
	}
	var s exponential.Snapshot
	switch {
	case to.counts == nil:
	case e.counts == nil:
		e.native.Drain(&s)
		to.count(&s, upper)
	default:
		for i := range upper {
			cell.At(to.counts, i).Add(cell.At(e.counts, i).Swap(0))
		}
	}
	if to.counts == nil || e.counts != nil {
		e.native.Drain(&s)
	}
	if s.Count() > 0 || s.Sum != 0 {
		to.native.Merge(&s)
	}
}

// count counts in classic buckets what native ones hold.
func (e *histogramExtra) count(s *exponential.Snapshot, upper []float64) {
	below := 0.0
	for i, upTo := range s.AppendCumulative(nil, upper) {
		cell.At(e.counts, i).Add(uint64(upTo - below))
		below = upTo
	}
}

// snapshot returns what the native buckets hold, nothing if there are none.
func (h *Histogram) snapshot() (s exponential.Snapshot) {
	if h.core == nil || h.core.native == nil {
		return s
	}
	for {
		version := h.core.moving.Began()
		if e := h.extra.Load(); e != nil { // else the series has left
			e.native.Read(&s)
		}
		if h.core.moving.Whole(version) {
			return s
		}
	}
}

// grow returns the extra, which is made if there is none.
func (h *Histogram) grow() *histogramExtra {
	if h.extra.Load() == nil {
		h.extra.CompareAndSwap(nil, &histogramExtra{})
	}
	return h.extra.Load()
}

// exemplify keeps an exemplar: the last of its classic bucket, and one that makes
// a good spread over the native ones.
func (h *Histogram) exemplify(e *model.Exemplar) {
	d, x, rows := h.core, h.extra.Load(), h.core.rows()
	row := h.cells.First()
	switch {
	case d.native == nil:
		x = h.grow()
	case x == nil: // the series has left again
		return
	default:
		row = x.row
	}
	if buckets := d.bounds.Len(); buckets > 0 {
		if x.exemplars.Load() == nil {
			fresh := make([]atomic.Pointer[model.Exemplar], buckets)
			x.exemplars.CompareAndSwap(nil, &fresh)
		}
		bucket := bucketOf(d.upper, e.Value)
		(*x.exemplars.Load())[bucket].Store(e)
		if rows != nil {
			rows.SetExemplar(row, bucket, e)
		}
	}
	if d.native == nil || d.native.exemplars == 0 {
		return
	}
	x.spread.Add(e, d.native.exemplars, d.native.exemplarAge)
	if rows != nil {
		place := (x.next.Add(1) - 1) % uint32(d.native.exemplars)
		rows.SetExemplar(row, max(1, d.bounds.Len())+int(place), e)
	}
}

// shareNative lets the histogram count in a row.
func (h *Histogram) shareNative(row *cell.Word) {
	d, e := h.core, &histogramExtra{row: row, counting: true}
	if len(d.upper) > 0 {
		e.counts = row
	}
	words := unsafe.Slice(cell.At(row, len(d.upper)), d.native.Words())
	room := func(words int) *cell.Lanes { return d.room().Lanes(row, words) }
	if err := e.native.InitIn(words, room, &d.inStore); err != nil {
		d.fault(ReasonStore, func() error { return fmt.Errorf("telltale: a series of %s is kept outside the store: %w", d, err) })
		e = newHeapExtra(&d.definition, d.counted())
	}
	h.moveNative(e)
}

// toHeapNative moves the histogram to the heap and returns the row that it leaves. It
// keeps what a row counted, whose native buckets may have become too coarse to tell.
func (h *Histogram) toHeapNative() *cell.Word {
	return h.moveNative(newHeapExtra(&h.core.definition, len(h.core.upper))).row
}

// moveNative puts an extra in the place of the one that is there, which it
// returns, and adds to it what that has counted.
func (h *Histogram) moveNative(to *histogramExtra) (from *histogramExtra) {
	h.core.moving.Lock()
	defer h.core.moving.Unlock()
	from = h.extra.Swap(to)
	if from.row == nil {
		if from.counts != nil || h.core.counted() == 0 { // else it is new
			from.drainInto(to, h.core.upper)
		}
	} else {
		for i := range h.core.upper {
			cell.At(to.counts, i).Add(cell.At(from.counts, i).Load())
		}
		var s exponential.Snapshot
		if from.native.Read(&s); s.Count() > 0 {
			to.native.Merge(&s)
		}
	}
	to.exemplars.Store(from.exemplars.Load())
	kept := from.spread.AppendTo(nil)
	for i := range kept {
		to.spread.Add(&kept[i], len(kept), 0)
	}
	return from
}

// readNative puts a histogram with native buckets into the point.
func (h *Histogram) readNative(p *model.Point, s *scratch) {
	d := h.core
	for {
		version := d.moving.Began()
		if e := h.extra.Load(); e != nil { // else the series leaves just now
			e.read(&d.definition, p, s)
		}
		if d.moving.Whole(version) {
			return
		}
	}
}

// read puts what the extra holds into the point.
func (e *histogramExtra) read(d *definition, p *model.Point, s *scratch) {
	v := p.Histogram
	v.Bounds, v.Cumulative, v.Exemplars = d.bounds, v.Cumulative[:0], v.Exemplars[:0]
	below := uint64(0)
	if e.counts != nil {
		for i := range d.upper { // before the count, see observe
			below += cell.At(e.counts, i).Load()
			v.Cumulative = append(v.Cumulative, float64(below))
		}
	}
	e.native.Read(&s.snapshot)
	if e.counts == nil {
		v.Cumulative = s.snapshot.AppendCumulative(v.Cumulative, d.upper)
	}
	s.snapshot.Native(v.Native)
	v.Count, v.Sum = v.Native.Count, v.Native.Sum
	p.Has = model.PartCount | model.PartSum
	if d.bounds != nil {
		v.Cumulative = append(v.Cumulative, v.Count)
		p.Has |= model.PartBucket
		if d.upper[0] < 0 {
			p.Has &^= model.PartSum
		}
	}
	if since := s.snapshot.Since; d.native.MinReset > 0 && since > 0 {
		if began := model.TimestampOf(time.Unix(0, since)); began.Compare(p.Created) > 0 {
			p.Created = began
		}
	}
	v.Exemplars = e.appendExemplars(v.Exemplars)
	v.Native.Exemplars = e.spread.AppendTo(v.Native.Exemplars[:0])
}

// appendExemplars appends those of classic buckets.
func (e *histogramExtra) appendExemplars(list []*model.Exemplar) []*model.Exemplar {
	exemplars := e.exemplars.Load()
	if exemplars == nil {
		return list
	}
	list = slices.Grow(list, len(*exemplars))
	for i := range *exemplars {
		list = append(list, (*exemplars)[i].Load())
	}
	return list
}
