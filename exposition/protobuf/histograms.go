package protobuf

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/lines"
	"telltale/internal/scan"
	"telltale/model"
)

const (
	counts = model.PartCount | model.PartGCount
	sums   = model.PartSum | model.PartGSum
)

// classic is the classic form of a histogram.
type classic struct {
	has        model.Parts
	bounds     *model.Bounds
	cumulative []float64 // one for each bound
	count, sum float64
}

// classicOf returns the classic form of a histogram. One with native buckets
// only has just its count and sum.
func classicOf(pt *model.Point) classic {
	h := pt.Histogram
	c := classic{has: pt.Has, count: h.Count, sum: h.Sum}
	if pt.Has&model.PartBucket != 0 {
		c.bounds, c.cumulative = h.Bounds, h.Cumulative[:min(h.Bounds.Len(), len(h.Cumulative))]
	} else if h.Native != nil {
		if c.has&counts == 0 {
			c.count = h.Native.Count
		}
		if c.has&sums == 0 {
			c.sum = h.Native.Sum
		}
		c.has |= model.PartBucket | counts | sums
	}
	return c
}

// visitHistogram writes a histogram. Native and classic buckets share one count
// and sum, those of the native histogram, since Prometheus checks them against
// the native buckets.
func (e *Encoder) visitHistogram(pt *model.Point) error {
	h := pt.Histogram
	if h == nil {
		return nil
	}
	c, native := classicOf(pt), h.Native
	switch {
	case native == nil:
	case native.Schema == model.CustomBucketsSchema:
		if pt.Has&model.PartBucket == 0 && !e.custom.fill(&c, native) {
			e.drop(e.family.Name, lines.UnfitNative)
		}
		native = nil
	case !isSound(native, e.family.Type):
		e.drop(e.family.Name, lines.UnfitNative)
		native = nil
	default:
		c.has |= counts | sums
		c.count, c.sum = native.Count, native.Sum
	}
	whole := areWhole(c.cumulative)
	if e.family.Type != model.GaugeHistogram && (!lines.Increase(c.cumulative) || c.has&counts != 0 && !(c.count >= 0)) {
		e.dropPart(model.PartBucket, lines.UnfitCount)
		return nil
	}
	float := !whole || c.has&counts != 0 && !isWhole(c.count)
	if native != nil {
		float = float || native.IsFloat || !isWhole(native.ZeroCount) || !areWhole(native.Positive) || !areWhole(native.Negative)
	}
	dst, start := e.beginSeries(pt.Labels.Text(), "")
	dst, histogram := open(dst, metricHistogram, e.inner)
	if c.has&counts != 0 {
		dst = appendCount(dst, histogramCount, histogramCountFloat, c.count, float)
	}
	if c.has&sums != 0 {
		dst = appendDouble(dst, histogramSum, c.sum)
	}
	dst = e.appendBuckets(dst, &c, h, float)
	if native != nil {
		dst = e.appendNative(dst, native, float)
	}
	dst = e.appendCreated(dst, histogramCreated, pt.Created)
	dst, e.inner = seal(dst, histogram, e.inner)
	return e.endSeries(dst, start, pt.Timestamp)
}

// appendCount appends a count as the field for whole numbers or the one for
// floats.
func appendCount(dst []byte, whole, fraction protowire.Number, v float64, float bool) []byte {
	if float {
		return appendDouble(dst, fraction, v)
	}
	return appendUint(dst, whole, uint64(v))
}

func (e *Encoder) appendBuckets(dst []byte, c *classic, h *model.HistogramValue, float bool) []byte {
	upper := c.bounds.Upper()
	for i, v := range c.cumulative {
		x := h.Exemplar(i)
		if x == nil && !float {
			dst = appendBucket(dst, uint64(int64(v)), upper[i])
			continue
		}
		bucket, start := open(dst, histogramBucket, 1)
		dst = appendCount(bucket, bucketCount, bucketCountFloat, v, float)
		dst = appendDouble(dst, bucketUpper, upper[i])
		if x != nil {
			dst = e.appendExemplar(dst, bucketExemplar, x)
		}
		dst, _ = seal(dst, start, 1)
	}
	return dst
}

