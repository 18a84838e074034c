package httpmetrics_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"telltale"
	"telltale/httpmetrics"
	"telltale/telltaletest"
)

func newServer(t *testing.T, opts ...httpmetrics.ServerOption) (*httpmetrics.Server, *telltale.Registry) {
	t.Helper()
	reg := telltale.NewRegistry()
	s, err := httpmetrics.NewServer(append([]httpmetrics.ServerOption{httpmetrics.In(reg)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s, reg
}

func TestRequestsAreCounted(t *testing.T) {
	s, reg := newServer(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "item") })
	mux.HandleFunc("POST shop.example/items/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("/silent", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/strange", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) })
	handler := s.Wrap(mux)
	for _, r := range []struct{ method, url, body string }{
		{"GET", "/items/7", ""}, {"GET", "/items/8", ""}, {"HEAD", "/items/7", ""},
		{"POST", "http://shop.example/items/x", "twelve bytes"},
		{"GET", "/silent", ""}, {"BREW", "/silent", ""}, {"GET", "/strange", ""},
		{"GET", "/nothing", ""}, {"PUT", "/items/7", ""},
	} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(r.method, r.url, strings.NewReader(r.body)))
	}
	telltaletest.Compare(t, reg, `
		http_server_in_flight_requests 0
		http_server_requests_total{method="GET",code="200",route="/items/{id}"} 2
		http_server_requests_total{method="HEAD",code="200",route="/items/{id}"} 1
		http_server_requests_total{method="POST",code="201",route="shop.example/items/"} 1
		http_server_requests_total{method="GET",code="200",route="/silent"} 1
		http_server_requests_total{method="other",code="200",route="/silent"} 1
		http_server_requests_total{method="GET",code="other",route="/strange"} 1
		http_server_requests_total{method="GET",code="404",route="other"} 1
		http_server_requests_total{method="PUT",code="405",route="other"} 1
	`, "http_server_in_flight_requests", "http_server_requests_total")
	post := map[string]string{"method": "POST", "code": "201", "route": "shop.example/items/"}
	get := map[string]string{"method": "GET", "code": "200", "route": "/items/{id}"}
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"http_server_request_size_bytes_sum", post, 12},
		{"http_server_response_size_bytes_sum", post, 0},
		{"http_server_response_size_bytes_sum", get, 8},
		{"http_server_request_duration_seconds_count", get, 2},
		{"http_server_time_to_first_byte_seconds_count", get, 2},
		{"http_server_time_to_first_byte_seconds_count", post, 1},
	} {
		if got := telltaletest.Value(t, reg, c.name, c.labels); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if h := telltaletest.Histogram(t, reg, "http_server_request_duration_seconds", get); len(telltaletest.NativeBuckets(h.Native)) == 0 || len(telltaletest.ClassicBuckets(h)) == 0 {
		t.Error("durations lack classic or native buckets")
	}
	telltaletest.Lint(t, reg)
}

func TestInFlightRequests(t *testing.T) {
	s, reg := newServer(t)
	s.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if got := telltaletest.Value(t, reg, "http_server_in_flight_requests", nil); got != 1 {
			t.Errorf("%v requests in flight while one is served", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestPanicsAreServerErrors(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer": func(http.ResponseWriter, *http.Request) { panic("broken") },
		"after the header":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			s, reg := newServer(t)
			func() {
				defer func() {
					if p := recover(); p != "broken" {
						t.Errorf("the panic that goes on is %v", p)
					}
				}()
				s.Wrap(handler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			}()
			telltaletest.Compare(t, reg, `
				http_server_in_flight_requests 0
				http_server_requests_total{method="GET",code="500",route="other"} 1
			`, "http_server_in_flight_requests", "http_server_requests_total")
		})
	}
}

// Strangers cannot make series: not by methods, not by paths, not where a program
// takes routes from paths.
func TestFloodsLeaveABoundedPage(t *testing.T) {
	s, reg := newServer(t,
		httpmetrics.WithRoute(func(r *http.Request) string { return r.URL.Path }), httpmetrics.WithMaxRoutes(5))
	handler := s.Wrap(http.NotFoundHandler())
	const requests = 200_000
	r := httptest.NewRequest("GET", "/", nil)
	w := httptest.NewRecorder()
	for i := range requests {
		r.Method, r.URL.Path = fmt.Sprintf("M%d", i), fmt.Sprintf("/%d", i)
		handler.ServeHTTP(w, r)
		w.Body.Reset()
	}
	series, sum := 0, 0.0
	for f, err := range reg.Families(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != "http_server_requests" {
			continue
		}
		for sample := range f.Samples() {
			if sample.Name == "http_server_requests_total" {
				series, sum = series+1, sum+sample.Value
			}
		}
	}
	if series != 6 || sum != requests {
		t.Errorf("%d series that sum up to %v, want 6 and %d", series, sum, requests)
	}
}

func TestRoutesOfOtherRouters(t *testing.T) {
	s, reg := newServer(t)
	router := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		httpmetrics.SetRoute(context.WithValue(r.Context(), "router", 1), "/users/:name") //nolint:staticcheck // any key will do
	})
	s.Wrap(router).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/anna", nil))
	httpmetrics.SetRoute(t.Context(), "/nothing")
	again, _ := newServer(t, httpmetrics.WithRoute(func(r *http.Request) string {
		httpmetrics.SetRoute(r.Context(), "/too/late") // must not wait for itself
		return "/route"
	}), nil)
	again.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	telltaletest.Compare(t, reg, `http_server_requests_total{method="GET",code="200",route="/users/:name"} 1`, "http_server_requests_total")
}

