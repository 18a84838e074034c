package telltaletest_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/auto"
	"telltale/lint"
	"telltale/model"
	"telltale/scrapehttp"
	"telltale/telltaletest"
)

var (
	inf    = math.Inf(1)
	negInf = math.Inf(-1)
	sqrt2  = math.Exp2(0.5)
)

func equal(t *testing.T, got, want []telltaletest.Bucket) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("buckets are %v, want %v", got, want)
	}
}

func shop(t *testing.T) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	m := auto.In(reg)
	orders := m.CounterVec("orders", "Orders placed.", []string{"country"})
	orders.With("de").Add(3)
	orders.With("fr").Add(0.5)
	m.Gauge("queue_jobs", "Jobs that wait.").Set(7)
	latency := m.Histogram("latency_seconds", "Latency.", telltale.WithBuckets(1, 2.5), telltale.WithNativeSchema(0))
	for _, v := range []float64{0.5, 2, 3} {
		latency.Observe(v)
	}
	return reg
}

func TestValueFindsASample(t *testing.T) {
	reg := shop(t)
	for name, c := range map[string]struct {
		sample string
		labels map[string]string
		want   float64
	}{
		"counter":               {"orders_total", map[string]string{"country": "de"}, 3},
		"without labels":        {"queue_jobs", nil, 7},
		"bucket, spelled as Go": {"latency_seconds_bucket", map[string]string{"le": "1"}, 1},
		"bucket, spelled as le": {"latency_seconds_bucket", map[string]string{"le": "1.0"}, 1},
		"bucket of everything":  {"latency_seconds_bucket", map[string]string{"le": "+Inf"}, 3},
		"count":                 {"latency_seconds_count", nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, from := range map[string]telltale.Collector{
				"registry": reg,
				"view":     telltale.Restrict(reg, c.sample),
				"handler":  telltaletest.FromHandler(scrapehttp.Handler(reg), "/metrics"),
			} {
				if got := telltaletest.Value(t, from, c.sample, c.labels); got != c.want {
					t.Errorf("%s: %s is %v, want %v", kind, c.sample, got, c.want)
				}
			}
		})
	}
}

func TestValueSaysWhatIsThereInstead(t *testing.T) {
	reg := shop(t)
	for name, c := range map[string]struct {
		sample string
		labels map[string]string
		want   string
	}{
		"other labels": {"orders_total", map[string]string{"country": "it"}, `orders_total{country="de"}`},
		"family":       {"orders", nil, "orders_total"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, func(t testing.TB) { telltaletest.Value(t, reg, c.sample, c.labels) })
			if !strings.Contains(got, c.want) {
				t.Errorf("the failure is %q, which lacks %q", got, c.want)
			}
		})
	}
	if got := failure(t, func(t testing.TB) { telltaletest.Value(t, telltale.NewRegistry(), "x", nil) }); !strings.Contains(got, "no samples at all") {
		t.Errorf("the failure is %q", got)
	}
}

func TestDeltaIsWhatAFunctionAdds(t *testing.T) {
	reg := telltale.NewRegistry()
	orders := auto.In(reg).CounterVec("orders", "Orders placed.", []string{"country"})
	labels := map[string]string{"country": "de"}
	place := func() { orders.With("de").Add(2) }
	for _, when := range []string{"a new series", "a series that exists"} {
		if got := telltaletest.Delta(t, reg, "orders_total", labels, place); got != 2 {
			t.Errorf("%s: the delta is %v, want 2", when, got)
		}
	}
	if got := failure(t, func(t testing.TB) {
		telltaletest.Delta(t, reg, "orders_total", map[string]string{"country": "fr"}, func() {})
	}); !strings.Contains(got, `country="fr"`) {
		t.Errorf("the failure is %q", got)
	}
}

const page = `
	# HELP orders_total Orders placed.
	# TYPE orders_total counter
	orders_total{country="fr"} 0.5
	orders_total{country="de"} 3
`

