package main

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// otelPeer is the OpenTelemetry SDK with its Prometheus exporter, read through
// a client_golang registry as its users do. Scope and target information are
// off and cardinality is unlimited, so that it exposes what the others expose.
type otelPeer struct{}

func (otelPeer) name() string { return otelName }

func (p otelPeer) prepare(t task) (*subject, error) {
	if t.kind == registration {
		return nil, errNotOffered // instruments stay for the life of a meter
	}
	if t.kind == sentCounters || t.kind == sentHistograms {
		return p.sent(t)
	}
	reg := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(reg),
		otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	// A histogram without buckets is OpenTelemetry's count and sum.
	countAndSum := sdkmetric.NewView(sdkmetric.Instrument{Name: summaryName},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{}, NoMinMax: true}})
	exponential := sdkmetric.NewView(sdkmetric.Instrument{Name: nativeName},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: nativeBuckets, MaxScale: nativeSchema, NoMinMax: true}})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter),
		sdkmetric.WithCardinalityLimit(0), sdkmetric.WithView(countAndSum, exponential))
	s := gathererSubject(reg)
	s.close = func() error { return provider.Shutdown(context.Background()) }
	meter := provider.Meter("telltale/benchmarks")
	switch t.kind {
	case counterInc:
		s.repeat, err = p.inc(meter)
	case counterAdd:
		s.repeat, err = p.add(meter)
	case gaugeSet:
		s.repeat, err = p.set(meter)
	case gaugeAdd:
		s.repeat, err = p.gaugeAdd(meter)
	case labelledInc, labelledTypedInc:
		s.repeat, err = p.labelled(meter, t.series)
	case newSeries:
		s.repeat, err = p.labelledFresh(meter, labelSets(t.series))
	case histogramObserve:
		s.repeat, err = p.observe(meter, histogramName)
	case summaryObserve:
		s.repeat, err = p.observe(meter, summaryName)
	case nativeObserve:
		s.repeat, err = p.observe(meter, nativeName)
	case requestServed:
		s.repeat = servedBy(p.served(provider))
	case counters:
		if t.lifetimes != "" {
			err = errNotOffered // series stay for the life of a meter
			break
		}
		err = p.fillCounters(meter, t)
	case gauges:
		err = p.fillGauges(meter, t)
	case histograms:
		err = p.fillHistograms(meter, t)
	case natives:
		err = p.fillNatives(meter, t)
	default:
		err = errNotOffered
	}
	return s, err
}

// otelCounter makes a counter; the exporter adds _total by itself.
func otelCounter(meter metric.Meter, name string) (metric.Int64Counter, error) {
	return meter.Int64Counter(strings.TrimSuffix(name, "_total"), metric.WithDescription(counterHelp))
}

// attributesOf turns label values into what Add takes for them.
func attributesOf(values *labelValues) metric.MeasurementOption {
	return metric.WithAttributes(
		attribute.String(labelNames[0], values[0]),
		attribute.String(labelNames[1], values[1]),
		attribute.String(labelNames[2], values[2]))
}

func (otelPeer) inc(meter metric.Meter) (func(worker, n int) error, error) {
	c, err := otelCounter(meter, counterName(0))
	ctx := context.Background()
	return func(_, n int) error {
		for range n {
			c.Add(ctx, 1)
		}
		return nil
	}, err
}

func (otelPeer) add(meter metric.Meter) (func(worker, n int) error, error) {
	c, err := meter.Float64Counter(strings.TrimSuffix(counterName(0), "_total"))
	ctx := context.Background()
	return func(_, n int) error {
		for range n {
			c.Add(ctx, 0.5)
		}
		return nil
	}, err
}

func (otelPeer) set(meter metric.Meter) (func(worker, n int) error, error) {
	g, err := meter.Float64Gauge(gaugeName)
	ctx := context.Background()
	return func(_, n int) error {
		for i := range n {
			g.Record(ctx, float64(i))
		}
		return nil
	}, err
}

func (otelPeer) gaugeAdd(meter metric.Meter) (func(worker, n int) error, error) {
	g, err := meter.Float64UpDownCounter(gaugeName)
	ctx := context.Background()
	return func(_, n int) error {
		for range n {
			g.Add(ctx, 1.5)
		}
		return nil
	}, err
}

func (otelPeer) labelled(meter metric.Meter, series int) (func(worker, n int) error, error) {
	c, err := otelCounter(meter, counterName(0))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	for _, values := range labelSets(series) {
		c.Add(ctx, 0, attributesOf(&values))
	}
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			c.Add(ctx, 1, attributesOf(&sets[at]))
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}, nil
}

func (otelPeer) labelledFresh(meter metric.Meter, sets []labelValues) (func(worker, n int) error, error) {
	c, err := otelCounter(meter, counterName(0))
	ctx := context.Background()
	return func(_, n int) error {
		for i := range n {
			c.Add(ctx, 1, attributesOf(&sets[i]))
		}
		return nil
	}, err
}

func (otelPeer) observe(meter metric.Meter, name string) (func(worker, n int) error, error) {
	h, err := meter.Float64Histogram(name, metric.WithExplicitBucketBoundaries(bucketBounds...))
	ctx := context.Background()
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			h.Record(ctx, observations[i&mask])
		}
		return nil
	}, err
}

func (otelPeer) fillCounters(meter metric.Meter, t task) error {
	all := make([]metric.Int64Counter, t.families)
	for i, name := range counterNames(t) {
		var err error
		if all[i], err = otelCounter(meter, name); err != nil {
			return err
		}
	}
	ctx := context.Background()
	return eachCounter(t, func(family int, values labelValues, value uint64) error {
		all[family].Add(ctx, int64(value), attributesOf(&values))
		return nil
	})
}

func (otelPeer) fillGauges(meter metric.Meter, t task) error {
	g, err := meter.Float64Gauge(gaugeName, metric.WithDescription(counterHelp))
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := range t.series {
		values := labelsOf(i)
		g.Record(ctx, gaugeValue(i), attributesOf(&values))
	}
	return nil
}

func (otelPeer) fillHistograms(meter metric.Meter, t task) error {
	h, err := meter.Float64Histogram(histogramName, metric.WithDescription(histogramHelp),
		metric.WithExplicitBucketBoundaries(bucketBounds...))
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := range t.series {
		values := labelsOf(i)
		attributes := attributesOf(&values)
		for j := range observationsPerHistogram {
			h.Record(ctx, observationOf(i, j), attributes)
		}
	}
	return nil
}

func (otelPeer) fillNatives(meter metric.Meter, t task) error {
	h, err := meter.Float64Histogram(nativeName, metric.WithDescription(histogramHelp))
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := range t.series {
		values := labelsOf(i)
		attributes := attributesOf(&values)
		for j := range usedBuckets {
			h.Record(ctx, nativeObservationOf(j), attributes)
		}
	}
	return nil
}
