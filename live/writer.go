package live

import (
	"math"
	"slices"
	"strconv"

	"telltale/exposition/json"
	"telltale/model"
)

// writer encodes the families of one collection, within the limits.
type writer struct {
	settings
	wanted map[subject]bool

	index  []byte // an array without its end
	series []int  // of each family of the index
	points map[string][]byte
	labels map[string][]byte // values of labels
	bytes  int               // of all points and values

	leftOutFamilies int
	leftOutSeries   int // of families whose points were collected

	scratch model.Point
	bounds  *model.Bounds // of the point before
	buf     []byte
}

func newWriter(s settings, wanted map[subject]bool) *writer {
	return &writer{settings: s, wanted: wanted, index: []byte{'['}, points: make(map[string][]byte), labels: make(map[string][]byte)}
}

// Room for the longest definition beside its texts.
const definitionBytes = 256

// write counts a family's series, and encodes its points if they are wanted.
func (w *writer) write(f *model.Family) error {
	if len(w.series) >= w.maxFamilies || len(w.index)+2*len(f.Name)+len(f.Help)+len(f.Unit)+definitionBytes > w.maxBytes {
		w.leftOutFamilies++
		return nil
	}
	count, labels, err := w.look(f)
	if err != nil {
		return err
	}
	b := comma(w.index, len(w.series))
	b = json.AppendString(append(b, `{"name":`...), f.Name)
	if sample := f.SampleName(); sample != f.Name {
		b = json.AppendString(append(b, `,"sample":`...), sample)
	}
	b = json.AppendString(append(b, `,"type":`...), typeOf(f).String())
	b = json.AppendString(append(b, `,"help":`...), f.Help)
	b = json.AppendString(append(b, `,"unit":`...), f.Unit)
	b = append(b, `,"labels":[`...)
	for i, name := range labels {
		b = json.AppendString(comma(b, i), name)
	}
	w.index = append(b, "]}"...)
	if w.wanted[subject{ofLabels, f.Name}] {
		if err := w.countValues(f); err != nil {
			return err
		}
	}
	w.series = append(w.series, count)
	return nil
}

func typeOf(f *model.Family) model.Type {
	if !f.Type.Valid() {
		return model.Unknown
	}
	return f.Type
}

// look walks a family once: it returns the number of its series and the label
// names of the first, with those of an info, and keeps the points if they are wanted.
func (w *writer) look(f *model.Family) (count int, labels []string, err error) {
	wanted := w.wanted[subject{ofPoints, f.Name}]
	shown := 0
	w.bounds = nil
	if wanted {
		w.buf = strconv.AppendInt(append(w.buf[:0], `{"family":`...), int64(len(w.series)), 10)
		w.buf = append(w.buf, `,"points":[`...)
	}
	one := func(p *model.Point) error {
		if count == 0 {
			labels = slices.Concat(p.Labels.Names(), p.Info.Names())
			labels = labels[:min(len(labels), mostLabels)]
		}
		count++
		if !wanted || shown >= w.maxSeries || w.bytes+len(w.buf) >= w.maxBytes {
			return nil
		}
		before, bounds := len(w.buf), w.bounds
		w.buf = w.appendPoint(comma(w.buf, shown), f, p)
		if w.bytes+len(w.buf) > w.maxBytes {
			w.buf, w.bounds = w.buf[:before], bounds
			return nil
		}
		shown++
		return nil
	}
	if wanted {
		err = f.Visit(&w.scratch, one)
	} else {
		err = f.VisitScalars(&w.scratch, func(run []model.Scalar) error {
			if count == 0 && len(run) > 0 {
				labels = run[0].Labels.Names()
				labels = labels[:min(len(labels), mostLabels)]
			}
			count += len(run)
			return nil
		}, one)
	}
	if err != nil || !wanted {
		return count, labels, err
	}
	w.leftOutSeries += count - shown
	w.buf = append(w.buf, "]}"...)
	w.bytes += len(w.buf)
	w.points[string([]byte(f.Name))] = append([]byte(nil), w.buf...)
	return count, labels, nil
}

// mostLabels is how many label names of a family the index has.
const mostLabels = 64

