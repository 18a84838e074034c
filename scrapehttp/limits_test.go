package scrapehttp_test

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/internal/patience"
	"telltale/model"
	"telltale/scrapehttp"
)

func TestRequestLimits(t *testing.T) {
	const tooLong = "431 Request Header Fields Too Large: the header "
	few := scrapehttp.WithQueryLimits(scrapehttp.QueryLimits{Parameters: 2, NameBytes: 5})
	none := scrapehttp.WithQueryLimits(scrapehttp.QueryLimits{Bytes: -1, Parameters: -1, NameBytes: -1})
	for _, test := range []struct {
		name, query string
		headers     []string
		opts        []scrapehttp.Option
		want        string // body; "" for the page
	}{
		{"query", "name[]=" + strings.Repeat("x", 1<<16), nil, nil, "400 Bad Request: the query is longer than 65536 bytes\n"},
		{"parameters", strings.Repeat("name[]=x&", 1024) + "name=", nil, nil, "400 Bad Request: the query has more than 1024 parameters\n"},
		{"most parameters", strings.Repeat("name[]=depth&", 1023) + "x=", nil, nil, ""},
		{"empty parameters", strings.Repeat("&", 1024), nil, nil, "400 Bad Request: the query has more than 1024 parameters\n"},
		{"name", "name[]=depth&name[]=" + strings.Repeat("x", 1025), nil, nil, "400 Bad Request: the query parameter name[] has a name longer than 1024 bytes\n"},
		{"longest name", "name[]=depth&name[]=" + strings.Repeat("%20", 1024), nil, nil, ""},
		{"escape", "name[]=%zz", nil, nil, "400 Bad Request: the query is malformed: invalid URL escape \"%zz\"\n"},
		{"semicolon", "name[]=depth;name[]=x", nil, nil, "400 Bad Request: the query is malformed: invalid semicolon separator in query\n"},
		{"not UTF-8", "name[]=%00%ff&name[]=depth", nil, nil, ""},
		{"few parameters", "a&b&c", nil, []scrapehttp.Option{few}, "400 Bad Request: the query has more than 2 parameters\n"},
		{"short names", "name[]=depths", nil, []scrapehttp.Option{few}, "400 Bad Request: the query parameter name[] has a name longer than 5 bytes\n"},
		{"no limits", strings.Repeat("name[]=depth&", 9000) + "name[]=" + strings.Repeat("x", 1<<20), nil, []scrapehttp.Option{none}, ""},
		{"Accept", "", []string{"Accept", strings.Repeat("a", 8193)}, nil, tooLong + "Accept is longer than 8192 bytes\n"},
		{"Accept in lines", "", slices.Repeat([]string{"Accept", "text/plain"}, 1000), nil, tooLong + "Accept is longer than 8192 bytes\n"},
		{"Accept-Encoding", "", []string{"Accept-Encoding", strings.Repeat(",", 8193)}, nil, tooLong + "Accept-Encoding is longer than 8192 bytes\n"},
		{"longest Accept", "", []string{"Accept", strings.Repeat("a", 8192), "Accept-Encoding", strings.Repeat(",", 8192)}, nil, ""},
		{"short Accept", "", []string{"Accept", "text/plain"}, []scrapehttp.Option{scrapehttp.WithMaxAccept(9)}, tooLong + "Accept is longer than 9 bytes\n"},
		{"Accept without limit", "", []string{"Accept", strings.Repeat("*/*;", 1<<18)}, []scrapehttp.Option{scrapehttp.WithMaxAccept(0)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &asked{name: "depth"}
			h := scrapehttp.Handler(c, test.opts...)
			want, n := test.want, 0
			if want == "" {
				want, n = "# HELP depth \n# TYPE depth gauge\ndepth 7.0\n", 1
			}
			w := answer(h, request("GET", "/metrics?"+test.query, test.headers...))
			if w.Body.String() != want || c.n != n {
				t.Errorf("body %.200q, want %q; collected %d times", w.Body, want, c.n)
			}
			if head := answer(h, request("HEAD", "/metrics?"+test.query, test.headers...)); head.Code != w.Code {
				t.Errorf("HEAD has status %d, GET %d", head.Code, w.Code)
			}
		})
	}
}

