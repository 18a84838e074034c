//go:build !race

package otelbridge_test

import (
	"context"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"telltale"
	otelbridge "telltale/bridge/otel"
	"telltale/model"
)

// allocSeries is how many series the collections of these tests have, half of them
// histograms.
const allocSeries = 2000

// budget fails the test if f allocates more than it may for each series. A garbage
// collection in between empties pools, so the least of a few tries counts.
func budget(t *testing.T, most float64, f func()) {
	t.Helper()
	got := testing.AllocsPerRun(5, f)
	for range 3 {
		got = min(got, testing.AllocsPerRun(5, f))
	}
	if got /= allocSeries; got > most {
		t.Errorf("%.3f allocations a series, want at most %v", got, most)
	}
}

// Reading costs few allocations a series, those of the SDK itself among them.
func TestAllocationsOfReading(t *testing.T) {
	for name, tt := range map[string]struct {
		temporality sdk.TemporalitySelector
		most        float64
	}{"cumulative": {sdk.DefaultTemporalitySelector, 4}, "delta": {delta, 11}} {
		t.Run(name, func(t *testing.T) {
			reader := sdk.NewManualReader(sdk.WithTemporalitySelector(tt.temporality))
			m := newProvider(t, reader).Meter("allocations")
			calls := must[metric.Int64Counter](t)(m.Int64Counter("calls"))
			times := must[metric.Float64Histogram](t)(m.Float64Histogram("latency"))
			ctx := context.Background()
			in := make([]metric.MeasurementOption, allocSeries/2)
			for i := range in {
				in[i] = metric.WithAttributeSet(attribute.NewSet(attribute.Int("shard", i), attribute.String("route", fmt.Sprint("/", i))))
			}
			count := func() {
				for _, o := range in {
					calls.Add(ctx, 1, o)
					times.Record(ctx, 1, o)
				}
			}
			c := otelbridge.FromReader(reader)
			var scratch model.Point
			budget(t, tt.most, func() {
				count()
				if err := c.Collect(ctx, func(f *model.Family) error {
					return f.Visit(&scratch, func(*model.Point) error { return nil })
				}); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// A producer costs few allocations a series: its data are the SDK's to keep.
func TestAllocationsOfProducing(t *testing.T) {
	reg := telltale.NewRegistry()
	calls := telltale.Must(telltale.NewCounterVec("calls", "Calls.", []string{"shard", "route"}, telltale.In(reg)))
	times := telltale.Must(telltale.NewHistogramVec("latency", "Latency.", []string{"shard", "route"}, telltale.In(reg), telltale.WithNativeBuckets(1.1)))
	for i := range allocSeries / 2 {
		calls.With(fmt.Sprint(i), fmt.Sprint("/", i)).Inc()
		times.With(fmt.Sprint(i), fmt.Sprint("/", i)).Observe(1)
	}
	p := otelbridge.NewProducer(reg)
	budget(t, 8, func() {
		if _, err := p.Produce(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}
