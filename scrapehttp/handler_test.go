package scrapehttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/scrapehttp"
)

// shop returns a registry with a counter and a gauge.
func shop(t testing.TB) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders", "Orders taken.", telltale.In(reg))).Add(42)
	telltale.Must(telltale.NewGauge("temperature", "", telltale.In(reg))).Set(-1.5)
	return reg
}

const shopPage = "# HELP orders_total Orders taken.\n# TYPE orders_total counter\norders_total 42.0\n" +
	"# HELP temperature \n# TYPE temperature gauge\ntemperature -1.5\n"

// filled returns a registry with a counter of n series.
func filled(t testing.TB, n int) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry(telltale.WithStrict(), telltale.WithFamilySeriesLimit(0))
	vec := telltale.Must(telltale.NewCounterVec("http_requests", "Requests.", []string{"method", "path", "code"}, telltale.In(reg)))
	for i := range n {
		vec.With("GET", "/things/"+strconv.Itoa(i), "200").Add(float64(i))
	}
	return reg
}

// request makes a request; headers are given in pairs.
func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d, with body %q", w.Code, status, w.Body)
	}
}

func wantHeader(t *testing.T, w *httptest.ResponseRecorder, name, value string) {
	t.Helper()
	if got := w.Header().Get(name); got != value {
		t.Errorf("header %s: %q, want %q", name, got, value)
	}
}

func TestGet(t *testing.T) {
	w := answer(scrapehttp.Handler(shop(t)), request("GET", "/metrics"))
	wantStatus(t, w, 200)
	wantHeader(t, w, "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	wantHeader(t, w, "Vary", "Accept, Accept-Encoding")
	wantHeader(t, w, "Content-Encoding", "")
	wantHeader(t, w, "X-Content-Type-Options", "nosniff")
	if w.Body.String() != shopPage {
		t.Errorf("got\n%swant\n%s", w.Body, shopPage)
	}
}

func TestFormatIsNegotiated(t *testing.T) {
	h := scrapehttp.Handler(shop(t))
	w := answer(h, request("GET", "/metrics",
		"Accept", "text/plain;version=0.0.4;q=0.2", "Accept", "application/openmetrics-text;version=1.0.0;q=0.8"))
	wantStatus(t, w, 200)
	wantHeader(t, w, "Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores")
	if !strings.HasSuffix(w.Body.String(), "# EOF\n") {
		t.Errorf("no end in %q", w.Body)
	}
	if strings.Contains(w.Body.String(), "_created") {
		t.Errorf("created times although they are off in %q", w.Body)
	}
	w = answer(h, request("GET", "/metrics", "Accept", "image/png"))
	wantStatus(t, w, 200)
	wantHeader(t, w, "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
}

func TestProtobuf(t *testing.T) {
	const delimited = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
	for _, coding := range []string{"identity", "gzip"} {
		w := answer(scrapehttp.Handler(shop(t)), request("GET", "/metrics", "Accept", delimited+";q=0.7,*/*;q=0.6", "Accept-Encoding", coding))
		wantStatus(t, w, 200)
		wantHeader(t, w, "Content-Type", delimited)
		family, err := exposition.NewParser(strings.NewReader(decode(t, w)), exposition.Protobuf).Next()
		if err != nil || family.Name != "orders_total" {
			t.Errorf("%s: got %+v, %v", coding, family, err)
		}
	}
}

func TestCreated(t *testing.T) {
	h := scrapehttp.Handler(shop(t), scrapehttp.WithCreated())
	w := answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text"))
	if !strings.Contains(w.Body.String(), "\norders_created ") {
		t.Errorf("no created time in %q", w.Body)
	}
}

// Whole bounds and quantiles are written as the option says, in the text format alone.
func TestShortBounds(t *testing.T) {
	reg := telltale.NewRegistry()
	h := telltale.Must(telltale.NewHistogram("h", "H.", telltale.In(reg), telltale.WithBuckets(-20, 0.5, 1, 1e6)))
	h.Observe(0.7)
	s := telltale.Must(telltale.NewSummaryVec("s", "S.", []string{"v"}, telltale.In(reg), telltale.WithQuantiles(0.5, 1)))
	s.With("2.0").Observe(3)
	for accept, labels := range map[string][]string{
		"text/plain":                   {`h_bucket{le="-20"} 0.0`, `h_bucket{le="0.5"} 0.0`, `h_bucket{le="1"} 1.0`, `h_bucket{le="1e+06"} 1.0`, `h_bucket{le="+Inf"} 1.0`, `s{v="2.0",quantile="0.5"}`, `s{v="2.0",quantile="1"}`},
		"application/openmetrics-text": {`h_bucket{le="-20.0"} 0`, `h_bucket{le="1.0"} 1`, `s{v="2.0",quantile="1.0"}`},
	} {
		page := answer(scrapehttp.Handler(reg, scrapehttp.WithShortBounds()), request("GET", "/metrics", "Accept", accept)).Body.String()
		for _, l := range labels {
			if !strings.Contains(page, "\n"+l) {
				t.Errorf("%s: no %s in\n%s", accept, l, page)
			}
		}
	}
	if page := answer(scrapehttp.Handler(reg), request("GET", "/metrics")).Body.String(); !strings.Contains(page, `h_bucket{le="1.0"} 1.0`) {
		t.Errorf("without the option:\n%s", page)
	}
}

func TestEmptyPageHasContentType(t *testing.T) {
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		w := answer(scrapehttp.Handler(telltale.NewRegistry()), request("GET", "/metrics", "Accept-Encoding", coding))
		wantStatus(t, w, 200)
		wantHeader(t, w, "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if compressed := coding != "identity"; w.Body.Len() > 0 != compressed {
			t.Errorf("%s: body %q", coding, w.Body) // an empty page is not empty when compressed
		}
		if page := decode(t, w); page != "" {
			t.Errorf("%s: page %q", coding, page)
		}
	}
}

// asked is a collector of one family that counts how often it is collected.
type asked struct {
	name string
	n    int
}

func (a *asked) family() *model.Family {
	return telltale.Must(model.NewFamily(a.name, "", model.Gauge))
}

func (a *asked) Describe() []*model.Family { return []*model.Family{a.family()} }

func (a *asked) Collect(_ context.Context, emit func(*model.Family) error) error {
	a.n++
	f := a.family()
	f.AddSample(a.name, nil, 7)
	return emit(f)
}

func TestHeadDoesNotCollect(t *testing.T) {
	c := &asked{name: "depth"}
	reg := shop(t)
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	h := scrapehttp.Handler(reg)
	accept := []string{"Accept", "application/openmetrics-text", "Accept-Encoding", "gzip"}
	head, get := answer(h, request("HEAD", "/metrics", accept...)), answer(h, request("GET", "/metrics", accept...))
	wantStatus(t, head, 200)
	if head.Body.Len() > 0 {
		t.Errorf("HEAD has body %q", head.Body)
	}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Vary"} {
		wantHeader(t, head, name, get.Header().Get(name))
	}
	if c.n != 1 {
		t.Errorf("collected %d times for one GET and one HEAD", c.n)
	}
}