func TestScrapesInFlightAreLimited(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	blocking := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		begun <- struct{}{}
		<-release
		return nil
	})
	h := scrapehttp.Handler(blocking, scrapehttp.WithMaxInFlight(1), scrapehttp.WithTimeout(0))
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- answer(h, request("GET", "/metrics")) }()
	<-begun
	w := answer(h, request("GET", "/metrics", "Accept-Encoding", "gzip"))
	wantStatus(t, w, 503)
	wantHeader(t, w, "Retry-After", "1")
	wantHeader(t, w, "Content-Encoding", "")
	if want := "503 Service Unavailable: too many scrapes at once\n"; w.Body.String() != want {
		t.Errorf("body %q, want %q", w.Body, want)
	}
	wantStatus(t, answer(h, request("HEAD", "/metrics")), 200)
	close(release)
	wantStatus(t, <-first, 200)
	go func() { <-begun }()
	wantStatus(t, answer(h, request("GET", "/metrics")), 200)
}

// Past the deadline the page has what there is.
func TestDeadlineGivesPartialResults(t *testing.T) {
	for name, h := range map[string]struct {
		timeout time.Duration
		header  string
	}{
		"of the scraper":        {time.Hour, "0.01"},
		"of the option":         {time.Millisecond, ""},
		"with malformed header": {time.Millisecond, "soon"},
		"with negative header":  {time.Millisecond, "-1"},
		"with NaN":              {time.Millisecond, "NaN"},
		"with Inf":              {time.Millisecond, "+Inf"},
		"with a trifle":         {time.Hour, "1e-300"},
	} {
		t.Run(name, func(t *testing.T) {
			reg := shop(t)
			hangs := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
				f := telltale.Must(model.NewFamily("early", "", model.Gauge))
				f.AddSample("early", nil, 1)
				if err := emit(f); err != nil {
					return err
				}
				<-ctx.Done()
				return ctx.Err()
			})
			if err := reg.Register(hangs); err != nil {
				t.Fatal(err)
			}
			r := request("GET", "/metrics")
			if h.header != "" {
				r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", h.header)
			}
			w := answer(scrapehttp.Handler(reg, scrapehttp.WithTimeout(h.timeout)), r)
			wantStatus(t, w, 200)
			if !strings.HasPrefix(w.Body.String(), shopPage) {
				t.Errorf("got %q", w.Body)
			}
		})
	}
}

func TestScrapersChooseTheirTimeoutWithinBounds(t *testing.T) {
	const none = time.Duration(-1) // no deadline
	noTimeout := []scrapehttp.Option{scrapehttp.WithTimeout(0)}
	for _, test := range []struct {
		name    string
		headers []string
		want    time.Duration
		opts    []scrapehttp.Option
	}{
		{"no header", nil, scrapehttp.DefaultTimeout, nil},
		{"usual", []string{"10"}, 9500 * time.Millisecond, nil},
		{"short", []string{"2"}, 1800 * time.Millisecond, nil},
		{"with a fraction", []string{"3.0"}, 2700 * time.Millisecond, nil},
		{"longer than the handler's own", []string{"60"}, 59500 * time.Millisecond, nil},
		{"at the floor", []string{"0.5"}, scrapehttp.DefaultShortestTimeout, nil},
		{"below the floor", []string{"0.001"}, scrapehttp.DefaultShortestTimeout, nil},
		{"next to nothing", []string{"5e-324"}, scrapehttp.DefaultShortestTimeout, nil},
		{"below a floor of its own", []string{"1"}, 3 * time.Second, []scrapehttp.Option{scrapehttp.WithTimeoutRange(3*time.Second, 0)}},
		{"no floor", []string{"0.01"}, 9 * time.Millisecond, []scrapehttp.Option{scrapehttp.WithTimeoutRange(0, 0)}},
		{"floor above the handler's own", []string{"0.001"}, time.Millisecond, []scrapehttp.Option{scrapehttp.WithTimeout(time.Millisecond)}},
		{"ten minutes", []string{"600"}, scrapehttp.DefaultLongestTimeout, nil},
		{"huge", []string{"1e100"}, scrapehttp.DefaultLongestTimeout, nil},
		{"a day at most", []string{"1e100"}, 24 * time.Hour, []scrapehttp.Option{scrapehttp.WithTimeoutRange(0, 24*time.Hour)}},
		{"no lengthening", []string{"60"}, scrapehttp.DefaultTimeout, []scrapehttp.Option{scrapehttp.WithTimeoutRange(0, 0)}},
		{"own beyond the longest", []string{"600"}, 599500 * time.Millisecond, []scrapehttp.Option{scrapehttp.WithTimeout(time.Hour)}},
		{"no timeout", nil, none, noTimeout},
		{"no timeout but the scraper's", []string{"3600"}, 3599500 * time.Millisecond, noTimeout},
		{"none at all", []string{"1e300"}, none, noTimeout},
		{"as long as a duration is", []string{"9223372036.9"}, none, noTimeout},
		{"text", []string{"x"}, scrapehttp.DefaultTimeout, nil},
		{"empty", []string{""}, scrapehttp.DefaultTimeout, nil},
		{"zero", []string{"0"}, scrapehttp.DefaultTimeout, nil},
		{"negative zero", []string{"-0"}, scrapehttp.DefaultTimeout, nil},
		{"negative", []string{"-5"}, scrapehttp.DefaultTimeout, nil},
		{"NaN", []string{"NaN"}, scrapehttp.DefaultTimeout, nil},
		{"infinite", []string{"+Inf"}, scrapehttp.DefaultTimeout, nil},
		{"out of range", []string{"1e400"}, scrapehttp.DefaultTimeout, nil},
		{"too small to be told", []string{"1e-400"}, scrapehttp.DefaultTimeout, nil},
		{"list", []string{"5,6"}, scrapehttp.DefaultTimeout, nil},
		{"long", []string{strings.Repeat("0", 1<<20) + "5"}, scrapehttp.DefaultTimeout, nil},
		{"twice", []string{"5", "6"}, scrapehttp.DefaultTimeout, nil},
		{"often", slices.Repeat([]string{"5"}, 1000), scrapehttp.DefaultTimeout, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where no deadline passes while anything goes on
				deadline := time.Time{}
				c := telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
					deadline, _ = ctx.Deadline()
					return nil
				})
				r := request("GET", "/metrics")
				r.Header["X-Prometheus-Scrape-Timeout-Seconds"] = test.headers
				began := time.Now()
				wantStatus(t, answer(scrapehttp.Handler(c, test.opts...), r), 200)
				if got := deadline.Sub(began); test.want == none && !deadline.IsZero() || test.want != none && got != test.want {
					t.Errorf("deadline %v after the request, want %v", got, test.want)
				}
			})
		})
	}
}

