package otelbridge_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale"
	otelbridge "telltale/bridge/otel"
	"telltale/model"
)

func delta(sdk.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }

// points returns the points of a collector by family and labels.
func points(t testing.TB, c telltale.Collector) map[string]model.Point {
	t.Helper()
	all := make(map[string]model.Point)
	if err := c.Collect(context.Background(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) error {
			all[f.SampleName()+p.Labels.String()] = p.Clone()
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
	return all
}

// coarse returns the buckets of one side by index at a lower schema.
func coarse(spans []model.Span, counts []float64, by int32) map[int32]float64 {
	all, index := make(map[int32]float64), int32(0)
	for _, s := range spans {
		index += s.Offset
		for range s.Length {
			if counts[0] != 0 {
				all[(index-1)>>by+1] += counts[0]
			}
			index, counts = index+1, counts[1:]
		}
	}
	return all
}

// sameTotals fails the test unless two points have the same values; native buckets
// are compared at the lower of both schemas.
func sameTotals(t *testing.T, key string, got, want model.Point) {
	t.Helper()
	if want.Histogram == nil || want.Histogram.Native == nil {
		if g, w := value(&got), value(&want); g != w {
			t.Errorf("%s is %s, want %s", key, g, w)
		}
		return
	}
	g, w := got.Histogram.Native, want.Histogram.Native
	schema := min(g.Schema, w.Schema)
	if g.Count != w.Count || math.Abs(g.Sum-w.Sum) > 1e-9*math.Abs(w.Sum) || g.ZeroCount != w.ZeroCount ||
		!maps.Equal(coarse(g.PositiveSpans, g.Positive, g.Schema-schema), coarse(w.PositiveSpans, w.Positive, w.Schema-schema)) ||
		!maps.Equal(coarse(g.NegativeSpans, g.Negative, g.Schema-schema), coarse(w.NegativeSpans, w.Negative, w.Schema-schema)) {
		t.Errorf("%s is %+v, want %+v", key, g, w)
	}
}

// What a delta reader says in parts adds up to what a cumulative one has.
func TestDeltasAddUp(t *testing.T) {
	for range 5 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			parts, whole := sdk.NewManualReader(sdk.WithTemporalitySelector(delta)), sdk.NewManualReader()
			p := newProvider(t, parts, whole)
			got, want := otelbridge.FromReader(parts), otelbridge.FromReader(whole)
			m := p.Meter("delta")
			count := must[metric.Int64Counter](t)(m.Int64Counter("count"))
			level := must[metric.Float64UpDownCounter](t)(m.Float64UpDownCounter("level"))
			bounded := must[metric.Int64Histogram](t)(m.Int64Histogram("bounded"))
			exponential := must[metric.Float64Histogram](t)(m.Float64Histogram("exponential.spread"))
			observed := int64(0)
			_ = must[metric.Int64ObservableCounter](t)(m.Int64ObservableCounter("observed", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(observed)
				return nil
			})))
			ctx := context.Background()
			for range 300 {
				in := metric.WithAttributes(attribute.Int("shard", random.IntN(3)))
				observed += random.Int64N(3)
				switch random.IntN(6) {
				case 0:
					count.Add(ctx, random.Int64N(5), in)
				case 1:
					level.Add(ctx, float64(random.IntN(9)-4), in)
				case 2:
					bounded.Record(ctx, random.Int64N(1000), in)
				case 3, 4:
					v := math.Ldexp(1+random.Float64(), random.IntN(60)-30)
					if random.IntN(3) == 0 {
						v = -v
					}
					exponential.Record(ctx, v, in)
				case 5:
					points(t, got)
				}
			}
			w := points(t, want)
			g := points(t, got)
			if len(w) < 10 {
				t.Fatalf("only %d series", len(w))
			}
			for key, p := range w {
				sameTotals(t, key, g[key], p)
			}
			if len(g) != len(w) {
				t.Errorf("%d series, want %d", len(g), len(w))
			}
		})
	}
}

// reader is a reader of the SDK whose collections are made up.
type reader struct {
	sdk.Reader
	collect func(ctx context.Context, to *metricdata.ResourceMetrics) error
}

func (r reader) Collect(ctx context.Context, to *metricdata.ResourceMetrics) error {
	return r.collect(ctx, to)
}

// reading returns a reader that has the metrics.
func reading(metrics ...metricdata.Metrics) reader {
	return reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
		to.ScopeMetrics = append(to.ScopeMetrics, metricdata.ScopeMetrics{Metrics: metrics})
		return nil
	}}
}