func TestCompare(t *testing.T) {
	reg := shop(t)
	for name, c := range map[string]struct {
		want  string
		names []string
		diff  []string // lines of the failure; nil where pages are equal
	}{
		"equal in another order":   {page, []string{"orders_total"}, nil},
		"without metadata":         {"queue_jobs 7e0\n", []string{"queue_jobs"}, nil},
		"by family":                {"orders_total{country=\"de\"} 3\norders_total{country=\"fr\"} 0.5\n", []string{"orders"}, nil},
		"buckets":                  {"latency_seconds_bucket{le=\"1\"} 1\nlatency_seconds_bucket{le=\"2.50\"} 2\nlatency_seconds_bucket{le=\"+Inf\"} 3\n", []string{"latency_seconds_bucket"}, nil},
		"another value":            {strings.Replace(page, " 3", " 4", 1), []string{"orders"}, []string{`- orders_total{country="de"} 4.0`, `+ orders_total{country="de"} 3.0`}},
		"another help":             {strings.Replace(page, "placed", "taken", 1), []string{"orders"}, []string{`- # HELP orders_total Orders taken.`, `+ # HELP orders_total Orders placed.`}},
		"another type":             {strings.Replace(page, "counter", "gauge", 1), []string{"orders"}, []string{`- # TYPE orders_total gauge`, `+ # TYPE orders_total counter`}},
		"one too many":             {page + "orders_total{country=\"it\"} 1\n", []string{"orders"}, []string{`- orders_total{country="it"} 1.0`}},
		"one missing":              {strings.Replace(page, "orders_total{country=\"fr\"} 0.5\n", "", 1), []string{"orders"}, []string{`+ orders_total{country="fr"} 0.5`}},
		"a metadata line too many": {page + "# HELP nothing Nothing.\n", []string{"orders"}, []string{"- # HELP nothing Nothing."}},
		"a name that nothing has":  {page, []string{"orders", "order"}, []string{`no sample and no family is named "order"`}},
		"no page":                  {"orders_total{country=", []string{"orders"}, []string{"the expected page is not valid: line 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, func(t testing.TB) { telltaletest.Compare(t, reg, c.want, c.names...) })
			if (got == "") != (c.diff == nil) {
				t.Fatalf("the comparison says %q", got)
			}
			for _, line := range c.diff {
				if !strings.Contains(got, line) {
					t.Errorf("the comparison says %q, which lacks %q", got, line)
				}
			}
		})
	}
}

