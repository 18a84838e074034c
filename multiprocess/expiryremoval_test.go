package multiprocess_test

import (
	"testing"

	"telltale"
)

// away waits until the series of a process have left.
func away(t *testing.T, v interface{ Len() int }, reg *telltale.Registry) {
	t.Helper()
	soon(t, "the series has left", func() bool {
		_ = samplesOf(t, reg)
		return v.Len() == 0
	})
}

// What takes series out takes out what the process has left of them, too.
func TestIdleSeriesAreTakenOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		take func(*telltale.CounterVec, *telltale.Counter)
		left float64
	}{
		"Remove": {func(v *telltale.CounterVec, _ *telltale.Counter) { v.Remove("x") }, 1},
		"RemoveMatching": {func(v *telltale.CounterVec, _ *telltale.Counter) {
			if n := v.RemoveMatching(map[string]string{"l": "x"}); n != 1 {
				t.Errorf("%d were removed", n)
			}
		}, 1},
		"Clear":        {func(v *telltale.CounterVec, _ *telltale.Counter) { v.Clear() }, 1},
		"Replace":      {func(v *telltale.CounterVec, _ *telltale.Counter) { v.Replace(func(*telltale.CounterVec) {}) }, 1},
		"Reset":        {func(_ *telltale.CounterVec, c *telltale.Counter) { c.Reset() }, 1},
		"Remove again": {func(v *telltale.CounterVec, c *telltale.Counter) { c.Inc(); v.Remove("x"); v.With("x").Add(3) }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sharedDir(t)
			busy, quiet := expiring(t, dir, "busy"), expiring(t, dir, "quiet")
			b := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(busy), telltale.WithIdleExpiry(idle)))
			if err := b.Init([]string{"x"}); err != nil {
				t.Fatal(err)
			}
			b.With("x").Inc()
			v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(quiet), telltale.WithIdleExpiry(idle)))
			held := v.With("x")
			held.Add(5)
			away(t, v, quiet)
			tt.take(v, held)
			value := func() float64 {
				n, _ := quiet.SampleValue("c_total", map[string]string{"l": "x"})
				return n
			}
			if n := value(); n != tt.left {
				t.Errorf("it is %v, want %v", n, tt.left)
			}
			v.With("x").Inc()
			if n := value(); n != tt.left+1 {
				t.Errorf("it is %v then, want %v", n, tt.left+1)
			}
		})
	}
}
