package multiprocess_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess/internal/spool"
)

// Writers that use a series which leaves at each collection lose nothing, and its totals do
// not fall, as long as another process keeps it.
func TestNothingIsLostInAStoreBetweenLives(t *testing.T) {
	t.Parallel()
	const writers, updates = 3, 2000
	dir, labels, always := sharedDir(t), []string{"l"}, telltale.WithIdleExpiry(1)
	type vecs struct {
		c, f *telltale.CounterVec
		g    *telltale.GaugeVec
		h, n *telltale.HistogramVec
		s    *telltale.SummaryVec
	}
	declare := func(name string) (reg *telltale.Registry, v vecs) {
		reg = expiring(t, dir, name)
		in := telltale.In(reg)
		v.c = telltale.Must(telltale.NewCounterVec("c", "", labels, in, always))
		v.f = telltale.Must(telltale.NewCounterVec("f", "", labels, in, always))
		v.g = telltale.Must(telltale.NewGaugeVec("g", "", labels, in, always, telltale.WithGaugeMode(telltale.ModeSum)))
		v.h = telltale.Must(telltale.NewHistogramVec("h", "", labels, in, always, telltale.WithBuckets(1)))
		v.n = telltale.Must(telltale.NewHistogramVec("n", "", labels, in, always, telltale.WithNativeBuckets(2), telltale.WithBuckets(1)))
		v.s = telltale.Must(telltale.NewSummaryVec("s", "", labels, in, always))
		return reg, v
	}
	_, kept := declare("keeps")
	for _, v := range []interface{ Init(...[]string) error }{kept.c, kept.f, kept.g, kept.h, kept.n, kept.s} {
		if err := v.Init([]string{"x"}); err != nil {
			t.Fatal(err)
		}
	}
	reg, v := declare("updates")
	value := func(name string) float64 {
		n, _ := reg.SampleValue(name, map[string]string{"l": "x"})
		return n
	}
	totals := []string{"c_total", "f_total", "h_count", "h_sum", "n_count", "n_sum", "s_count", "s_sum"}
	var done atomic.Bool
	var all, reading sync.WaitGroup
	reading.Go(func() {
		last := make(map[string]float64)
		for !done.Load() && !t.Failed() {
			for _, name := range totals {
				now := value(name)
				if now < last[name] {
					t.Errorf("%s fell from %v to %v", name, last[name], now)
				}
				last[name] = now
			}
		}
	})
	for range writers {
		all.Go(func() {
			var c, f *telltale.Counter
			var g *telltale.Gauge
			var h, n *telltale.Histogram
			var s *telltale.Summary
			for i := range updates {
				if i%1000 == 0 { // handles of all ages
					c, f, g, h, n, s = v.c.With("x"), v.f.With("x"), v.g.With("x"), v.h.With("x"), v.n.With("x"), v.s.With("x")
				}
				c.Inc()
				f.Add(0.5)
				g.Add(2)
				h.Observe(0.5)
				n.Observe(0.5)
				s.Observe(0.5)
				g.Add(-2)
				if i%8 == 0 { // so that the series leaves
					time.Sleep(rand.N(200 * time.Microsecond))
				}
			}
		})
	}
	all.Wait()
	done.Store(true)
	reading.Wait()
	const whole = writers * updates
	for i, want := range []float64{whole, whole / 2, whole, whole / 2, whole, whole / 2, whole, whole / 2} {
		if n := value(totals[i]); n != want {
			t.Errorf("%s is %v, want %v", totals[i], n, want)
		}
	}
	if n := value("g"); n != 0 {
		t.Errorf("the gauge is %v", n)
	}
}

// A gauge or an enum that leaves at each collection has what it was set to last.
func TestWhatIsSetInAStoreStays(t *testing.T) {
	t.Parallel()
	reg := expiring(t, sharedDir(t), "a")
	in, always := telltale.In(reg), telltale.WithIdleExpiry(1)
	states := []string{"off", "slow", "on"}
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, in, always, telltale.WithGaugeMode(telltale.ModeSum)))
	e := telltale.Must(telltale.NewEnumVec("e", "", states, []string{"l"}, in, always))
	var done atomic.Bool
	var others sync.WaitGroup
	others.Go(func() {
		for !done.Load() {
			_, _ = telltale.GenerateLatest(reg)
		}
	})
	others.Go(func() { // brings them back, too
		for !done.Load() {
			g.With("x").Add(0)
		}
	})
	held, enum := g.With("x"), e.With("x")
	for i := range 2000 {
		want, began := float64(i%3), time.Now()
		held.Set(want)
		held.Add(1)
		if err := enum.Set(states[i%3]); err != nil {
			t.Fatal(err)
		}
		if i%20 != 0 {
			continue
		}
		time.Sleep(rand.N(100 * time.Microsecond))
		value, _ := reg.SampleValue("g", map[string]string{"l": "x"})
		state, _ := reg.SampleValue("e", map[string]string{"l": "x", "e": states[i%3]})
		if time.Since(began) < spool.Grace(1)/4 && (value != want+1 || state != 1) { // else it may begin anew
			t.Fatalf("update %d: the gauge is %v, want %v; of the state %q there is %v", i, value, want+1, states[i%3], state)
		}
	}
	done.Store(true)
	others.Wait()
}
