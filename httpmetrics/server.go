package httpmetrics

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"telltale"
	"telltale/internal/bounded"
	"telltale/internal/builder"
)

// Server has the metrics of HTTP servers. [NewServer] makes it. It is safe for
// concurrent use, and may wrap any number of handlers.
type Server struct {
	settings *settings
	inFlight *telltale.Gauge

	requests     *telltale.CounterOf[requestLabels]
	duration     *telltale.HistogramOf[requestLabels]
	firstByte    *telltale.HistogramOf[requestLabels]
	requestSize  *telltale.HistogramOf[requestLabels]
	responseSize *telltale.HistogramOf[requestLabels]

	routes *bounded.Map[string, struct{}] // those that are labels, without other
}

// requestLabels are the labels of a request that was served.
type requestLabels struct{ Method, Code, Route string }

// NewServer returns the metrics of a server, registered with [telltale.Default] or
// the registry of [In]. A second call with the same options counts in the same
// metrics. Errors are those of package telltale's constructors.
func NewServer(opts ...ServerOption) (*Server, error) {
	s := &Server{settings: defaults()}
	for _, o := range opts {
		if o != nil {
			o.applyServer(s.settings)
		}
	}
	s.routes = bounded.NewMap[string, struct{}](s.settings.maxRoutes)
	times := builder.Durations(s.settings.durations)
	b := builder.New(s.settings.instruments, s.settings.err)
	s.inFlight = gauge(b, "http_server_in_flight_requests", "Requests that are being served.")
	s.requests = counter[requestLabels](b, "http_server_requests", "Requests served.")
	s.duration = histogram[requestLabels](b, "http_server_request_duration_seconds", "Time until the handler has returned.", times...)
	s.firstByte = histogram[requestLabels](b, "http_server_time_to_first_byte_seconds", "Time until the handler has begun its answer.", times...)
	s.requestSize = histogram[requestLabels](b, "http_server_request_size_bytes", "Bytes of the body that the handler has read.", sizes())
	s.responseSize = histogram[requestLabels](b, "http_server_response_size_bytes", "Bytes of the body that the handler has written.", sizes())
	if b.Err() != nil {
		return nil, b.Err()
	}
	return s, nil
}

// routeKey is the context's key of the route that SetRoute sets.
type routeKey struct{}

// SetRoute says what the route of a request is, for routers that do not set
// [http.Request.Pattern] of the request that [Server.Wrap]'s handler was given. It
// is called while the request is served, with its context or one derived of it; the
// last call counts. Elsewhere it does nothing.
func SetRoute(ctx context.Context, route string) {
	if a, ok := ctx.Value(routeKey{}).(*answer); ok {
		a.mu.Lock()
		a.route = route
		a.mu.Unlock()
	}
}

// Wrap returns a handler that serves requests by next and counts them. It panics if
// next is nil.
func (s *Server) Wrap(next http.Handler) http.Handler {
	if next == nil {
		panic("httpmetrics: Wrap(nil)")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.inFlight.Inc()
		defer s.inFlight.Dec()
		a := &answer{server: s, start: time.Now(), code: http.StatusOK, panicked: true}
		a.context = requestContext{r.Context(), a}
		a.request = r.WithContext(&a.context)
		if r.Body != nil && r.Body != http.NoBody {
			a.body.ReadCloser = r.Body
			a.request.Body = &a.body
		}
		defer a.done()
		next.ServeHTTP(a.writer(w), a.request)
		a.panicked = false
		r.Pattern = a.request.Pattern // for handlers around this one
	})
}

// requestContext is the context of a request, from which SetRoute finds its answer.
type requestContext struct {
	context.Context
	answer *answer
}

// Value returns the answer for the key of SetRoute.
func (c *requestContext) Value(key any) any {
	if key == (routeKey{}) {
		return c.answer
	}
	return c.Context.Value(key)
}

// answer is what becomes of one request. Handlers may answer from several
// goroutines, one after the other, and after they have returned.
type answer struct {
	server   *Server
	request  *http.Request
	context  requestContext
	start    time.Time
	body     body
	panicked bool
	http1    http1Writer // one of the two is the handler's writer, in most servers
	http2    http2Writer

	mu        sync.Mutex
	route     string
	code      int
	begun     bool
	firstByte time.Duration
	written   int64
}

// begin notes that n bytes of an answer with the code are on their way. The first
// code counts.
func (a *answer) begin(code int, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.written += n
	if !a.begun {
		a.begun, a.code, a.firstByte = true, code, time.Since(a.start)
	}
}

// done counts the request. It runs while a panic of the handler passes.
func (a *answer) done() {
	took := time.Since(a.start)
	a.mu.Lock()
	route, code, written, firstByte := a.route, a.code, a.written, a.firstByte
	if !a.begun {
		firstByte = took
	}
	a.mu.Unlock() // the functions of WithRoute and WithExemplars may call SetRoute
	if a.panicked {
		code = http.StatusInternalServerError
	}
	s := a.server
	// No handle is kept: it would count on where a series was removed, or in the one
	// of overflow when there is room again.
	labels := requestLabels{methodLabel(a.request.Method), codeLabel(code), s.bounded(a.matched(route))}
	s.requests.With(labels).Inc()
	s.requestSize.With(labels).Observe(float64(a.body.read.Load()))
	s.responseSize.With(labels).Observe(float64(written))
	observe(s.settings.exemplar(a.request.Context(), a.request.Header),
		observation{s.duration.With(labels), took}, observation{s.firstByte.With(labels), firstByte})
}

// matched returns the route of the request, given the one that SetRoute has set:
// "other" for none.
func (a *answer) matched(route string) string {
	if route == "" && a.server.settings.route != nil {
		route = a.server.settings.route(a.request)
	} else if route == "" {
		route = patternRoute(a.request.Pattern)
	}
	if route == "" {
		return other
	}
	return route
}

// bounded returns the route, or "other" if there are too many already.
func (s *Server) bounded(route string) string {
	if route == other {
		return other
	}
	_, ok, room := s.routes.Get(route)
	if !ok && room {
		_, ok = s.routes.Add(strings.Clone(route), struct{}{})
	}
	if !ok {
		return other
	}
	return route
}
