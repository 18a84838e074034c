package main

import (
	"context"
	"errors"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale"
	"telltale/push/otlp"
)

// sending measures how everything is encoded and sent, the time per series.
func sending(s *stand) (sample, error) {
	if s.subject.send == nil {
		return sample{}, errNotOffered
	}
	taken, err := s.steady(s.subject.send)
	taken.Value /= float64(s.task.total())
	return taken, err
}

// sink is a receiver behind a client's transport. It counts bytes, so that a
// library that sends nothing is noticed.
type sink struct{ bytes int64 }

func (d *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	n, err := io.Copy(io.Discard, r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	d.bytes += n
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

var errNothingSent = errors.New("nothing was sent")

// checked returns a send that fails if it sends no bytes.
func (d *sink) checked(send func() error) func() error {
	return func() error {
		before := d.bytes
		if err := send(); err != nil {
			return err
		}
		if d.bytes == before {
			return errNothingSent
		}
		return nil
	}
}

// sent fills a registry that package push/otlp sends.
func (p telltalePeer) sent(reg *telltale.Registry, t task) (*subject, error) {
	fill := p.fillCounters
	if t.kind == sentHistograms {
		fill = p.fillHistograms
	}
	if err := fill(reg, t); err != nil {
		return nil, err
	}
	to := &sink{}
	target, err := otlp.NewTarget("http://localhost", otlp.WithClient(&http.Client{Transport: to}), otlp.WithoutGzip())
	if err != nil {
		return nil, err
	}
	return &subject{send: to.checked(func() error { return target.Push(context.Background(), reg) })}, nil
}

// sent fills a meter that the SDK's exporter sends.
func (p otelPeer) sent(t task) (*subject, error) {
	ctx, to := context.Background(), &sink{}
	exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL("http://localhost"), otlpmetrichttp.WithHTTPClient(&http.Client{Transport: to}))
	if err != nil {
		return nil, err
	}
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(0))
	fill := p.fillCounters
	if t.kind == sentHistograms {
		fill = p.fillHistograms
	}
	if err := fill(provider.Meter("telltale/benchmarks"), t); err != nil {
		return nil, err
	}
	var all metricdata.ResourceMetrics
	return &subject{
		send: to.checked(func() error {
			if err := reader.Collect(ctx, &all); err != nil {
				return err
			}
			return exporter.Export(ctx, &all)
		}),
		close: func() error { return errors.Join(provider.Shutdown(ctx), exporter.Shutdown(ctx)) },
	}, nil
}