func TestOtherMethods(t *testing.T) {
	c := &asked{name: "depth"}
	h := scrapehttp.Handler(c)
	w := answer(h, request("OPTIONS", "/metrics"))
	wantStatus(t, w, 204)
	wantHeader(t, w, "Allow", "GET, HEAD, OPTIONS")
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "BREW"} {
		w := answer(h, request(method, "/metrics"))
		wantStatus(t, w, 405)
		wantHeader(t, w, "Allow", "GET, HEAD, OPTIONS")
		if want := "405 Method Not Allowed: use GET, HEAD or OPTIONS\n"; w.Body.String() != want {
			t.Errorf("%s: body %q, want %q", method, w.Body, want)
		}
	}
	if c.n > 0 {
		t.Errorf("collected %d times", c.n)
	}
}

func TestNamesArePushedDown(t *testing.T) {
	const orders = "# HELP orders_total Orders taken.\n# TYPE orders_total counter\norders_total 42.0\n"
	const depth = "# HELP depth \n# TYPE depth gauge\ndepth 7.0\n"
	for _, test := range []struct {
		query, want string
		asked       int
	}{
		{"name[]=orders_total", orders, 0},
		{"name[]=orders", orders, 0},
		{"name%5B%5D=orders_total", orders, 0},
		{"name[]=depth", depth, 1},
		{"name[]=depth&name[]=orders_total", orders + depth, 1},
		{"name[]=&name[]=orders", orders, 0},
		{"name[]=nothing", "", 0},
		{"name[]=", shopPage + depth, 1},
		{"", shopPage + depth, 1},
		{"name=orders&x=y", shopPage + depth, 1},
	} {
		c := &asked{name: "depth"}
		reg := shop(t)
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
		w := answer(scrapehttp.Handler(reg), request("GET", "/metrics?"+test.query))
		wantStatus(t, w, 200)
		if w.Body.String() != test.want {
			t.Errorf("%s: got\n%swant\n%s", test.query, w.Body, test.want)
		}
		if c.n != test.asked {
			t.Errorf("%s: the collector was asked %d times, want %d", test.query, c.n, test.asked)
		}
	}
}

