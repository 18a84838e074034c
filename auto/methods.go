package auto

import "telltale"

// Counter returns a counter: see [telltale.NewCounter].
func (f *Factory) Counter(name, help string, opts ...telltale.CounterOption) *telltale.Counter {
	return must(telltale.NewCounter(name, help, options(f, opts)...))
}

// CounterVec returns a counter with labels by position: see [telltale.NewCounterVec].
func (f *Factory) CounterVec(name, help string, labels []string, opts ...telltale.CounterOption) *telltale.CounterVec {
	return must(telltale.NewCounterVec(name, help, labels, options(f, opts)...))
}

// CounterOf returns a counter whose labels are the fields of L, made by the factory: see
// [telltale.NewCounterOf].
func CounterOf[L comparable](f *Factory, name, help string, opts ...telltale.CounterOption) *telltale.CounterOf[L] {
	return must(telltale.NewCounterOf[L](name, help, options(f, opts)...))
}

// Gauge returns a gauge: see [telltale.NewGauge].
func (f *Factory) Gauge(name, help string, opts ...telltale.GaugeOption) *telltale.Gauge {
	return must(telltale.NewGauge(name, help, options(f, opts)...))
}

// GaugeVec returns a gauge with labels by position: see [telltale.NewGaugeVec].
func (f *Factory) GaugeVec(name, help string, labels []string, opts ...telltale.GaugeOption) *telltale.GaugeVec {
	return must(telltale.NewGaugeVec(name, help, labels, options(f, opts)...))
}

// GaugeOf returns a gauge whose labels are the fields of L, made by the factory: see
// [telltale.NewGaugeOf].
func GaugeOf[L comparable](f *Factory, name, help string, opts ...telltale.GaugeOption) *telltale.GaugeOf[L] {
	return must(telltale.NewGaugeOf[L](name, help, options(f, opts)...))
}

// Histogram returns a histogram: see [telltale.NewHistogram].
func (f *Factory) Histogram(name, help string, opts ...telltale.HistogramOption) *telltale.Histogram {
	return must(telltale.NewHistogram(name, help, options(f, opts)...))
}

// HistogramVec returns a histogram with labels by position: see [telltale.NewHistogramVec].
func (f *Factory) HistogramVec(name, help string, labels []string, opts ...telltale.HistogramOption) *telltale.HistogramVec {
	return must(telltale.NewHistogramVec(name, help, labels, options(f, opts)...))
}

// HistogramOf returns a histogram whose labels are the fields of L, made by the factory: see
// [telltale.NewHistogramOf].
func HistogramOf[L comparable](f *Factory, name, help string, opts ...telltale.HistogramOption) *telltale.HistogramOf[L] {
	return must(telltale.NewHistogramOf[L](name, help, options(f, opts)...))
}

// Summary returns a summary: see [telltale.NewSummary].
func (f *Factory) Summary(name, help string, opts ...telltale.SummaryOption) *telltale.Summary {
	return must(telltale.NewSummary(name, help, options(f, opts)...))
}

// SummaryVec returns a summary with labels by position: see [telltale.NewSummaryVec].
func (f *Factory) SummaryVec(name, help string, labels []string, opts ...telltale.SummaryOption) *telltale.SummaryVec {
	return must(telltale.NewSummaryVec(name, help, labels, options(f, opts)...))
}

// SummaryOf returns a summary whose labels are the fields of L, made by the factory: see
// [telltale.NewSummaryOf].
func SummaryOf[L comparable](f *Factory, name, help string, opts ...telltale.SummaryOption) *telltale.SummaryOf[L] {
	return must(telltale.NewSummaryOf[L](name, help, options(f, opts)...))
}

// Info returns an info: see [telltale.NewInfo].
func (f *Factory) Info(name, help string, opts ...telltale.InfoOption) *telltale.Info {
	return must(telltale.NewInfo(name, help, options(f, opts)...))
}

// InfoVec returns an info with labels by position: see [telltale.NewInfoVec].
func (f *Factory) InfoVec(name, help string, labels []string, opts ...telltale.InfoOption) *telltale.InfoVec {
	return must(telltale.NewInfoVec(name, help, labels, options(f, opts)...))
}

// InfoOf returns an info whose labels are the fields of L, made by the factory: see
// [telltale.NewInfoOf].
func InfoOf[L comparable](f *Factory, name, help string, opts ...telltale.InfoOption) *telltale.InfoOf[L] {
	return must(telltale.NewInfoOf[L](name, help, options(f, opts)...))
}

// Enum returns an enum with these states: see [telltale.NewEnum].
func (f *Factory) Enum(name, help string, states []string, opts ...telltale.EnumOption) *telltale.Enum {
	return must(telltale.NewEnum(name, help, states, options(f, opts)...))
}

// EnumVec returns an enum with these states and labels by position: see [telltale.NewEnumVec].
func (f *Factory) EnumVec(name, help string, states, labels []string, opts ...telltale.EnumOption) *telltale.EnumVec {
	return must(telltale.NewEnumVec(name, help, states, labels, options(f, opts)...))
}

// EnumOf returns an enum with these states whose labels are the fields of L, made by
// the factory: see [telltale.NewEnumOf].
func EnumOf[L comparable](f *Factory, name, help string, states []string, opts ...telltale.EnumOption) *telltale.EnumOf[L] {
	return must(telltale.NewEnumOf[L](name, help, states, options(f, opts)...))
}
