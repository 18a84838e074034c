// A server whose requests are counted: the program in README.
package main

import (
	"log"
	"net/http"

	"telltale"
	"telltale/auto"
	"telltale/collectors"
	"telltale/scrapehttp"
)

// Clients may send any method, and each would be a series that stays: those that are not
// listed count as "other".
var requests = auto.CounterVec("http_requests", "Requests served.", []string{"method"},
	telltale.WithLabelValues("method", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

func main() {
	if err := collectors.Register(telltale.Default); err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	http.HandleFunc("/", count)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}

func count(_ http.ResponseWriter, r *http.Request) { requests.With(r.Method).Inc() }
