package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"telltale"
	"telltale/auto"
	"telltale/collectors"
	"telltale/scrapehttp"
)

// A flood of methods that strangers invent is counted whole in flat memory, by the
// program as it is and by one that forgot to declare the methods.
func TestFloodOfMethods(t *testing.T) {
	for _, tt := range []struct {
		name     string
		opts     []telltale.CounterOption
		series   int
		overflow float64
	}{
		{"declared", []telltale.CounterOption{telltale.WithLabelValues("method", "GET", "POST")}, 1, 0},
		{"not declared", nil, telltale.DefaultSeriesLimit + 1, flood - telltale.DefaultSeriesLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := logged(t)
			reg := telltale.NewRegistry()
			requests := auto.In(reg).CounterVec("http_requests", "Requests served.", []string{"method"}, tt.opts...)
			if err := collectors.Register(reg); err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			mux.Handle("/metrics", scrapehttp.Handler(reg))
			mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { requests.With(r.Method).Inc() })
			grown := serveFlood(mux)
			if grown > 1<<20 {
				t.Errorf("the flood takes %d bytes", grown)
			}
			series, sum, overflow := counted(t, reg)
			if series != tt.series || sum != flood || overflow != tt.overflow {
				t.Errorf("%d series count %v, that of overflow %v; want %d, %d and %v", series, sum, overflow, tt.series, flood, tt.overflow)
			}
			page := httptest.NewRecorder()
			mux.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
			for _, sample := range []string{
				fmt.Sprintf(`telltale_series_overflows_total{family="http_requests"} %.1f`, overflow),
				fmt.Sprintf(`telltale_faults_total{reason="series_limit"} %.1f`, overflow),
			} {
				if shown := strings.Contains(page.Body.String(), sample+"\n"); overflow > 0 && !shown {
					t.Errorf("the page does not say %s", sample)
				}
			}
			lines := strings.Count(log.String(), "reason=series_limit family=http_requests")
			if overflow > 0 && lines == 0 || overflow == 0 && lines > 0 {
				t.Errorf("it logs\n%s", log)
			}
		})
	}
}

const flood = 200_000

// serveFlood has a handler serve requests with methods of their own. It returns by how
// many bytes the heap grows after the first tenth of them.
func serveFlood(h http.Handler) int64 {
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	var before int64
	for i := range flood {
		if i == flood/10 {
			before = liveHeap()
		}
		r.Method = fmt.Sprint("INVENTED", i)
		h.ServeHTTP(w, r)
	}
	return liveHeap() - before
}

// liveHeap returns the bytes in use after a garbage collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// counted returns how many series http_requests has, their sum, and the value of that
// of overflow.
func counted(t *testing.T, reg *telltale.Registry) (series int, sum, overflow float64) {
	t.Helper()
	for f, err := range reg.Families(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != "http_requests" {
			continue
		}
		for s := range f.Samples() {
			if s.Name != "http_requests_total" {
				continue
			}
			series, sum = series+1, sum+s.Value
			if method, _ := s.Labels.Get("method"); method == "overflow" {
				overflow = s.Value
			}
		}
	}
	return series, sum, overflow
}

// logged returns what is logged during the test.
func logged(t *testing.T) *bytes.Buffer {
	t.Helper()
	log, before := new(bytes.Buffer), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return log
}
