//go:build unix

package multiprocess_test

import (
	"strconv"
	"testing"

	"telltale"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// What removing a series costs on the heap, and in a store beside an archive of
// 100,000 series: removals write to no other file, so that other files cost nothing.
func BenchmarkRemove(b *testing.B) {
	run := func(b *testing.B, opts ...telltale.RegistryOption) {
		b.Helper()
		c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(telltale.NewRegistry(opts...))))
		names := make([]string, 1000)
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		b.ReportAllocs()
		for i := 0; i < b.N; i += len(names) {
			b.StopTimer()
			for _, name := range names {
				c.With(name).Inc()
			}
			b.StartTimer()
			for _, name := range names[:min(len(names), b.N-i)] {
				c.Remove(name)
			}
		}
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
		s, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		run(b, telltale.WithStore(s))
	})
}
