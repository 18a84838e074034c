package otelbridge

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/model"
)

// The scales that native histograms of Prometheus have.
const minScale, maxScale = -4, 8

// maxExemplars is the largest number of exemplars of a native histogram.
const maxExemplars = 10

// exponentials are the points of exponential histograms.
type exponentials[N int64 | float64] []metricdata.ExponentialHistogramDataPoint[N]

func (e exponentials[N]) len() int                        { return len(e) }
func (e exponentials[N]) attributes(i int) *attribute.Set { return &e[i].Attributes }

func (e exponentials[N]) check(i int) error { return checkExponential(&e[i]) }

func checkExponential[N int64 | float64](p *metricdata.ExponentialHistogramDataPoint[N]) error {
	if p.Scale < minScale {
		return fmt.Errorf("an exponential histogram has the scale %d, and native histograms have at least %d", p.Scale, minScale)
	}
	if p.Scale > 20 {
		return fmt.Errorf("an exponential histogram has the scale %d; the specification allows 20", p.Scale)
	}
	if !(p.ZeroThreshold >= 0) {
		return errors.New("the zero threshold of an exponential histogram is negative or not a number")
	}
	for _, b := range []*metricdata.ExponentialBucket{&p.PositiveBucket, &p.NegativeBucket} {
		// Beyond these indexes there are no float64s.
		least, most := math.Ldexp(-1076, int(p.Scale)), math.Ldexp(1025, int(p.Scale))
		if n := len(b.Counts); n > 0 && (float64(b.Offset) < least || float64(b.Offset)+float64(n) > most) {
			return fmt.Errorf("the buckets %d to %d of an exponential histogram are beyond all numbers", b.Offset, int64(b.Offset)+int64(n)-1)
		}
	}
	return nil
}

// read makes a native histogram. Count and sum are samples of formats without native
// histograms, too.
func (e exponentials[N]) read(i int, p *model.Point, r *reader) {
	from, v, n := &e[i], &r.value, &r.native
	count := from.ZeroCount + observations(from.PositiveBucket) + observations(from.NegativeBucket) // whatever else the producer says
	*v = model.HistogramValue{Count: float64(count), Sum: float64(from.Sum), Cumulative: v.Cumulative[:0], Exemplars: v.Exemplars[:0], Native: n}
	*n = model.NativeHistogram{
		Schema: min(from.Scale, maxScale), ZeroThreshold: from.ZeroThreshold, ZeroCount: float64(from.ZeroCount), Count: v.Count, Sum: v.Sum,
		PositiveSpans: n.PositiveSpans[:0], Positive: n.Positive[:0], NegativeSpans: n.NegativeSpans[:0], Negative: n.Negative[:0], Exemplars: n.Exemplars[:0],
	}
	coarser := max(from.Scale-maxScale, 0)
	n.PositiveSpans, n.Positive = spans(n.PositiveSpans, n.Positive, downscale(from.PositiveBucket, coarser))
	n.NegativeSpans, n.Negative = spans(n.NegativeSpans, n.Negative, downscale(from.NegativeBucket, coarser))
	for x := exemplarsOf(r.naming, from.Exemplars); x != nil && len(n.Exemplars) < maxExemplars; x = x.Older {
		n.Exemplars = append(n.Exemplars, model.Exemplar{Labels: x.Labels, Value: x.Value, Timestamp: x.Timestamp})
	}
	slices.Reverse(n.Exemplars) // by time
	p.Histogram, p.Created, p.Has = v, created(from.StartTime), model.PartCount|model.PartSum
}

// downscale returns buckets of a scale that is lower by so much. It does not change
// the counts of b.
func downscale(b metricdata.ExponentialBucket, by int32) metricdata.ExponentialBucket {
	if by <= 0 || len(b.Counts) == 0 {
		return b
	}
	to := metricdata.ExponentialBucket{Offset: b.Offset >> by}
	last := (b.Offset + int32(len(b.Counts)) - 1) >> by
	to.Counts = make([]uint64, last-to.Offset+1)
	for i, c := range b.Counts {
		to.Counts[((b.Offset+int32(i))>>by)-to.Offset] += c
	}
	return to
}

// observations returns how many observations the buckets have.
func observations(b metricdata.ExponentialBucket) (n uint64) {
	for _, c := range b.Counts {
		n += c
	}
	return n
}

// maxGap is how many empty buckets between others are part of a span; a new span
// costs about as much.
const maxGap = 2

// spans returns buckets as those of a native histogram, which are counted by their
// upper bound, where the SDK counts by the lower one.
func spans(to []model.Span, counts []float64, b metricdata.ExponentialBucket) ([]model.Span, []float64) {
	at := int32(0) // the bucket after the last span
	for i, c := range b.Counts {
		if c == 0 {
			continue
		}
		index := b.Offset + int32(i) + 1
		gap := index - at
		if len(to) == 0 || gap > maxGap {
			to = append(to, model.Span{Offset: gap})
			gap = 0
		}
		for range gap {
			counts = append(counts, 0)
		}
		to[len(to)-1].Length += uint32(gap) + 1
		counts, at = append(counts, float64(c)), index+1
	}
	return to, counts
}
