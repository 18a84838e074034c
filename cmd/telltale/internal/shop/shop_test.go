package shop_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/cmd/telltale/internal/shop"
	"telltale/scrapehttp"
)

// page returns the samples of a scrape by series.
func page(t *testing.T, reg *telltale.Registry, accept string) map[string]string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	scrapehttp.Handler(reg).ServeHTTP(w, r)
	samples := make(map[string]string)
	for lines := bufio.NewScanner(w.Body); lines.Scan(); {
		line, exemplar, _ := strings.Cut(lines.Text(), " # ")
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			samples[line[:i]] = line[i+1:]
			if exemplar != "" {
				samples[line[:i]+" exemplar"] = exemplar
			}
		}
	}
	return samples
}

// sum adds up the samples whose series begin so.
func sum(t *testing.T, samples map[string]string, prefix string) (total float64) {
	t.Helper()
	for series, value := range samples {
		if strings.HasPrefix(series, prefix) && !strings.HasSuffix(series, " exemplar") {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			total += v
		}
	}
	return total
}

func strict() *telltale.Registry { return telltale.NewRegistry(telltale.WithStrict()) }

// What the customers saw is what the metrics say.
func TestMetricsSayWhatHappened(t *testing.T) {
	reg := strict()
	s := shop.New(reg)
	closeShop, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tally := shop.Customers{URL: s.URL(), PerSecond: 5000, AtOnce: 16, Requests: 200}.Visit(t.Context())
	if err := closeShop(); err != nil {
		t.Error(err)
	}
	if tally.Answered != 200 || tally.Failed > 0 || tally.LastError != nil {
		t.Errorf("the customers saw %+v", tally)
	}
	samples := page(t, reg, "text/plain")
	for _, name := range []string{"shop_http_requests_total{", "shop_http_request_duration_seconds_count{", "shop_http_response_size_bytes_count"} {
		if got := sum(t, samples, name); got != 200 {
			t.Errorf("%s: %v, want 200", name, got)
		}
	}
	if counted, err := shop.RequestsCounted(context.Background(), reg); err != nil || counted != 200 {
		t.Errorf("%v counted, %v", counted, err)
	}
	taken := sum(t, samples, "shop_orders_total{")
	for name, want := range map[string]float64{
		`shop_http_requests_total{method="POST",route="/orders",code="202"}`: taken,
		"shop_order_value_euros_count":                                       taken,
		"shop_queue_orders":                                                  taken - sum(t, samples, "shop_packed_orders_total{"),
		"shop_packing_duration_seconds_coun":                                 sum(t, samples, "shop_packed_orders_total{"),
		"shop_http_requests_in_progress":                                     0,
		`shop_state{shop_state="closed"}`:                                    1,
		`shop_info{city="Lisbon"`:                                            1,
	} {
		if got := sum(t, samples, name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestExemplars(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for traceparent, want := range map[string]string{
		"00-" + trace + "-00f067aa0ba902b7-01": trace,
		"":                                     "",
		"00-" + strings.Repeat("x", 32) + "-00f067aa0ba902b7-01":  "",
		"00-" + strings.Repeat("f", 300) + "-00f067aa0ba902b7-01": "",
	} {
		reg := strict()
		r := httptest.NewRequest(http.MethodGet, "/products/cup", nil)
		r.Header.Set("Traceparent", traceparent)
		shop.New(reg).Handler().ServeHTTP(httptest.NewRecorder(), r)
		samples := page(t, reg, "application/openmetrics-text")
		series := `shop_http_requests_total{method="GET",route="/products/{name}",code="200"}`
		if samples[series] != "1.0" {
			t.Errorf("the request was not counted: %q", samples[series])
		}
		exemplar := samples[series+" exemplar"]
		if want == "" && exemplar != "" || !strings.Contains(exemplar, want) {
			t.Errorf("traceparent %q: exemplar %q", traceparent, exemplar)
		}
	}
}

// Paths and methods from outside do not become labels.
func TestUnknownRoutesAreOne(t *testing.T) {
	reg := strict()
	h := shop.New(reg).Handler()
	for _, path := range []string{"/a", "/b", "/products/x/y"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", path, nil))
	}
	samples := page(t, reg, "text/plain")
	if got := samples[`shop_http_requests_total{method="any",route="other",code="404"}`]; got != "3.0" {
		t.Errorf("counted %q of 3", got)
	}
}

func TestCustomersEndWithTheirContext(t *testing.T) {
	s := shop.New(strict())
	closeShop, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	shop.Customers{URL: s.URL(), PerSecond: 1000, AtOnce: 2}.Visit(ctx)
	if err := closeShop(); err != nil {
		t.Error(err)
	}
	tally := shop.Customers{URL: s.URL(), PerSecond: 1000, AtOnce: 2, Requests: 3}.Visit(t.Context())
	if tally.Failed != 3 || tally.Answered != 0 || tally.LastError == nil {
		t.Errorf("with the shop closed the customers saw %+v", tally)
	}
}

// An order of any size is not read.
func TestOrderThatIsTooLong(t *testing.T) {
	s := shop.New(strict())
	for size, want := range map[int]int{100: http.StatusBadRequest, 1 << 20: http.StatusBadRequest} {
		body := strings.NewReader("note=" + strings.Repeat("x", size))
		r := httptest.NewRequest(http.MethodPost, "/orders", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if read := size + len("note=") - body.Len(); w.Code != want || read > 128<<10 {
			t.Errorf("of %d bytes %d were read; status %d, want %d", size, read, w.Code, want)
		}
	}
}
