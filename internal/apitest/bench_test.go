package apitest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
)

type route struct {
	Method string `label:"method"`
	Path   string `label:"path"`
	Code   int    `label:"code"`
}

func BenchmarkFloorInc(b *testing.B) {
	w := new(atomic.Uint64)
	for b.Loop() {
		w.Add(1)
	}
}

func BenchmarkCounterInc(b *testing.B) {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	for b.Loop() {
		c.Inc()
	}
}

func BenchmarkCounterAddFraction(b *testing.B) {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	for b.Loop() {
		c.Add(0.5)
	}
}

func BenchmarkCounterAddFractionContended(b *testing.B) {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add(0.5)
		}
	})
}

// Contended counting, after collections have detected the contention.
func BenchmarkCounterIncContended(b *testing.B) {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	for range 3 {
		concurrently(1<<17, c.Inc)
		if err := telltale.WriteLatest(context.Background(), io.Discard, c); err != nil {
			b.Fatal(err)
		}
		concurrently(1<<17, c.Inc)
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

func BenchmarkFloorIncContended(b *testing.B) {
	w := new(atomic.Uint64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.Add(1)
		}
	})
}

// concurrently calls f the given number of times in each of a few goroutines.
func concurrently(times int, f func()) {
	var all sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for range times {
				f()
			}
		})
	}
	all.Wait()
}

func BenchmarkGaugeSet(b *testing.B) {
	g := telltale.Must(telltale.NewGauge("g", "", telltale.Unregistered()))
	for b.Loop() {
		g.Set(1.5)
	}
}

func BenchmarkHistogramObserve(b *testing.B) {
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered()))
	i := 0
	for b.Loop() {
		h.Observe(float64(i&1023) / 100)
		i++
	}
}

func BenchmarkHistogramObserveContended(b *testing.B) {
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered()))
	b.RunParallel(func(pb *testing.PB) {
		i := 0
		for pb.Next() {
			h.Observe(float64(i&1023) / 100)
			i++
		}
	})
}

func BenchmarkWithByPosition(b *testing.B) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"method", "path", "code"}, telltale.Unregistered()))
	paths := make([]string, 1000)
	for i := range paths {
		paths[i] = fmt.Sprintf("/api/v1/resource/%05d", i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		v.With("GET", paths[i%1000], "200").Inc()
		i++
	}
}

func BenchmarkWithTyped(b *testing.B) {
	v := telltale.Must(telltale.NewCounterOf[route]("c", "", telltale.Unregistered()))
	paths := make([]string, 1000)
	for i := range paths {
		paths[i] = fmt.Sprintf("/api/v1/resource/%05d", i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		v.With(route{"GET", paths[i%1000], 200}).Inc()
		i++
	}
}

func BenchmarkNewSeries(b *testing.B) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"method", "path", "code"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
	b.ReportAllocs()
	var path [32]byte
	i := 0
	for b.Loop() {
		i++
		v.With("GET", string(fmt.Appendf(path[:0], "/api/v1/resource/%05d", i)), "200").Inc()
	}
}

func BenchmarkRegisterUnregister(b *testing.B) {
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	b.ReportAllocs()
	for b.Loop() {
		_ = reg.Register(c)
		_ = reg.Unregister(c)
	}
}

func BenchmarkScrape100kCounters(b *testing.B) {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewCounterVec("http_requests", "", []string{"method", "path", "code"}, telltale.In(reg), telltale.WithSeriesLimit(0)))
	for i := range 100_000 {
		v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200").Add(float64(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = telltale.WriteLatest(context.Background(), io.Discard, reg)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/series")
}

func BenchmarkScrape10kHistograms(b *testing.B) {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewHistogramVec("http_latency_seconds", "", []string{"method", "path", "code"}, telltale.In(reg)))
	for i := range 10_000 {
		h := v.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200")
		for j := range 20 {
			h.Observe(float64(j*i%1000) / 100)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = telltale.WriteLatest(context.Background(), io.Discard, reg)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/histogram")
}
