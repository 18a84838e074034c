package grpcmetrics

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"telltale"
	"telltale/internal/bounded"
	"telltale/internal/builder"
	"telltale/internal/traceparent"
)

// other is the value of a label in place of all that have no series of their own.
const other = "other"

// The types of methods.
const (
	unary        = "unary"
	clientStream = "client_stream"
	serverStream = "server_stream"
	bidiStream   = "bidi_stream"
)

func streamType(client, server bool) string {
	switch {
	case client && server:
		return bidiStream
	case client:
		return clientStream
	}
	return serverStream
}

// method is what a call calls, as labels.
type method struct{ typ, service, name string }

// instruments are the metrics of one side of calls.
type instruments struct {
	settings *settings
	inFlight *telltale.GaugeVec
	started  *telltale.CounterVec
	handled  *telltale.CounterVec
	sent     *telltale.CounterVec
	received *telltale.CounterVec
	panics   *telltale.CounterVec // of servers
	duration *telltale.HistogramVec

	methods *bounded.Map[methodKey, method]
}

// methodKey tells methods by what gRPC says of them.
type methodKey struct{ typ, full string }

// naming is how metrics and labels are named, and what they are said to be.
type naming struct {
	labels             []string
	code               string
	sent, received     string
	duration           string
	durationHasCode    bool
	startedHelp        map[string]string
	handledHelp        map[string]string
	sentHelp, recvHelp map[string]string
	durationHelp       map[string]string
}

var ownNames = naming{
	labels: []string{"type", "service", "method"}, code: "code",
	sent: "messages_sent", received: "messages_received", duration: "duration_seconds", durationHasCode: true,
	startedHelp:  map[string]string{"server": "Calls begun.", "client": "Calls begun."},
	handledHelp:  map[string]string{"server": "Calls ended.", "client": "Calls ended."},
	sentHelp:     map[string]string{"server": "Messages sent.", "client": "Messages sent."},
	recvHelp:     map[string]string{"server": "Messages received.", "client": "Messages received."},
	durationHelp: map[string]string{"server": "Time until the handler has returned.", "client": "Time until the call has ended."},
}

// middlewareNames are those of go-grpc-middleware's provider, with its texts of help.
var middlewareNames = naming{
	labels: []string{"grpc_type", "grpc_service", "grpc_method"}, code: "grpc_code",
	sent: "msg_sent", received: "msg_received", duration: "handling_seconds",
	startedHelp: map[string]string{"server": "Total number of RPCs started on the server.", "client": "Total number of RPCs started on the client."},
	handledHelp: map[string]string{
		"server": "Total number of RPCs completed on the server, regardless of success or failure.",
		"client": "Total number of RPCs completed by the client, regardless of success or failure.",
	},
	sentHelp: map[string]string{"server": "Total number of gRPC stream messages sent by the server.", "client": "Total number of gRPC stream messages sent by the client."},
	recvHelp: map[string]string{"server": "Total number of RPC stream messages received on the server.", "client": "Total number of RPC stream messages received by the client."},
	durationHelp: map[string]string{
		"server": "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.",
		"client": "Histogram of response latency (seconds) of the gRPC until it is finished by the application.",
	},
}

func (s *settings) naming() *naming {
	if s.middleware {
		return &middlewareNames
	}
	return &ownNames
}

// newInstruments returns the metrics of a side, "server" or "client".
func newInstruments(side string, s *settings) (*instruments, error) {
	n, b := s.naming(), builder.New(s.instruments, s.err)
	m := &instruments{settings: s, methods: bounded.NewMap[methodKey, method](s.maxMethods)}
	withCode := append(n.labels[:len(n.labels):len(n.labels)], n.code)
	prefix := "grpc_" + side + "_"
	m.inFlight = builder.Make(b, func(opts ...telltale.GaugeOption) (*telltale.GaugeVec, error) {
		return telltale.NewGaugeVec(prefix+"in_flight_calls", "Calls that have begun and not ended.", n.labels, opts...)
	}, telltale.WithGaugeMode(telltale.ModeLiveSum))
	m.started = counter(b, prefix+"started", n.startedHelp[side], n.labels)
	m.handled = counter(b, prefix+"handled", n.handledHelp[side], withCode)
	m.received = counter(b, prefix+n.received, n.recvHelp[side], n.labels)
	m.sent = counter(b, prefix+n.sent, n.sentHelp[side], n.labels)
	if side == "server" {
		m.panics = counter(b, prefix+"panics", "Calls whose handler has panicked.", n.labels)
	}
	labels := n.labels
	if n.durationHasCode {
		labels = withCode
	}
	m.duration = builder.Make(b, func(opts ...telltale.HistogramOption) (*telltale.HistogramVec, error) {
		return telltale.NewHistogramVec(prefix+n.duration, n.durationHelp[side], labels, opts...)
	}, builder.Durations(s.durations)...)
	if b.Err() != nil {
		return nil, b.Err()
	}
	return m, nil
}

