package scrapehttp_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/scrapehttp"
)

// How do I add metrics to the server I have? The handler goes wherever handlers
// go.
func ExampleHandler() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("queue_length", "Jobs waiting.", telltale.In(reg))).Set(7)

	mux := http.NewServeMux()
	mux.Handle("/metrics", scrapehttp.Handler(reg,
		scrapehttp.WithTimeout(5*time.Second),
		scrapehttp.WithErrorHook(func(err error) { log.Print(err) }),
	))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Println(answer.Header().Get("Content-Type"))
	fmt.Print(answer.Body)
	// Output:
	// text/plain; version=0.0.4; charset=utf-8
	// # HELP queue_length Jobs waiting.
	// # TYPE queue_length gauge
	// queue_length 7.0
}

// How do I scrape only a part? The query parameter name[] takes sample names and
// family names, and collectors that have none of them are not asked.
func ExampleHandler_names() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("queue_length", "Jobs waiting.", telltale.In(reg))).Set(7)
	telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg))).Add(3)

	answer := httptest.NewRecorder()
	scrapehttp.Handler(reg).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics?name[]=jobs_total", nil))
	fmt.Print(answer.Body)
	// Output:
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total 3.0
}
