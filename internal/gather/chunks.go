package gather

import (
	"slices"
	"unsafe"

	"telltale/model"
)

// copiedPoints is a copy of the points of a family, in chunks.
type copiedPoints struct {
	chunks []pointChunk
	legacy bool
}

func (c *copiedPoints) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	for i := range c.chunks {
		if err := c.chunks[i].visit(scratch, visit); err != nil {
			return err
		}
	}
	return nil
}

// LegacyLabels reports whether all label names are legacy names, so that
// encoders need not check every series.
func (c *copiedPoints) LegacyLabels() bool { return c.legacy }

// The largest size of one chunk.
const (
	chunkPoints = 256
	chunkText   = 64 << 10
)

// pointChunk holds copies of consecutive points. Points that are just a number
// take little memory.
type pointChunk struct {
	text   string // of the labels, one series after the other
	plain  []plainPoint
	others []model.Point // points with more than a number
	extra  int           // approximate bytes of others
}

// plainPoint is a point with labels and a number.
type plainPoint struct {
	value              float64
	created, timestamp model.Timestamp
	end                uint32 // of its labels in text
	has                model.Parts
	other              bool // the point is the next one of others
}

// The approximate bytes of a point with its parts, and of a family without
// points.
const (
	pointSize  = 160
	headerSize = 400
)

func (c *pointChunk) size() int {
	return len(c.text) + len(c.plain)*int(unsafe.Sizeof(plainPoint{})) + c.extra
}

func (c *pointChunk) visit(scratch *model.Point, visit func(*model.Point) error) error {
	start, others := uint32(0), c.others
	for i := range c.plain {
		p := scratch
		if e := &c.plain[i]; e.other {
			p, others = &others[0], others[1:]
		} else {
			*p = model.Point{
				Labels: model.LabelsFromText(c.text[start:e.end]), Has: e.has,
				Created: e.created, Timestamp: e.timestamp, Value: e.value,
			}
			start = e.end
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// chunker copies points and passes them on in chunks.
type chunker struct {
	take   func(pointChunk) error
	text   []byte
	plain  []plainPoint
	others []model.Point
	extra  int
}

// add copies a point.
func (c *chunker) add(p *model.Point) error {
	other := p.Exemplar != nil || p.Histogram != nil || p.Summary != nil || p.States != nil || !p.Info.IsEmpty()
	if other {
		c.others = append(c.others, p.Clone())
		c.extra += extraSize(p)
	} else {
		c.text = append(c.text, p.Labels.Text()...)
	}
	c.plain = append(c.plain, plainPoint{
		value: p.Value, created: p.Created, timestamp: p.Timestamp, has: p.Has, end: uint32(len(c.text)), other: other,
	})
	if len(c.plain) >= chunkPoints || len(c.text)+c.extra >= chunkText {
		return c.flush()
	}
	return nil
}

// flush passes on the points copied since the last chunk.
func (c *chunker) flush() error {
	if len(c.plain) == 0 {
		return nil
	}
	full := pointChunk{text: string(c.text), plain: slices.Clone(c.plain), others: c.others, extra: c.extra}
	c.reset()
	return c.take(full)
}

// reset discards the points copied since the last chunk.
func (c *chunker) reset() { c.text, c.plain, c.others, c.extra = c.text[:0], c.plain[:0], nil, 0 }

// sizeWithoutPoints returns the approximate bytes of a copy of the family
// without its points.
func sizeWithoutPoints(f *model.Family) int {
	size := headerSize + len(f.Name) + len(f.Help) + len(f.Unit)
	for _, s := range f.Loose() {
		size += pointSize + len(s.Name) + len(s.Labels.Text()) + exemplarSize(s.Exemplar) + nativeSize(s.NativeHistogram)
	}
	return size
}

// extraSize returns the approximate bytes of a point that has more than a
// number.
func extraSize(p *model.Point) int {
	size := pointSize + len(p.Labels.Text()) + len(p.Info.Text()) + exemplarSize(p.Exemplar) + sizeOf(p.States)
	if h := p.Histogram; h != nil {
		size += pointSize + sizeOf(h.Cumulative) + sizeOf(h.Exemplars) + nativeSize(h.Native)
		for _, e := range h.Exemplars {
			size += exemplarSize(e)
		}
	}
	if p.Summary != nil {
		size += pointSize + sizeOf(p.Summary.Quantiles)
	}
	return size
}

func nativeSize(h *model.NativeHistogram) int {
	if h == nil {
		return 0
	}
	size := int(unsafe.Sizeof(*h)) + sizeOf(h.PositiveSpans) + sizeOf(h.Positive) + sizeOf(h.NegativeSpans) + sizeOf(h.Negative) + sizeOf(h.CustomBounds)
	for i := range h.Exemplars {
		size += exemplarSize(&h.Exemplars[i])
	}
	return size
}

func exemplarSize(e *model.Exemplar) int {
	if e == nil {
		return 0
	}
	return int(unsafe.Sizeof(*e)) + len(e.Labels.Text())
}

// sizeOf returns the bytes of the elements of a slice.
func sizeOf[E any](s []E) int {
	var one E
	return len(s) * int(unsafe.Sizeof(one))
}
