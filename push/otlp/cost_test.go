package otlp_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"testing"

	"telltale"
	"telltale/push/otlp"
)

// taking is a client's transport that takes all requests.
type taking struct{ requests, bytes int }

func (c *taking) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests++
	c.bytes += int(r.ContentLength)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// many returns a registry of counters with three labels.
func many(series int) *telltale.Registry {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"service.name": "shop"}))
	v := telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"method", "path", "code"}, telltale.In(reg), telltale.WithSeriesLimit(0)))
	for i := range series {
		v.With([]string{"GET", "POST", "PUT"}[i%3], fmt.Sprintf("/things/%d", i/30), fmt.Sprint(200+i/3%10)).Add(float64(i))
	}
	return reg
}

// natives returns a registry of native histograms.
func natives(series int) *telltale.Registry {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewHistogramVec("size", "Sizes.", []string{"path"}, telltale.In(reg), telltale.WithNativeSchema(3)))
	for i := range series {
		h := v.With(fmt.Sprintf("/things/%d", i))
		for n := range 40 {
			h.Observe(float64(n * i))
		}
	}
	return reg
}

func pushing(t testing.TB, c telltale.Collector, opts ...otlp.TargetOption) (push func(), to *taking) {
	t.Helper()
	to = &taking{}
	target, err := otlp.NewTarget("localhost", append(opts, otlp.WithClient(&http.Client{Transport: to}))...)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := target.Push(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}, to
}

// A push allocates by its requests, not by its series.
func TestAllocations(t *testing.T) {
	for name, c := range map[string]telltale.Collector{"counters": many(20_000), "native histograms": natives(1000)} {
		push, to := pushing(t, c, otlp.WithMaxBytes(1<<20))
		push()
		allocs, requests := math.Inf(1), 0.0
		for range 5 { // the least: collections of garbage, and the race detector, empty pools
			before := to.requests
			allocs = min(allocs, testing.AllocsPerRun(1, push))
			requests = float64(to.requests-before) / 2
		}
		if most := 100 + 60*requests; allocs > most {
			t.Errorf("%s: %v allocations for %v requests, want %v at most", name, allocs, requests, most)
		}
	}
}

// BenchmarkPush has what a push of 100,000 counters, or of 10,000 native histograms,
// takes without a network.
func BenchmarkPush(b *testing.B) {
	for _, test := range []struct {
		name   string
		series int
		of     func(int) *telltale.Registry
		opts   []otlp.TargetOption
	}{
		{"counters/plain", 100_000, many, []otlp.TargetOption{otlp.WithoutGzip()}},
		{"counters/gzip", 100_000, many, nil},
		{"natives/plain", 10_000, natives, []otlp.TargetOption{otlp.WithoutGzip()}},
	} {
		b.Run(test.name, func(b *testing.B) {
			push, to := pushing(b, test.of(test.series), test.opts...)
			push()
			before := to.bytes
			b.ReportAllocs()
			for b.Loop() {
				push()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(test.series), "ns/series")
			b.ReportMetric(float64(to.bytes-before)/float64(b.N)/float64(test.series), "B/series")
		})
	}
}
