// A program whose dependencies register their metrics with client_golang.
package main

import (
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/collectors"
	"telltale/scrapehttp"
)

func main() {
	if err := collectors.Register(telltale.Default); err != nil { // go_*, process_*
		log.Fatal(err)
	}
	if err := telltale.Default.Register(clientgolang.FromGatherer(prometheus.DefaultGatherer)); err != nil {
		log.Fatal(err)
	}
	reg := clientgolang.Registerer(telltale.Default) // for packages that take a prometheus.Registerer
	reg.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs done."}))

	http.Handle("/metrics", scrapehttp.Handler(telltale.Default))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
