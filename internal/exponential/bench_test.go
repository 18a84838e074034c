package exponential_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// latencies returns values like those of a service, which fall into some twenty
// buckets of schema 3.
func latencies() []float64 {
	values := make([]float64, 1024)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = 0.01 * (1 + 4*random.Float64())
	}
	return values
}

var native = exponential.Options{Schema: 3, ZeroThreshold: exponential.DefaultZeroThreshold}

func observing(b *testing.B, observe func(float64)) {
	values := latencies()
	b.Run("alone", func(b *testing.B) {
		for i := range b.N {
			observe(values[i%len(values)])
		}
	})
	b.Run("contended", func(b *testing.B) {
		var done sync.WaitGroup
		for range 2 {
			done.Go(func() {
				for i := range b.N / 2 {
					observe(values[i%len(values)])
				}
			})
		}
		done.Wait()
	})
}

func BenchmarkHistogram(b *testing.B) {
	observing(b, exponential.New(&native).Observe)
}

func BenchmarkHistogramInWords(b *testing.B) {
	words, h := make([]exponential.Word, native.Words()), new(exponential.Histogram)
	if err := h.InitIn(words, nil, &native); err != nil {
		b.Fatal(err)
	}
	observing(b, h.Observe)
}

func BenchmarkWindow(b *testing.B) {
	observing(b, exponential.NewWindow(newClock(b, 10*time.Minute, 5), &sketch).Observe)
}

func BenchmarkRead(b *testing.B) {
	h := exponential.New(&native)
	for _, v := range latencies() {
		h.Observe(v)
	}
	var s exponential.Snapshot
	var out model.NativeHistogram
	b.ReportAllocs()
	for b.Loop() {
		h.Read(&s)
		s.Native(&out)
	}
}

func BenchmarkWindowRead(b *testing.B) {
	w := exponential.NewWindow(newClock(b, 10*time.Minute, 5), &sketch)
	for _, v := range latencies() {
		w.Observe(v)
	}
	var s, work exponential.Snapshot
	b.ReportAllocs()
	for b.Loop() {
		w.Read(&s, &work)
		s.Quantile(0.5)
		s.Quantile(0.9)
		s.Quantile(0.99)
	}
}
