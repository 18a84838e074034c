package apitest

import (
	"fmt"
	"io"
	"testing"

	"telltale"
)

// BenchmarkScrapeOfTwoPools compares families of two registries that join with families
// of other names, which do not.
func BenchmarkScrapeOfTwoPools(b *testing.B) {
	pool := func(namespace string) telltale.Collector {
		reg := telltale.NewRegistry()
		for i := range 100 {
			vec := telltale.Must(telltale.NewCounterVec(fmt.Sprintf("requests_%d", i), "", []string{"method", "code"}, telltale.In(reg), telltale.WithNamespace(namespace)))
			for j := range 100 {
				vec.With("GET", fmt.Sprint(j)).Add(float64(j))
			}
		}
		return reg
	}
	for name, second := range map[string]string{"joined": "a", "separate": "b"} {
		b.Run(name, func(b *testing.B) {
			all := telltale.Must(telltale.Merge(inPool(pool("a"), "a"), inPool(pool(second), "b")))
			b.ReportAllocs()
			for b.Loop() {
				if err := telltale.WriteLatest(b.Context(), io.Discard, all); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