func counter(b *builder.Builder, name, help string, labels []string) *telltale.CounterVec {
	return builder.Make(b, func(opts ...telltale.CounterOption) (*telltale.CounterVec, error) {
		return telltale.NewCounterVec(name, help, labels, opts...)
	})
}

// method returns the labels of a method, "other" for one that is malformed or beyond
// the limit.
func (m *instruments) method(typ, full string) method {
	have, ok, room := m.methods.Get(methodKey{typ, full})
	switch {
	case ok:
		return have
	case !room || !strings.Contains(strings.TrimPrefix(full, "/"), "/"):
		return method{typ, other, other}
	}
	full = strings.Clone(full)
	service, name, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	if have, ok = m.methods.Add(methodKey{typ, full}, method{typ, service, name}); !ok {
		return method{typ, other, other}
	}
	return have
}

// allCodes are the codes that have a name.
const allCodes = codes.Unauthenticated + 1

// codeLabel returns a code's name, "other" for one that gRPC does not know: the other
// side may send any number.
func codeLabel(c codes.Code) string {
	if c >= allCodes {
		return other
	}
	return c.String()
}

// create makes the series of a method, so that they are there before its first call.
func (m *instruments) create(of method) {
	m.inFlight.With(of.typ, of.service, of.name)
	for _, c := range []*telltale.CounterVec{m.started, m.received, m.sent, m.panics} {
		c.With(of.typ, of.service, of.name)
	}
	for c := range allCodes {
		m.handled.With(of.typ, of.service, of.name, c.String())
	}
	m.observer(of, codes.OK.String())
}

// observer returns the histogram of a method's calls with a code. No handle is kept:
// it would count on where a series was removed.
func (m *instruments) observer(of method, code string) *telltale.Histogram {
	if m.settings.naming().durationHasCode {
		return m.duration.With(of.typ, of.service, of.name, code)
	}
	return m.duration.With(of.typ, of.service, of.name)
}

// call is one call.
type call struct {
	instruments *instruments
	method      method
	start       time.Time
	exemplar    map[string]string
	ended       atomic.Bool
}

// begin counts a call that begins. traceparent are the values of that metadata.
func (m *instruments) begin(ctx context.Context, of method, parent []string) *call {
	c := &call{instruments: m, method: of, start: time.Now()}
	if m.settings.exemplars != nil {
		c.exemplar = m.settings.exemplars(ctx)
	} else {
		c.exemplar = traceparent.Sampled(parent)
	}
	m.inFlight.With(of.typ, of.service, of.name).Inc()
	m.started.With(of.typ, of.service, of.name).Inc()
	return c
}

func (c *call) sent() { c.instruments.sent.With(c.method.typ, c.method.service, c.method.name).Inc() }

func (c *call) received() {
	c.instruments.received.With(c.method.typ, c.method.service, c.method.name).Inc()
}

// end counts that the call has ended. The first of several ends counts.
func (c *call) end(code codes.Code) {
	if c.ended.Swap(true) {
		return
	}
	took := time.Since(c.start).Seconds()
	m, of, label := c.instruments, c.method, codeLabel(code)
	m.inFlight.With(of.typ, of.service, of.name).Dec()
	m.handled.With(of.typ, of.service, of.name, label).Inc()
	h := m.observer(of, label)
	// Labels that no exemplar can have are a fault of the histogram's registry.
	if c.exemplar == nil || h.ObserveWithExemplar(took, c.exemplar) != nil {
		h.Observe(took)
	}
}
