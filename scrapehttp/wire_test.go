package scrapehttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

// hidden makes a handler's writer hide its connection.
func hidden(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}

// A page of n bytes has the write timeout and n divided by the least rate.
func TestLeastRate(t *testing.T) {
	reg := filled(t, 60_000)
	for _, test := range []struct {
		name     string
		bytes    int // that the client reads
		each     time.Duration
		opts     []scrapehttp.Option
		whole    bool
		atMost   time.Duration // if it is cut off
		hideConn bool
	}{
		{"byte a second", 1, time.Second, nil, false, 11 * time.Second, false},
		{"half the rate", 16 << 10, 500 * time.Millisecond, nil, false, 21 * time.Second, false},
		{"three quarters of the rate", 48 << 10, time.Second, nil, false, 42 * time.Second, false},
		{"the rate", 64 << 10, time.Second, nil, true, 0, false},
		{"the rate, in small pieces", 64, time.Millisecond, nil, true, 0, false},
		{"half the rate, of a page with a longer timeout", 32 << 10, time.Second, []scrapehttp.Option{scrapehttp.WithWriteTimeout(2 * time.Minute)}, true, 0, false},
		{"half the default, which is the rate", 32 << 10, time.Second, []scrapehttp.Option{scrapehttp.WithMinWriteRate(32 << 10)}, true, 0, false},
		{"no rate", 4 << 10, time.Second, []scrapehttp.Option{scrapehttp.WithMinWriteRate(0)}, true, 0, false},
		{"no timeout", 1 << 10, time.Second, []scrapehttp.Option{scrapehttp.WithWriteTimeout(0)}, true, 0, false},
		{"byte a second, connection hidden", 1, 20 * time.Millisecond, nil, false, 12 * time.Minute, true},
		{"half the rate, connection hidden", 32 << 10, time.Second, nil, false, 22 * time.Second, true},
		{"the rate, connection hidden", 64 << 10, time.Second, nil, true, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told []error
			h := scrapehttp.Handler(reg, append(test.opts, scrapehttp.WithErrorHook(func(err error) { told = append(told, err) }))...)
			if test.hideConn {
				h = hidden(h)
			}
			inBubble(t, &http.Server{Handler: h}, func(t *testing.T, p *pipes) {
				began := time.Now()
				got := readSteadily(p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), test.bytes, test.each)
				took := time.Since(began)
				synctest.Wait()
				if !test.whole && took > test.atMost {
					t.Errorf("the client was served for %v", took)
				}
				if whole := bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")); whole != test.whole {
					t.Errorf("after %v and %d bytes the page is whole: %v; the hook heard %v", took, len(got), whole, told)
				}
				if cut := len(told) == 1 && errors.Is(told[0], os.ErrDeadlineExceeded); cut == test.whole || len(told) > 1 {
					t.Errorf("the hook heard %v", told)
				}
			})
		})
	}
}

// Time that collecting takes is not the client's.
func TestLeastRateCountsWritingOnly(t *testing.T) {
	slow := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for i := range 100 {
			time.Sleep(time.Second)
			if err := emit(&model.Family{Name: fmt.Sprintf("family%d", i), Type: model.Gauge, Help: strings.Repeat("x", 4<<10)}); err != nil {
				return err
			}
		}
		return nil
	})
	h := scrapehttp.Handler(slow, scrapehttp.WithTimeout(0), scrapehttp.WithWriteTimeout(time.Second))
	inBubble(t, &http.Server{Handler: h}, func(t *testing.T, p *pipes) {
		got, err := io.ReadAll(p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		if err != nil || !bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")) {
			t.Errorf("%v, %d bytes", err, len(got))
		}
	})
}

// A client that sends requests and reads no answers is cut off, whatever the
// answers are.
func TestAnswersThatNobodyReads(t *testing.T) {
	for _, line := range []string{"GET /?name[]=%zz", "POST /", "OPTIONS /", "HEAD /", "GET /?name[]=none", "GET /"} {
		t.Run(line, func(t *testing.T) {
			server := &http.Server{Handler: scrapehttp.Handler(shop(t))}
			inBubble(t, server, func(t *testing.T, p *pipes) {
				conn := p.dial(t, line+" HTTP/1.1\r\nHost: x\r\n\r\n")
				time.Sleep(scrapehttp.DefaultWriteTimeout + time.Second)
				if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
					t.Errorf("%v, got %q", err, got)
				}
			})
		})
	}
}

