package httpmetrics_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"telltale/telltaletest"
)

// full has all optional interfaces of response writers.
type full struct{}

func (full) Flush()                                       {}
func (full) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }
func (full) Push(string, *http.PushOptions) error         { return nil }
func (full) ReadFrom(r io.Reader) (int64, error)          { return io.Copy(io.Discard, r) }
func (full) WriteString(s string) (int, error)            { return len(s), nil }
func (full) CloseNotify() <-chan bool                     { return nil }

func interfaces(w http.ResponseWriter) string {
	_, flusher := w.(http.Flusher)
	_, hijacker := w.(http.Hijacker)
	_, pusher := w.(http.Pusher)
	_, readerFrom := w.(io.ReaderFrom)
	_, stringWriter := w.(io.StringWriter)
	_, closeNotifier := w.(http.CloseNotifier) //nolint:staticcheck // old handlers use it
	return fmt.Sprint(flusher, hijacker, pusher, readerFrom, stringWriter, closeNotifier)
}

// plain is a response writer without optional interfaces.
type plain struct{ http.ResponseWriter }

func TestOptionalInterfacesAreKept(t *testing.T) {
	all := combinations(plain{httptest.NewRecorder()}, full{})
	seen := map[string]bool{}
	for _, w := range all {
		seen[interfaces(w)] = true
		s, _ := newServer(t)
		s.Wrap(http.HandlerFunc(func(inner http.ResponseWriter, _ *http.Request) {
			if got, want := interfaces(inner), interfaces(w); got != want {
				t.Errorf("the handler's writer has %s, the original %s", got, want)
			}
			if _, ok := inner.(interface{ Unwrap() http.ResponseWriter }); !ok {
				t.Error("the handler's writer has no Unwrap")
			}
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	}
	if len(seen) != 64 {
		t.Errorf("%d combinations, want 64", len(seen))
	}
}

// controlled has the interfaces that an http.ResponseController looks for.
type controlled struct{}

func (controlled) FlushError() error                { return nil }
func (controlled) SetReadDeadline(time.Time) error  { return nil }
func (controlled) SetWriteDeadline(time.Time) error { return nil }
func (controlled) EnableFullDuplex() error          { return nil }

// allInterfaces names also those that an http.ResponseController looks for.
func allInterfaces(w http.ResponseWriter) string {
	_, flushError := w.(interface{ FlushError() error })
	_, deadlines := w.(interface{ SetReadDeadline(time.Time) error })
	_, fullDuplex := w.(interface{ EnableFullDuplex() error })
	return interfaces(w) + fmt.Sprint(" ", flushError, deadlines, fullDuplex)
}

// servers are those of net/http, by protocol.
var servers = map[string]func(http.Handler) *httptest.Server{
	"HTTP/1.1": httptest.NewServer,
	"HTTP/2.0": func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.StartTLS()
		return s
	},
}

func TestOptionalInterfacesOfServersAreKept(t *testing.T) {
	compare := func(t *testing.T, w http.ResponseWriter, r *http.Request) {
		s, _ := newServer(t)
		s.Wrap(http.HandlerFunc(func(inner http.ResponseWriter, _ *http.Request) {
			if got, want := allInterfaces(inner), allInterfaces(w); got != want {
				t.Errorf("the handler's writer has %s, the original %s", got, want)
			}
			if u, ok := inner.(interface{ Unwrap() http.ResponseWriter }); !ok || u.Unwrap() != w {
				t.Error("the handler's writer does not unwrap to the original")
			}
		})).ServeHTTP(w, r)
	}
	for protocol, start := range servers {
		t.Run(protocol, func(t *testing.T) {
			server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Proto != protocol {
					t.Errorf("%s", r.Proto)
				}
				compare(t, w, r)
			}))
			defer server.Close()
			resp, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		})
	}
	// Writers that have more or less than those of servers.
	type (
		common struct {
			http.ResponseWriter
			http.Flusher
			http.CloseNotifier
			io.StringWriter
		}
		flushError interface{ FlushError() error }
		deadlines  interface {
			SetReadDeadline(time.Time) error
			SetWriteDeadline(time.Time) error
		}
		fullDuplex interface{ EnableFullDuplex() error }
		http1      struct {
			common
			flushError
			http.Hijacker
			io.ReaderFrom
		}
		http2 struct {
			common
			flushError
			http.Pusher
			deadlines
			fullDuplex
		}
	)
	f, c := full{}, controlled{}
	shared := common{plain{httptest.NewRecorder()}, f, f, f}
	one, two := http1{shared, c, f, f}, http2{shared, c, f, c, c}
	for name, w := range map[string]http.ResponseWriter{
		"HTTP/1": one,
		"HTTP/2": two,
		"HTTP/1 without FlushError": struct {
			common
			http.Hijacker
			io.ReaderFrom
		}{shared, f, f},
		"HTTP/1 that pushes": struct {
			http1
			http.Pusher
		}{one, f},
		"HTTP/1 with deadlines": struct {
			http1
			deadlines
		}{one, c},
		"HTTP/1 with full duplex": struct {
			http1
			fullDuplex
		}{one, c},
		"HTTP/2 that hijacks": struct {
			http2
			http.Hijacker
		}{two, f},
		"HTTP/2 that reads": struct {
			http2
			io.ReaderFrom
		}{two, f},
		"HTTP/2 without deadlines": struct {
			common
			flushError
			http.Pusher
			fullDuplex
		}{shared, c, f, c},
	} {
		t.Run(name, func(t *testing.T) { compare(t, w, httptest.NewRequest("GET", "/", nil)) })
	}
}

