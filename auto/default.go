package auto

import "telltale"

// Counter returns a counter of [telltale.Default]: see [telltale.NewCounter].
func Counter(name, help string, opts ...telltale.CounterOption) *telltale.Counter {
	return (*Factory)(nil).Counter(name, help, opts...)
}

// CounterVec returns a counter of [telltale.Default] with labels by position: see
// [telltale.NewCounterVec].
func CounterVec(name, help string, labels []string, opts ...telltale.CounterOption) *telltale.CounterVec {
	return (*Factory)(nil).CounterVec(name, help, labels, opts...)
}

// Gauge returns a gauge of [telltale.Default]: see [telltale.NewGauge].
func Gauge(name, help string, opts ...telltale.GaugeOption) *telltale.Gauge {
	return (*Factory)(nil).Gauge(name, help, opts...)
}

// GaugeVec returns a gauge of [telltale.Default] with labels by position: see
// [telltale.NewGaugeVec].
func GaugeVec(name, help string, labels []string, opts ...telltale.GaugeOption) *telltale.GaugeVec {
	return (*Factory)(nil).GaugeVec(name, help, labels, opts...)
}

// Histogram returns a histogram of [telltale.Default]: see [telltale.NewHistogram].
func Histogram(name, help string, opts ...telltale.HistogramOption) *telltale.Histogram {
	return (*Factory)(nil).Histogram(name, help, opts...)
}

// HistogramVec returns a histogram of [telltale.Default] with labels by position: see
// [telltale.NewHistogramVec].
func HistogramVec(name, help string, labels []string, opts ...telltale.HistogramOption) *telltale.HistogramVec {
	return (*Factory)(nil).HistogramVec(name, help, labels, opts...)
}

// Summary returns a summary of [telltale.Default]: see [telltale.NewSummary].
func Summary(name, help string, opts ...telltale.SummaryOption) *telltale.Summary {
	return (*Factory)(nil).Summary(name, help, opts...)
}

// SummaryVec returns a summary of [telltale.Default] with labels by position: see
// [telltale.NewSummaryVec].
func SummaryVec(name, help string, labels []string, opts ...telltale.SummaryOption) *telltale.SummaryVec {
	return (*Factory)(nil).SummaryVec(name, help, labels, opts...)
}

// Info returns an info of [telltale.Default]: see [telltale.NewInfo].
func Info(name, help string, opts ...telltale.InfoOption) *telltale.Info {
	return (*Factory)(nil).Info(name, help, opts...)
}

// InfoVec returns an info of [telltale.Default] with labels by position: see
// [telltale.NewInfoVec].
func InfoVec(name, help string, labels []string, opts ...telltale.InfoOption) *telltale.InfoVec {
	return (*Factory)(nil).InfoVec(name, help, labels, opts...)
}

// Enum returns an enum of [telltale.Default]: see [telltale.NewEnum].
func Enum(name, help string, states []string, opts ...telltale.EnumOption) *telltale.Enum {
	return (*Factory)(nil).Enum(name, help, states, opts...)
}

// EnumVec returns an enum of [telltale.Default] with labels by position: see
// [telltale.NewEnumVec].
func EnumVec(name, help string, states, labels []string, opts ...telltale.EnumOption) *telltale.EnumVec {
	return (*Factory)(nil).EnumVec(name, help, states, labels, opts...)
}
