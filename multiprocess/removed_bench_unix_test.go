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
	onHeapAndInStore(b, func(b *testing.B, opts ...telltale.RegistryOption) {
		c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(telltale.NewRegistry(opts...))))
		names := numbers(series)
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
	})
}

// What removing 10,000 of 100,000 series costs.
func BenchmarkRemoveMatching(b *testing.B) {
	ofMany(b, 10_000, func(c *telltale.CounterVec, fill func(to *telltale.CounterVec, part string)) (change func()) {
		for i := range 9 {
			fill(c, "stays"+strconv.Itoa(i))
		}
		fill(c, "goes")
		return func() { c.RemoveMatching(map[string]string{"part": "goes"}) }
	})
}

// What removing all of 10,000 series costs.
func BenchmarkClear(b *testing.B) {
	ofMany(b, 10_000, func(c *telltale.CounterVec, fill func(to *telltale.CounterVec, part string)) (change func()) {
		fill(c, "goes")
		return c.Clear
	})
}

// What putting 10,000 series in the place of as many costs.
func BenchmarkReplace(b *testing.B) {
	ofMany(b, 10_000, func(c *telltale.CounterVec, fill func(to *telltale.CounterVec, part string)) (change func()) {
		fill(c, "goes")
		return func() { c.Replace(func(next *telltale.CounterVec) { fill(next, "comes") }) }
	})
}

// ofMany measures a change of n series of a family with two labels. Make returns it, for
// series that are there before; it is called before each.
func ofMany(b *testing.B, n int, make func(c *telltale.CounterVec, fill func(to *telltale.CounterVec, part string)) (change func())) {
	b.Helper()
	onHeapAndInStore(b, func(b *testing.B, opts ...telltale.RegistryOption) {
		c := telltale.Must(telltale.NewCounterVec("c", "", []string{"part", "n"}, telltale.In(telltale.NewRegistry(opts...)), telltale.WithSeriesLimit(10*n)))
		names := numbers(n)
		best := time.Duration(math.MaxInt64)
		for b.Loop() {
			b.StopTimer()
			change := make(c, func(to *telltale.CounterVec, part string) {
				for _, name := range names {
					to.With(part, name).Inc()
				}
			})
			b.StartTimer()
			start := time.Now()
			change()
			best = min(best, time.Since(start))
		}
		b.ReportMetric(float64(best.Nanoseconds())/float64(n), "best-ns/series")
	})
}

// onHeapAndInStore runs a benchmark with the options of a registry without a store, and
// with those of one with a store beside 200 writers and an archive of 100,000 series.
func onHeapAndInStore(b *testing.B, run func(b *testing.B, opts ...telltale.RegistryOption)) {
	b.Helper()
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

// numbers returns the first n numbers as text.
func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}
