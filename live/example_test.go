package live_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"telltale"
	"telltale/live"
	"telltale/scrapehttp"
)

// A server has the page beside its metrics, on loopback or behind whatever guards
// the metrics.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	mux.Handle("/live/", live.Handler(telltale.Default))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/live/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