func TestGoldenFiles(t *testing.T) {
	reg := shop(t)
	telltaletest.Golden(t, reg, filepath.Join("testdata", "shop.txt"))
	if flag.Lookup("update").Value.String() == "true" {
		return // what follows would be written, too
	}
	missing := filepath.Join(t.TempDir(), "missing.txt")
	if got := failure(t, func(t testing.TB) { telltaletest.Golden(t, reg, missing) }); !strings.Contains(got, "-update") {
		t.Errorf("the failure is %q", got)
	}
	other := filepath.Join(t.TempDir(), "other.txt")
	if err := os.WriteFile(other, []byte("queue_jobs 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := failure(t, func(t testing.TB) { telltaletest.Golden(t, reg, other, "queue_jobs") }); !strings.Contains(got, "+ queue_jobs 7.0") {
		t.Errorf("the failure is %q", got)
	}
}

func TestCatalogue(t *testing.T) {
	reg := shop(t)
	file := filepath.Join("testdata", "shop.json")
	telltaletest.Catalogue(t, reg, file)
	if flag.Lookup("update").Value.String() == "true" {
		return // what follows would be written, too
	}
	if got := failure(t, func(t testing.TB) { telltaletest.Catalogue(t, reg, filepath.Join(t.TempDir(), "missing.json")) }); !strings.Contains(got, "-update") {
		t.Errorf("the failure is %q", got)
	}
	auto.In(reg).CounterVec("returns", "Returned orders.", []string{"reason"})
	if got := failure(t, func(t testing.TB) { telltaletest.Catalogue(t, reg, file) }); !strings.Contains(got, "returns: it is new") {
		t.Errorf("the failure is %q", got)
	}
	for name, content := range map[string]string{
		"cut.json":   `{"families": [`,
		"other.json": `{"families": [{"name": "queue_jobs", "type": "counter", "help": "", "labels": ["queue"]}]}`,
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := failure(t, func(t testing.TB) { telltaletest.Catalogue(t, reg, path) })
		for _, part := range []string{path, map[string]string{"cut.json": "cannot be read", "other.json": `the label "queue" is gone`}[name]} {
			if !strings.Contains(got, part) {
				t.Errorf("the failure is %q and lacks %q", got, part)
			}
		}
	}
}

func TestLint(t *testing.T) {
	reg := telltale.NewRegistry()
	auto.In(reg).Gauge("wait_milliseconds", "")
	got := failure(t, func(t testing.TB) { telltaletest.Lint(t, reg) })
	for _, rule := range []lint.Rule{lint.Help, lint.BaseUnit} {
		if !strings.Contains(got, rule.String()) {
			t.Errorf("lint says %q, which lacks %s", got, rule)
		}
	}
	if got := failure(t, func(t testing.TB) { telltaletest.Lint(t, reg, lint.Without(lint.Help, lint.BaseUnit)) }); got != "" {
		t.Errorf("lint says %q", got)
	}
}

func TestBuckets(t *testing.T) {
	reg := shop(t)
	h := telltaletest.Histogram(t, reg, "latency_seconds", nil)
	equal(t, telltaletest.ClassicBuckets(h), []telltaletest.Bucket{{Lower: negInf, Upper: 1, Count: 1}, {Lower: 1, Upper: 2.5, Count: 1}, {Lower: 2.5, Upper: inf, Count: 1}})
	equal(t, telltaletest.NativeBuckets(h.Native), []telltaletest.Bucket{{Lower: 0.25, Upper: 0.5, Count: 1}, {Lower: 1, Upper: 2, Count: 1}, {Lower: 2, Upper: 4, Count: 1}})
	equal(t, telltaletest.NativeBuckets(&model.NativeHistogram{
		Schema: 1, ZeroThreshold: 0.25, ZeroCount: 2,
		NegativeSpans: []model.Span{{Offset: 2, Length: 2}}, Negative: []float64{1, 4},
	}), []telltaletest.Bucket{{Lower: -2 * sqrt2, Upper: -2, Count: 4}, {Lower: -2, Upper: -sqrt2, Count: 1}, {Lower: -0.25, Upper: 0.25, Count: 2}})
	equal(t, telltaletest.NativeBuckets(&model.NativeHistogram{
		Schema: model.CustomBucketsSchema, CustomBounds: []float64{1, 5},
		PositiveSpans: []model.Span{{Offset: 0, Length: 1}, {Offset: 1, Length: 1}}, Positive: []float64{3, 4},
	}), []telltaletest.Bucket{{Lower: negInf, Upper: 1, Count: 3}, {Lower: 5, Upper: inf, Count: 4}})
	if got := failure(t, func(t testing.TB) { telltaletest.Histogram(t, reg, "queue_jobs", nil) }); !strings.Contains(got, "no histogram queue_jobs") {
		t.Errorf("the failure is %q", got)
	}
}

// What a collection loses fails a test, though a page would be served.
func TestLossesFail(t *testing.T) {
	broken := errors.New("the database is down")
	collector := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return broken })
	reg := telltale.NewRegistry()
	if err := reg.Register(collector); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]telltale.Collector{
		"collector": collector, "registry": reg, "view": telltale.Restrict(reg, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := failure(t, func(t testing.TB) { telltaletest.Lint(t, c) }); got == "" {
				t.Error("the test passes")
			}
		})
	}
}

// A page that is too large is refused, and not taken for a shorter one.
func TestPagesHaveALimit(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, "a 1\nb 2\n")
	})
	for limit, want := range map[int64]string{8: "", 4: "4 bytes"} { // the first line has four
		got := failure(t, func(t testing.TB) { telltaletest.Value(t, telltaletest.FromHandlerWithin(limit, handler), "a", nil) })
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("with a limit of %d bytes the failure is %q", limit, got)
		}
	}
}

func TestPages(t *testing.T) {
	reg := shop(t)
	server := httptest.NewServer(scrapehttp.Handler(reg))
	defer server.Close()
	telltaletest.Compare(t, telltaletest.FromURL(server.URL), page, "orders")
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"a status": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too many scrapes", http.StatusServiceUnavailable)
		}, "too many scrapes"},
		"no page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello world\n")) }, "not valid"},
		"no metrics": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }, "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failure(t, func(t testing.TB) { telltaletest.Lint(t, telltaletest.FromHandler(c.handler, "/")) }); !strings.Contains(got, c.want) {
				t.Errorf("the failure is %q, which lacks %q", got, c.want)
			}
		})
	}
}
