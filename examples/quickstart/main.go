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

var requests = auto.CounterVec("http_requests", "Requests served.", []string{"method"})

func main() {
	if err := collectors.Register(telltale.Default); err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	http.HandleFunc("/", count)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}

func count(_ http.ResponseWriter, r *http.Request) { requests.With(method(r)).Inc() }

// method returns the method of a request as a label value. Clients may send any,
// and each value is a series that stays.
func method(r *http.Request) string {
	switch r.Method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return r.Method
	}
	return "other"
}