// middlewares compress what handlers write, each in its own way.
var middlewares = map[string]func(http.Handler) http.Handler{
	"announced before": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			h.ServeHTTP(&zipping{ResponseWriter: w, z: z}, r)
			_ = z.Close()
		})
	},
	"announced before, with another accepted": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			r.Header.Set("Accept-Encoding", "zstd, gzip")
			z := gzip.NewWriter(w)
			h.ServeHTTP(&zipping{ResponseWriter: w, z: z}, r)
			_ = z.Close()
		})
	},
	"Accept-Encoding removed": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept-Encoding")
			z := gzip.NewWriter(w)
			h.ServeHTTP(&zipping{ResponseWriter: w, z: z, announce: true}, r)
			_ = z.Close()
		})
	},
	"unless compressed already": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(&polite{ResponseWriter: w}, r)
		})
	},
}

// zipping compresses all that is written.
type zipping struct {
	http.ResponseWriter
	z        *gzip.Writer
	announce bool // when something is written
}

func (w *zipping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *zipping) Write(p []byte) (int, error) {
	if w.announce {
		w.Header().Set("Content-Encoding", "gzip")
		w.announce = false
	}
	return w.z.Write(p)
}

// polite compresses what has no coding yet.
type polite struct {
	http.ResponseWriter
}

func (w *polite) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *polite) Write(p []byte) (int, error) {
	if w.Header().Get("Content-Encoding") != "" {
		return w.ResponseWriter.Write(p)
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w.ResponseWriter)
	defer func() { _ = z.Close() }() // a member for each write
	return z.Write(p)
}

func TestPagesAreCompressedOnce(t *testing.T) {
	for name, wrap := range middlewares {
		t.Run(name, func(t *testing.T) {
			h := wrap(scrapehttp.Handler(shop(t)))
			w := answer(h, request("GET", "/metrics", "Accept-Encoding", "gzip"))
			wantStatus(t, w, 200)
			wantHeader(t, w, "Content-Encoding", "gzip")
			if got := decode(t, w); got != shopPage {
				t.Errorf("got %q", got)
			}
			w = answer(h, request("GET", "/metrics?name[]=%zz", "Accept-Encoding", "gzip"))
			wantStatus(t, w, 400)
			wantHeader(t, w, "Content-Encoding", "gzip") // of the middleware's
			if got := decode(t, w); !strings.HasPrefix(got, "400 Bad Request: ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A middleware that compresses what is compressed shows only once it is too
// late: then the client must not take the page for one that it can read.
func TestPageCompressedTwiceFails(t *testing.T) {
	told := make(chan error, 1)
	page := scrapehttp.Handler(shop(t), scrapehttp.WithErrorHook(func(err error) { told <- err }))
	s := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z := gzip.NewWriter(w)
		page.ServeHTTP(&zipping{ResponseWriter: w, z: z, announce: true}, r)
		_ = z.Close()
	}))
	for _, coding := range []string{"gzip", "zstd"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", coding)
		response, err := client.Do(r)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the page ended as if it could be read", coding)
		}
		if err := <-told; !strings.Contains(err.Error(), "Content-Encoding") {
			t.Errorf("%s: the hook heard %v", coding, err)
		}
	}
}

// stingy is the writer of a middleware that takes less than it is given and does
// not say why.
type stingy struct{ http.ResponseWriter }

func (s stingy) Write(b []byte) (int, error) { return s.ResponseWriter.Write(b[:len(b)/2]) }

func TestWriterThatTakesLess(t *testing.T) {
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		var told error
		h := scrapehttp.Handler(shop(t), scrapehttp.WithErrorHook(func(err error) { told = err }))
		func() {
			defer func() {
				if p, _ := recover().(error); !errors.Is(p, http.ErrAbortHandler) {
					t.Errorf("%s: the handler ended with %v", coding, p)
				}
			}()
			h.ServeHTTP(stingy{httptest.NewRecorder()}, request("GET", "/metrics", "Accept-Encoding", coding))
		}()
		if !errors.Is(told, io.ErrShortWrite) {
			t.Errorf("%s: the hook got %v", coding, told)
		}
	}
}
