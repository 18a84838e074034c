package httpmetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"telltale"
	"telltale/httpmetrics"
)

// A router that does not set the request's pattern says the route while it serves.
func ExampleSetRoute() {
	reg := telltale.NewRegistry()
	metrics, err := httpmetrics.NewServer(httpmetrics.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := metrics.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		httpmetrics.SetRoute(r.Context(), "/orders/:id")
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))
	fmt.Println(reg.SampleValue("http_server_requests_total", map[string]string{
		"method": "GET", "code": "200", "route": "/orders/:id",
	}))
	// Output: 1 true
}

// The names, labels and buckets of the metrics, and the routes, are the program's choice.
func ExampleWithInstruments() {
	reg := telltale.NewRegistry()
	metrics, err := httpmetrics.NewServer(
		httpmetrics.In(reg),
		httpmetrics.WithInstruments(telltale.WithNamespace("shop")),
		httpmetrics.WithDurations(telltale.WithBuckets(0.1, 1, 10)),
		httpmetrics.WithRoute(func(*http.Request) string { return "api" }),
		httpmetrics.WithMaxRoutes(50),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
	fmt.Println(reg.SampleValue("shop_http_server_requests_total", map[string]string{
		"method": "GET", "code": "404", "route": "api",
	}))
	// Output: 1 true
}
