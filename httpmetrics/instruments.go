package httpmetrics

import (
	"bufio"
	"io"
	"net"
	"sync/atomic"
	"time"

	"telltale"
)

type (
	conn     = net.Conn
	buffered = *bufio.ReadWriter
)

// builder makes instruments until one fails.
type builder struct {
	settings *settings
	err      error
}

// keep returns an instrument, or nil after an error.
func keep[T any](b *builder, make func() (*T, error)) *T {
	if b.err != nil {
		return nil
	}
	x, err := make()
	b.err = err
	return x
}

// options returns the options of all instruments and those of one.
func options[O any](b *builder, own ...O) []O {
	var all []O
	for _, o := range b.settings.instruments {
		if o != nil { // a nil option says nothing, as in the constructors
			all = append(all, any(o).(O))
		}
	}
	return append(all, own...)
}

func (b *builder) gauge(name, help string) *telltale.Gauge {
	return keep(b, func() (*telltale.Gauge, error) {
		return telltale.NewGauge(name, help, options[telltale.GaugeOption](b, telltale.WithGaugeMode(telltale.ModeLiveSum))...)
	})
}

func counter[L comparable](b *builder, name, help string) *telltale.CounterOf[L] {
	return keep(b, func() (*telltale.CounterOf[L], error) {
		return telltale.NewCounterOf[L](name, help, options[telltale.CounterOption](b)...)
	})
}

func histogram[L comparable](b *builder, name, help string, own ...telltale.HistogramOption) *telltale.HistogramOf[L] {
	return keep(b, func() (*telltale.HistogramOf[L], error) {
		return telltale.NewHistogramOf[L](name, help, options(b, own...)...)
	})
}

// durations returns the options of the histograms of times.
func (b *builder) durations() []telltale.HistogramOption {
	if b.settings.durations != nil {
		return b.settings.durations
	}
	return []telltale.HistogramOption{telltale.WithBuckets(telltale.DefaultBuckets()...), telltale.WithNativeBuckets(1.1)}
}

// sizes gives histograms of sizes buckets from 100 bytes to 100 MB.
func sizes() telltale.HistogramOption {
	return telltale.WithBuckets(100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)
}

// observation is a time for a histogram.
type observation struct {
	histogram *telltale.Histogram
	took      time.Duration
}

// observe makes observations, with exemplars if there are labels for them. Labels
// that no exemplar can have are a fault of the histogram's registry.
func observe(labels map[string]string, observations ...observation) {
	for _, o := range observations {
		if labels == nil {
			o.histogram.Observe(o.took.Seconds())
		} else if err := o.histogram.ObserveWithExemplar(o.took.Seconds(), labels); err != nil {
			o.histogram.Observe(o.took.Seconds())
		}
	}
}

// body counts what is read of a body.
type body struct {
	io.ReadCloser
	read atomic.Int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}
