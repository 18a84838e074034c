package lines

import (
	"bytes"
	"math"
	"math/bits"
	"unsafe"

	"telltale/model"
)

// partCount is the number of single parts; otherwise the following line does not
// compile.
const partCount = 9

var _ = [1]struct{}{}[1<<partCount-1-model.AllParts]

// A head is the beginning of the lines of one part.
type head struct {
	bare   []byte         // without labels: name, or {"name"} where the name needs quotes
	open   []byte         // before labels: name{ or {"name",
	padded [headSize]byte // the first bytes of open, copied in one piece
}

// headSize is the length up to which the head of a line is copied with a fixed
// length, which is faster than copying its exact length.
const headSize = 64

// headOf returns the head of a single part.
func (p *Page) headOf(part model.Parts) *head {
	return &p.head[bits.TrailingZeros16(uint16(part))%partCount]
}

func (h *head) set(n name, suffix string) {
	if n.quoted {
		h.open = append(n.append(append(h.open[:0], '{'), suffix), ',')
		h.bare = append(append(h.bare[:0], h.open[:len(h.open)-1]...), '}')
	} else {
		h.bare = n.append(h.bare[:0], suffix)
		h.open = append(append(h.open[:0], h.bare...), '{')
	}
	copy(h.padded[:], h.open)
}

// append appends the line of a series up to its value.
func (h *head) append(dst []byte, labels string) []byte {
	n := len(dst)
	if len(h.open) > headSize || cap(dst)-n < headSize+len(labels)+2 || labels == "" {
		return h.appendLong(dst, labels)
	}
	*(*[headSize]byte)(dst[n : n+headSize]) = h.padded
	n += len(h.open)
	dst = dst[:n+len(labels)+2]
	n += copy(dst[n:], labels)
	dst[n], dst[n+1] = '}', ' '
	return dst
}

func (h *head) appendLong(dst []byte, labels string) []byte {
	if labels == "" {
		return append(append(dst, h.bare...), ' ')
	}
	return append(append(append(dst, h.open...), labels...), '}', ' ')
}

// prepare sets the head of a part.
func (p *Page) prepare(part model.Parts) {
	h := p.headOf(part)
	h.set(p.base, p.suffix(part))
	switch part {
	case model.PartValue, model.PartTotal, model.PartInfo:
		p.single, p.part = h, part
	}
}

func (p *Page) suffix(part model.Parts) string { return suffixOf(part, p.literal) }

// suffixOf returns the suffix that samples of the part add to the name of their
// family.
func suffixOf(part model.Parts, literal bool) string {
	if literal && part&(model.PartTotal|model.PartInfo) != 0 {
		return ""
	}
	return part.Suffix()
}

// visitors are the methods that write a point of each type, bound once.
type visitors struct {
	single, summary, histogram, states, info, whole, distinct func(*model.Point) error
	scalars                                                   func([]model.Scalar) error
}

// singles are the parts of points that are one number.
const singles = model.PartValue | model.PartTotal

func (v *visitors) of(t model.Type, b Block) func(*model.Point) error {
	if b.Value != nil {
		return v.whole
	}
	switch t {
	case model.Summary:
		return v.summary
	case model.Histogram, model.GaugeHistogram:
		return v.histogram
	case model.StateSet:
		return v.states
	case model.Info:
		return v.info
	}
	return v.single
}

// visitDistinct writes a point unless its series is printed as another one.
func (p *Page) visitDistinct(pt *model.Point) error {
	if p.names.repeats(pt) {
		p.report(p.family.SampleName(), ClashingSeries)
		return nil
	}
	return p.next(pt)
}

// visitWhole writes a point as one line.
func (p *Page) visitWhole(pt *model.Point) error {
	b := p.appendHead(p.buf, p.headOf(p.block.Name), pt.Labels)
	if b = p.block.Value(p, b, pt); b != nil {
		p.buf = append(b, '\n')
	}
	return p.pass()
}

