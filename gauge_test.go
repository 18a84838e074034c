package telltale_test

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
)

func newLoneGauge(opts ...telltale.GaugeOption) *telltale.Gauge {
	return telltale.Must(telltale.NewGauge("g", "", append(opts, telltale.Unregistered())...))
}

func TestGaugeModes(t *testing.T) {
	want := map[telltale.GaugeMode]string{
		telltale.ModeAll: "all", telltale.ModeMin: "min", telltale.ModeMax: "max", telltale.ModeSum: "sum", telltale.ModeMostRecent: "mostrecent",
		telltale.ModeLiveAll: "liveall", telltale.ModeLiveMin: "livemin", telltale.ModeLiveMax: "livemax", telltale.ModeLiveSum: "livesum",
		telltale.ModeLiveMostRecent: "livemostrecent",
	}
	if len(want) != 10 {
		t.Errorf("%d modes, want ten different ones", len(want))
	}
	for mode, name := range want {
		if mode.String() != name {
			t.Errorf("mode %d is called %q, want %q", mode, mode, name)
		}
		reg := telltale.NewRegistry()
		g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg), telltale.WithGaugeMode(mode)))
		if again := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg), telltale.WithGaugeMode(mode))); again != g {
			t.Errorf("the same gauge in mode %s is another", mode)
		}
		if g.Add(2); g.Value() != 2 {
			t.Errorf("in mode %s Add does not work", mode)
		}
	}
	if _, err := telltale.NewGauge("g", "", telltale.Unregistered(), telltale.WithGaugeMode(10)); err == nil || !strings.Contains(err.Error(), "GaugeMode(10)") {
		t.Errorf("mode 10: error %v", err)
	}
}

func TestGaugeOperations(t *testing.T) {
	g := newLoneGauge()
	testGaugeOperations(t, g)
	g.Set(math.Copysign(0, -1))
	wantPage(t, g, "# TYPE g gauge\ng -0.0\n")
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
	g.Set(math.NaN())
	wantPage(t, g, "# TYPE g gauge\ng NaN\n")
	before := float64(time.Now().UnixNano()) / 1e9
	g.SetToCurrentTime()
	if after := float64(time.Now().UnixNano()) / 1e9; g.Value() < before || g.Value() > after {
		t.Errorf("the current time is said to be %v, not within [%v, %v]", g.Value(), before, after)
	}
}

func TestTrackInProgress(t *testing.T) {
	g := newLoneGauge()
	func() {
		defer g.TrackInProgress()()
		done := g.TrackInProgress()
		if g.Value() != 2 {
			t.Errorf("two are in progress, it says %v", g.Value())
		}
		done()
	}()
	if g.Value() != 0 {
		t.Errorf("nothing is in progress, it says %v", g.Value())
	}
}

func TestSetFunc(t *testing.T) {
	reg := telltale.NewRegistry()
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	g.Set(5)
	var calls atomic.Int64
	g.SetFunc(func() float64 { return float64(calls.Add(1)) })
	wantPage(t, reg, "# TYPE g gauge\ng 1.0\n")
	wantPage(t, reg, "# TYPE g gauge\ng 2.0\n") // once for each scrape
	g.Set(6)
	g.Inc()
	if v := g.Value(); v != 3 {
		t.Errorf("with a function it is %v, want what the function says, 3", v)
	}
	g.SetFunc(nil)
	if g.Value() != 7 {
		t.Errorf("without the function it is %v, want 7, as was set meanwhile", g.Value())
	}
	wantPage(t, reg, "# TYPE g gauge\ng 7.0\n")
}

// A function's harm ends at its own family.
func TestSetFuncPanics(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	telltale.Must(telltale.NewGauge("before", "", telltale.In(reg)))
	v := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg)))
	telltale.Must(telltale.NewGauge("after", "", telltale.In(reg)))
	v.With("x").Set(1)
	v.With("y").SetFunc(func() float64 { panic("at the disco") })
	wantPage(t, reg, gaugePage("before", "0.0", "after", "0.0"))
	w.want(t, telltale.ReasonPanic)
	v.Remove("y")
	wantPage(t, reg, "# TYPE before gauge\nbefore 0.0\n# TYPE g gauge\ng{l=\"x\"} 1.0\n# TYPE after gauge\nafter 0.0\n")
}

func TestSetFuncOfReplacedSeries(t *testing.T) {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg)))
	v.Replace(func(next *telltale.GaugeVec) {
		next.With("x").SetFunc(func() float64 { return 3 })
	})
	wantPage(t, reg, "# TYPE g gauge\ng{l=\"x\"} 3.0\n")
}

// Adding loses nothing, however it is fought over, and goes on losing nothing
// after it was.
func TestGaugeAddUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 20_000
	g := newLoneGauge()
	for round := 1.0; round <= 2; round++ {
		together(goroutines, func(int) {
			for range rounds {
				g.Add(2)
				g.Dec()
			}
		})
		if want := round * goroutines * rounds; g.Value() != want {
			t.Errorf("it is %v, want %v", g.Value(), want)
		}
	}
	if g.Set(0.5); g.Value() != 0.5 {
		t.Errorf("after Set(0.5) it is %v", g.Value())
	}
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

func TestZeroGauge(t *testing.T) {
	var g telltale.Gauge
	g.Set(1)
	g.Add(1)
	g.Inc()
	g.SetFunc(func() float64 { return 1 })
	g.SetFunc(nil)
	g.TrackInProgress()()
	g.SetToCurrentTime()
	if g.Value() != 0 {
		t.Errorf("the zero Gauge keeps %v", g.Value())
	}
	wantPage(t, &g, "")
	if fmt.Sprint(g.Describe()) != "[]" {
		t.Errorf("the zero Gauge describes %v", g.Describe())
	}
}