// appendBucket appends a bucket of a whole number, as nearly all are.
func appendBucket(dst []byte, count uint64, upper float64) []byte {
	const (
		bucketTag = uint32(histogramBucket<<3 | 2)
		countTag  = uint32(bucketCount << 3)
		upperTag  = uint32(bucketUpper<<3 | 1)
		others    = 10 // bytes besides the count: two tags and a double
	)
	if count >= 0x80 {
		dst = append(dst, byte(bucketTag), byte(protowire.SizeVarint(count)+others), byte(countTag))
		return appendDouble(protowire.AppendVarint(dst, count), bucketUpper, upper)
	}
	start := len(dst)
	dst = append(dst, "             "...) // overwritten below
	b := (*[13]byte)(dst[start:])
	binary.LittleEndian.PutUint32(b[:], bucketTag|(1+others)<<8|countTag<<16|uint32(count)<<24)
	b[4] = byte(upperTag)
	binary.LittleEndian.PutUint64(b[5:], math.Float64bits(upper))
	return dst
}

// appendNative appends the fields of a native histogram other than count and
// sum. If both counts are zero, readers take the histogram for one of whole
// numbers.
func (e *Encoder) appendNative(dst []byte, n *model.NativeHistogram, float bool) []byte {
	dst = appendSigned(dst, histogramSchema, int64(n.Schema))
	dst = appendDouble(dst, histogramZeroThreshold, n.ZeroThreshold)
	dst = appendCount(dst, histogramZeroCount, histogramZeroCountFloat, n.ZeroCount, float)
	float = float && (n.Count != 0 || n.ZeroCount != 0)
	dst = appendSpans(dst, histogramNegativeSpan, n.NegativeSpans)
	dst = appendSide(dst, histogramNegativeDelta, histogramNegativeCount, n.Negative, float)
	spans := n.PositiveSpans
	if len(spans)+len(n.NegativeSpans) == 0 && n.ZeroThreshold == 0 {
		spans = noSpan // marks the histogram as native
	}
	dst = appendSpans(dst, histogramPositiveSpan, spans)
	dst = appendSide(dst, histogramPositiveDelta, histogramPositiveCount, n.Positive, float)
	for i := range n.Exemplars {
		if x := &n.Exemplars[i]; x.Timestamp.IsSet() {
			dst = e.appendExemplar(dst, histogramExemplars, x)
		} else {
			e.drop(e.family.Name, lines.UntimedExemplar)
		}
	}
	return dst
}

// noSpan is the span without buckets that marks a histogram as native.
var noSpan = []model.Span{{}}

func appendSpans(dst []byte, n protowire.Number, spans []model.Span) []byte {
	for _, s := range spans {
		span, start := open(dst, n, 1)
		dst = appendSigned(span, spanOffset, int64(s.Offset))
		dst = appendUint(dst, spanLength, uint64(s.Length))
		dst, _ = seal(dst, start, 1)
	}
	return dst
}

// appendSide appends the buckets of one side; whole numbers are written as
// differences from the bucket before.
func appendSide(dst []byte, delta, count protowire.Number, buckets []float64, float bool) []byte {
	before := int64(0)
	for _, v := range buckets {
		if float {
			dst = appendDouble(dst, count, v)
			continue
		}
		dst = appendSigned(dst, delta, int64(v)-before)
		before = int64(v)
	}
	return dst
}

// histogramPiece writes the samples of one part of a histogram as untyped ones,
// and adds the bucket +Inf if it is missing, as readers of histograms would.
func (e *Encoder) histogramPiece(pt *model.Point) error {
	c, text, t := classicOf(pt), pt.Labels.Text(), pt.Timestamp
	switch part := c.has & e.parts; {
	case part == 0:
		return nil
	case part&counts != 0:
		return e.simple(text, "", c.count, t)
	case part&sums != 0:
		return e.simple(text, "", c.sum, t)
	}
	for i, v := range c.cumulative {
		if pt.Histogram.Exemplar(i) != nil {
			e.dropPart(model.PartBucket, lines.MisplacedExemplar)
		}
		if err := e.simple(text, c.bounds.Label(i), v, t); err != nil {
			return err
		}
	}
	if n := len(c.cumulative); c.has&counts != 0 && !lines.Closed(c.bounds, n) {
		return e.simple(text, `le="+Inf"`, c.count, t)
	}
	return nil
}