// visitScalars writes counters, gauges or unknowns that have only a value, if
// labels are printed unchanged.
func (p *Page) visitScalars(run []model.Scalar) error {
	b := p.buf
	for i := range run {
		s := &run[i]
		if p.block.Counts && !(s.Value >= 0) {
			p.Drop(p.part, UnfitTotal)
			continue
		}
		b = p.single.append(b, s.Labels.Text())
		b = append(model.AppendValue(b, s.Value), '\n')
		if len(b) >= flushAt {
			p.buf = b
			if err := p.flush(); err != nil {
				return err
			}
			b = p.buf
		}
	}
	p.buf = b
	return nil
}

// visitSingle writes a counter, a gauge or an unknown.
func (p *Page) visitSingle(pt *model.Point) error {
	switch {
	case pt.Has&p.block.Parts&singles == 0:
	case p.block.Counts && !(pt.Value >= 0):
		p.Drop(p.part, UnfitTotal)
		return nil
	default:
		b := p.appendHead(p.buf, p.single, pt.Labels)
		b = p.appendTail(b, pt.Value, pt.Timestamp)
		if pt.Exemplar != nil {
			b = p.format.AppendExemplar(p, b, p.part, pt.Exemplar, math.Inf(1))
		}
		p.buf = append(b, '\n')
	}
	p.visitCreated(pt)
	return p.pass()
}

func (p *Page) visitInfo(pt *model.Point) error {
	if pt.Has&p.block.Parts&model.PartInfo != 0 {
		b := p.buf
		if pt.Info.IsEmpty() {
			b = p.appendHead(b, p.single, pt.Labels)
		} else {
			b = append(b, p.single.open...)
			b = p.appendBoth(b, pt.Labels, pt.Info)
			b = append(b, '}', ' ')
		}
		p.buf = append(p.appendTail(b, pt.Value, pt.Timestamp), '\n')
	}
	return p.pass()
}

func (p *Page) visitStates(pt *model.Point) error {
	if pt.Has&p.block.Parts&model.PartValue != 0 {
		for _, s := range pt.States {
			value := 0.0
			if s.On {
				value = 1
			}
			b := p.appendState(p.buf, pt.Labels, s.Name)
			p.buf = append(p.appendTail(b, value, pt.Timestamp), '\n')
		}
	}
	return p.pass()
}

// appendState appends a state's sample up to its value. The label that names the
// state has the family's name, which another label may have or, once escaped,
// get.
func (p *Page) appendState(dst []byte, labels model.Labels, state string) []byte {
	p.state = model.AppendLabel(p.state[:0], p.family.Name, state)
	own := unsafe.String(unsafe.SliceData(p.state), len(p.state)) // names keep copies
	dst = append(dst, p.single.open...)
	start := len(dst)
	dst = p.names.appendRewritten(dst, labels.Text(), own)
	p.checkReserved(dst[start:])
	return append(dst, '}', ' ')
}

// shortened takes the fraction ".0" off the number at the end of b, if bounds are to be
// written so.
func (p *Page) shortened(b []byte) []byte {
	if p.short {
		b = bytes.TrimSuffix(b, []byte(".0"))
	}
	return b
}

func (p *Page) visitSummary(pt *model.Point) error {
	has := pt.Has & p.block.Parts
	if s := pt.Summary; s != nil {
		has, least := p.format.FitSummary(p, has, s)
		if has&model.PartValue != 0 {
			for _, q := range s.Quantiles {
				if q.V < least {
					p.Drop(model.PartValue, UnfitQuantile)
					continue
				}
				b := p.appendOpen(p.buf, p.single, pt.Labels)
				b = append(b, `quantile="`...)
				b = p.shortened(model.AppendValue(b, q.Q))
				b = p.appendTail(append(b, '"', '}', ' '), q.V, pt.Timestamp)
				p.buf = append(b, '\n')
			}
		}
		if has&model.PartCount != 0 {
			p.line(model.PartCount, pt, s.Count)
		}
		if has&model.PartSum != 0 {
			p.line(model.PartSum, pt, s.Sum)
		}
	}
	p.visitCreated(pt)
	return p.pass()
}

