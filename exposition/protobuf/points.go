package protobuf

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/lines"
	"telltale/model"
)

// visitors are the methods that write a point of each type, bound once.
type visitors struct {
	single, summary, histogram, states, info, piece, distinct func(*model.Point) error
	scalars                                                   func([]model.Scalar) error
}

func (v *visitors) of(t model.Type) func(*model.Point) error {
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

// visitDistinct writes a point unless its series is written as another one.
func (e *Encoder) visitDistinct(pt *model.Point) error {
	if e.names.Repeats(pt) {
		e.drop(e.family.SampleName(), lines.ClashingSeries)
		return nil
	}
	return e.next(pt)
}

// beginSeries begins a series with its labels and those of more, and returns
// where its content begins. endSeries ends it.
func (e *Encoder) beginSeries(text, more string) (dst []byte, start int) {
	dst, start = open(e.buf, familyMetric, e.width)
	return e.appendLabels(dst, text, more), start
}

func (e *Encoder) endSeries(dst []byte, start int, t model.Timestamp) error {
	if t.IsSet() {
		dst = appendInt(dst, metricTimestamp, t.UnixMilli())
	}
	e.buf, e.width = seal(dst, start, e.width)
	return e.pass()
}

// simple writes a gauge or an untyped value.
func (e *Encoder) simple(text, more string, value float64, t model.Timestamp) error {
	dst, start := e.beginSeries(text, more)
	return e.endSimple(dst, start, value, t)
}

func (e *Encoder) endSimple(dst []byte, start int, value float64, t model.Timestamp) error {
	n := metricGauge
	if e.kind == untypedKind {
		n = metricUntyped
	}
	const size = 9 // a tag and eight bytes
	dst = protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.BytesType), size)
	return e.endSeries(appendDouble(dst, singleValue, value), start, t)
}

// visitSingle writes a counter, a gauge or an unknown.
func (e *Encoder) visitSingle(pt *model.Point) error {
	switch {
	case pt.Has&(model.PartValue|model.PartTotal) == 0:
		return nil
	case e.kind == counterKind:
		return e.counter(pt.Labels.Text(), pt.Value, pt.Created, pt.Exemplar, pt.Timestamp)
	case pt.Exemplar != nil:
		e.dropPart(model.PartValue, lines.MisplacedExemplar)
	}
	return e.simple(pt.Labels.Text(), "", pt.Value, pt.Timestamp)
}

