package telltale_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// openStore opens a store until the test ends.
func openStore(t *testing.T, dir string) *multiprocess.Store {
	t.Helper()
	store, err := multiprocess.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// What an instrument counts through a handle that is in use while the instrument
// moves into a store is there afterwards, for this process and for others.
func TestUpdatesAcrossAMoveIntoAStore(t *testing.T) {
	for _, test := range []struct {
		name   string
		update func(t *testing.T, in telltale.Option, move func())
		want   []string // lines of the page
	}{
		{"counter", func(t *testing.T, in telltale.Option, move func()) {
			telltale.IncAcross(telltale.Must(telltale.NewCounter("x", "", in)), move)
		}, []string{"x_total 1.0"}},
		{"counter that looks for others", func(t *testing.T, in telltale.Option, move func()) {
			c := telltale.Must(telltale.NewCounter("x", "", in))
			telltale.IncAcross(c, func() { move(); telltale.SpreadCounter(c) })
		}, []string{"x_total 1.0"}},
		{"gauge set", func(t *testing.T, in telltale.Option, move func()) {
			telltale.SetAcross(telltale.Must(telltale.NewGauge("x", "", in, telltale.WithGaugeMode(telltale.ModeSum))), move)
		}, []string{"x 7.0"}},
		{"most recent gauge set", func(t *testing.T, in telltale.Option, move func()) {
			telltale.SetAcross(telltale.Must(telltale.NewGauge("x", "", in, telltale.WithGaugeMode(telltale.ModeMostRecent))), move)
		}, []string{"x 7.0"}},
		{"gauge added to", func(t *testing.T, in telltale.Option, move func()) {
			g := telltale.Must(telltale.NewGauge("x", "", in, telltale.WithGaugeMode(telltale.ModeSum)))
			telltale.AddAcross(g, func() { move(); g.Add(2) })
		}, []string{"x 3.0"}},
		{"spread gauge added to", func(t *testing.T, in telltale.Option, move func()) {
			g := telltale.Must(telltale.NewGauge("x", "", in, telltale.WithGaugeMode(telltale.ModeSum)))
			telltale.SpreadGauge(g)
			telltale.AddAcross(g, func() { move(); g.Add(2) })
		}, []string{"x 3.0"}},
		{"histogram", func(t *testing.T, in telltale.Option, move func()) {
			telltale.ObserveAcross(telltale.Must(telltale.NewHistogram("x", "", in, telltale.WithBuckets(1, 3))), move)
		}, []string{`x_bucket{le="1.0"} 0.0`, `x_bucket{le="3.0"} 1.0`, "x_count 1.0", "x_sum 2.0"}},
		{"spread histogram", func(t *testing.T, in telltale.Option, move func()) {
			h := telltale.Must(telltale.NewHistogram("x", "", in, telltale.WithBuckets(1, 3)))
			telltale.SpreadHistogram(h)
			telltale.ObserveAcross(h, move)
		}, []string{`x_bucket{le="1.0"} 0.0`, `x_bucket{le="3.0"} 1.0`, "x_count 1.0", "x_sum 2.0"}},
		{"native histogram", func(t *testing.T, in telltale.Option, move func()) {
			h := telltale.Must(telltale.NewHistogram("x", "", in, telltale.WithNativeBuckets(1.1)))
			telltale.ObserveAcross(h, func() { move(); h.Observe(3) })
		}, []string{"x_count 2.0", "x_sum 5.0"}},
		{"native and classic histogram", func(t *testing.T, in telltale.Option, move func()) {
			h := telltale.Must(telltale.NewHistogram("x", "", in, telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1, 3)))
			telltale.ObserveAcross(h, move)
		}, []string{`x_bucket{le="1.0"} 0.0`, `x_bucket{le="3.0"} 1.0`, "x_count 1.0", "x_sum 2.0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := openStore(t, t.TempDir())
			reg := telltale.NewRegistry()
			test.update(t, telltale.In(reg), func() {
				if err := reg.UseStore(store); err != nil {
					t.Error(err)
				}
			})
			page, err := telltale.GenerateLatest(reg)
			if err != nil {
				t.Error(err)
			}
			for _, line := range test.want {
				if !strings.Contains("\n"+string(page), "\n"+line+"\n") {
					t.Errorf("%q is not on the page:\n%s", line, page)
				}
			}
		})
	}
}

// What a goroutine has set is the value, whatever moves its instrument into a store and
// back meanwhile.
func TestSetsWhileInstrumentsMove(t *testing.T) {
	const moves = 3000
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, t.TempDir())))
	states := []string{"starting", "running", "stopped"}
	enum := telltale.Must(telltale.NewEnum("phase", "", states, telltale.In(reg)))
	level := telltale.Must(telltale.NewGauge("level", "", telltale.In(reg), telltale.WithGaugeMode(telltale.ModeSum)))
	latest := telltale.Must(telltale.NewGauge("latest", "", telltale.In(reg), telltale.WithGaugeMode(telltale.ModeMostRecent)))
	counter := telltale.Must(telltale.NewCounter("done", "", telltale.In(reg)))
	info := telltale.Must(telltale.NewInfo("build", "", telltale.In(reg)))
	var moving atomic.Bool
	moving.Store(true)
	together(2, func(i int) {
		if i == 0 {
			defer moving.Store(false)
			for range moves {
				for _, c := range []telltale.Collector{enum, level, latest, counter, info} {
					if err := errors.Join(reg.Unregister(c), reg.Register(c)); err != nil {
						t.Error(err)
					}
				}
			}
			return
		}
		for n := 0; moving.Load() && !t.Failed(); n++ {
			state, v := states[n%len(states)], float64(n)
			if err := errors.Join(enum.Set(state), info.Set(map[string]string{"state": state})); err != nil {
				t.Error(err)
			}
			level.Set(v)
			latest.Set(v)
			counter.Add(0.5)
			counter.Inc()
			counter.Reset()
			if enum.Value() != state || level.Value() != v || latest.Value() != v || counter.Value() != 0 || info.Value()["state"] != state {
				t.Errorf("set to %q, %v and 0, they are %q, %v, %v, %v and %q",
					state, v, enum.Value(), level.Value(), latest.Value(), counter.Value(), info.Value()["state"])
			}
		}
	})
}
