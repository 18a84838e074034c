package apitest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

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
	wantPage(t, reg, "# TYPE g gauge\ng 2.0\n") // called once for each scrape
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

// A failing function affects its own family only.
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

// No addition is lost, during contention and after it.
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
