package clientgolang_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"telltale/bridge/clientgolang"
	"telltale/scrapehttp"
)

// discarding is a response that nobody reads.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header         { return d.header }
func (d discarding) Write(b []byte) (int, error) { return len(b), nil }
func (d discarding) WriteHeader(int)             {}

// BenchmarkScrape compares a page of 100,000 series of client_golang as promhttp
// serves it with the same through the bridge.
func BenchmarkScrape(b *testing.B) {
	from := prometheus.NewRegistry()
	for f := range 10 {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: fmt.Sprintf("requests_%d_total", f), Help: "Requests."}, []string{"method", "path", "code"})
		for i := range 10_000 {
			vec.WithLabelValues("GET", "/api/v1/resource/"+strconv.Itoa(i), "200").Add(float64(i))
		}
		from.MustRegister(vec)
	}
	reg, _ := registryWith(b, clientgolang.FromGatherer(from))
	for name, h := range map[string]http.Handler{
		"promhttp": promhttp.HandlerFor(from, promhttp.HandlerOpts{DisableCompression: true}),
		"bridge":   scrapehttp.Handler(reg, scrapehttp.WithCodings()),
	} {
		for format, accept := range accepts {
			b.Run(format+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					req := httptest.NewRequest("GET", "/metrics", nil)
					req.Header.Set("Accept", accept)
					h.ServeHTTP(discarding{http.Header{}}, req)
				}
			})
		}
	}
}