// visitCreated writes the created time of a point if that is wanted. It is small
// enough to be inlined, since it is rarely wanted.
func (p *Page) visitCreated(pt *model.Point) {
	if p.block.Parts&model.PartCreated != 0 {
		p.appendCreated(pt)
	}
}

func (p *Page) appendCreated(pt *model.Point) {
	if pt.Created.IsSet() {
		p.line(model.PartCreated, pt, pt.Created.Seconds())
	}
}

// line writes a line with the point's labels.
func (p *Page) line(part model.Parts, pt *model.Point, value float64) {
	b := p.appendHead(p.buf, p.headOf(part), pt.Labels)
	p.buf = append(p.appendTail(b, value, pt.Timestamp), '\n')
}

// appendHead appends a sample up to its value.
func (p *Page) appendHead(dst []byte, h *head, labels model.Labels) []byte {
	if p.verbatim || labels.IsEmpty() {
		return h.append(dst, labels.Text())
	}
	dst = append(dst, h.open...)
	dst = p.AppendLabels(dst, labels)
	return append(dst, '}', ' ')
}

// appendOpen appends a sample up to the place of one more label.
func (p *Page) appendOpen(dst []byte, h *head, labels model.Labels) []byte {
	dst = append(dst, h.open...)
	if labels.IsEmpty() {
		return dst
	}
	return append(p.appendLabels(dst, labels), ',')
}

// appendTail appends a value and its timestamp.
func (p *Page) appendTail(dst []byte, value float64, t model.Timestamp) []byte {
	dst = model.AppendValue(dst, value)
	if t.IsSet() {
		dst = p.format.AppendTimestamp(dst, t)
	}
	return dst
}

// appendLabels appends the labels of a series.
func (p *Page) appendLabels(dst []byte, labels model.Labels) []byte {
	if p.verbatim {
		return append(dst, labels.Text()...)
	}
	return p.AppendLabels(dst, labels)
}

// AppendLabels appends labels as they are written between braces.
func (p *Page) AppendLabels(dst []byte, labels model.Labels) []byte {
	text := labels.Text()
	if p.names.rewrites(text) || p.reserves {
		return p.appendChecked(dst, text)
	}
	return append(dst, text...)
}

// AppendExemplarLabels appends the labels of an exemplar as they are written between
// braces. A name that stands there twice is written once, as those that escaping makes
// equal: nothing has looked at these labels before.
func (p *Page) AppendExemplarLabels(dst []byte, labels model.Labels) []byte {
	if hasTwice(labels) {
		return p.names.appendRewritten(dst, labels.Text(), "")
	}
	return p.AppendLabels(dst, labels)
}

// appendChecked appends the text of labels that is printed in another form or
// checked for reserved names.
func (p *Page) appendChecked(dst []byte, text string) []byte {
	start := len(dst)
	if p.names.rewrites(text) {
		dst = p.names.appendRewritten(dst, text, "")
	} else {
		dst = append(dst, text...)
	}
	p.checkReserved(dst[start:])
	return dst
}

// appendBoth appends an info's two lists of labels.
func (p *Page) appendBoth(dst []byte, labels, info model.Labels) []byte {
	start := len(dst)
	switch {
	case p.names.rewrites(labels.Text()) || p.names.rewrites(info.Text()):
		dst = p.names.appendRewritten(dst, labels.Text(), info.Text())
	case labels.IsEmpty():
		dst = append(dst, info.Text()...)
	default:
		dst = append(append(append(dst, labels.Text()...), ','), info.Text()...)
	}
	p.checkReserved(dst[start:])
	return dst
}