// visitScalars writes counters, gauges or unknowns that have only a value.
func (e *Encoder) visitScalars(run []model.Scalar) error {
	for i := range run {
		s := &run[i]
		var err error
		if e.kind == counterKind {
			err = e.counter(s.Labels.Text(), s.Value, s.Created, nil, model.Timestamp{})
		} else {
			err = e.simple(s.Labels.Text(), "", s.Value, model.Timestamp{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Encoder) counter(text string, value float64, created model.Timestamp, x *model.Exemplar, t model.Timestamp) error {
	dst, start := e.beginSeries(text, "")
	dst, counter := open(dst, metricCounter, 1)
	dst = appendDouble(dst, singleValue, value)
	if x != nil {
		dst = e.appendExemplar(dst, counterExemplar, x)
	}
	dst = e.appendCreated(dst, counterCreated, created)
	dst, _ = seal(dst, counter, 1)
	return e.endSeries(dst, start, t)
}

func (e *Encoder) appendCreated(dst []byte, n protowire.Number, created model.Timestamp) []byte {
	if created.IsSet() && e.parts&model.PartCreated != 0 {
		return appendTime(dst, n, created)
	}
	return dst
}

func (e *Encoder) appendExemplar(dst []byte, n protowire.Number, x *model.Exemplar) []byte {
	for range x.Older.All() { // Counter and Bucket hold one exemplar
		e.drop(e.family.Name, lines.MoreExemplars)
	}
	dst, start := open(dst, n, 1)
	text := x.Labels.Text()
	if e.names.RewritesExemplar(x.Labels) {
		text = e.rewrite(text, "")
	}
	dst, _ = e.exemplars.append(dst, exemplarLabel, text, 0)
	dst = appendDouble(dst, exemplarValue, x.Value)
	if x.Timestamp.IsSet() {
		dst = appendTime(dst, exemplarTimestamp, x.Timestamp)
	}
	dst, _ = seal(dst, start, 1)
	return dst
}

func (e *Encoder) visitInfo(pt *model.Point) error {
	if pt.Has&model.PartInfo == 0 {
		return nil
	}
	return e.simple(pt.Labels.Text(), pt.Info.Text(), pt.Value, pt.Timestamp)
}

// visitStates writes a gauge for each state, with a label that names it. That
// label has the family's name, which another label may have or, once escaped,
// get.
func (e *Encoder) visitStates(pt *model.Point) error {
	if pt.Has&model.PartValue == 0 {
		return nil
	}
	for _, s := range pt.States {
		value := 0.0
		if s.On {
			value = 1
		}
		e.own = model.AppendLabel(e.own[:0], e.family.Name, s.Name)
		dst, start := open(e.buf, familyMetric, e.width)
		dst, _ = e.labels.append(dst, metricLabel, e.rewrite(pt.Labels.Text(), view(e.own)), 0)
		if err := e.endSimple(dst, start, value, pt.Timestamp); err != nil {
			return err
		}
	}
	return nil
}

func (e *Encoder) visitSummary(pt *model.Point) error {
	s := pt.Summary
	if s == nil {
		return nil
	}
	if pt.Has&model.PartCount != 0 && !isWhole(s.Count) {
		e.dropPart(model.PartCount, lines.UnfitCount)
		return nil
	}
	dst, start := e.beginSeries(pt.Labels.Text(), "")
	dst, summary := open(dst, metricSummary, 1)
	if pt.Has&model.PartCount != 0 {
		dst = appendUint(dst, summaryCount, uint64(s.Count))
	}
	if pt.Has&model.PartSum != 0 {
		dst = appendDouble(dst, summarySum, s.Sum)
	}
	if pt.Has&model.PartValue != 0 {
		for _, q := range s.Quantiles {
			const size = 18
			dst = protowire.AppendVarint(protowire.AppendTag(dst, summaryQuantile, protowire.BytesType), size)
			dst = appendDouble(appendDouble(dst, quantileQuantile, q.Q), quantileValue, q.V)
		}
	}
	dst = e.appendCreated(dst, summaryCreated, pt.Created)
	dst, _ = seal(dst, summary, 1)
	return e.endSeries(dst, start, pt.Timestamp)
}

// visitPiece writes the samples of one part as untyped ones.
func (e *Encoder) visitPiece(pt *model.Point) error {
	text, t := pt.Labels.Text(), pt.Timestamp
	if e.parts == model.PartCreated {
		if !pt.Created.IsSet() {
			return nil
		}
		return e.simple(text, "", pt.Created.Seconds(), t)
	}
	if s := pt.Summary; s != nil && pt.Has&e.parts != 0 {
		switch e.parts {
		case model.PartCount:
			return e.simple(text, "", s.Count, t)
		case model.PartSum:
			return e.simple(text, "", s.Sum, t)
		}
		for _, q := range s.Quantiles {
			e.own = append(model.AppendValue(append(e.own[:0], `quantile="`...), q.Q), '"')
			if err := e.simple(text, view(e.own), q.V, t); err != nil {
				return err
			}
		}
	}
	if pt.Histogram != nil {
		return e.histogramPiece(pt)
	}
	return nil
}

// dropPart reports that a sample of a part, or its exemplar, is dropped.
func (e *Encoder) dropPart(part model.Parts, r lines.Reason) {
	if e.dropped != nil {
		e.drop(e.family.NameOf(part), r)
	}
}

// isWhole reports whether v is a whole number that an int64 holds, as counts
// are.
func isWhole(v float64) bool { return v >= 0 && v < 1<<63 && float64(int64(v)) == v }

// view returns bytes as a string, which is valid as long as the bytes do not
// change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
