package scrapehttp_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

func TestQueryLimits(t *testing.T) {
	c := &asked{name: "depth"}
	h := scrapehttp.Handler(c)
	for query, text := range map[string]string{
		"name[]=" + strings.Repeat("x", 1<<16):      "the query is longer than 65536 bytes",
		strings.Repeat("name[]=x&", 1024) + "name=": "the query has more than 1024 parameters",
		"name[]=%zz": "the query is malformed: invalid URL escape \"%zz\"",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := answer(h, request(method, "/metrics?"+query))
			wantStatus(t, w, 400)
			if want := "400 Bad Request: " + text + "\n"; w.Body.String() != want {
				t.Errorf("body %q, want %q", w.Body, want)
			}
		}
	}
	wantStatus(t, answer(h, request("GET", "/metrics?"+strings.Repeat("name[]=depth&", 1023)+"x=")), 200)
	if c.n != 1 {
		t.Errorf("collected %d times", c.n)
	}
}

func TestScrapesInFlightAreLimited(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	blocking := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		begun <- struct{}{}
		<-release
		return nil
	})
	h := scrapehttp.Handler(blocking, scrapehttp.WithMaxInFlight(1), scrapehttp.WithTimeout(0))
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- answer(h, request("GET", "/metrics")) }()
	<-begun
	w := answer(h, request("GET", "/metrics", "Accept-Encoding", "gzip"))
	wantStatus(t, w, 503)
	wantHeader(t, w, "Retry-After", "1")
	wantHeader(t, w, "Content-Encoding", "")
	if want := "503 Service Unavailable: too many scrapes at once\n"; w.Body.String() != want {
		t.Errorf("body %q, want %q", w.Body, want)
	}
	wantStatus(t, answer(h, request("HEAD", "/metrics")), 200)
	close(release)
	wantStatus(t, <-first, 200)
	go func() { <-begun }()
	wantStatus(t, answer(h, request("GET", "/metrics")), 200)
}

// Past the deadline the page has what there is.
func TestDeadlineGivesPartialResults(t *testing.T) {
	for name, h := range map[string]struct {
		timeout time.Duration
		header  string
	}{
		"of the scraper":        {time.Hour, "0.01"},
		"of the option":         {time.Millisecond, ""},
		"with malformed header": {time.Millisecond, "soon"},
		"with negative header":  {time.Millisecond, "-1"},
		"with NaN":              {time.Millisecond, "NaN"},
		"with Inf":              {time.Millisecond, "+Inf"},
		"with a trifle":         {time.Hour, "1e-300"},
	} {
		t.Run(name, func(t *testing.T) {
			reg := shop(t)
			hangs := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
				f := telltale.Must(model.NewFamily("early", "", model.Gauge))
				f.AddSample("early", nil, 1)
				if err := emit(f); err != nil {
					return err
				}
				<-ctx.Done()
				return ctx.Err()
			})
			if err := reg.Register(hangs); err != nil {
				t.Fatal(err)
			}
			r := request("GET", "/metrics")
			if h.header != "" {
				r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", h.header)
			}
			w := answer(scrapehttp.Handler(reg, scrapehttp.WithTimeout(h.timeout)), r)
			wantStatus(t, w, 200)
			if !strings.HasPrefix(w.Body.String(), shopPage) {
				t.Errorf("got %q", w.Body)
			}
		})
	}
}

func TestDeadlineLeavesTimeForTheWayBack(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":      scrapehttp.DefaultTimeout,
		"10":    9500 * time.Millisecond,
		"2":     1800 * time.Millisecond,
		"3.0":   2700 * time.Millisecond,
		"1e100": scrapehttp.DefaultLongestTimeout,
		"x":     scrapehttp.DefaultTimeout,
	} {
		var deadline time.Time
		c := telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
			deadline, _ = ctx.Deadline()
			return nil
		})
		before := time.Now()
		answer(scrapehttp.Handler(c), request("GET", "/metrics", "X-Prometheus-Scrape-Timeout-Seconds", header))
		after := time.Now()
		if deadline.Before(before.Add(want)) || deadline.After(after.Add(want)) {
			t.Errorf("%q: deadline %v after the request, want %v", header, deadline.Sub(before), want)
		}
	}
	c := telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
		if _, ok := ctx.Deadline(); ok {
			return errors.New("there is a deadline")
		}
		return nil
	})
	wantStatus(t, answer(scrapehttp.Handler(c, scrapehttp.WithTimeout(0)), request("GET", "/metrics")), 200)
}

// discard is a response writer that keeps no body.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// What a scrape allocates depends neither on families nor on series.
func TestScrapeAllocatesAConstant(t *testing.T) {
	small, big := scrapehttp.Handler(filled(t, 10)), scrapehttp.Handler(filled(t, 10_000))
	allocations := func(h http.Handler, coding string) float64 {
		r := request("GET", "/metrics", "Accept-Encoding", coding)
		return testing.AllocsPerRun(20, func() { h.ServeHTTP(&discard{http.Header{}}, r) })
	}
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		few, many := allocations(small, coding), allocations(big, coding)
		t.Logf("%s: %v allocations for 10 series, %v for 10000", coding, few, many)
		if many > few+20 { // a garbage collection may empty the pools
			t.Errorf("%s: %v allocations for 10 series, %v for 10000", coding, few, many)
		}
	}
}

// Buffers and compressors are used again.
func TestScrapeAllocatesLittle(t *testing.T) {
	h := scrapehttp.Handler(filled(t, 2_000))
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		r := request("GET", "/metrics", "Accept-Encoding", coding)
		least := uint64(math.MaxUint64)
		for range 20 { // a garbage collection may empty the pools before one of them
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h.ServeHTTP(&discard{http.Header{}}, r)
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		t.Logf("%s: %d bytes", coding, least)
		if least > 32<<10 {
			t.Errorf("%s: a scrape allocates %d bytes", coding, least)
		}
	}
}
