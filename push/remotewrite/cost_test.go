package remotewrite_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"testing"

	"telltale"
	"telltale/push/remotewrite"
)

// taking is a client's transport that takes all requests.
type taking struct{ requests, bytes int }

func (c *taking) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests++
	c.bytes += int(r.ContentLength)
	h := http.Header{"X-Prometheus-Remote-Write-Samples-Written": {"1000000"}}
	return &http.Response{StatusCode: http.StatusNoContent, Header: h, Body: http.NoBody, Request: r}, nil
}

// many returns a registry of counters with three labels.
func many(series int) *telltale.Registry {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"method", "path", "code"}, telltale.In(reg), telltale.WithSeriesLimit(0)))
	for i := range series {
		v.With([]string{"GET", "POST", "PUT"}[i%3], fmt.Sprintf("/things/%d", i/30), fmt.Sprint(200+i/3%10)).Add(float64(i))
	}
	return reg
}

func pushing(t testing.TB, series int) (push func(), c *taking) {
	t.Helper()
	c = &taking{}
	target, err := remotewrite.NewTarget("localhost", remotewrite.WithClient(&http.Client{Transport: c}), remotewrite.WithLabels(map[string]string{"job": "shop", "instance": "shop-7"}))
	if err != nil {
		t.Fatal(err)
	}
	reg := many(series)
	return func() {
		if err := target.Push(context.Background(), reg); err != nil {
			t.Fatal(err)
		}
	}, c
}

// A push allocates by its requests, not by its series.
func TestAllocations(t *testing.T) {
	const series = 20_000
	push, c := pushing(t, series)
	push()
	allocs, requests := math.Inf(1), 0.0
	for range 5 { // the least: collections of garbage, and the race detector, empty pools
		before := c.requests
		allocs = min(allocs, testing.AllocsPerRun(1, push))
		requests = float64(c.requests-before) / 2
	}
	if most := 100 + 60*requests; allocs > most {
		t.Errorf("%v allocations for %v requests of %d series, want %v at most", allocs, requests, series, most)
	}
}

// BenchmarkPush has what a push of 100,000 counters takes, with compression and without
// a network.
func BenchmarkPush(b *testing.B) {
	const series = 100_000
	push, c := pushing(b, series)
	push()
	before := c.bytes
	b.ReportAllocs()
	for b.Loop() {
		push()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/series, "ns/series")
	b.ReportMetric(float64(c.bytes-before)/float64(b.N)/series, "B/series")
}