// Handlers around the wrapped one see the pattern, too.
func TestThePatternIsSeenOutside(t *testing.T) {
	s, _ := newServer(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/items/{id}", func(http.ResponseWriter, *http.Request) {})
	r := httptest.NewRequest("GET", "/items/1", nil)
	s.Wrap(mux).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "/items/{id}" {
		t.Errorf("the pattern outside is %q", r.Pattern)
	}
}

func TestExemplarsOfSampledTraces(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, c := range map[string]struct {
		header string
		want   bool
	}{
		"sampled":             {"00-" + trace + "-" + span + "-01", true},
		"sampled, more flags": {"00-" + trace + "-" + span + "-03", true},
		"a later version":     {"01-" + trace + "-" + span + "-01-more", true},
		"not sampled":         {"00-" + trace + "-" + span + "-00", false},
		"none":                {"", false},
		"cut off":             {"00-" + trace + "-" + span, false},
		"too long":            {"00-" + trace + "-" + span + "-01-more", false},
		"glued":               {"01-" + trace + "-" + span + "-01more", false},
		"version 255":         {"ff-" + trace + "-" + span + "-01", false},
		"capitals":            {"00-" + strings.ToUpper(trace) + "-" + span + "-01", false},
		"no trace":            {"00-" + strings.Repeat("0", 32) + "-" + span + "-01", false},
		"no span":             {"00-" + trace + "-" + strings.Repeat("0", 16) + "-01", false},
		"no number":           {"00-" + strings.Repeat("x", 32) + "-" + span + "-01", false},
		"other separators":    {"00_" + trace + "_" + span + "_01", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, reg := newServer(t)
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Traceparent", c.header)
			s.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
			h := telltaletest.Histogram(t, reg, "http_server_request_duration_seconds", map[string]string{"method": "GET", "code": "404", "route": "other"})
			got := ""
			for i := range h.Bounds.Len() {
				if e := h.Exemplar(i); e != nil {
					got = e.Labels.String()
				}
			}
			if want := `{span_id="` + span + `",trace_id="` + trace + `"}`; c.want && got != want || !c.want && got != "" {
				t.Errorf("the exemplar is %q", got)
			}
		})
	}
	t.Run("of the context", func(t *testing.T) {
		s, reg := newServer(t, httpmetrics.WithExemplars(func(context.Context) map[string]string {
			return map[string]string{"trace_id": strings.Repeat("x", 200)}
		}))
		s.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		if got := telltaletest.Value(t, reg, "http_server_request_duration_seconds_count", map[string]string{"method": "GET", "code": "404", "route": "other"}); got != 1 {
			t.Errorf("a request with an exemplar that is too long counts as %v", got)
		}
	})
}

func TestWrongOptions(t *testing.T) {
	reg := telltale.NewRegistry()
	for name, opts := range map[string][]httpmetrics.ServerOption{
		"no routes":   {httpmetrics.In(reg), httpmetrics.WithMaxRoutes(0)},
		"no registry": {httpmetrics.In(nil)},
		"no buckets":  {httpmetrics.In(reg), httpmetrics.WithDurations(telltale.WithBuckets(2, 1))},
	} {
		if _, err := httpmetrics.NewServer(opts...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	first, reg := newServer(t)
	again, err := httpmetrics.NewServer(httpmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*httpmetrics.Server{first, again} {
		s.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	if got := telltaletest.Value(t, reg, "http_server_requests_total", map[string]string{"method": "GET", "code": "404", "route": "other"}); got != 2 {
		t.Errorf("two servers with one definition count %v requests", got)
	}
}

func BenchmarkServer(b *testing.B) {
	s, err := httpmetrics.NewServer(httpmetrics.In(telltale.NewRegistry()))
	if err != nil {
		b.Fatal(err)
	}
	handler := s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}

// A series that is removed leaves the page until it counts again, and what was counted
// in the series of overflow has one of its own once there is room.
func TestRemovedSeriesComeBack(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithFamilySeriesLimit(2), telltale.WithErrorHook(func(error) {}))
	s, err := httpmetrics.NewServer(httpmetrics.In(reg), httpmetrics.WithRoute(func(r *http.Request) string { return r.URL.Path }))
	if err != nil {
		t.Fatal(err)
	}
	handler := s.Wrap(http.NotFoundHandler())
	serve := func(paths ...string) {
		for _, path := range paths {
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}
	}
	type labels struct{ Method, Code, Route string }
	requests := telltale.Must(telltale.NewCounterOf[labels]("http_server_requests", "Requests served.", telltale.In(reg)))
	serve("/a", "/b", "/c", "/c")
	telltaletest.Compare(t, reg, `
		http_server_requests_total{method="GET",code="404",route="/a"} 1
		http_server_requests_total{method="GET",code="404",route="/b"} 1
		http_server_requests_total{method="overflow",code="overflow",route="overflow"} 2
	`, "http_server_requests_total")
	requests.Remove(labels{"GET", "404", "/a"})
	serve("/c", "/b", "/a")
	requests.Remove(labels{"GET", "404", "/b"})
	serve("/b")
	telltaletest.Compare(t, reg, `
		http_server_requests_total{method="overflow",code="overflow",route="overflow"} 3
		http_server_requests_total{method="GET",code="404",route="/c"} 1
		http_server_requests_total{method="GET",code="404",route="/b"} 1
	`, "http_server_requests_total")
}
