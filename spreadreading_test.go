package telltale_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// A series that spreads while a reader collects is on the reader's page, though its
// lanes are behind what the reader has mapped.
func TestSeriesThatSpreadAreOnEveryPage(t *testing.T) {
	const series = 500
	for name, make := range map[string]func(reg *telltale.Registry, label string) (spread func()){
		"gauges": func(reg *telltale.Registry, label string) func() {
			g := telltale.Must(telltale.NewGauge("g_"+label, "", telltale.In(reg)))
			g.Add(1)
			return func() { telltale.SpreadGauge(g) }
		},
		"native histograms": func(reg *telltale.Registry, label string) func() {
			h := telltale.Must(telltale.NewHistogram("h_"+label, "", telltale.In(reg), telltale.WithNativeBuckets(1.1)))
			h.Observe(1)
			return func() { telltale.SpreadHistogram(h) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
			var spreads [series]func()
			for i := range spreads {
				spreads[i] = make(reg, fmt.Sprint(i))
			}
			others := telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithErrorHook(func(err error) { t.Error(err) })))
			var done atomic.Bool
			var reading sync.WaitGroup
			reading.Go(func() {
				for !done.Load() {
					if n := points(t, others); n != series {
						t.Errorf("%d series are on a page, want %d", n, series)
						return
					}
				}
			})
			for _, spread := range spreads {
				spread()
				runtime.Gosched()
			}
			done.Store(true)
			reading.Wait()
		})
	}
}

// points returns how many points a collector emits.
func points(t *testing.T, c telltale.Collector) (n int) {
	t.Helper()
	err := c.Collect(t.Context(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(*model.Point) error {
			n++
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	return n
}