func (w *writer) appendPoint(b []byte, f *model.Family, p *model.Point) []byte {
	b = appendLabels(append(b, `{"l":`...), p.Labels)
	if p.Created.IsSet() {
		b = appendNumber(append(b, `,"c":`...), p.Created.Seconds())
	}
	switch typeOf(f) {
	case model.Histogram, model.GaugeHistogram:
		if p.Histogram != nil {
			b = w.appendHistogram(b, p.Histogram)
		}
	case model.Summary:
		if p.Summary != nil {
			b = appendSummary(b, p)
		}
	case model.StateSet:
		b = append(b, `,"st":[`...)
		for i, s := range p.States {
			b = json.AppendString(append(comma(b, i), '['), s.Name)
			b = append(strconv.AppendBool(append(b, ','), s.On), ']')
		}
		b = append(b, ']')
	case model.Info:
		b = appendLabels(append(b, `,"i":`...), p.Info)
	default:
		b = appendNumber(append(b, `,"v":`...), p.Value)
		if p.Exemplar != nil {
			b = append(appendExemplar(append(b, `,"x":[`...), p.Exemplar), ']')
		}
	}
	return append(b, '}')
}

func (w *writer) appendHistogram(b []byte, h *model.HistogramValue) []byte {
	b = appendNumber(append(b, `,"n":`...), h.Count)
	b = appendNumber(append(b, `,"s":`...), h.Sum)
	if h.Bounds != nil && len(h.Cumulative) > 0 {
		if h.Bounds != w.bounds { // the points of a family usually share them
			b = append(b, `,"le":`...)
			b = appendNumbers(b, h.Bounds.Upper())
			w.bounds = h.Bounds
		}
		b = appendNumbers(append(b, `,"b":`...), h.Cumulative)
	}
	if n := h.Native; n != nil {
		b = strconv.AppendInt(append(b, `,"native":{"schema":`...), int64(n.Schema), 10)
		b = appendNumber(append(b, `,"zero":`...), n.ZeroCount)
		b = appendNumber(append(b, `,"threshold":`...), n.ZeroThreshold)
		b = appendSpans(append(b, `,"ps":`...), n.PositiveSpans)
		b = appendNumbers(append(b, `,"p":`...), n.Positive)
		b = appendSpans(append(b, `,"ns":`...), n.NegativeSpans)
		b = appendNumbers(append(b, `,"n":`...), n.Negative)
		b = appendNumbers(append(b, `,"bounds":`...), n.CustomBounds)
		b = append(b, '}')
	}
	any := false
	for i := range h.Exemplars {
		b = appendExemplarOf(b, h.Exemplars[i], &any)
	}
	if h.Native != nil {
		for i := range h.Native.Exemplars {
			b = appendExemplarOf(b, &h.Native.Exemplars[i], &any)
		}
	}
	if any {
		b = append(b, ']')
	}
	return b
}

// appendExemplarOf appends an exemplar to the list that any says is begun.
func appendExemplarOf(b []byte, x *model.Exemplar, any *bool) []byte {
	if x == nil {
		return b
	}
	if *any {
		b = append(b, ',')
	} else {
		b = append(b, `,"x":[`...)
	}
	*any = true
	return appendExemplar(b, x)
}

func appendSummary(b []byte, p *model.Point) []byte {
	if p.Has&model.PartCount != 0 {
		b = appendNumber(append(b, `,"n":`...), p.Summary.Count)
	}
	if p.Has&model.PartSum != 0 {
		b = appendNumber(append(b, `,"s":`...), p.Summary.Sum)
	}
	b = append(b, `,"q":[`...)
	for i, q := range p.Summary.Quantiles {
		b = appendNumber(append(comma(b, i), '['), q.Q)
		b = append(appendNumber(append(b, ','), q.V), ']')
	}
	return append(b, ']')
}

// appendExemplar appends [labels, value] or, with a timestamp, [labels, value, timestamp].
func appendExemplar(b []byte, x *model.Exemplar) []byte {
	b = appendLabels(append(b, '['), x.Labels)
	b = appendNumber(append(b, ','), x.Value)
	if x.Timestamp.IsSet() {
		b = appendNumber(append(b, ','), x.Timestamp.Seconds())
	}
	return append(b, ']')
}

func appendSpans(b []byte, spans []model.Span) []byte {
	b = append(b, '[')
	for i, s := range spans {
		b = strconv.AppendInt(comma(b, i), int64(s.Offset), 10)
		b = strconv.AppendUint(append(b, ','), uint64(s.Length), 10)
	}
	return append(b, ']')
}

func appendNumbers(b []byte, all []float64) []byte {
	b = append(b, '[')
	for i, v := range all {
		b = appendNumber(comma(b, i), v)
	}
	return append(b, ']')
}

// appendLabels appends names and values in turn.
func appendLabels(b []byte, labels model.Labels) []byte {
	b = append(b, '[')
	i := 0
	for name, value := range labels.All() {
		b = json.AppendString(comma(b, i), name)
		b = json.AppendString(append(b, ','), value)
		i++
	}
	return append(b, ']')
}

// appendNumber appends a number, in quotes if JSON has no form for it.
func appendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"+Inf"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Inf"`...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
