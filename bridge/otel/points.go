package otelbridge

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/scan"
	"telltale/model"
)

// read returns how the data of a metric are shown and their points.
func read(data metricdata.Aggregation) (kind, points, error) {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		return gaugeKind, numbers[int64]{d.DataPoints, model.PartValue}, nil
	case metricdata.Gauge[float64]:
		return gaugeKind, numbers[float64]{d.DataPoints, model.PartValue}, nil
	case metricdata.Sum[int64]:
		k, p := readSum(d)
		return k, p, nil
	case metricdata.Sum[float64]:
		k, p := readSum(d)
		return k, p, nil
	case metricdata.Histogram[int64]:
		return histogramKind, histograms[int64](d.DataPoints), nil
	case metricdata.Histogram[float64]:
		return histogramKind, histograms[float64](d.DataPoints), nil
	case metricdata.ExponentialHistogram[int64]:
		return histogramKind, exponentials[int64](d.DataPoints), nil
	case metricdata.ExponentialHistogram[float64]:
		return histogramKind, exponentials[float64](d.DataPoints), nil
	case metricdata.Summary:
		return summaryKind, summaries(d.DataPoints), nil
	}
	return kind{}, nil, fmt.Errorf("its data are of the unknown kind %T", data)
}

func readSum[N int64 | float64](d metricdata.Sum[N]) (kind, points) {
	if d.IsMonotonic {
		return counterKind, numbers[N]{d.DataPoints, model.PartTotal}
	}
	return levelKind, numbers[N]{d.DataPoints, model.PartValue}
}

// reader holds the parts of the point that is being read. It is used again for the
// next one.
type reader struct {
	naming  *naming
	bounds  scan.Bounds
	upper   []float64
	value   model.HistogramValue
	native  model.NativeHistogram
	summary model.SummaryValue
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// created returns when a series began.
func created(t time.Time) model.Timestamp { return model.TimestampOf(t) }

// numbers are the points of sums and gauges, which have one part.
type numbers[N int64 | float64] struct {
	data []metricdata.DataPoint[N]
	part model.Parts
}

func (n numbers[N]) len() int                        { return len(n.data) }
func (n numbers[N]) attributes(i int) *attribute.Set { return &n.data[i].Attributes }
func (n numbers[N]) check(int) error                 { return nil }

func (n numbers[N]) read(i int, p *model.Point, r *reader) {
	from := &n.data[i]
	p.Has, p.Value = n.part, float64(from.Value)
	if n.part == model.PartTotal {
		p.Created, p.Exemplar = created(from.StartTime), exemplarsOf(r.naming, from.Exemplars)
	}
}

// summaries are the points of summaries.
type summaries []metricdata.SummaryDataPoint

func (s summaries) len() int                        { return len(s) }
func (s summaries) attributes(i int) *attribute.Set { return &s[i].Attributes }

func (s summaries) check(i int) error {
	for q := range s[i].QuantileValues {
		at := s[i].QuantileValues[q].Quantile
		if math.IsNaN(at) || q > 0 && at <= s[i].QuantileValues[q-1].Quantile {
			return errors.New("its quantiles do not increase")
		}
	}
	return nil
}

func (s summaries) read(i int, p *model.Point, r *reader) {
	from, v := &s[i], &r.summary
	*v = model.SummaryValue{Count: float64(from.Count), Sum: from.Sum, Quantiles: v.Quantiles[:0]}
	for _, q := range from.QuantileValues {
		v.Quantiles = append(v.Quantiles, model.Quantile{Q: q.Quantile, V: q.Value})
	}
	p.Has = model.PartCount | model.PartSum
	if len(v.Quantiles) > 0 {
		p.Has |= model.PartValue
	}
	p.Summary, p.Created = v, created(from.StartTime)
}

// histograms are the points of histograms with bounds.
type histograms[N int64 | float64] []metricdata.HistogramDataPoint[N]

func (h histograms[N]) len() int                        { return len(h) }
func (h histograms[N]) attributes(i int) *attribute.Set { return &h[i].Attributes }

func (h histograms[N]) check(i int) error {
	p := &h[i]
	if len(p.BucketCounts) != len(p.Bounds)+1 && len(p.BucketCounts)+len(p.Bounds) > 0 {
		return fmt.Errorf("a histogram has %d bounds and %d buckets", len(p.Bounds), len(p.BucketCounts))
	}
	for j, b := range p.Bounds {
		if math.IsNaN(b) || j > 0 && b <= p.Bounds[j-1] {
			return errors.New("the bounds of its buckets do not increase")
		}
	}
	return nil
}

func (h histograms[N]) read(i int, p *model.Point, r *reader) {
	from, v := &h[i], &r.value
	*v = model.HistogramValue{Count: float64(from.Count), Sum: float64(from.Sum), Cumulative: v.Cumulative[:0], Exemplars: v.Exemplars[:0]}
	r.upper = append(r.upper[:0], from.Bounds...)
	below := uint64(0)
	for j := range from.Bounds {
		below += from.BucketCounts[j]
		v.Cumulative = append(v.Cumulative, float64(below))
	}
	if n := len(from.Bounds); n < len(from.BucketCounts) {
		v.Count = float64(below + from.BucketCounts[n]) // whatever else the producer says
	}
	if n := len(r.upper); n == 0 || !math.IsInf(r.upper[n-1], 1) {
		r.upper, v.Cumulative = append(r.upper, math.Inf(1)), append(v.Cumulative, v.Count)
	}
	v.Bounds = r.bounds.Of(r.upper)
	p.Histogram, p.Created, p.Has = v, created(from.StartTime), model.PartBucket|model.PartCount|model.PartSum
	if r.upper[0] < 0 { // the sum may decrease
		p.Has &^= model.PartSum
	}
	for j := range from.Exemplars {
		v.Exemplars = r.bucketExemplar(v.Exemplars, exemplarOf(r.naming, &from.Exemplars[j]))
	}
}

// bucketExemplar puts an exemplar to those of its bucket, the newest first.
func (r *reader) bucketExemplar(to []*model.Exemplar, x *model.Exemplar) []*model.Exemplar {
	bucket, _ := slices.BinarySearchFunc(r.upper, x.Value, cmp.Compare[float64])
	if bucket == len(r.upper) || math.IsNaN(x.Value) {
		bucket = len(r.upper) - 1
	}
	for len(to) <= bucket {
		to = append(to, nil)
	}
	to[bucket] = withExemplar(to[bucket], x)
	return to
}
