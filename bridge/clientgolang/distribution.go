package clientgolang

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"telltale/internal/scan"
	"telltale/model"
)

func checkSummary(s *dto.Summary) error {
	var seen map[float64]bool
	for _, q := range s.Quantile {
		if math.IsNaN(q.GetQuantile()) || seen[q.GetQuantile()] {
			return fmt.Errorf("the quantile %s is there twice or not a number", model.FormatValue(q.GetQuantile()))
		}
		if seen == nil {
			seen = make(map[float64]bool, len(s.Quantile))
		}
		seen[q.GetQuantile()] = true
	}
	return nil
}

func (r *reader) readSummary(p *model.Point, s *dto.Summary) {
	v := &r.summary
	*v = model.SummaryValue{Count: float64(s.GetSampleCount()), Sum: s.GetSampleSum(), Quantiles: v.Quantiles[:0]}
	for _, q := range s.Quantile {
		v.Quantiles = append(v.Quantiles, model.Quantile{Q: q.GetQuantile(), V: q.GetValue()})
	}
	slices.SortFunc(v.Quantiles, func(a, b model.Quantile) int { return cmp.Compare(a.Q, b.Q) })
	p.Has = model.PartCount | model.PartSum
	if len(v.Quantiles) > 0 {
		p.Has |= model.PartValue
	}
	p.Summary, p.Created = v, timeOf(s.CreatedTimestamp)
}

// isNative reports whether a histogram has native buckets: a span, a zero bucket
// with a width, or one with observations.
func isNative(h *dto.Histogram) bool {
	return len(h.PositiveSpan)+len(h.NegativeSpan) > 0 || h.GetZeroThreshold() != 0 || h.GetZeroCount() != 0 || h.GetZeroCountFloat() != 0
}

func checkHistogram(h *dto.Histogram) error {
	before := math.NaN()
	for i, b := range h.Bucket {
		upper := b.GetUpperBound()
		if math.IsNaN(upper) || i > 0 && upper <= before {
			return fmt.Errorf("the bucket bound %s follows %s", model.FormatValue(upper), model.FormatValue(before))
		}
		before = upper
	}
	if !isNative(h) {
		return nil
	}
	if h.GetSchema() < -4 || h.GetSchema() > 8 {
		return fmt.Errorf("the schema %d of its native buckets is not one from -4 to 8", h.GetSchema())
	}
	if !(h.GetZeroThreshold() >= 0) {
		return errors.New("the width of its zero bucket is negative or not a number")
	}
	if err := checkSide(h.PositiveSpan, len(h.PositiveDelta), len(h.PositiveCount)); err != nil {
		return err
	}
	return checkSide(h.NegativeSpan, len(h.NegativeDelta), len(h.NegativeCount))
}

// checkSide checks the buckets on one side of zero, which are differences or
// counts.
func checkSide(spans []*dto.BucketSpan, deltas, counts int) error {
	if deltas > 0 && counts > 0 {
		return errors.New("it has native buckets of two kinds")
	}
	index, total := int64(0), int64(0)
	for i, s := range spans {
		if i > 0 && s.GetOffset() < 0 {
			return errors.New("a span of native buckets goes back")
		}
		total += int64(s.GetLength())
		if index += int64(s.GetOffset()) + int64(s.GetLength()); index > math.MaxInt32 {
			return errors.New("a native bucket is beyond all numbers")
		}
	}
	if total != int64(deltas+counts) {
		return fmt.Errorf("its spans are of %d native buckets, but it has %d", total, deltas+counts)
	}
	return nil
}

// histogramReader holds the parts of the histogram that is being read.
type histogramReader struct {
	value  model.HistogramValue
	native model.NativeHistogram
	bounds scan.Bounds
	upper  []float64
}

// read reads a histogram that was checked. The bucket +Inf is added to classic
// buckets that lack it.
func (r *histogramReader) read(p *model.Point, h *dto.Histogram, typ model.Type) {
	v := &r.value
	*v = model.HistogramValue{
		Count: larger(h.GetSampleCount(), h.GetSampleCountFloat()), Sum: h.GetSampleSum(),
		Cumulative: v.Cumulative[:0], Exemplars: v.Exemplars[:0],
	}
	p.Histogram, p.Created = v, timeOf(h.CreatedTimestamp)
	native := isNative(h)
	if native {
		r.readNative(h)
		v.Native = &r.native
	}
	if len(h.Bucket) == 0 && native {
		v.Count, v.Sum = 0, 0 // they are its own
		return
	}
	r.readBuckets(h)
	p.Has = model.PartBucket | model.PartCount | model.PartSum
	if typ == model.GaugeHistogram {
		p.Has = model.PartBucket | model.PartGCount | model.PartGSum
	}
}

func (r *histogramReader) readBuckets(h *dto.Histogram) {
	v := &r.value
	r.upper = r.upper[:0]
	for i, b := range h.Bucket {
		r.upper = append(r.upper, b.GetUpperBound())
		v.Cumulative = append(v.Cumulative, larger(b.GetCumulativeCount(), b.GetCumulativeCountFloat()))
		if x := b.GetExemplar(); x != nil {
			for len(v.Exemplars) < i {
				v.Exemplars = append(v.Exemplars, nil)
			}
			v.Exemplars = append(v.Exemplars, exemplarOf(x))
		}
	}
	if n := len(r.upper); n == 0 || !math.IsInf(r.upper[n-1], 1) {
		r.upper, v.Cumulative = append(r.upper, math.Inf(1)), append(v.Cumulative, v.Count)
	}
	v.Bounds = r.bounds.Of(r.upper)
}

func (r *histogramReader) readNative(h *dto.Histogram) {
	n := &r.native
	*n = model.NativeHistogram{
		Schema: h.GetSchema(), ZeroThreshold: h.GetZeroThreshold(), ZeroCount: larger(h.GetZeroCount(), h.GetZeroCountFloat()),
		Count: r.value.Count, Sum: r.value.Sum,
		IsFloat:       h.SampleCountFloat != nil || h.ZeroCountFloat != nil || len(h.PositiveCount)+len(h.NegativeCount) > 0,
		PositiveSpans: readSpans(n.PositiveSpans[:0], h.PositiveSpan), Positive: readCounts(n.Positive[:0], h.PositiveDelta, h.PositiveCount),
		NegativeSpans: readSpans(n.NegativeSpans[:0], h.NegativeSpan), Negative: readCounts(n.Negative[:0], h.NegativeDelta, h.NegativeCount),
		Exemplars: n.Exemplars[:0],
	}
	for _, x := range h.Exemplars {
		if x != nil {
			n.Exemplars = append(n.Exemplars, *exemplarOf(x))
		}
	}
}

// larger returns the count that is used: the float unless it is zero, else the
// whole number.
func larger(whole uint64, float float64) float64 {
	if float != 0 {
		return float
	}
	return float64(whole)
}

// readSpans returns spans; a single one without buckets only marks the histogram as
// native.
func readSpans(dst []model.Span, spans []*dto.BucketSpan) []model.Span {
	if len(spans) == 1 && spans[0].GetOffset() == 0 && spans[0].GetLength() == 0 {
		return dst
	}
	for _, s := range spans {
		dst = append(dst, model.Span{Offset: s.GetOffset(), Length: s.GetLength()})
	}
	return dst
}

// readCounts returns the counts of buckets, from the differences between them or
// from the counts.
func readCounts(dst []float64, deltas []int64, counts []float64) []float64 {
	dst = append(dst, counts...)
	count := int64(0)
	for _, d := range deltas {
		count += d
		dst = append(dst, float64(count))
	}
	return dst
}