func TestRequestWithoutURL(t *testing.T) {
	r := request("GET", "/metrics")
	r.URL = nil
	if w := answer(scrapehttp.Handler(shop(t)), r); w.Body.String() != shopPage {
		t.Errorf("got %q", w.Body)
	}
}

func TestErrorTextTellsStrangersNothing(t *testing.T) {
	secret := errors.New("cannot reach db://root:secret@10.0.0.1")
	var told error
	for name, c := range map[string]telltale.Collector{
		"error": telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return secret }),
		"panic": telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic(secret.Error()) }),
	} {
		h := scrapehttp.Handler(c, scrapehttp.WithErrorHook(func(err error) { told = err }))
		w := answer(h, request("GET", "/metrics", "Accept-Encoding", "gzip"))
		wantStatus(t, w, 500)
		wantHeader(t, w, "Content-Encoding", "")
		if want := "500 Internal Server Error: the metrics could not be collected\n"; w.Body.String() != want {
			t.Errorf("%s: body %q, want %q", name, w.Body, want)
		}
		if told == nil || !strings.Contains(told.Error(), secret.Error()) {
			t.Errorf("%s: the hook heard %v", name, told)
		}
		told = nil
	}
}

func TestRegistryContainsFailures(t *testing.T) {
	reg := shop(t)
	panics := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic("x") })
	if err := reg.Register(panics); err != nil {
		t.Fatal(err)
	}
	w := answer(scrapehttp.Handler(reg), request("GET", "/metrics"))
	wantStatus(t, w, 200)
	if w.Body.String() != shopPage {
		t.Errorf("got %q", w.Body)
	}
}

// uncomparable is a collector that no registry would take.
type uncomparable struct{ values []float64 }

func (u uncomparable) Collect(_ context.Context, emit func(*model.Family) error) error {
	f := telltale.Must(model.NewFamily("sum", "", model.Gauge))
	f.AddSample("sum", nil, u.values[0])
	return emit(f)
}

func TestAnyCollectorIsServed(t *testing.T) {
	reg := shop(t)
	labelled := telltale.Must(telltale.Labelled(reg, map[string]string{"shop": "north"}))
	counter := telltale.Must(telltale.NewCounter("lone", "", telltale.Unregistered()))
	for want, c := range map[string]telltale.Collector{
		"orders_total 42.0\n":                 reg.Restricted("orders"),
		"orders_total{shop=\"north\"} 42.0\n": labelled,
		"lone_total 0.0\n":                    counter,
		"sum 3.0\n":                           uncomparable{[]float64{3}},
	} {
		if w := answer(scrapehttp.Handler(c), request("GET", "/metrics")); !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %q, want %q in it", w.Body, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a nil collector")
		}
	}()
	scrapehttp.Handler(nil)
}

// odd is a collector of a family with a sample that OpenMetrics cannot hold.
var odd = telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
	f := telltale.Must(model.NewFamily("odd", "", model.Gauge))
	f.AddSample("odd", nil, 1)
	f.AddSample("odd_one_out", nil, 2)
	return emit(f)
})

func TestHookHearsOfDrops(t *testing.T) {
	var drop *scrapehttp.DropError
	h := scrapehttp.Handler(odd, scrapehttp.WithErrorHook(func(err error) { errors.As(err, &drop) }))
	wantStatus(t, answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text")), 200)
	if drop == nil || drop.Drop.Family != "odd" || drop.Drop.Sample != "odd_one_out" || !strings.Contains(drop.Error(), `sample "odd_one_out" of family "odd"`) {
		t.Errorf("the hook heard %v", drop)
	}
}

// A hook that panics does not affect the page.
func TestHooksThatPanic(t *testing.T) {
	fails := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return errors.New("x") })
	for name, argument := range map[string]any{"error": errors.New("x"), "abort": http.ErrAbortHandler, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			opts := []scrapehttp.Option{scrapehttp.WithMaxInFlight(1), scrapehttp.WithErrorHook(func(error) {
				calls++
				panic(argument)
			})}
			h := scrapehttp.Handler(odd, opts...)
			for range 2 {
				w := answer(h, request("GET", "/metrics", "Accept", "application/openmetrics-text"))
				wantStatus(t, w, 200)
				if !strings.HasSuffix(w.Body.String(), "odd 1.0\n# EOF\n") {
					t.Errorf("page %q", w.Body)
				}
			}
			h = scrapehttp.Handler(fails, opts...)
			for range 2 {
				wantStatus(t, answer(h, request("GET", "/metrics")), 500)
			}
			if calls != 3 { // a drop is reported once
				t.Errorf("the hook was called %d times", calls)
			}
		})
	}
}
