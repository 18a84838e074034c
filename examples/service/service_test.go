package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/telltaletest"
)

// newTest returns a service with a registry of its own, and the rates that another
// service knows: those that are asked for and not there are not found.
func newTest(t *testing.T, rates map[string]float64) (*service, *telltale.Registry) {
	t.Helper()
	others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rate, ok := rates[r.URL.Query().Get("currency")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]float64{"rate": rate}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(others.Close)
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { t.Error(err) }))
	handler, _, err := collectors.NewLogCounter(slog.NewTextHandler(io.Discard, nil), telltale.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(reg, slog.New(handler), filepath.Join(t.TempDir(), "orders.db"), others.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s, reg
}

// request makes a request of the service and returns the answer's status and body.
func request(s http.Handler, method, path, body string) (code int, answer string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestOrdersAreTakenAndPriced(t *testing.T) {
	s, reg := newTest(t, map[string]float64{"USD": 0.5, "XTS": 2})
	for _, c := range []struct {
		method, path, body string
		code               int
		answer             string
	}{
		{"POST", "/orders", `{"item": "lamp", "cents": 1000, "currency": "USD"}`, 202, `{"id":1,"item":"lamp","cents":1000,"currency":"USD"}`},
		{"POST", "/orders", `{"item": "rug", "cents": 2000, "currency": "XTS"}`, 202, `{"id":2,"item":"rug","cents":2000,"currency":"XTS"}`},
		{"POST", "/orders", `{"item": "cup", "cents": 500, "currency": "nowhere's"}`, 202, `{"id":3,"item":"cup","cents":500,"currency":"nowhere's"}`},
		{"POST", "/orders", `{"item": `, 400, `"an order needs an item, cents and a currency"`},
		{"GET", "/orders/9", "", 404, `"there is no such order"`},
		{"GET", "/orders/x", "", 400, `"the number of an order is a number"`},
		{"BREW", "/coffee", "", 404, "404 page not found"},
	} {
		if code, answer := request(s, c.method, c.path, c.body); code != c.code || answer != c.answer {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, code, answer, c.code, c.answer)
		}
	}
	close(s.queue)
	s.workers.Wait()
	if code, answer := request(s, "GET", "/orders/1", ""); code != 200 || answer != `{"id":1,"item":"lamp","cents":1000,"currency":"USD","euros":5}` {
		t.Errorf("the first order: %d %s", code, answer)
	}
	telltaletest.Compare(t, reg, `
		shop_orders_total{currency="USD"} 1
		shop_orders_total{currency="other"} 2
		shop_jobs_total{result="priced"} 2
		shop_jobs_total{result="failed"} 1
		shop_jobs_total{result="other"} 0
		shop_jobs_waiting 0
		shop_jobs_running 0
		shop_job_duration_seconds_count 3
		shop_job_age_seconds_count 3
		http_server_requests_total{method="POST",code="202",route="/orders"} 3
		http_server_requests_total{method="POST",code="400",route="/orders"} 1
		http_server_requests_total{method="GET",code="404",route="/orders/{id}"} 1
		http_server_requests_total{method="GET",code="400",route="/orders/{id}"} 1
		http_server_requests_total{method="GET",code="200",route="/orders/{id}"} 1
		http_server_requests_total{method="other",code="404",route="other"} 1
		http_client_requests_total{method="GET",code="200"} 2
		http_client_requests_total{method="GET",code="404"} 1
		log_records_total{level="debug"} 0
		log_records_total{level="info"} 0
		log_records_total{level="warn"} 0
		log_records_total{level="error"} 1
	`, "shop_orders_total", "shop_jobs_total", "shop_jobs_waiting", "shop_jobs_running", "shop_job_duration_seconds_count",
		"shop_job_age_seconds_count", "http_server_requests_total", "http_client_requests_total", "log_records_total")
	if err := s.db.Close(); err != nil {
		t.Error(err)
	}
}

// Dashboards and alerts rely on these families: a change of one is a change of this
// file. go test . -update writes it.
func TestCatalogue(t *testing.T) {
	s, reg := newTest(t, nil)
	defer s.close()
	telltaletest.Catalogue(t, reg, "testdata/metrics.json")
	telltaletest.Lint(t, reg)
}

// The program serves its routes and its page, and ends when it is told to.
func TestRun(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { t.Error(err) }))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, reg, listener, filepath.Join(t.TempDir(), "orders.db"), "http://127.0.0.1:1/")
	}()
	url := "http://" + listener.Addr().String()
	resp, err := http.Get(url + "/orders/1")
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("an order that nobody has made: status %d, %v", resp.StatusCode, err)
	}
	page := telltaletest.FromURL(url + "/metrics")
	if n := telltaletest.Value(t, page, "http_server_requests_total", map[string]string{"method": "GET", "code": "404", "route": "/orders/{id}"}); n != 1 {
		t.Errorf("one request counts as %v", n)
	}
	if n := telltaletest.Value(t, page, "go_goroutines", nil); n < 1 {
		t.Errorf("%v goroutines", n)
	}
	telltaletest.Lint(t, page)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
