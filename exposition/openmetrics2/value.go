package openmetrics2

import (
	"math"
	"strconv"

	"telltale/internal/lines"
	"telltale/model"
)

// counter appends what follows a counter's name and labels.
func counter(p *lines.Page, dst []byte, pt *model.Point) []byte {
	if pt.Has&model.PartTotal == 0 {
		return nil
	}
	if !(pt.Value >= 0) {
		p.Drop(model.PartTotal, lines.UnfitTotal)
		return nil
	}
	dst = appendTimes(model.AppendValue(dst, pt.Value), pt)
	return appendExemplar(p, dst, model.PartTotal, pt.Exemplar)
}

// summary appends a summary's value. It always has count and sum, and its sum
// and the values of its quantiles are not negative (section "Summary"): a point
// without such a sum, or with a count that is not a whole number, is dropped.
func summary(p *lines.Page, dst []byte, pt *model.Point) []byte {
	s := pt.Summary
	switch {
	case s == nil:
		return nil
	case pt.Has&model.PartCount == 0 || pt.Has&model.PartSum == 0:
		p.Drop(model.PartCount, lines.NoCount)
		return nil
	case !lines.IsCount(s.Count):
		p.Drop(model.PartCount, lines.UnfitCount)
		return nil
	case !(s.Sum >= 0):
		p.Drop(model.PartSum, lines.UnfitSum)
		return nil
	}
	dst = appendCount(append(dst, "{count:"...), s.Count)
	dst = model.AppendValue(append(dst, ",sum:"...), s.Sum)
	dst = append(dst, ",quantile:["...)
	first := true
	for _, q := range s.Quantiles {
		if q.V < 0 {
			p.Drop(model.PartValue, lines.UnfitQuantile)
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(model.AppendValue(dst, q.Q), ':')
		dst = model.AppendValue(dst, q.V)
	}
	return appendTimes(append(dst, ']', '}'), pt)
}

// histogram appends a histogram's value (sections "Histogram with Classic
// Buckets", "Histogram with Native Buckets" and the one of both).
func histogram(p *lines.Page, dst []byte, pt *model.Point) []byte {
	if dst = appendHistogram(p, append(dst, "{count:"...), ",sum:", pt, model.PartCount, model.PartSum); dst == nil {
		return nil
	}
	return appendExemplars(p, appendTimes(dst, pt), pt.Histogram)
}

// gaugeHistogram appends a gauge histogram's value, which has no start time.
func gaugeHistogram(p *lines.Page, dst []byte, pt *model.Point) []byte {
	if dst = appendHistogram(p, append(dst, "{gcount:"...), ",gsum:", pt, model.PartGCount, model.PartGSum); dst == nil {
		return nil
	}
	return appendExemplars(p, appendTimestamp(dst, pt), pt.Histogram)
}

func appendHistogram(p *lines.Page, dst []byte, sumKey string, pt *model.Point, countPart, sumPart model.Parts) []byte {
	h := pt.Histogram
	if h == nil {
		return nil
	}
	n := 0 // classic buckets
	if pt.Has&model.PartBucket != 0 {
		n = min(h.Bounds.Len(), len(h.Cumulative))
	}
	closed := lines.Closed(h.Bounds, n)
	count, sum := h.Count, h.Sum
	switch {
	case pt.Has&countPart != 0:
	case h.Native != nil:
		count = h.Native.Count
	case closed:
		count = h.Cumulative[n-1]
	default:
		if pt.Has != 0 {
			p.Drop(countPart, lines.NoCount)
		}
		return nil
	}
	switch {
	case pt.Has&sumPart != 0:
	case h.Native != nil:
		sum = h.Native.Sum
	default:
		sum = math.NaN()
	}
	gauge := countPart == model.PartGCount
	if !fitsCounts(h, n, count, gauge) {
		p.Drop(countPart, lines.UnfitCount)
		return nil
	}
	native := h.Native
	if native != nil && !fits(native, count, gauge) {
		p.Drop(countPart, lines.UnfitNative)
		native = nil
	}
	dst = spellingOf(native)(dst, count)
	dst = model.AppendValue(append(dst, sumKey...), sum)
	if native != nil {
		dst = appendNative(dst, native)
	}
	if native == nil || n > 0 {
		dst = append(dst, ",bucket:["...)
		for i, v := range h.Cumulative[:n] {
			dst = append(append(dst, h.Bounds.Spelling(i)...), ':')
			dst = append(appendCount(dst, v), ',')
		}
		if closed {
			dst = dst[:len(dst)-1]
		} else {
			dst = appendCount(append(dst, "+Inf:"...), count)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// fitsCounts reports whether the first n classic buckets can be written beside the count
// (section "Classic Buckets"). Those of gauge histograms may be negative, and so need
// not increase.
func fitsCounts(h *model.HistogramValue, n int, count float64, gauge bool) bool {
	if gauge {
		return !lines.Closed(h.Bounds, n) || h.Cumulative[n-1] == count
	}
	return lines.Cumulate(h, n, count)
}

// fits reports whether a native histogram can be written beside the count: the draft has
// standard schemas only, and the buckets must fit spans and count.
func fits(h *model.NativeHistogram, count float64, gauge bool) bool {
	c := Composite{Histogram: *h, Gauge: gauge}
	c.Histogram.Count = count
	return nativeFault(&c) == ""
}

func appendNative(dst []byte, h *model.NativeHistogram) []byte {
	spell := spellingOf(h)
	dst = strconv.AppendInt(append(dst, ",schema:"...), int64(h.Schema), 10)
	dst = model.AppendValue(append(dst, ",zero_threshold:"...), h.ZeroThreshold)
	dst = spell(append(dst, ",zero_count:"...), h.ZeroCount)
	if len(h.NegativeSpans) > 0 {
		dst = appendSpans(append(dst, ",negative_spans:["...), h.NegativeSpans)
		dst = appendCounts(append(dst, ",negative_buckets:["...), h.Negative, spell)
	}
	if len(h.PositiveSpans) > 0 {
		dst = appendSpans(append(dst, ",positive_spans:["...), h.PositiveSpans)
		dst = appendCounts(append(dst, ",positive_buckets:["...), h.Positive, spell)
	}
	return dst
}

func appendSpans(dst []byte, spans []model.Span) []byte {
	for i, s := range spans {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendInt(dst, int64(s.Offset), 10), ':')
		dst = strconv.AppendUint(dst, uint64(s.Length), 10)
	}
	return append(dst, ']')
}

func appendCounts(dst []byte, counts []float64, spell spelling) []byte {
	for i, v := range counts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = spell(dst, v)
	}
	return append(dst, ']')
}

// spelling is how numbers of observations are written.
type spelling func(dst []byte, v float64) []byte

// spellingOf returns the spelling for a native histogram: all numbers of a float
// histogram have a point, by which readers recognize it.
func spellingOf(h *model.NativeHistogram) spelling {
	if h != nil && h.IsFloat {
		return model.AppendValue
	}
	return appendCount
}

// appendCount appends a number of observations. A whole one has no point
// (section "Numbers").
func appendCount(dst []byte, v float64) []byte {
	if math.Abs(v) < 1<<63 && v == math.Trunc(v) {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return model.AppendValue(dst, v)
}

// appendTimes appends timestamp and start time, if they are set.
func appendTimes(dst []byte, pt *model.Point) []byte {
	dst = appendTimestamp(dst, pt)
	if pt.Created.IsSet() {
		dst = pt.Created.AppendSeconds(append(dst, " st@"...))
	}
	return dst
}

func appendTimestamp(dst []byte, pt *model.Point) []byte {
	if pt.Timestamp.IsSet() {
		dst = pt.Timestamp.AppendSeconds(append(dst, ' '))
	}
	return dst
}

// appendExemplars appends a histogram's exemplars: those of its classic buckets,
// or else those of its native ones, since only one set may be attached (section
// "Exemplars and Start Timestamp").
func appendExemplars(p *lines.Page, dst []byte, h *model.HistogramValue) []byte {
	classic := false
	for _, e := range h.Exemplars {
		classic = classic || e != nil
		dst = appendExemplar(p, dst, model.PartValue, e)
	}
	if h.Native != nil && !classic {
		for i := range h.Native.Exemplars {
			dst = appendExemplar(p, dst, model.PartValue, &h.Native.Exemplars[i])
		}
	}
	return dst
}

// appendExemplar appends the exemplars of a sample, if any, the oldest first.
// Each must have a timestamp (section "Exemplars").
func appendExemplar(p *lines.Page, dst []byte, part model.Parts, e *model.Exemplar) []byte {
	if e == nil {
		return dst
	}
	dst = appendExemplar(p, dst, part, e.Older)
	if !e.Timestamp.IsSet() {
		p.Drop(part, lines.UntimedExemplar)
		return dst
	}
	dst = p.AppendExemplarLabels(append(dst, " # {"...), e.Labels)
	dst = model.AppendValue(append(dst, '}', ' '), e.Value)
	return e.Timestamp.AppendSeconds(append(dst, ' '))
}
