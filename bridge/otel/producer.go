package otelbridge

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"telltale"
	"telltale/internal/unfit"
)

// ProducerOption is an option of [NewProducer].
type ProducerOption interface{ applyProducer(*producer) }

type producerOption func(*producer)

func (o producerOption) applyProducer(p *producer) { o(p) }

// DefaultTimeout is the limit of [WithTimeout] without that option.
const DefaultTimeout = 10 * time.Second

// WithTimeout limits the time of a collection: custom collectors that are not done by
// then are left out. It is [DefaultTimeout] without the option, and in any case half
// of what the reader of the SDK gives, so that the other half is left to export. d
// must be more than zero.
func WithTimeout(d time.Duration) ProducerOption {
	return producerOption(func(p *producer) {
		if p.timeout = d; d <= 0 {
			p.err = errors.Join(p.err, errors.New("otelbridge: WithTimeout: a time above zero is needed"))
		}
	})
}

// WithClassicBuckets takes the classic buckets of histograms that have native ones
// too, for backends without exponential histograms.
func WithClassicBuckets() ProducerOption {
	return producerOption(func(p *producer) { p.classic = true })
}

// ScopeName is the instrumentation scope of metrics that do not say theirs.
const ScopeName = "telltale/bridge/otel"

// producer is a telltale collector as a producer.
type producer struct {
	collector telltale.Collector
	timeout   time.Duration
	classic   bool
	err       error
}

// NewProducer returns a producer for [metric.WithProducer] that collects c. Nothing is
// encoded in between. Metrics have cumulative temporality, also where a reader prefers
// another, and keep their names, by the specification of compatibility:
//
//	counter                      monotonic sum, its name ends in "_total"
//	gauge, unknown               gauge
//	histogram, native buckets    exponential histogram, with the classic ones left out
//	histogram, other buckets     histogram
//	summary                      summary
//	info, state set              sum that is not monotonic, of ones and zeros
//	gauge histogram              gauges, one for each of its samples
//	unit                         its abbreviation: "s" for "seconds"
//	created time                 start time; without one the start time is not set
//	exemplars                    exemplars
//	labels otel_scope_...        instrumentation scope, elsewhere [ScopeName]
//	target_info                  left out: see [Resource]
//
// An error of a producer would cost the export of all metrics, so that of c, and what
// cannot be taken over, are given to the error handler of OpenTelemetry ([otel.Handle])
// instead, and the rest is produced. Faults of a registry go to its error hook or log,
// as in every collection. Collectors that panic or hang cost what they have.
// Produce returns an error only if c is nil or an option is not valid. It is safe for
// concurrent use.
func NewProducer(c telltale.Collector, opts ...ProducerOption) metric.Producer {
	p := &producer{timeout: DefaultTimeout}
	p.collector, p.err = telltale.Merge(c) // contains panics and repetitions of a collector in no registry
	for _, o := range opts {
		if o != nil {
			o.applyProducer(p)
		}
	}
	return p
}

// Produce returns the metrics of the collector.
func (p *producer) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	if p.err != nil {
		return nil, p.err
	}
	limit := p.timeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	wrong := unfit.NewList(bridgeName)
	out := newProduction(p.classic, wrong)
	wrong.Add(p.collector.Collect(ctx, out.add))
	if err := wrong.Err(); err != nil {
		otel.Handle(err)
	}
	return out.list, nil
}

// Resource returns the labels of a registry's target_info as a resource, empty if it
// has none. Attributes have the names of the labels, which may be those of
// OpenTelemetry, such as "service.name". A provider combines it with the usual one by
// [resource.Merge].
func Resource(reg *telltale.Registry) *resource.Resource {
	var attributes []attribute.KeyValue
	for name, value := range reg.TargetInfo() {
		attributes = append(attributes, attribute.String(name, value))
	}
	return resource.NewSchemaless(attributes...)
}

// ownScope is the scope of metrics that do not say theirs.
func ownScope() instrumentation.Scope { return instrumentation.Scope{Name: ScopeName} }
