package httpmetrics

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/felixge/httpsnoop"

	"telltale"
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

	mu     sync.RWMutex
	routes map[string]bool // those that are labels, with other
}

// requestLabels are the labels of a request that was served.
type requestLabels struct{ Method, Code, Route string }

// NewServer returns the metrics of a server, registered with [telltale.Default] or
// the registry of [In]. A second call with the same options counts in the same
// metrics. Errors are those of package telltale's constructors.
func NewServer(opts ...ServerOption) (*Server, error) {
	s := &Server{settings: defaults(), routes: map[string]bool{other: true}}
	for _, o := range opts {
		if o != nil {
			o.applyServer(s.settings)
		}
	}
	b := builder{settings: s.settings, err: s.settings.err}
	s.inFlight = b.gauge("http_server_in_flight_requests", "Requests that are being served.")
	s.requests = counter[requestLabels](&b, "http_server_requests", "Requests served.")
	s.duration = histogram[requestLabels](&b, "http_server_request_duration_seconds", "Time until the handler has returned.", b.durations()...)
	s.firstByte = histogram[requestLabels](&b, "http_server_time_to_first_byte_seconds", "Time until the handler has begun its answer.", b.durations()...)
	s.requestSize = histogram[requestLabels](&b, "http_server_request_size_bytes", "Bytes of the body that the handler has read.", sizes())
	s.responseSize = histogram[requestLabels](&b, "http_server_response_size_bytes", "Bytes of the body that the handler has written.", sizes())
	if b.err != nil {
		return nil, b.err
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
		a.request = r.WithContext(context.WithValue(r.Context(), routeKey{}, a))
		if r.Body != nil && r.Body != http.NoBody {
			a.body.ReadCloser = r.Body
			a.request.Body = &a.body
		}
		defer a.done()
		next.ServeHTTP(httpsnoop.Wrap(w, a.hooks()), a.request)
		a.panicked = false
		r.Pattern = a.request.Pattern // for handlers around this one
	})
}

// answer is what becomes of one request. Handlers may answer from several
// goroutines, one after the other, and after they have returned.
type answer struct {
	server   *Server
	request  *http.Request
	start    time.Time
	body     body
	panicked bool

	mu        sync.Mutex
	route     string
	code      int
	begun     bool
	firstByte time.Duration
	written   int64
}

// hooks note what a handler answers.
func (a *answer) hooks() httpsnoop.Hooks {
	return httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(code int) {
				next(code)
				if code >= 200 || code == http.StatusSwitchingProtocols { // others announce the answer
					a.begin(code, 0)
				}
			}
		},
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(p []byte) (int, error) {
				n, err := next(p)
				a.begin(http.StatusOK, int64(n))
				return n, err
			}
		},
		WriteString: func(next httpsnoop.WriteStringFunc) httpsnoop.WriteStringFunc {
			return func(p string) (int, error) {
				n, err := next(p)
				a.begin(http.StatusOK, int64(n))
				return n, err
			}
		},
		ReadFrom: func(next httpsnoop.ReadFromFunc) httpsnoop.ReadFromFunc {
			return func(src io.Reader) (int64, error) {
				n, err := next(src)
				a.begin(http.StatusOK, n)
				return n, err
			}
		},
		Flush: func(next httpsnoop.FlushFunc) httpsnoop.FlushFunc {
			return func() {
				next()
				a.begin(http.StatusOK, 0)
			}
		},
		FlushError: func(next httpsnoop.FlushErrorFunc) httpsnoop.FlushErrorFunc {
			return func() error {
				err := next()
				a.begin(http.StatusOK, 0)
				return err
			}
		},
		Hijack: func(next httpsnoop.HijackFunc) httpsnoop.HijackFunc {
			return func() (conn, buffered, error) {
				c, b, err := next()
				if err == nil {
					a.begin(http.StatusSwitchingProtocols, 0)
				}
				return c, b, err
			}
		},
	}
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
	s.mu.RLock()
	known := s.routes[route]
	s.mu.RUnlock()
	if known {
		return route
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.routes[route] {
		if len(s.routes) > s.settings.maxRoutes {
			return other
		}
		s.routes[strings.Clone(route)] = true
	}
	return route
}
