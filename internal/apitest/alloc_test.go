package apitest

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"
	"time"

	"telltale"
)

// budget fails the test if f allocates more than it may. A garbage collection in
// between empties pools, so the least of a few tries counts.
func budget(t *testing.T, what string, most float64, f func()) {
	t.Helper()
	if got := least(100, f); got > most {
		t.Errorf("%s: %v allocations, want at most %v", what, got, most)
	}
}

func least(runs int, f func()) float64 {
	got := testing.AllocsPerRun(runs, f)
	for range 4 {
		got = min(got, testing.AllocsPerRun(runs, f))
	}
	return got
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	alone := telltale.Unregistered()
	c := telltale.Must(telltale.NewCounter("c", "", alone))
	g := telltale.Must(telltale.NewGauge("g", "", alone))
	h := telltale.Must(telltale.NewHistogram("h", "", alone))
	s := telltale.Must(telltale.NewSummary("s", "", alone))
	native := telltale.Must(telltale.NewHistogram("native", "", alone, telltale.WithNativeBuckets(1.1)))
	both := telltale.Must(telltale.NewHistogram("both", "", alone, telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1, 2)))
	rendered := telltale.Must(telltale.NewHistogram("rendered", "", alone, telltale.WithNativeBuckets(1.1, telltale.WithNativeClassicBuckets(1, 2))))
	quantiles := telltale.Must(telltale.NewSummary("quantiles", "", alone, telltale.WithQuantiles(0.5, 0.99), telltale.WithMaxAge(time.Hour), telltale.WithAgeBuckets(1)))
	e := telltale.Must(telltale.NewEnum("e", "", []string{"on", "off"}, alone))
	v := telltale.Must(telltale.NewCounterVec("v", "", []string{"method", "path", "code"}, alone))
	get := curry(t, v, "method", "GET")
	of := telltale.Must(telltale.NewCounterOf[route]("of", "", alone))
	hv := telltale.Must(telltale.NewHistogramVec("hv", "", []string{"method", "path"}, alone))
	eight := telltale.Must(telltale.NewCounterOf[struct{ A, B, C, D, E, F, G, H int }]("eight", "", alone))
	byName := map[string]string{"method": "GET", "path": "/", "code": "200"}
	path, code := fmt.Sprint("/some/", "path"), 404
	value := 0.25
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"Counter.Inc", c.Inc},
		{"Counter.Add, whole", func() { c.Add(3) }},
		{"Counter.Add, fraction", func() { c.Add(value) }},
		{"Counter.Value", func() { _ = c.Value() }},
		{"Gauge.Set", func() { g.Set(value) }},
		{"Gauge.Add", func() { g.Add(value) }},
		{"Gauge.SetToCurrentTime", g.SetToCurrentTime},
		{"Histogram.Observe", func() { h.Observe(value) }},
		{"Histogram.Observe, native", func() { native.Observe(value) }},
		{"Histogram.Observe, native and classic", func() { both.Observe(value) }},
		{"Histogram.Observe, native with rendered classic", func() { rendered.Observe(value) }},
		{"Summary.Observe", func() { s.Observe(value) }},
		{"Summary.Observe, quantiles", func() { quantiles.Observe(value) }},
		{"Enum.Set", func() { _ = e.Set("off") }},
		{"Timer", func() { h.Start().Stop() }},
		{"With by position", func() { v.With("GET", path, "200").Inc() }},
		{"With by name", func() { v.WithLabels(byName).Inc() }},
		{"With curried", func() { get.With(path, "200").Inc() }},
		{"With typed", func() { of.With(route{"GET", path, code}).Inc() }},
		{"With typed, eight labels", func() { eight.With(struct{ A, B, C, D, E, F, G, H int }{1, 2, 3, 4, 5, 6, 7, 8}).Inc() }},
		{"With of a histogram", func() { hv.With("GET", path).Observe(value) }},
		{"With of values to escape", func() { v.With("GET", "a\"b\n", "200").Inc() }},
	} {
		tt.f() // the first call may allocate
		budget(t, tt.name, 0, tt.f)
	}
}

