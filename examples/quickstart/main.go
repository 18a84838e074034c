// A server whose requests are counted: the program in README.
package main

import (
	"log"
	"net/http"

	"telltale"
	"telltale/collectors"
	"telltale/scrapehttp"
)

var requests = telltale.Must(telltale.NewCounterVec("http_requests", "Requests served.", []string{"method"}))

func main() {
	if err := collectors.Register(telltale.Default); err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	http.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { requests.With(r.Method).Inc() })
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