// isSound reports whether Prometheus would accept a native histogram rather than
// refuse the page: each bucket belongs to a span, and counts are not below zero,
// except in a gauge histogram (OpenMetrics 2.0, section "GaugeHistogram").
// Buckets are whole numbers if both counts are zero.
func isSound(n *model.NativeHistogram, t model.Type) bool {
	if n.Schema < minSchema || n.Schema > maxSchema || !(n.ZeroThreshold >= 0) ||
		spansFit(n.PositiveSpans, len(n.Positive)) != "" || spansFit(n.NegativeSpans, len(n.Negative)) != "" {
		return false
	}
	if t == model.GaugeHistogram {
		return n.Count != 0 || n.ZeroCount != 0 || areIntegers(n.Positive) && areIntegers(n.Negative)
	}
	return n.ZeroCount >= 0 && n.Count >= 0 && areCounts(n.Positive) && areCounts(n.Negative) &&
		(n.Count+n.ZeroCount > 0 || areZero(n.Positive) && areZero(n.Negative))
}

// The schemas of exponential buckets.
const minSchema, maxSchema = -4, 8

// spansFit returns what is wrong with spans for the given number of buckets, or
// "".
func spansFit(spans []model.Span, buckets int) string {
	index, total := int64(0), uint64(0)
	for i, s := range spans {
		if i > 0 && s.Offset < 0 {
			return "a span that goes back"
		}
		index += int64(s.Offset) + int64(s.Length)
		total += uint64(s.Length)
		if index > math.MaxInt32 {
			return "a bucket beyond all numbers"
		}
	}
	if total != uint64(buckets) {
		return "spans that cover another number of buckets"
	}
	return ""
}

func areCounts(values []float64) bool {
	for _, v := range values {
		if !(v >= 0) {
			return false
		}
	}
	return true
}

func areWhole(values []float64) bool {
	for _, v := range values {
		if !isWhole(v) {
			return false
		}
	}
	return true
}

// areIntegers reports whether all values and the differences between them are
// whole numbers that an int64 holds.
func areIntegers(values []float64) bool {
	for _, v := range values {
		if v != math.Trunc(v) || math.Abs(v) > 1<<62-1 {
			return false
		}
	}
	return true
}

func areZero(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return false
		}
	}
	return true
}

// custom converts native histograms with custom buckets to classic ones.
type custom struct {
	bounds     scan.Bounds
	upper      []float64
	cumulative []float64
}

// fill gives the classic histogram the buckets, or reports false if they
// contradict each other.
func (c *custom) fill(to *classic, n *model.NativeHistogram) bool {
	c.upper = append(c.upper[:0], n.CustomBounds...)
	if last := len(c.upper) - 1; last < 0 || !math.IsInf(c.upper[last], 1) {
		c.upper = append(c.upper, math.Inf(1))
	}
	bounds := c.bounds.Of(c.upper)
	if bounds == nil || spansFit(n.PositiveSpans, len(n.Positive)) != "" {
		return false
	}
	c.cumulative = append(c.cumulative[:0], make([]float64, len(c.upper))...)
	index, next := int64(0), 0
	for _, s := range n.PositiveSpans {
		index += int64(s.Offset)
		for range s.Length {
			if index < 0 || index >= int64(len(c.cumulative)) {
				return false
			}
			c.cumulative[index] = n.Positive[next]
			index, next = index+1, next+1
		}
	}
	for i := 1; i < len(c.cumulative); i++ {
		c.cumulative[i] += c.cumulative[i-1]
	}
	to.bounds, to.cumulative = bounds, c.cumulative
	return true
}
