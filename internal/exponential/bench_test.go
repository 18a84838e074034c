package exponential_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"telltale/internal/exponential"
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
