package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/live"
	"telltale/model"
)

// data is an answer of the handler.
type data struct {
	Time        float64
	Definitions string
	Index       []struct {
		Name, Sample, Type, Help, Unit string
		Labels                         []string
	}
	Series  []int
	LeftOut struct{ Families, Series int } `json:"left_out"`
	Faults  [][]any
	Points  []struct {
		Family int
		Points []map[string]any
	}
}

func do(t testing.TB, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return w
}

// read reads the data with the points of families.
func read(t testing.TB, h http.Handler, known string, families ...string) data {
	t.Helper()
	w := do(t, h, "GET", "/live/data?"+url.Values{"known": {known}, "family": families}.Encode())
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %s", w.Code, w.Header(), w.Body)
	}
	var d data
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return d
}

func labelsOf(p map[string]any) string { return fmt.Sprint(p["l"]) }

func TestPage(t *testing.T) {
	h := live.Handler(telltale.NewRegistry())
	for target, contentType := range map[string]string{
		"/": "text/html; charset=utf-8", "/live/": "text/html; charset=utf-8", "/live/main.js": "text/javascript; charset=utf-8",
		"/live/style.css": "text/css; charset=utf-8", "/live/uplot.license.txt": "text/plain; charset=utf-8",
	} {
		w := do(t, h, "GET", target)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != contentType || w.Body.Len() == 0 {
			t.Errorf("%s: %d %q", target, w.Code, w.Header().Get("Content-Type"))
		}
		if head := do(t, h, "HEAD", target); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d, %d bytes", target, head.Code, head.Body.Len())
		}
	}
	for _, target := range []string{"/live/nothing", "/live/page", "/live/..%2fdoc.go", "/live"} {
		if w := do(t, h, "GET", target); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	first := do(t, h, "GET", "/main.js")
	r := httptest.NewRequest("GET", "/main.js", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	again := httptest.NewRecorder()
	h.ServeHTTP(again, r)
	if again.Code != http.StatusNotModified {
		t.Errorf("a file that the browser has: %d", again.Code)
	}
}

// Whatever is answered allows the browser nothing but the page's own files.
func TestPolicy(t *testing.T) {
	h := live.Handler(telltale.NewRegistry())
	for _, target := range []string{"/", "/main.js", "/data", "/none", "/data?family=%zz"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			header := do(t, h, method, target).Header()
			policy := header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("%s %s: no %s in %q", method, target, want, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: %v", method, target, header)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	c := &counting{}
	h := live.Handler(c)
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "X"} {
		for _, target := range []string{"/", "/data"} {
			if w := do(t, h, method, target); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, target, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	if w := do(t, h, "HEAD", "/data"); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
	if n := c.runs.Load(); n != 0 {
		t.Errorf("%d collections", n)
	}
}

func TestQueries(t *testing.T) {
	c := &counting{}
	h := live.Handler(c, live.WithMaxAsked(2), live.WithMaxQuery(100))
	for query, want := range map[string]int{
		"family=a&family=b":            http.StatusOK,
		"family=a&family=b&family=c":   http.StatusBadRequest,
		"family=%zz":                   http.StatusBadRequest,
		"x=" + strings.Repeat("y", 99): http.StatusRequestURITooLong,
	} {
		if w := do(t, h, "GET", "/data?"+query); w.Code != want {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

// counting is a collector that counts how often it runs.
type counting struct {
	runs  atomic.Int64
	block chan struct{} // if not nil, it waits for it
	err   error
}

func (c *counting) Collect(ctx context.Context, emit func(*model.Family) error) error {
	n := c.runs.Add(1)
	if c.block != nil {
		select {
		case <-c.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.err != nil {
		return c.err
	}
	for _, name := range []string{"runs", "other"} {
		f := telltale.Must(model.NewGaugeFamily(name, "How often.", model.WithValue(float64(n))))
		if err := emit(f.Family()); err != nil {
			return err
		}
	}
	return nil
}

// However many read, it is collected once an interval; nobody reading, never.
func TestCollectionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		h := live.Handler(c, live.WithMaxInFlight(1000))
		began := time.Now()
		for range 5 { // 5 readers a tenth of a second apart, each as often as it can
			var all sync.WaitGroup
			for i := range 40 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					for range 10 {
						if d := read(t, h, "", "runs"); len(d.Points) != 1 || len(d.Points[0].Points) != 1 {
							t.Errorf("points %v", d.Points)
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
			all.Wait()
		}
		seconds := int64(time.Since(began)/time.Second) + 1
		if n := c.runs.Load(); n > seconds || n < seconds/2 {
			t.Errorf("%d collections in %d seconds", n, seconds)
		}
		time.Sleep(time.Minute)
		before := c.runs.Load()
		time.Sleep(time.Hour)
		if n := c.runs.Load(); n != before {
			t.Errorf("%d collections without a reader", n-before)
		}
		if d := read(t, h, "", "runs"); d.Points[0].Points[0]["v"] != float64(before+1) {
			t.Errorf("after an hour: %v, not collection %d", d.Points, before+1)
		}
	})
}

// A reader who asks for a family that nobody has asked for waits for the next
// collection, which has the others' too.
func TestFamiliesOfAllReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		h := live.Handler(c)
		read(t, h, "", "runs")
		began := time.Now()
		d := read(t, h, "", "other", "runs")
		if len(d.Points) != 2 || c.runs.Load() != 2 || time.Since(began) != time.Second {
			t.Errorf("points %v after %d collections and %v", d.Points, c.runs.Load(), time.Since(began))
		}
		if d := read(t, h, "", "runs"); len(d.Points) != 1 || c.runs.Load() != 2 {
			t.Errorf("points %v after %d collections", d.Points, c.runs.Load())
		}
	})
}

// Names that nobody asks for any more give their room back.
func TestRoomForAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.Handler(&counting{}, live.WithMaxAsked(2))
		for i := range 8 {
			read(t, h, "", fmt.Sprint("a", i), fmt.Sprint("b", i))
		}
		if d := read(t, h, "", "runs"); len(d.Points) != 0 {
			t.Errorf("%d names were asked for, and there is room: %v", 16, d.Points)
		}
		time.Sleep(11 * time.Second)
		if d := read(t, h, "", "runs"); len(d.Points) != 1 {
			t.Errorf("no points of the only name that is asked for: %v", d.Points)
		}
	})
}

// A family is collected for a reader who waits longer for the collection than what is
// asked for is kept without being asked for again.
func TestFamiliesWithALongInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		h := live.Handler(c, live.WithInterval(time.Minute))
		read(t, h, "", "runs")
		time.Sleep(time.Second)
		if d := read(t, h, "", "other"); len(d.Points) != 1 || c.runs.Load() != 2 {
			t.Errorf("points %v after %d collections", d.Points, c.runs.Load())
		}
		time.Sleep(time.Hour) // until what was collected is released
	})
}