// A scrape allocates as much for many series as for few, and almost as much for
// many families as for few.
func TestScrapeAllocatesNeitherBySeriesNorByFamily(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	scrape := func(families, series int) func() {
		reg := telltale.NewRegistry()
		in := telltale.In(reg)
		labels := []string{"l", "m"}
		for i := range families {
			name := fmt.Sprintf("f%d", i)
			c := telltale.Must(telltale.NewCounterVec(name+"c", "", labels, in))
			g := telltale.Must(telltale.NewGaugeVec(name+"g", "", labels, in))
			h := telltale.Must(telltale.NewHistogramVec(name+"h", "", labels, in))
			s := telltale.Must(telltale.NewSummaryVec(name+"s", "", labels, in))
			nh := telltale.Must(telltale.NewHistogramVec(name+"n", "", labels, in, telltale.WithNativeBuckets(1.1, telltale.WithNativeClassicBuckets(0.5, 1, 2))))
			q := telltale.Must(telltale.NewSummaryVec(name+"q", "", labels, in, telltale.WithQuantiles(0.5)))
			n := telltale.Must(telltale.NewInfoVec(name+"i", "", labels, in))
			e := telltale.Must(telltale.NewEnumVec(name+"e", "", []string{"on", "off"}, labels, in))
			for j := range series {
				l := fmt.Sprint(j)
				c.With(l, "x").Add(0.5)
				g.With(l, "x").Set(1e100)
				h.With(l, "x").Observe(1)
				s.With(l, "x").Observe(1)
				nh.With(l, "x").Observe(1)
				q.With(l, "x").Observe(1)
				n.With(l, "x")
				e.With(l, "x")
			}
		}
		return func() {
			if err := telltale.WriteLatest(context.Background(), io.Discard, reg); err != nil {
				t.Error(err)
			}
		}
	}
	const runs, few, slack = 5, 3, 8 // for lists and maps that grow with the families
	small := least(runs, scrape(few, few))
	t.Logf("a scrape makes %v allocations", small)
	for what, f := range map[string]func(){"series": scrape(few, 1000), "families": scrape(300, few)} {
		if large := least(runs, f); large > small+slack {
			t.Errorf("with many %s a scrape makes %v allocations, with few %v", what, large, small)
		}
	}
}

// New series cost only the memory of their text, their words and their place in
// the index.
func TestSeriesMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory")
	}
	const n = 100_000
	for _, tt := range []struct {
		name string
		most int64
		make func() any
	}{
		{"counter of 3 labels", 160, func() any {
			v := telltale.Must(telltale.NewCounterVec("http_requests", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
			for i := range n {
				v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200").Inc()
			}
			return v
		}},
		{"histogram of 11 buckets", 350, func() any {
			v := telltale.Must(telltale.NewHistogramVec("http_latency", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
			for i := range n {
				v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200").Observe(1)
			}
			return v
		}},
		{"native histogram of 20 buckets", 1200, func() any {
			v := telltale.Must(telltale.NewHistogramVec("http_latency", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0), telltale.WithNativeBuckets(1.1)))
			for i := range n {
				h := v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200")
				for j := range 20 {
					h.Observe(math.Exp2(float64(j) / 8))
				}
			}
			return v
		}},
		{"native histogram before the first observation", 280, func() any {
			v := telltale.Must(telltale.NewHistogramVec("http_latency", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0), telltale.WithNativeBuckets(1.1)))
			for i := range n {
				v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200")
			}
			return v
		}},
	} {
		before := liveHeap()
		kept := tt.make()
		each := (liveHeap() - before) / n
		runtime.KeepAlive(kept)
		t.Logf("%s: %d bytes", tt.name, each)
		if each > tt.most {
			t.Errorf("%s: %d bytes, want at most %d", tt.name, each, tt.most)
		}
	}
}
