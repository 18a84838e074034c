package otelbridge_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// must fails the test at an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// traced is a context in a trace that is sampled.
func traced() context.Context {
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x4b, 15: 1}, SpanID: trace.SpanID{0xf0, 7: 2}, TraceFlags: trace.FlagsSampled,
	}))
}

// newProvider returns a provider with a resource and with views that make some
// histograms exponential and drop an attribute.
func newProvider(t testing.TB, readers ...sdk.Reader) *sdk.MeterProvider {
	t.Helper()
	opts := []sdk.Option{
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.Int("shards", 3), attribute.StringSlice("zones", []string{"a", "b"}))),
		sdk.WithView(
			sdk.NewView(sdk.Instrument{Name: "exponential.*"}, sdk.Stream{Aggregation: sdk.AggregationBase2ExponentialHistogram{MaxSize: 40, MaxScale: 20}}),
			sdk.NewView(sdk.Instrument{Name: "coarse.*"}, sdk.Stream{Aggregation: sdk.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 2}}),
			sdk.NewView(sdk.Instrument{Name: "filtered"}, sdk.Stream{AttributeFilter: attribute.NewDenyKeysFilter("user.id")}),
		),
	}
	for _, r := range readers {
		opts = append(opts, sdk.WithReader(r))
	}
	p := sdk.NewMeterProvider(opts...)
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) }) // a reader that was shut down already says so
	return p
}

// program uses every kind of instrument of two scopes.
func program(t testing.TB, p metric.MeterProvider) {
	t.Helper()
	m := p.Meter("shop/orders", metric.WithInstrumentationVersion("v1.2.0"), metric.WithSchemaURL("https://example.org/1"),
		metric.WithInstrumentationAttributes(attribute.String("mascot", "bear")))
	ctx, in := context.Background(), metric.WithAttributes(attribute.String("http.route", "/orders/{id}"), attribute.Int("http.response.status_code", 200), attribute.Bool("ok", true))
	out := metric.WithAttributes(attribute.String("http.route", `say "hi"\`+"\n"), attribute.Float64Slice("weights", []float64{1, 2.5}))

	orders := must[metric.Int64Counter](t)(m.Int64Counter("orders.placed", metric.WithDescription("Orders placed."), metric.WithUnit("{order}")))
	orders.Add(traced(), 3, in)
	orders.Add(ctx, 4, out)
	sold := must[metric.Float64Counter](t)(m.Float64Counter("sold.energy", metric.WithUnit("kWh"), metric.WithDescription("Energy sold.")))
	sold.Add(ctx, 2.25)
	must[metric.Int64UpDownCounter](t)(m.Int64UpDownCounter("queue.length", metric.WithUnit("1"))).Add(ctx, -2, in)
	must[metric.Float64UpDownCounter](t)(m.Float64UpDownCounter("balance", metric.WithUnit("By/s"))).Add(ctx, 1.5)
	must[metric.Int64Gauge](t)(m.Int64Gauge("disk.free", metric.WithUnit("By"))).Record(ctx, 512, in)
	must[metric.Float64Gauge](t)(m.Float64Gauge("cpu.utilization", metric.WithUnit("1"))).Record(ctx, 0.75, in)
	for _, name := range []string{"latency", "exponential.latency", "coarse.latency"} {
		h := must[metric.Float64Histogram](t)(m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription("Time to answer.")))
		for _, v := range []float64{-3, 0, 0.001, 0.5, 0.75, 4, 1e4} {
			h.Record(ctx, v, in)
		}
		h.Record(traced(), 0.25, in)
	}
	sizes := must[metric.Int64Histogram](t)(m.Int64Histogram("exponential.size", metric.WithUnit("By")))
	for _, v := range []int64{1, 1, 2, 3, 1 << 20, 1 << 40} {
		sizes.Record(ctx, v)
	}
	must[metric.Int64Histogram](t)(m.Int64Histogram("bounded.size", metric.WithUnit("By"), metric.WithExplicitBucketBoundaries(1, 10, 100))).Record(ctx, 11, in)
	must[metric.Int64Histogram](t)(m.Int64Histogram("single.size", metric.WithUnit("By"), metric.WithExplicitBucketBoundaries())).Record(ctx, 11, in)
	filtered := must[metric.Int64Counter](t)(m.Int64Counter("filtered"))
	filtered.Add(traced(), 1, metric.WithAttributes(attribute.String("user.id", "u7"), attribute.String("kind", "a")))

	other := p.Meter("shop/stock")
	must[metric.Int64Counter](t)(other.Int64Counter("orders.placed", metric.WithUnit("{order}"), metric.WithDescription("Orders placed."))).Add(ctx, 9, in)
	observe := func(_ context.Context, o metric.Int64Observer) error { o.Observe(7, in); return nil }
	observeFloat := func(_ context.Context, o metric.Float64Observer) error { o.Observe(7.5, in); return nil }
	_ = must[metric.Int64ObservableCounter](t)(other.Int64ObservableCounter("observed.total", metric.WithInt64Callback(observe)))
	_ = must[metric.Float64ObservableCounter](t)(other.Float64ObservableCounter("observed.time", metric.WithUnit("ms"), metric.WithFloat64Callback(observeFloat)))
	_ = must[metric.Int64ObservableUpDownCounter](t)(other.Int64ObservableUpDownCounter("observed.level", metric.WithInt64Callback(observe)))
	_ = must[metric.Float64ObservableUpDownCounter](t)(other.Float64ObservableUpDownCounter("observed.float_level", metric.WithFloat64Callback(observeFloat)))
	_ = must[metric.Int64ObservableGauge](t)(other.Int64ObservableGauge("observed.gauge", metric.WithInt64Callback(observe)))
	_ = must[metric.Float64ObservableGauge](t)(other.Float64ObservableGauge("observed__float-gauge", metric.WithUnit("Cel"), metric.WithFloat64Callback(observeFloat)))
}