// Each way to write counts bytes and begins the answer.
func TestWaysToAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		code    string
		bytes   float64
	}{
		"write":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, "200", 5},
		"write string": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.(io.StringWriter).WriteString("hello") }, "200", 5},
		"read from": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
		}, "200", 5},
		"flush":       {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.WriteHeader(500) }, "200", 0},
		"flush error": {func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }, "200", 0},
		"hijack": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			_ = c.Close()
		}, "101", 0},
		"two codes": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); _, _ = w.Write([]byte("gone")) }, "404", 4},
	} {
		for protocol, start := range servers {
			for wrapper, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
				"":           func(w http.ResponseWriter) http.ResponseWriter { return w },
				" hidden in": hidden, // not one of the servers' own writers
			} {
				if protocol == "HTTP/2.0" && (name == "read from" || name == "hijack") {
					continue // it has neither
				}
				t.Run(name+wrapper+" "+protocol, func(t *testing.T) {
					s, reg := newServer(t)
					done := make(chan struct{})
					server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						defer close(done)
						s.Wrap(c.handler).ServeHTTP(wrap(w), r)
					}))
					defer server.Close()
					resp, err := server.Client().Get(server.URL)
					if err != nil {
						t.Fatal(err)
					}
					_ = resp.Body.Close()
					<-done
					if got := telltaletest.Value(t, reg, "http_server_response_size_bytes_sum", map[string]string{"method": "GET", "code": c.code, "route": "other"}); got != c.bytes {
						t.Errorf("%v bytes, want %v", got, c.bytes)
					}
				})
			}
		}
	}
}

// hidden returns a writer with the interfaces of a server's, less CloseNotify.
func hidden(w http.ResponseWriter) http.ResponseWriter {
	type common struct {
		http.ResponseWriter
		io.StringWriter
		http.Flusher
	}
	shared := common{w, w.(io.StringWriter), w.(http.Flusher)}
	if h, ok := w.(http.Hijacker); ok {
		return struct {
			common
			http.Hijacker
			io.ReaderFrom
		}{shared, h, w.(io.ReaderFrom)}
	}
	return shared
}
