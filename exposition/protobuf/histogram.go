package protobuf

import (
	"math"
	"strconv"

	"telltale/model"
)

// classicBuckets are the classic buckets of a histogram.
type classicBuckets struct {
	upper      []float64
	cumulative []float64
	exemplars  []*model.Exemplar
}

// side holds the buckets of a native histogram on one side of zero, as
// differences or as counts, but not both.
type side struct {
	spans  []model.Span
	deltas []int64
	counts []float64
}

func (s *side) reset() {
	s.spans, s.deltas, s.counts = s.spans[:0], s.deltas[:0], s.counts[:0]
}

// readHistogram reads a Histogram: a classic one, a native one, or both. As in
// Prometheus, a histogram is native if it has a span, a zero bucket with a
// width, or a zero bucket with observations.
func (s *Scanner) readHistogram(m message) {
	p, sp, at := &s.entry.Point, &s.point, m.end-int64(len(m.rest))
	h, n, c := &sp.histogram, &sp.native, &sp.classic
	*h = model.HistogramValue{}
	*n = model.NativeHistogram{Exemplars: n.Exemplars[:0], Positive: n.Positive[:0], Negative: n.Negative[:0]}
	clear(c.exemplars)
	c.upper, c.cumulative, c.exemplars = c.upper[:0], c.cumulative[:0], c.exemplars[:0]
	sp.positive.reset()
	sp.negative.reset()
	sp.float = false
	p.Histogram = h
	var counted, summed bool
	var count, zero [2]float64 // the whole number, and the float
	for m.next() {
		switch m.num {
		case histogramCount:
			counted, count[0] = true, float64(m.uint("sample_count"))
		case histogramCountFloat:
			counted, count[1], sp.float = true, m.count("sample_count_float"), true
		case histogramSum:
			summed, h.Sum = true, m.double("sample_sum")
		case histogramBucket:
			s.readBucket(m.message("bucket", "Bucket"))
		case histogramCreated:
			p.Created = readTime(m.message("created_timestamp", "Timestamp"))
		case histogramSchema:
			n.Schema = m.int32("schema", m.signed("schema"))
		case histogramZeroThreshold:
			if n.ZeroThreshold = m.double("zero_threshold"); !(n.ZeroThreshold >= 0) {
				m.fail("zero_threshold", model.FormatValue(n.ZeroThreshold), "a number not below zero")
			}
		case histogramZeroCount:
			zero[0] = float64(m.uint("zero_count"))
		case histogramZeroCountFloat:
			zero[1], sp.float = m.count("zero_count_float"), true
		case histogramExemplars:
			n.Exemplars = append(n.Exemplars, s.readExemplar(m.message("exemplars", "Exemplar")))
		default:
			s.readSide(&m)
		}
	}
	h.Count, n.ZeroCount = larger(count), larger(zero)
	s.endClassic(at)
	countPart, sumPart := model.PartCount, model.PartSum
	if s.entry.Type == model.GaugeHistogram {
		countPart, sumPart = model.PartGCount, model.PartGSum
	}
	if counted {
		p.Has |= countPart
	}
	if summed {
		p.Has |= sumPart
	}
	if len(sp.positive.spans) == 0 && len(sp.negative.spans) == 0 && n.ZeroThreshold == 0 && n.ZeroCount == 0 {
		return
	}
	s.endNative(at)
	n.Count, n.Sum, h.Native = h.Count, h.Sum, n
	if p.Has&model.PartBucket == 0 { // count and sum are its own
		p.Has, h.Count, h.Sum = 0, 0, 0
	}
}

// larger returns the count that is used: the float unless it is zero, else the
// whole number. Only gauge histograms have negative counts.
func larger(count [2]float64) float64 {
	if count[1] != 0 {
		return count[1]
	}
	return count[0]
}

// readSide reads a field of the native buckets, or skips an unknown one.
func (s *Scanner) readSide(m *message) {
	positive, negative := &s.point.positive, &s.point.negative
	switch m.num {
	case histogramPositiveSpan:
		positive.spans = append(positive.spans, readSpan(m.message("positive_span", "BucketSpan")))
	case histogramNegativeSpan:
		negative.spans = append(negative.spans, readSpan(m.message("negative_span", "BucketSpan")))
	case histogramPositiveDelta:
		positive.deltas = m.signeds("positive_delta", positive.deltas)
	case histogramNegativeDelta:
		negative.deltas = m.signeds("negative_delta", negative.deltas)
	case histogramPositiveCount:
		positive.counts, s.point.float = m.counts("positive_count", positive.counts), true
	case histogramNegativeCount:
		negative.counts, s.point.float = m.counts("negative_count", negative.counts), true
	default:
		m.skip()
	}
}