// Readers who ask for different things share the collections, too.
func TestCollectionsOfDifferentReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		h := live.Handler(c, live.WithMaxInFlight(1000))
		began := time.Now()
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				for j := range 10 {
					name := fmt.Sprint("f", i, "-", j)
					do(t, h, "GET", "/data?"+[]string{"family=" + name, "labels=" + name, "writers", "known=" + name}[(i+j)%4])
				}
			})
		}
		all.Wait()
		if n, most := c.runs.Load(), int64(time.Since(began)/time.Second)+1; n > most {
			t.Errorf("%d collections in %v", n, time.Since(began))
		}
		time.Sleep(time.Minute)
	})
}

// What is asked for more than once is sent once.
func TestRepeatedFamilies(t *testing.T) {
	h := live.Handler(&counting{}, live.WithMaxAsked(4))
	w := do(t, h, "GET", "/data?family=runs&family=runs&labels=runs&labels=runs")
	for _, of := range []string{`"points":[{"family"`, `"label_values":[{"family"`} {
		if body := w.Body.String(); strings.Count(body, of) != 1 || strings.Count(body, `{"family"`) != 2 {
			t.Errorf("%d %s", w.Code, body)
		}
	}
}

// Pages of other sites cause no collection.
func TestOtherSites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		h := live.Handler(c)
		ask := func(target, site string) int {
			r := httptest.NewRequest("GET", target, nil)
			if site != "" {
				r.Header.Set("Sec-Fetch-Site", site)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		for _, site := range []string{"cross-site", "same-site"} {
			if got := ask("/live/data", site); got != http.StatusForbidden || c.runs.Load() != 0 {
				t.Errorf("%s: %d, and %d collections", site, got, c.runs.Load())
			}
			if got := ask("/live/", site); got != http.StatusOK { // a link there may be followed
				t.Errorf("the page, %s: %d", site, got)
			}
		}
		for _, site := range []string{"", "same-origin", "none"} {
			if got := ask("/live/data", site); got != http.StatusOK {
				t.Errorf("%q: %d", site, got)
			}
		}
		time.Sleep(time.Minute) // until what was collected is released
	})
}

func TestRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{block: make(chan struct{})}
		h := live.Handler(c, live.WithMaxInFlight(2))
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { read(t, h, "", "runs") })
		}
		synctest.Wait()
		if w := do(t, h, "GET", "/data"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("a third reader: %d %v", w.Code, w.Header())
		}
		close(c.block)
		all.Wait()
		if d := read(t, h, "", "runs"); len(d.Points) != 1 || c.runs.Load() != 1 {
			t.Errorf("%v after %d collections", d.Points, c.runs.Load())
		}
	})
}

// A reader who leaves does not end the collection that others wait for.
func TestReadersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{block: make(chan struct{})}
		h := live.Handler(c)
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/data", nil))
		})
		synctest.Wait()
		all.Go(func() {
			if d := read(t, h, "", "runs"); len(d.Points) != 1 {
				t.Errorf("points %v", d.Points)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(c.block)
		all.Wait()
	})
}

// Failures are told to the hook, without details to the reader, and are not
// tried again at once.
func TestFailures(t *testing.T) {
	for name, collector := range map[string]func() telltale.Collector{
		"error": func() telltale.Collector { return &counting{err: errors.New("secret")} },
		"hung":  func() telltale.Collector { return &counting{block: make(chan struct{})} },
		"panic": func() telltale.Collector {
			return telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic("secret") })
		},
		"exit": func() telltale.Collector {
			return telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
				runtime.Goexit()
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told atomic.Int64
				h := live.Handler(collector(), live.WithErrorHook(func(error) { told.Add(1); panic("hook") }))
				for range 3 {
					if w := do(t, h, "GET", "/data"); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") {
						t.Errorf("%d %s", w.Code, w.Body)
					}
				}
				if name != "hung" && told.Load() != 1 || told.Load() < 1 {
					t.Errorf("the hook was called %d times", told.Load())
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// Readers get their answers whatever the hook does.
func TestHookThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.Handler(&counting{err: errors.New("failed")}, live.WithErrorHook(func(error) { runtime.Goexit() }))
		for range 2 {
			if w := do(t, h, "GET", "/data"); w.Code != http.StatusServiceUnavailable {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestHandlerOfNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	live.Handler(nil)
}

func TestIndexIsSentOnce(t *testing.T) {
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"code"}, telltale.In(reg)))
	h := live.Handler(reg, live.WithInterval(time.Nanosecond))
	c.With("200").Add(2.5)
	synced := func(known string, families ...string) data { return read(t, h, known, families...) }
	d := synced("", "requests")
	if len(d.Index) != 1 || d.Index[0].Name != "requests" || d.Index[0].Sample != "requests_total" || d.Index[0].Type != "counter" || fmt.Sprint(d.Index[0].Labels) != "[code]" {
		t.Fatalf("index %+v", d.Index)
	}
	if again := synced(d.Definitions); len(again.Index) != 0 || fmt.Sprint(again.Series) != "[1]" || len(again.Points) != 0 {
		t.Errorf("a reader who has the index gets %+v", again)
	}
	telltale.Must(telltale.NewGauge("depth", "", telltale.In(reg)))
	later := synced(d.Definitions)
	for end := time.Now().Add(time.Minute); later.Definitions == d.Definitions && time.Now().Before(end); later = synced(d.Definitions) {
		time.Sleep(time.Millisecond) // the collection before may be shown still
	}
	if len(later.Index) != 2 {
		t.Errorf("after another family was made: %+v", later)
	}
}

func TestNumbers(t *testing.T) {
	reg := telltale.NewRegistry()
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg)))
	values := []float64{0, -1.5, 1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1), 1 << 53}
	for i, v := range values {
		g.With(fmt.Sprint(i)).Set(v)
	}
	got := read(t, live.Handler(reg), "", "g").Points[0].Points
	for i, v := range values {
		want := any(v)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			want = model.FormatValue(v)
		}
		if got[i]["v"] != want {
			t.Errorf("%v is sent as %v", v, got[i]["v"])
		}
	}
}
