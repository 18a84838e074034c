package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace/noop"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/httpmetrics"
)

// discarding is a response writer with the optional interfaces of the net/http
// server's. It discards what is written.
type discarding struct{ header http.Header }

func (d *discarding) Header() http.Header                   { return d.header }
func (d *discarding) Write(b []byte) (int, error)           { return len(b), nil }
func (d *discarding) WriteString(s string) (int, error)     { return len(s), nil }
func (d *discarding) WriteHeader(int)                       {}
func (d *discarding) Flush()                                {}
func (d *discarding) FlushError() error                     { return nil }
func (d *discarding) CloseNotify() <-chan bool              { return nil }
func (d *discarding) ReadFrom(src io.Reader) (int64, error) { return io.Copy(io.Discard, src) }
func (d *discarding) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.ErrUnsupported
}

// answering is a handler that reads the body and answers.
func answering(w http.ResponseWriter, r *http.Request) {
	var body [16]byte
	if _, err := io.ReadFull(r.Body, body[:]); !errors.Is(err, io.ErrUnexpectedEOF) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte("taken")) // discarding writes everything
}

// servedBy has a handler serve requests.
func servedBy(h http.Handler) func(worker, n int) error {
	return func(_, n int) error {
		body := strings.NewReader("body")
		r, err := http.NewRequest(http.MethodPost, "http://localhost/orders", io.NopCloser(body))
		if err != nil {
			return err
		}
		r.Pattern = "POST /orders"
		w := &discarding{header: http.Header{}}
		for range n {
			body.Reset("body")
			h.ServeHTTP(w, r)
		}
		return nil
	}
}

// served is the handler behind the middleware of package httpmetrics.
func (telltalePeer) served(reg *telltale.Registry) (func(worker, n int) error, error) {
	server, err := httpmetrics.NewServer(httpmetrics.In(reg))
	if err != nil {
		return nil, err
	}
	return servedBy(server.Wrap(http.HandlerFunc(answering))), nil
}

// served is the handler behind all that promhttp has, with classic buckets alone.
func (clientGolangPeer) served(reg *prometheus.Registry) (func(worker, n int) error, error) {
	labels := []string{"code", "method"}
	histogram := func(name string, bounds []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: histogramHelp, Buckets: bounds}, labels)
	}
	sizes := []float64{100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_in_flight_requests", Help: counterHelp})
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: counterHelp}, labels)
	duration, firstByte := histogram("http_request_duration_seconds", prometheus.DefBuckets), histogram("http_time_to_first_byte_seconds", prometheus.DefBuckets)
	requestSize, responseSize := histogram("http_request_size_bytes", sizes), histogram("http_response_size_bytes", sizes)
	for _, c := range []prometheus.Collector{inFlight, requests, duration, firstByte, requestSize, responseSize} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	h := promhttp.InstrumentHandlerResponseSize(responseSize, http.HandlerFunc(answering))
	return servedBy(promhttp.InstrumentHandlerInFlight(inFlight,
		promhttp.InstrumentHandlerDuration(duration,
			promhttp.InstrumentHandlerCounter(requests,
				promhttp.InstrumentHandlerTimeToWriteHeader(firstByte,
					promhttp.InstrumentHandlerRequestSize(requestSize, h)))))), nil
}

// served is the handler behind otelhttp, which traces nothing.
func (otelPeer) served(provider metric.MeterProvider) http.Handler {
	return otelhttp.NewHandler(http.HandlerFunc(answering), "orders",
		otelhttp.WithMeterProvider(provider), otelhttp.WithTracerProvider(noop.NewTracerProvider()))
}

// fillBridged puts a registry of client_golang on the page of a registry.
func (telltalePeer) fillBridged(reg *telltale.Registry, t task) error {
	from := prometheus.NewRegistry()
	if err := (clientGolangPeer{}).fillCounters(from, t); err != nil {
		return err
	}
	return reg.Register(clientgolang.FromGatherer(from))
}
