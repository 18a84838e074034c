package otelbridge

import (
	"errors"
	"fmt"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"

	"telltale"
)

// Option is an option of [FromReader] and [NewReader].
type Option interface {
	ReaderOption
	applyFrom(*settings)
}

// ReaderOption is an option of [NewReader].
type ReaderOption interface{ applyReader(*readerSettings) }

// settings hold the options of a collector.
type settings struct {
	namespace  string
	strategy   otlptranslator.TranslationStrategyOption
	scopes     bool
	target     func() bool // whether target_info is shown, asked at each collection
	resource   attribute.Filter
	maxSeries  int
	maxLabels  int
	valueLimit int
	err        error
}

// readerSettings hold the options of a reader.
type readerSettings struct {
	settings
	manual []metric.ManualReaderOption
}

// The limits without options.
const (
	DefaultMaxSeries = 1_000_000 // see [WithMaxSeries]
	DefaultMaxLabels = 128       // see [WithMaxLabels]
)

func defaults() settings {
	return settings{
		strategy: otlptranslator.UnderscoreEscapingWithSuffixes, scopes: true, target: always,
		maxSeries: DefaultMaxSeries, maxLabels: DefaultMaxLabels, valueLimit: telltale.DefaultLabelValueLimit,
	}
}

func always() bool { return true }
func never() bool  { return false }

type option func(*settings)

func (o option) applyFrom(s *settings)         { o(s) }
func (o option) applyReader(s *readerSettings) { o(&s.settings) }

type readerOption func(*readerSettings)

func (o readerOption) applyReader(s *readerSettings) { o(s) }

// WithManualReader gives options to the reader of the SDK that [NewReader] makes:
// which aggregations it has ([metric.WithAggregationSelector]), what else it reads
// ([metric.WithProducer]).
func WithManualReader(opts ...metric.ManualReaderOption) ReaderOption {
	return readerOption(func(s *readerSettings) { s.manual = append(s.manual, opts...) })
}

// WithNamespace puts the namespace and an underscore before the names of metrics.
func WithNamespace(namespace string) Option {
	return option(func(s *settings) { s.namespace = namespace })
}

// WithTranslation sets how names are translated. Without it, that is
// [otlptranslator.UnderscoreEscapingWithSuffixes]: characters that a name in Prometheus
// 2 cannot have become underscores, and unit and "_total" are appended.
func WithTranslation(strategy otlptranslator.TranslationStrategyOption) Option {
	return option(func(s *settings) {
		switch strategy {
		case otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes,
			otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation:
			s.strategy = strategy
		default:
			s.err = errors.Join(s.err, fmt.Errorf("otelbridge: WithTranslation(%q): otlptranslator has no such strategy", strategy))
		}
	})
}

// WithoutScope leaves out the labels of the instrumentation scope, otel_scope_name,
// otel_scope_version, otel_scope_schema_url and those of its attributes. If two
// scopes have an instrument of the same name with the same attributes, one of the
// series is left out then, which is an error of the collection.
func WithoutScope() Option { return option(func(s *settings) { s.scopes = false }) }

// WithoutTargetInfo leaves out target_info, the family that has the attributes of
// the resource. A page has at most one, so programs with several providers need it.
func WithoutTargetInfo() Option { return option(func(s *settings) { s.target = never }) }

// WithResourceLabels gives all series those attributes of the resource as labels
// that the filter lets through.
func WithResourceLabels(filter attribute.Filter) Option {
	return option(func(s *settings) { s.resource = filter })
}

// WithMaxSeries limits how many series a collection has, and how many series are
// kept of delta temporality, [DefaultMaxSeries] without it. Those beyond are left
// out, which is an error of the collection. The SDK has limits of its own, 2,000 for
// an instrument if nothing else was said. n must be at least 1.
func WithMaxSeries(n int) Option {
	return limit("WithMaxSeries", n, func(s *settings) *int { return &s.maxSeries })
}

// WithMaxLabels limits how many labels a series has, [DefaultMaxLabels] without it.
// A series with more is left out, which is an error of the collection. n must be at
// least 1.
func WithMaxLabels(n int) Option {
	return limit("WithMaxLabels", n, func(s *settings) *int { return &s.maxLabels })
}

// WithLabelValueLimit sets how many bytes a label's name or value may have,
// [telltale.DefaultLabelValueLimit] without it. What is longer is cut off. bytes
// must be at least 1.
func WithLabelValueLimit(bytes int) Option {
	return limit("WithLabelValueLimit", bytes, func(s *settings) *int { return &s.valueLimit })
}

func limit(name string, n int, field func(*settings) *int) Option {
	return option(func(s *settings) {
		if *field(s) = n; n < 1 {
			s.err = errors.Join(s.err, fmt.Errorf("otelbridge: %s(%d): at least 1 is needed", name, n))
		}
	})
}