// What a scraper asks for is not the handler's own timeout.
func TestHandlersOwnTimeoutIsCarried(t *testing.T) {
	for own, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, 3 * time.Hour: 3 * time.Hour, time.Millisecond: time.Millisecond, 0: math.MaxInt64, -1: math.MaxInt64,
	} {
		for _, header := range []string{"", "0.001", "5", "600", "x"} {
			var got time.Duration
			c := telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
				got, _ = patience.Of(ctx)
				return nil
			})
			synctest.Test(t, func(t *testing.T) {
				answer(scrapehttp.Handler(c, scrapehttp.WithTimeout(own)), request("GET", "/metrics", "X-Prometheus-Scrape-Timeout-Seconds", header))
				if got != want {
					t.Errorf("timeout %v, header %q: %v is carried, want %v", own, header, got, want)
				}
			})
		}
	}
}

// discard is a response writer that keeps no body.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// What a scrape allocates depends neither on families nor on series.
func TestScrapeAllocatesAConstant(t *testing.T) {
	small, big := scrapehttp.Handler(filled(t, 10)), scrapehttp.Handler(filled(t, 10_000))
	allocations := func(h http.Handler, coding string) float64 {
		r := request("GET", "/metrics", "Accept-Encoding", coding)
		least := math.Inf(1)
		for range 5 { // a garbage collection empties the pools, and other goroutines allocate, too
			least = min(least, testing.AllocsPerRun(4, func() { h.ServeHTTP(&discard{http.Header{}}, r) }))
		}
		return least
	}
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		few, many := allocations(small, coding), allocations(big, coding)
		t.Logf("%s: %v allocations for 10 series, %v for 10000", coding, few, many)
		if many > few+20 {
			t.Errorf("%s: %v allocations for 10 series, %v for 10000", coding, few, many)
		}
	}
}

// Buffers and compressors are used again.
func TestScrapeAllocatesLittle(t *testing.T) {
	h := scrapehttp.Handler(filled(t, 2_000))
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		r := request("GET", "/metrics", "Accept-Encoding", coding)
		least := uint64(math.MaxUint64)
		for range 20 { // a garbage collection may empty the pools before one of them
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h.ServeHTTP(&discard{http.Header{}}, r)
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		t.Logf("%s: %d bytes", coding, least)
		if least > 32<<10 {
			t.Errorf("%s: a scrape allocates %d bytes", coding, least)
		}
	}
}
