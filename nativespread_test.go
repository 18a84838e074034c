package telltale_test

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// A native histogram in a store is spread beside its row, where other processes see
// it, never fewer observations than before, and moves with all that it has.
func TestSpreadNativeHistogramInAStore(t *testing.T) {
	const goroutines, rounds = 4, 2000
	for name, options := range map[string][]telltale.HistogramOption{
		"native":             {telltale.WithNativeBuckets(1.1)},
		"native and classic": {telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1, 3)},
		"few buckets":        {telltale.WithNativeBuckets(1.1, telltale.WithNativeMaxBuckets(8))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
			h := telltale.Must(telltale.NewHistogram("h", "", append(options, telltale.In(reg))...))
			others := telltale.Must(multiprocess.NewCollector(dir))
			observe := func() {
				together(goroutines, func(i int) {
					for n := range rounds {
						h.Observe(math.Exp2(float64((i+n)%13)) / 8)
						if i == 0 && n == rounds/2 {
							telltale.SpreadHistogram(h)
						}
					}
				})
			}
			var done atomic.Bool
			reading := make(chan struct{})
			go func() {
				defer close(reading)
				for count, sum := 0.0, 0.0; !done.Load(); {
					v := only(t, others).Histogram
					if v.Count < count || v.Sum < sum {
						t.Errorf("it fell from %v and %v to %v and %v", count, sum, v.Count, v.Sum)
					}
					count, sum = v.Count, v.Sum
				}
			}()
			observe()
			done.Store(true)
			<-reading
			check := func(what string, times float64) {
				t.Helper()
				want, got := only(t, h).Histogram, only(t, others).Histogram
				if want.Count != times*goroutines*rounds || got.Count != want.Count || got.Native.Schema != want.Native.Schema || math.Abs(got.Sum-want.Sum) > 1e-9*want.Sum {
					t.Errorf("%s: %v observations, sum %v, others see %v, %v; want %v", what, want.Count, want.Sum, got.Count, got.Sum, times*goroutines*rounds)
				}
			}
			check("spread", 1)
			observe()
			check("with lanes that are there", 2)
			if err := errors.Join(reg.Unregister(h), reg.Register(h)); err != nil {
				t.Fatal(err)
			}
			check("in another row", 2)
			observe()
			check("spread there", 3)
		})
	}
}

// What writers that have ended left in lanes of native histograms is on the page as it
// was, once it is in the archive too.
func TestFoldOfSpreadNativeHistograms(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		store, err := multiprocess.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		reg := telltale.NewRegistry(telltale.WithStore(store))
		h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1)))
		h.Observe(0.5)
		telltale.SpreadHistogram(h)
		together(4, func(int) { h.Observe(0.1) })
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if page := checkFold(t, dir); !strings.Contains(page, "h_count 15.0\n") || !strings.Contains(page, "h_sum 2.7\n") {
		t.Errorf("before the fold:\n%s", page)
	}
}
