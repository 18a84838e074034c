// A page of telltale with the series that promhttp's had.
package main

import (
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/collectors"
	"telltale/scrapehttp"
)

func main() {
	page, err := pageOf(telltale.Default)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", page)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}

func pageOf(reg *telltale.Registry) (http.Handler, error) {
	for _, c := range []telltale.Collector{collectors.NewGo(collectors.WithAllocBytes()), collectors.NewProcess(), reg.Health()} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	page := scrapehttp.Handler(reg, scrapehttp.WithShortBounds())
	return promhttp.InstrumentMetricHandler(clientgolang.Registerer(reg), page), nil
}
