package httpmetrics

import (
	"bufio"
	"io"
	"net"
	"sync/atomic"
	"time"

	"telltale"
	"telltale/internal/builder"
)

type (
	conn     = net.Conn
	buffered = *bufio.ReadWriter
)

func gauge(b *builder.Builder, name, help string) *telltale.Gauge {
	return builder.Make(b, func(opts ...telltale.GaugeOption) (*telltale.Gauge, error) {
		return telltale.NewGauge(name, help, opts...)
	}, telltale.WithGaugeMode(telltale.ModeLiveSum))
}

func counter[L comparable](b *builder.Builder, name, help string) *telltale.CounterOf[L] {
	return builder.Make(b, func(opts ...telltale.CounterOption) (*telltale.CounterOf[L], error) {
		return telltale.NewCounterOf[L](name, help, opts...)
	})
}

func histogram[L comparable](b *builder.Builder, name, help string, own ...telltale.HistogramOption) *telltale.HistogramOf[L] {
	return builder.Make(b, func(opts ...telltale.HistogramOption) (*telltale.HistogramOf[L], error) {
		return telltale.NewHistogramOf[L](name, help, opts...)
	}, own...)
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
