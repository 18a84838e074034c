package telltale_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// Instruments that several goroutines fight over spread to lanes. Whether they do
// depends on the machine, so these tests bring it about (export_test.go). All that
// can be tested from outside is in internal/apitest.

// newLoneGauge returns a gauge in no registry.
func newLoneGauge() *telltale.Gauge {
	return telltale.Must(telltale.NewGauge("g", "", telltale.Unregistered()))
}

// newLoneHistogram returns a histogram in no registry, with the bounds 1, 2 and 3.
func newLoneHistogram() *telltale.Histogram {
	return telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered(), telltale.WithBuckets(1, 2, 3)))
}

// A Set comes through as one step while others add to the same gauge: what is
// read is what was set, and at most what was added about then.
func TestGaugeSetUnderContention(t *testing.T) {
	const adders, rounds, high = 4, 5000, 1 << 40
	g := newLoneGauge()
	telltale.SpreadGauge(g)
	var stop atomic.Bool
	var begun, done atomic.Int64
	adding := make(chan struct{})
	go func() {
		defer close(adding)
		together(adders, func(int) {
			for !stop.Load() {
				begun.Add(1)
				g.Inc()
				done.Add(1)
			}
		})
	}()
	for i := range rounds {
		set := float64(i%2) * high
		before := done.Load()
		g.Set(set)
		got := g.Value()
		if most := float64(begun.Load() - before); got < set || got > set+most {
			t.Errorf("after Set(%v) and at most %v times Inc it is %v", set, most, got)
		}
	}
	stop.Store(true)
	<-adding
}

// Reading comes to an end although others set without a pause.
func TestGaugeReadWhileSetting(t *testing.T) {
	g := newLoneGauge()
	telltale.SpreadGauge(g)
	var stop atomic.Bool
	setting := make(chan struct{})
	go func() {
		defer close(setting)
		together(4, func(i int) {
			for v := 0; !stop.Load(); v++ {
				g.Set(float64(i*1000 + v%1000))
			}
		})
	}()
	for range 2000 {
		if v := g.Value(); v < 0 || v >= 4000 || v != math.Trunc(v) {
			t.Errorf("it is %v, which nobody has set", v)
		}
	}
	stop.Store(true)
	<-setting
}

// Readers never see the half of a Set: of values that only grow, none falls.
func TestGaugeSetIsOneStep(t *testing.T) {
	g := newLoneGauge()
	telltale.SpreadGauge(g)
	var done atomic.Bool
	together(3, func(i int) {
		if i == 0 {
			defer done.Store(true)
			for n := range 50_000 {
				g.Set(float64(10 * n))
				g.Inc()
			}
			return
		}
		for last := 0.0; !done.Load(); {
			v := g.Value()
			if v < last {
				t.Errorf("it fell from %v to %v", last, v)
			}
			last = v
		}
	})
}

// The gauge never shows a value that it never had, in particular not while it
// changes from the one way of adding to the other.
func TestGaugeNeverFalls(t *testing.T) {
	for range 3000 {
		g := newLoneGauge()
		g.Set(1000)
		together(3, func(i int) {
			for range 10 {
				switch i {
				case 0:
					g.Inc()
				case 1:
					telltale.SpreadGauge(g)
				case 2:
					if v := g.Value(); v < 1000 {
						t.Errorf("it fell to %v", v)
					}
				}
			}
		})
		if g.Value() != 1010 {
			t.Errorf("it is %v, want 1010", g.Value())
		}
	}
}

// newLoneCounter returns a counter in no registry.
func newLoneCounter(spread bool) *telltale.Counter {
	c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered()))
	if spread {
		telltale.SpreadCounter(c)
	}
	return c
}

// No increment is lost, and nobody ever sees the counter fall.
func TestCounterUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 5000
	for name, spread := range map[string]bool{"plain": false, "spread": true} {
		c := newLoneCounter(spread)
		together(goroutines, func(i int) {
			last := 0.0
			for n := range rounds {
				c.Inc()
				c.Add(0.5)
				c.Add(2)
				if i == 0 {
					if n == rounds/2 {
						telltale.SpreadCounter(c)
					}
					now := c.Value()
					if now < last {
						t.Errorf("%s: it fell from %v to %v", name, last, now)
					}
					last = now
				}
			}
		})
		if want := goroutines * rounds * 3.5; c.Value() != want {
			t.Errorf("%s: it is at %v, want %v", name, c.Value(), want)
		}
	}
}

