package multiprocess_test

import (
	"testing"

	"telltale"
)

// Series that are replaced in one step leave nothing in the store.
func TestReplaceInAStore(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(reg), telltale.WithBuckets(1)))
	n := telltale.Must(telltale.NewHistogramVec("n", "", []string{"l"}, telltale.In(reg), telltale.WithNativeBuckets(2)))
	for range 3 {
		c.Replace(func(next *telltale.CounterVec) { next.With("a").Inc() })
		h.Replace(func(next *telltale.HistogramVec) { next.With("a").Observe(2) })
		n.Replace(func(next *telltale.HistogramVec) { next.With("a").Observe(2) })
		want := "c_total{l=\"a\"} 1.0\nh_bucket{l=\"a\",le=\"1.0\"} 0.0\nh_bucket{l=\"a\",le=\"+Inf\"} 1.0\nh_count{l=\"a\"} 1.0\nh_sum{l=\"a\"} 2.0\n" +
			"n_bucket{l=\"a\",le=\"+Inf\"} 1.0\nn_count{l=\"a\"} 1.0\nn_sum{l=\"a\"} 2.0\n"
		if got := pageLines(t, reg); got != want {
			t.Fatalf("page\n%s, want\n%s", got, want)
		}
	}
	c.Clear()
	h.Clear()
	n.Clear()
	if got := pageLines(t, reg); got != "" {
		t.Errorf("cleared, there is left\n%s", got)
	}
}
