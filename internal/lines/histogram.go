package lines

import (
	"math"
	"slices"

	"telltale/model"
)

// visitHistogram writes a histogram's buckets, count and sum, and adds what
// readers of classic histograms need: the +Inf bucket, count and sum of a
// histogram with native buckets only, and the +Inf bucket where a count but no
// such bound is known.
func (p *Page) visitHistogram(pt *model.Point) error {
	h := pt.Histogram
	if pt.Created.IsSet() {
		p.seen |= model.PartCreated
	}
	if h == nil {
		p.visitCreated(pt)
		return p.pass()
	}
	countPart, sumPart := model.PartCount, model.PartSum
	if p.family.Type == model.GaugeHistogram {
		countPart, sumPart = model.PartGCount, model.PartGSum
	}
	has, count, sum := pt.Has, h.Count, h.Sum
	if h.Native != nil && has&model.PartBucket == 0 {
		if has&countPart == 0 {
			count = h.Native.Count
		}
		if has&sumPart == 0 {
			sum = h.Native.Sum
		}
		has |= model.PartBucket | countPart | sumPart
	}
	p.seen |= has
	counted := has&countPart != 0
	if !counted {
		count = math.NaN()
	}
	wanted := has & p.block.Parts
	if has = p.format.FitHistogram(p, wanted, h, count, sum); has == 0 && wanted != 0 {
		return nil
	}
	if has&model.PartBucket != 0 {
		p.buckets(pt, h)
		if counted && !Closed(h.Bounds, h.Bounds.Len()) {
			b := p.appendOpen(p.buf, p.headOf(model.PartBucket), pt.Labels)
			b = append(b, `le="+Inf"} `...)
			p.buf = append(p.appendTail(b, count, pt.Timestamp), '\n')
		}
	}
	if has&countPart != 0 {
		p.line(countPart, pt, count)
	}
	if has&sumPart != 0 {
		p.line(sumPart, pt, sum)
	}
	p.visitCreated(pt)
	return p.pass()
}

// An edge is what the line of a bucket has behind the labels of the series, up to the
// value: le="0.5"} and a space.
type edge struct {
	text   [edgeSize]byte
	length int
}

// edgeSize is at least the length of an edge. A bound is spelled in at most 24 bytes.
const edgeSize = 32

// edgesOf returns the edges of all bounds. They are made when the bounds are others than
// those of the point before, which the series of a family mostly share.
func (p *Page) edgesOf(bounds *model.Bounds) []edge {
	if bounds == p.bounds {
		return p.edges
	}
	p.bounds, p.edges = bounds, slices.Grow(p.edges[:0], bounds.Len())
	for i := range bounds.Len() {
		var e edge
		b := append(e.text[:0], bounds.Label(i)...)
		if p.short {
			b = append(p.shortened(b[:len(b)-1]), '"')
		}
		e.length = len(append(b, '}', ' '))
		p.edges = append(p.edges, e)
	}
	return p.edges
}

// append appends the edge, in one piece of a fixed length.
func (e *edge) append(dst []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, edgeSize)[:n+edgeSize]
	*(*[edgeSize]byte)(dst[n:]) = e.text
	return dst[:n+e.length]
}

// buckets writes the lines of classic buckets. They have the same beginning, and
// behind empty buckets the same count, which are copied from the lines before in
// the buffer: what lies between two edges in one piece.
func (p *Page) buckets(pt *model.Point, h *model.HistogramValue) {
	n := min(h.Bounds.Len(), len(h.Cumulative))
	if n == 0 {
		return
	}
	edges := p.edgesOf(h.Bounds)
	start := len(p.buf)
	b := p.appendOpen(p.buf, p.headOf(model.PartBucket), pt.Labels)
	end := len(b)
	from, to, count := 0, 0, math.NaN() // what was between the last two edges, and the count there
	for i, v := range h.Cumulative[:n] {
		b = edges[i].append(b)
		e := h.Exemplar(i)
		if v == count && e == nil {
			b = append(b, b[from:to]...)
			continue
		}
		from, count = len(b), v
		b = p.appendTail(b, v, pt.Timestamp)
		if e != nil {
			b, count = p.format.AppendExemplar(p, b, model.PartBucket, e, h.Bounds.Upper()[i]), math.NaN()
		}
		b = append(append(b, '\n'), b[start:end]...)
		to = len(b)
	}
	p.buf = b[:len(b)-(end-start)]
}
