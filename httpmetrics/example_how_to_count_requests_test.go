package httpmetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"telltale"
	"telltale/httpmetrics"
)

func Example() {
	reg := telltale.NewRegistry()
	metrics, err := httpmetrics.NewServer(httpmetrics.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, "order", r.PathValue("id"))
	})
	handler := metrics.Wrap(mux)

	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))
	fmt.Println(reg.SampleValue("http_server_requests_total", map[string]string{
		"method": "GET", "code": "200", "route": "/orders/{id}",
	}))
	// Output: 1 true
}

func ExampleNewTransport() {
	reg := telltale.NewRegistry()
	transport, err := httpmetrics.NewTransport(http.DefaultTransport, httpmetrics.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client := &http.Client{Transport: transport}
	resp, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, resp.Body.Close())
	fmt.Println(reg.SampleValue("http_client_requests_total", map[string]string{"method": "GET", "code": "404"}))
	// Output:
	// 404 <nil>
	// 1 true
}
