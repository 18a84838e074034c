package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"telltale"
)

func TestOldSeriesAreThere(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { t.Error(err) }))
	h := telltale.Must(telltale.NewHistogram("latency_seconds", "Latency.", telltale.In(reg)))
	h.Observe(0.7)
	page, err := pageOf(reg)
	if err != nil {
		t.Fatal(err)
	}
	var w *httptest.ResponseRecorder
	for range 2 { // a request is counted when it has ended
		w = httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	}
	for _, series := range []string{
		`latency_seconds_bucket{le="1"} 1.0`,
		`promhttp_metric_handler_requests_total{code="200"} 1.0`,
		`promhttp_metric_handler_requests_in_flight 1.0`,
		"go_memstats_alloc_bytes ",
		"process_start_time_seconds ",
	} {
		if !strings.Contains(w.Body.String(), "\n"+series) {
			t.Errorf("no %s on the page:\n%s", series, w.Body)
		}
	}
}
