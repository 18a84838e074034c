//go:build unix

package multiprocess_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// What removing a series costs on the heap, and in a store beside 200 writers and an
// archive of 100,000 series: removals write to no other file, so that other files cost
// nothing. best-ns/remove is that of the fastest 100 removals, which other work on the
// machine disturbs least.
func BenchmarkRemove(b *testing.B) {
	const series, each = 1000, 100
	run := func(b *testing.B, opts ...telltale.RegistryOption) {
		b.Helper()
		c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(telltale.NewRegistry(opts...))))
		names := make([]string, series)
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		best := time.Duration(math.MaxInt64)
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			for _, name := range names {
				c.With(name).Inc()
			}
			b.StartTimer()
			for from := 0; from < series; from += each {
				start := time.Now()
				for _, name := range names[from:][:each] {
					c.Remove(name)
				}
				best = min(best, time.Since(start))
			}
		}
		b.ReportMetric(float64(best.Nanoseconds())/each, "best-ns/remove")
	}
	b.Run("heap", func(b *testing.B) { run(b) })
	b.Run("store", func(b *testing.B) {
		dir := sharedDir(b)
		w := begin(b, dir, segment.Header{})
		rows := w.family(counterOf("c"))
		for i := range 100_000 {
			rows.add(`n="`+strconv.Itoa(i)+`"`, 1)
		}
		w.die()
		if _, err := multiprocess.Fold(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
		for i := range 200 {
			w := begin(b, dir, segment.Header{PID: uint64(1000 + i)})
			rows := w.family(counterOf("c"))
			rows.add(`n="0"`, 1)
		}
		s, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		run(b, telltale.WithStore(s))
	})
}