func exponential(scale int32, offset int32, counts ...uint64) metricdata.ExponentialHistogramDataPoint[float64] {
	total := uint64(0)
	for _, c := range counts {
		total += c
	}
	return metricdata.ExponentialHistogramDataPoint[float64]{Count: total, Scale: scale, PositiveBucket: metricdata.ExponentialBucket{Offset: offset, Counts: counts}}
}

// Deltas of one series have other scales, bounds and thresholds from time to time.
func TestDeltasThatDiffer(t *testing.T) {
	var now metricdata.Metrics
	c := otelbridge.FromReader(reader{sdk.NewManualReader(), func(_ context.Context, to *metricdata.ResourceMetrics) error {
		to.ScopeMetrics = []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{now}}}
		return nil
	}})
	say := func(p metricdata.ExponentialHistogramDataPoint[float64]) *model.NativeHistogram {
		t.Helper()
		now = metricdata.Metrics{Name: "x", Data: metricdata.ExponentialHistogram[float64]{Temporality: metricdata.DeltaTemporality, DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{p}}}
		return points(t, c)["x{}"].Histogram.Native
	}
	check := func(n *model.NativeHistogram, schema int32, count, zero float64, want map[int32]float64) {
		t.Helper()
		if got := coarse(n.PositiveSpans, n.Positive, 0); n.Schema != schema || n.Count != count || n.ZeroCount != zero || !maps.Equal(got, want) {
			t.Errorf("schema %d, count %v, zero %v, buckets %v", n.Schema, n.Count, n.ZeroCount, got)
		}
	}
	check(say(exponential(3, -1, 1, 2, 0, 0, 0, 4)), 3, 7, 0, map[int32]float64{0: 1, 1: 2, 5: 4})
	check(say(exponential(2, 0, 5)), 2, 12, 0, map[int32]float64{0: 1, 1: 7, 3: 4})
	check(say(exponential(2, -2, 1)), 2, 13, 0, map[int32]float64{-1: 1, 0: 1, 1: 7, 3: 4})
	wide := exponential(2, 1000, 1) // the scale falls until there are few buckets
	check(say(wide), 0, 14, 0, map[int32]float64{0: 2, 1: 11, 251: 1})
	below := exponential(0, 3, 1)
	below.ZeroThreshold, below.ZeroCount, below.Count = 1, 2, 3
	check(say(below), 0, 17, 4, map[int32]float64{1: 11, 4: 1, 251: 1})

	bounded := func(start time.Time, bounds []float64, counts ...uint64) {
		now = metricdata.Metrics{Name: "h", Data: metricdata.Histogram[int64]{Temporality: metricdata.DeltaTemporality, DataPoints: []metricdata.HistogramDataPoint[int64]{{
			StartTime: start, Bounds: bounds, BucketCounts: counts, Count: 1,
		}}}}
	}
	bounded(time.Unix(1, 0), []float64{1}, 1, 0)
	points(t, c)
	bounded(time.Unix(2, 0), []float64{1}, 0, 1)
	if p := points(t, c)["h{}"]; p.Histogram.Count != 2 || p.Created != model.Unix(1, 0) {
		t.Errorf("the total is %+v since %v", p.Histogram, p.Created)
	}
	bounded(time.Unix(3, 0), []float64{2}, 0, 1)
	if p := points(t, c)["h{}"]; p.Histogram.Count != 1 || p.Created != model.Unix(3, 0) {
		t.Errorf("with other bounds the total is %+v since %v", p.Histogram, p.Created)
	}
}

// Series of delta temporality are kept, so there is a limit.
func TestDeltaSeriesAreBounded(t *testing.T) {
	parts := sdk.NewManualReader(sdk.WithTemporalitySelector(delta))
	c := otelbridge.FromReader(parts, otelbridge.WithMaxSeries(3))
	count := must[metric.Int64Counter](t)(newProvider(t, parts).Meter("m").Int64Counter("count"))
	var err error
	for i := range 5 {
		count.Add(context.Background(), 1, metric.WithAttributes(attribute.Int("user", i)))
		count.Add(context.Background(), 1, metric.WithAttributes(attribute.Int("user", 0)))
		err = c.Collect(context.Background(), func(f *model.Family) error {
			n := 0
			var scratch model.Point
			_ = f.Visit(&scratch, func(p *model.Point) error {
				n++
				if who, _ := p.Labels.Get("user"); who == "0" && p.Value != float64(i+2) {
					t.Errorf("after %d the total is %v", i, p.Value)
				}
				return nil
			})
			if f.Type == model.Counter && n != min(i+1, 3) {
				t.Errorf("after %d there are %d series", i, n)
			}
			return nil
		})
	}
	if err == nil || !strings.Contains(err.Error(), "WithMaxSeries") {
		t.Errorf("the error is %v", err)
	}
}
