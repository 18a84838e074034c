package otelbridge

import (
	"math"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// maxBuckets is how many buckets a total of exponential histograms has on one side
// of zero; its scale is lowered until it has no more. At the lowest scale of native
// histograms all float64s lie in fewer.
const maxBuckets = 320

func exponentialHistograms[N int64 | float64]() adding[metricdata.ExponentialHistogram[N], metricdata.ExponentialHistogramDataPoint[N]] {
	type point = metricdata.ExponentialHistogramDataPoint[N]
	return adding[metricdata.ExponentialHistogram[N], point]{
		points:     func(d metricdata.ExponentialHistogram[N]) []point { return d.DataPoints },
		attributes: func(p *point) *attribute.Set { return &p.Attributes },
		clone: func(p point) point {
			p.PositiveBucket.Counts, p.NegativeBucket.Counts = slices.Clone(p.PositiveBucket.Counts), slices.Clone(p.NegativeBucket.Counts)
			p.Exemplars = slices.Clone(p.Exemplars)
			return p
		},
		merge: mergeExponential[N],
		cumulative: func(all []point) metricdata.ExponentialHistogram[N] {
			return metricdata.ExponentialHistogram[N]{DataPoints: all, Temporality: metricdata.CumulativeTemporality}
		},
	}
}

// mergeExponential adds from to a total, at the scale of the coarser or a lower one.
func mergeExponential[N int64 | float64](to, from *metricdata.ExponentialHistogramDataPoint[N]) error {
	if err := checkExponential(from); err != nil {
		return err
	}
	if err := checkExponential(to); err != nil {
		return err // shown as such at each collection
	}
	scale := min(to.Scale, from.Scale)
	for scale > minScale && (extent(to, from, scale, positive[N]) > maxBuckets || extent(to, from, scale, negative[N]) > maxBuckets) {
		scale--
	}
	for _, side := range []func(*metricdata.ExponentialHistogramDataPoint[N]) *metricdata.ExponentialBucket{positive[N], negative[N]} {
		b := side(to)
		*b = sum(downscale(*b, to.Scale-scale), downscale(*side(from), from.Scale-scale))
	}
	to.Scale = scale
	to.ZeroCount += from.ZeroCount
	if from.ZeroThreshold != to.ZeroThreshold {
		to.ZeroThreshold = max(to.ZeroThreshold, from.ZeroThreshold)
		to.ZeroCount += takeBelow(&to.PositiveBucket, scale, to.ZeroThreshold) + takeBelow(&to.NegativeBucket, scale, to.ZeroThreshold)
	}
	to.Count += from.Count
	to.Sum += from.Sum
	to.Time = from.Time
	to.Exemplars = newer(to.Exemplars, from.Exemplars)
	return nil
}

func positive[N int64 | float64](p *metricdata.ExponentialHistogramDataPoint[N]) *metricdata.ExponentialBucket {
	return &p.PositiveBucket
}

func negative[N int64 | float64](p *metricdata.ExponentialHistogramDataPoint[N]) *metricdata.ExponentialBucket {
	return &p.NegativeBucket
}

// extent returns how many buckets a side of both has at a scale.
func extent[N int64 | float64](a, b *metricdata.ExponentialHistogramDataPoint[N], scale int32, side func(*metricdata.ExponentialHistogramDataPoint[N]) *metricdata.ExponentialBucket) int {
	first, last := math.MaxInt, math.MinInt
	for _, p := range []*metricdata.ExponentialHistogramDataPoint[N]{a, b} {
		if s := side(p); len(s.Counts) > 0 {
			by := p.Scale - scale
			first, last = min(first, int(s.Offset>>by)), max(last, (int(s.Offset)+len(s.Counts)-1)>>by)
		}
	}
	if first > last {
		return 0
	}
	return last - first + 1
}

// sum returns the buckets of both, which have one scale. It may use those of a.
func sum(a, b metricdata.ExponentialBucket) metricdata.ExponentialBucket {
	switch {
	case len(b.Counts) == 0:
		return a
	case len(a.Counts) == 0:
		b.Counts = slices.Clone(b.Counts)
		return b
	}
	first := min(a.Offset, b.Offset)
	last := max(int(a.Offset)+len(a.Counts), int(b.Offset)+len(b.Counts))
	if n := last - int(first); first < a.Offset || n > len(a.Counts) {
		wider := make([]uint64, n)
		copy(wider[a.Offset-first:], a.Counts)
		a = metricdata.ExponentialBucket{Offset: first, Counts: wider}
	}
	for i, c := range b.Counts {
		a.Counts[int(b.Offset-a.Offset)+i] += c
	}
	return a
}

// takeBelow empties the buckets that lie within the threshold and returns what they
// had.
func takeBelow(b *metricdata.ExponentialBucket, scale int32, threshold float64) (taken uint64) {
	for i, c := range b.Counts {
		if math.Exp2(math.Ldexp(float64(int(b.Offset)+i+1), -int(scale))) > threshold {
			break
		}
		taken += c
		b.Counts[i] = 0
	}
	return taken
}