func TestCounterReset(t *testing.T) {
	for name, spread := range map[string]bool{"plain": false, "spread": true} {
		c := newLoneCounter(false)
		c.Add(3)
		c.Add(0.5)
		if spread {
			telltale.SpreadCounter(c)
		}
		if err := c.AddWithExemplar(0.5, map[string]string{"trace_id": "x"}); err != nil {
			t.Fatal(err)
		}
		before := only(t, c)
		for !time.Now().After(before.Created.Time()) {
			runtime.Gosched() // a clock may stand for a while
		}
		c.Reset()
		after := only(t, c)
		if after.Value != 0 || after.Exemplar != nil || c.Value() != 0 {
			t.Errorf("%s: after Reset it is at %v with the exemplar %v", name, after.Value, after.Exemplar)
		}
		if !before.Created.IsSet() || after.Created.Compare(before.Created) <= 0 {
			t.Errorf("%s: created at %s, after Reset at %s", name, before.Created, after.Created)
		}
		c.Add(0.5)
		if c.Value() != 0.5 {
			t.Errorf("%s: after Reset and Add(0.5) it is at %v", name, c.Value())
		}
	}
}

// A counter that was reset and then comes into a store again was created, for other
// processes too, when it was reset.
func TestCounterResetBeforeAStore(t *testing.T) {
	dir := t.TempDir()
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	c.Add(3)
	if err := reg.Unregister(c); err != nil { // it counts on the heap
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // other processes see microseconds
	reset := time.Now()
	c.Reset()
	c.Inc()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	seen := only(t, telltale.Must(multiprocess.NewCollector(dir)))
	if seen.Value != 1 || seen.Created.Time().Before(reset.Truncate(time.Microsecond)) {
		t.Errorf("others see %v, created at %s, want 1 at %s or later", seen.Value, seen.Created.Time(), reset)
	}
}

// However many observe, every reading is whole: buckets never fall from one to
// the next, the last is the count, nothing goes backwards, and in the end
// nothing is lost.
func TestHistogramUnderContention(t *testing.T) {
	t.Run("as it comes", func(t *testing.T) { testHistogramUnderContention(t, newLoneHistogram()) })
	t.Run("spread", func(t *testing.T) {
		h := newLoneHistogram()
		telltale.SpreadHistogram(h)
		testHistogramUnderContention(t, h)
	})
}

func testHistogramUnderContention(t *testing.T, h *telltale.Histogram) {
	const goroutines, rounds = 8, 5000
	var stop atomic.Bool
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		last := make([]float64, 4)
		for !stop.Load() {
			v := only(t, h).Histogram
			if v.Count != v.Cumulative[3] || !slices.IsSorted(v.Cumulative) {
				t.Errorf("the count is %v, the buckets are %v", v.Count, v.Cumulative)
			}
			for i := range last {
				if v.Cumulative[i] < last[i] {
					t.Errorf("bucket %d fell from %v to %v", i, last[i], v.Cumulative[i])
				}
			}
			copy(last, v.Cumulative)
		}
	}()
	together(goroutines, func(i int) {
		for n := range rounds {
			if i == 0 && n == rounds/2 {
				telltale.SpreadHistogram(h)
			}
			if n%100 == 0 {
				if err := h.ObserveWithExemplar(float64((i+n)%4)+0.5, map[string]string{"n": fmt.Sprint(n)}); err != nil {
					t.Error(err)
				}
				continue
			}
			h.Observe(float64((i+n)%4) + 0.5)
		}
	})
	stop.Store(true)
	<-reading
	const all = goroutines * rounds
	if h.Count() != all || h.Sum() != all*2 {
		t.Errorf("%d observations with the sum %v, want %d and %v", h.Count(), h.Sum(), all, all*2)
	}
	if got, want := only(t, h).Histogram.Cumulative, []float64{all / 4, all / 2, all * 3 / 4, all}; !slices.Equal(got, want) {
		t.Errorf("the buckets are %v, want %v", got, want)
	}
}

func TestSummaryUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 20_000
	s := telltale.Must(telltale.NewSummary("s", "", telltale.Unregistered()))
	together(goroutines, func(i int) {
		count, sum := uint64(0), 0.0
		for n := range rounds {
			s.Observe(0.5)
			if i == 0 && n == rounds/2 {
				telltale.SpreadSummary(s)
			}
			if i == 0 {
				if s.Count() < count || s.Sum() < sum {
					t.Errorf("it fell: from %d and %v to %d and %v", count, sum, s.Count(), s.Sum())
				}
				count, sum = s.Count(), s.Sum()
			}
		}
	})
	if s.Count() != goroutines*rounds || s.Sum() != goroutines*rounds/2 {
		t.Errorf("%d observations with the sum %v, want %d and %d", s.Count(), s.Sum(), goroutines*rounds, goroutines*rounds/2)
	}
}

func TestCounterAdds(t *testing.T) {
	for _, spread := range []bool{false, true} {
		c := newLoneCounter(spread)
		want := 0.0
		for _, v := range []float64{1, 0, 41, 0.5, 0.25, math.Copysign(0, -1), 1e9, 1 << 53, 3, 5e-324, 1e300, math.Inf(1)} {
			c.Add(v)
			c.Inc()
			want += v + 1
			if got := c.Value(); got != want {
				t.Errorf("after Add(%v) and Inc it is %v, want %v", v, got, want)
			}
		}
	}
}

// only returns a copy of the one point of a collector of one family.
func only(t *testing.T, c telltale.Collector) (p model.Point) {
	t.Helper()
	n := 0
	err := c.Collect(t.Context(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(point *model.Point) error {
			p = point.Clone()
			n++
			return nil
		})
	})
	if err != nil || n != 1 {
		t.Fatalf("%d points, error %v; want one point", n, err)
	}
	return p
}

// together runs f on several goroutines at once and waits for them.
func together(goroutines int, f func(i int)) {
	var done sync.WaitGroup
	for i := range goroutines {
		done.Go(func() { f(i) })
	}
	done.Wait()
}

func TestGaugeOperations(t *testing.T) {
	g := newLoneGauge()
	testGaugeOperations(t, g)
	g.Set(math.Copysign(0, -1))
	if v := only(t, g).Value; v != 0 || !math.Signbit(v) {
		t.Errorf("after Set(-0) it is %v on a page", v)
	}
}

// The same when lanes are in use, where only the sign of zero is lost.
func TestSpreadGaugeOperations(t *testing.T) {
	g := newLoneGauge()
	telltale.SpreadGauge(g)
	testGaugeOperations(t, g)
}

func testGaugeOperations(t *testing.T, g *telltale.Gauge) {
	t.Helper()
	for _, step := range []struct {
		what string
		do   func()
		want float64
	}{
		{"new", func() {}, 0},
		{"Set(2.5)", func() { g.Set(2.5) }, 2.5},
		{"Add(1)", func() { g.Add(1) }, 3.5},
		{"Sub(5)", func() { g.Sub(5) }, -1.5},
		{"Inc", g.Inc, -0.5},
		{"Dec", g.Dec, -1.5},
		{"Set(-Inf)", func() { g.Set(math.Inf(-1)) }, math.Inf(-1)},
		{"Set(0)", func() { g.Set(0) }, 0},
		{"Time", func() { g.Set(-7); g.Time(func() {}); g.Set(max(0, min(g.Value(), 0))) }, 0},
	} {
		if step.do(); g.Value() != step.want {
			t.Errorf("after %s it is %v, want %v", step.what, g.Value(), step.want)
		}
	}
	if g.Set(math.NaN()); !math.IsNaN(g.Value()) || !math.IsNaN(only(t, g).Value) {
		t.Errorf("after Set(NaN) it is %v, and %v on a page", g.Value(), only(t, g).Value)
	}
	before := float64(time.Now().UnixNano()) / 1e9
	g.SetToCurrentTime()
	if after := float64(time.Now().UnixNano()) / 1e9; g.Value() < before || g.Value() > after {
		t.Errorf("the current time is said to be %v, not within [%v, %v]", g.Value(), before, after)
	}
}

func TestSpreadCountersDoNotAllocate(t *testing.T) {
	c := newLoneCounter(true)
	half := 0.5
	for name, update := range map[string]func(){"Inc": c.Inc, "Add": func() { c.Add(half) }} {
		if n := testing.AllocsPerRun(100, update); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
