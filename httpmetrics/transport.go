package httpmetrics

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"telltale"
	"telltale/internal/builder"
)

// Transport is an [http.RoundTripper] that counts what clients ask and are
// answered. [NewTransport] makes it. It is safe for concurrent use if the transport
// that it wraps is.
type Transport struct {
	base         http.RoundTripper
	settings     *settings
	inFlight     *telltale.Gauge
	requests     *telltale.CounterOf[answerLabels]
	duration     *telltale.HistogramOf[answerLabels]
	responseSize *telltale.HistogramOf[answerLabels]
	phases       [phaseCount]*telltale.Histogram
}

// answerLabels are the labels of a client's request.
type answerLabels struct{ Method, Code string }

// phaseLabels are the labels of a phase.
type phaseLabels struct{ Phase string }

// phase is a part of a client's request.
type phase int

const (
	dns phase = iota
	connect
	tlsHandshake
	firstByte
	phaseCount
)

var phaseNames = [phaseCount]string{"dns", "connect", "tls", "first_byte"}

// NewTransport returns a transport that makes requests by base,
// [http.DefaultTransport] if it is nil, and counts them in metrics that are
// registered with [telltale.Default] or the registry of [In]. A second call with
// the same options counts in the same metrics. Errors are those of package
// telltale's constructors.
func NewTransport(base http.RoundTripper, opts ...TransportOption) (*Transport, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	t := &Transport{base: base, settings: defaults()}
	for _, o := range opts {
		if o != nil {
			o.applyTransport(t.settings)
		}
	}
	times := builder.Durations(t.settings.durations)
	b := builder.New(t.settings.instruments, t.settings.err)
	t.inFlight = gauge(b, "http_client_in_flight_requests", "Requests whose answer has not been read to its end.")
	t.requests = counter[answerLabels](b, "http_client_requests", "Requests that were answered, or failed.")
	t.duration = histogram[answerLabels](b, "http_client_request_duration_seconds", "Time until the header of the answer.", times...)
	phases := histogram[phaseLabels](b, "http_client_phase_duration_seconds", "Time of a phase of requests.", times...)
	t.responseSize = histogram[answerLabels](b, "http_client_response_size_bytes", "Bytes of the body that the program has read.", sizes())
	if b.Err() != nil {
		return nil, b.Err()
	}
	for p, name := range phaseNames {
		t.phases[p] = phases.With(phaseLabels{name})
	}
	return t, nil
}

// RoundTrip makes the request by the wrapped transport. The request is in flight
// until its answer's body is closed or read to its end.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.inFlight.Inc()
	body := false // whether the request is in flight until its body ends
	defer func() {
		if !body {
			t.inFlight.Dec()
		}
	}()
	start := time.Now()
	watch := &watch{transport: t, start: start}
	resp, err := t.base.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), watch.trace())))
	took := time.Since(start)
	labels := answerLabels{methodLabel(r.Method), "error"}
	if err == nil {
		labels.Code = codeLabel(resp.StatusCode)
	}
	t.requests.With(labels).Inc()
	observe(t.settings.exemplar(r.Context(), r.Header), observation{t.duration.With(labels), took})
	if err != nil || resp.Body == nil { // http.Client gives an answer without a body an empty one
		return resp, err
	}
	resp.Body, body = t.counted(resp.Body, labels), true
	return resp, nil
}

// counted returns the body of an answer, counting what is read of it.
func (t *Transport) counted(b io.ReadCloser, labels answerLabels) io.ReadCloser {
	c := &answerBody{ReadCloser: b, end: func(n int64) {
		t.responseSize.With(labels).Observe(float64(n))
		t.inFlight.Dec()
	}}
	if w, ok := b.(io.Writer); ok { // after 101 Switching Protocols
		return struct {
			*answerBody
			io.Writer
		}{c, w}
	}
	return c
}

// answerBody counts what is read of a body.
type answerBody struct {
	io.ReadCloser
	read atomic.Int64
	once sync.Once
	end  func(read int64)
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	if err != nil {
		b.ended()
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.ended()
	return err
}

func (b *answerBody) ended() { b.once.Do(func() { b.end(b.read.Load()) }) }

// watch times the phases of a request. A connection may be made, and its events
// come, after the request has got another one; several attempts at once are timed
// from the first.
type watch struct {
	transport *Transport
	start     time.Time
	began     [phaseCount]atomic.Int64 // nanoseconds after start, plus 1; 0 before the phase, -1 after it
}

func (w *watch) begin(p phase) { w.began[p].CompareAndSwap(0, int64(time.Since(w.start))+1) }

// end observes a phase once, however many attempts succeed.
func (w *watch) end(p phase) {
	if began := w.began[p].Swap(-1); began > 0 {
		w.transport.phases[p].Observe((time.Since(w.start) - time.Duration(began-1)).Seconds())
	}
}

// trace returns functions that are called as a request goes on. A request that has
// a trace already keeps it.
func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { w.begin(dns) },
		DNSDone:      func(httptrace.DNSDoneInfo) { w.end(dns) },
		ConnectStart: func(string, string) { w.begin(connect) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				w.end(connect)
			}
		},
		TLSHandshakeStart: func() { w.begin(tlsHandshake) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				w.end(tlsHandshake)
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.begin(firstByte) },
		GotFirstResponseByte: func() { w.end(firstByte) },
	}
}
