package telltale_test

import (
	"errors"
	"math"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// A gauge in a store is spread in its row, where other processes see it, and moves to
// the heap and into another row with all that it has.
func TestSpreadGaugeInAStore(t *testing.T) {
	for _, mode := range []telltale.GaugeMode{telltale.ModeAll, telltale.ModeSum, telltale.ModeMin, telltale.ModeMax, telltale.ModeLiveSum} {
		dir := t.TempDir()
		store := openStore(t, dir)
		reg := telltale.NewRegistry(telltale.WithStore(store))
		others := telltale.Must(multiprocess.NewCollector(dir))
		g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg), telltale.WithGaugeMode(mode)))
		check := func(what string, want float64) {
			t.Helper()
			if seen := only(t, others).Value; g.Value() != want || seen != want {
				t.Errorf("%s, %s: %v, and others see %v; want %v", mode, what, g.Value(), seen, want)
			}
		}
		g.Add(2)
		check("in a row", 2)
		telltale.SpreadGauge(g)
		check("spread", 2)
		together(4, func(int) {
			for range 100 {
				g.Inc()
			}
		})
		check("added to", 402)
		g.Set(-7)
		check("set", -7)
		g.Inc()
		telltale.SpreadGauge(g)
		g.Add(0.5)
		check("spread again", -5.5)
		if err := reg.Unregister(g); err != nil {
			t.Fatal(err)
		}
		g.Inc()
		telltale.SpreadGauge(g)
		if g.Inc(); g.Value() != -3.5 {
			t.Errorf("on the heap it is %v, want -3.5", g.Value())
		}
		if err := reg.Register(g); err != nil {
			t.Fatal(err)
		}
		g.Inc()
		check("in a row again", -2.5)
		telltale.SpreadGauge(g)
		g.SetFunc(func() float64 { return 9 })
		if g.Add(1); only(t, reg).Value != 9 || only(t, others).Value != 9 {
			t.Errorf("by its function it is %v, and others see %v", only(t, reg).Value, only(t, others).Value)
		}
		g.SetFunc(nil)
		check("without its function", -1.5)
		g.Set(math.Float64frombits(0x7FF4_0000_0000_0001)) // NaN that is no value of a gauge's word
		if g.Inc(); !math.IsNaN(g.Value()) || !math.IsNaN(only(t, others).Value) {
			t.Errorf("NaN is %v, and others see %v", g.Value(), only(t, others).Value)
		}
		if err := errors.Join(reg.Unregister(g), reg.Register(g)); err != nil || !math.IsNaN(only(t, others).Value) {
			t.Errorf("NaN that has moved is %v, %v", only(t, others).Value, err)
		}
	}
}

// What writers that have ended left in lanes is on the page as it was, once it is in
// the archive too.
func TestFoldOfSpreadGauges(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		store, err := multiprocess.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		reg := telltale.NewRegistry(telltale.WithStore(store))
		for _, mode := range []telltale.GaugeMode{telltale.ModeSum, telltale.ModeMin, telltale.ModeMax} {
			g := telltale.Must(telltale.NewGauge(string(mode), "", telltale.In(reg), telltale.WithGaugeMode(mode)))
			g.Set(0.5)
			telltale.SpreadGauge(g)
			together(4, func(int) { g.Add(0.1) })
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	checkFold(t, dir)
}

// checkFold folds a directory, which must leave the page as it was, and returns it.
func checkFold(t *testing.T, dir string) (page string) {
	t.Helper()
	read := func() string {
		reg := telltale.NewRegistry()
		if err := reg.Register(telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithoutFolding()))); err != nil {
			t.Fatal(err)
		}
		return string(telltale.Must(telltale.GenerateLatest(reg)))
	}
	page = read()
	if report, err := multiprocess.Fold(t.Context(), dir); err != nil {
		t.Fatal(report, err)
	}
	if after := read(); after != page {
		t.Errorf("before the fold:\n%s\nafter it:\n%s", page, after)
	}
	return page
}

// A gauge that moves between heap and store while it is spread and read stays what it
// was set to and gets what is added to it, on one side or the other.
func TestSpreadGaugeMovesUnderReaders(t *testing.T) {
	store := openStore(t, t.TempDir())
	reg := telltale.NewRegistry(telltale.WithStore(store))
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	var done atomic.Bool
	together(3, func(i int) {
		switch i {
		case 0:
			defer done.Store(true)
			for range 100 {
				if err := errors.Join(reg.Unregister(g), reg.Register(g)); err != nil {
					t.Error(err)
				}
			}
		case 1:
			for !done.Load() {
				telltale.SpreadGauge(g)
				g.Set(3)
			}
		case 2:
			for !done.Load() {
				if v := g.Value(); v != 0 && v != 3 {
					t.Errorf("it is %v", v)
				}
			}
		}
	})
	if g.Set(4); g.Value() != 4 {
		t.Errorf("it is %v, want 4", g.Value())
	}
}

// A gauge whose row somebody has damaged goes on, from 0.
func TestGaugeInADamagedRow(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, t.TempDir())))
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	for _, spread := range []bool{false, true} {
		g.Set(5)
		if spread {
			telltale.SpreadGauge(g)
		}
		telltale.DamageGauge(g)
		if g.Inc(); g.Value() != 1 {
			t.Errorf("after damage and Inc it is %v", g.Value())
		}
		telltale.DamageGauge(g)
		if v := g.Value(); v != 0 {
			t.Errorf("after damage it is %v", v)
		}
	}
}