func readSpan(m message) model.Span {
	var span model.Span
	for m.next() {
		switch m.num {
		case spanOffset:
			span.Offset = m.int32("offset", m.signed("offset"))
		case spanLength:
			length := m.uint("length")
			if length > math.MaxUint32 {
				m.fail("length", "too many buckets", "a number of 32 bits")
			}
			span.Length = uint32(length)
		default:
			m.skip()
		}
	}
	return span
}

func (s *Scanner) readBucket(m message) {
	c, at := &s.point.classic, m.end-int64(len(m.rest))
	var upper float64
	var count [2]float64
	var exemplar *model.Exemplar
	for m.next() {
		switch m.num {
		case bucketCount:
			count[0] = float64(m.uint("cumulative_count"))
		case bucketCountFloat:
			count[1] = m.count("cumulative_count_float")
		case bucketUpper:
			if upper = m.double("upper_bound"); math.IsNaN(upper) {
				m.fail("upper_bound", "NaN", "a number")
			}
		case bucketExemplar:
			exemplar = s.keepExemplar(m.message("exemplar", "Exemplar"))
		default:
			m.skip()
		}
	}
	cumulative := larger(count)
	if i := len(c.upper) - 1; i >= 0 {
		switch {
		case upper <= c.upper[i]:
			s.fail(at, "Bucket.upper_bound", "the bound "+model.FormatValue(upper)+" after "+model.FormatValue(c.upper[i]), "increasing bounds, each once")
		case cumulative < c.cumulative[i] && s.entry.Type != model.GaugeHistogram:
			s.fail(at, "Bucket.cumulative_count", "a bucket of less than the one before", "cumulative buckets")
		}
	}
	c.upper, c.cumulative = append(c.upper, upper), append(c.cumulative, cumulative)
	if exemplar != nil {
		for len(c.exemplars) < len(c.upper)-1 {
			c.exemplars = append(c.exemplars, nil)
		}
		c.exemplars = append(c.exemplars, exemplar)
	}
}

// endClassic adds the classic buckets to the histogram.
func (s *Scanner) endClassic(at int64) {
	c, h := &s.point.classic, &s.point.histogram
	if len(c.upper) == 0 || s.err != nil {
		return
	}
	if h.Bounds = s.point.bounds.Of(c.upper); h.Bounds == nil {
		s.fail(at, "Histogram.bucket", "bounds that do not increase", "increasing ones")
	}
	h.Cumulative, h.Exemplars = c.cumulative, c.exemplars
	s.entry.Point.Has |= model.PartBucket
}

// endNative adds the native buckets to the histogram.
func (s *Scanner) endNative(at int64) {
	n := &s.point.native
	n.IsFloat = s.point.float
	if n.Schema < minSchema || n.Schema > maxSchema {
		s.fail(at, "Histogram.schema", model.FormatValue(float64(n.Schema)), "a schema from -4 to 8")
	}
	n.PositiveSpans, n.Positive = s.endSide(at, "positive", &s.point.positive, n.Positive)
	n.NegativeSpans, n.Negative = s.endSide(at, "negative", &s.point.negative, n.Negative)
}

// endSide returns the spans and the absolute counts of a side. A single span
// without buckets only marks the histogram as native.
func (s *Scanner) endSide(at int64, name string, from *side, buckets []float64) ([]model.Span, []float64) {
	if len(from.deltas) > 0 && len(from.counts) > 0 {
		s.fail(at, "Histogram."+name+"_delta", "counts of buckets beside it", "one of both")
	}
	buckets = append(buckets, from.counts...)
	count := int64(0)
	for _, d := range from.deltas {
		before := count
		count += d
		if d > 0 && count < before || d < 0 && count > before {
			s.fail(at, "Histogram."+name+"_delta", "a count beyond all numbers of 64 bits", "counts of observations")
			break
		}
		if count < 0 && s.entry.Type != model.GaugeHistogram {
			s.fail(at, "Histogram."+name+"_delta", "the count "+strconv.FormatInt(count, 10), "a number not below zero: it counts")
			break
		}
		buckets = append(buckets, float64(count))
	}
	spans := from.spans
	if len(spans) == 1 && spans[0] == (model.Span{}) {
		spans = nil
	}
	if wrong := spansFit(spans, len(buckets)); wrong != "" {
		s.fail(at, "Histogram."+name+"_span", wrong, "spans that cover the buckets")
	}
	return spans, buckets
}
