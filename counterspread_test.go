package telltale_test

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// fast is so much that a counter with it has grown fast, however slow the machine.
const fast = 1 << 50

func collectOnce(t *testing.T, c telltale.Collector) {
	t.Helper()
	if err := telltale.WriteLatest(t.Context(), io.Discard, c); err != nil {
		t.Fatal(err)
	}
}

// A counter that grows fast looks for other writers after a collection. Without any
// it counts as before; if there are some it is spread. It is exact throughout.
func TestCounterLooksForOthers(t *testing.T) {
	for _, test := range []struct {
		name          string
		start         float64
		others        bool
		looks, spread bool
	}{
		{"slow", 100, true, false, false},
		{"fast and alone", fast, false, true, false},
		{"fast with others", fast, true, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newLoneCounter(false)
			c.Add(test.start)
			want := test.start
			for round := range 3 {
				spread := telltale.IsSpread(c)
				collectOnce(t, c)
				if got := telltale.LooksForOthers(c); got != (test.looks && !spread) {
					t.Errorf("round %d: after a collection it looks for others: %v", round, got)
				}
				for i := range 2000 {
					if test.others && telltale.LooksForOthers(c) {
						telltale.MeetOther(c)
					}
					if c.Inc(); i%2 == 0 {
						c.Add(2)
						want += 2
					}
					want++
				}
				if telltale.IsSpread(c) != test.spread || telltale.LooksForOthers(c) {
					t.Errorf("round %d: spread: %v, still looking: %v", round, telltale.IsSpread(c), telltale.LooksForOthers(c))
				}
				if got := c.Value(); got != want {
					t.Fatalf("round %d: %v, want %v", round, got, want)
				}
			}
		})
	}
}

// A counter that is called less often than looking takes counts as before from the
// next collection on.
func TestCounterStopsLooking(t *testing.T) {
	c := newLoneCounter(false)
	c.Add(fast)
	for round := range 4 {
		collectOnce(t, c)
		if got := telltale.LooksForOthers(c); got != (round%2 == 0) {
			t.Errorf("round %d: it looks for others: %v", round, got)
		}
		c.Add(5)
	}
	if got := c.Value(); got != fast+20 {
		t.Errorf("%v, want %v", got, float64(fast+20))
	}
}

// However often collections have a counter look for others while goroutines count,
// nothing is lost and nobody sees it fall.
func TestCounterLooksWhileCounting(t *testing.T) {
	const goroutines, rounds = 4, 20_000
	c := newLoneCounter(false)
	c.Add(fast)
	var counting atomic.Int32
	counting.Store(goroutines)
	together(goroutines+1, func(i int) {
		if i < goroutines {
			for n := range rounds {
				c.Inc()
				if n%100 == 0 {
					c.Add(0.5)
				}
			}
			counting.Add(-1)
			return
		}
		for last := 0.0; counting.Load() > 0; {
			collectOnce(t, c)
			now := c.Value()
			if now < last {
				t.Errorf("it fell from %v to %v", last, now)
			}
			last = now
		}
	})
	if want := float64(fast + goroutines*(rounds+rounds/200)); c.Value() != want {
		t.Errorf("%v, want %v", c.Value(), want)
	}
}

// A counter in a store is spread in its row, where other processes see it, and moves
// to the heap and into another row with all that it has.
func TestSpreadCounterInAStore(t *testing.T) {
	dir := t.TempDir()
	store := openStore(t, dir)
	reg := telltale.NewRegistry(telltale.WithStore(store))
	others := telltale.Must(multiprocess.NewCollector(dir))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	want := 0.0
	check := func(what string) {
		t.Helper()
		seen := -1.0
		if err := others.Collect(t.Context(), func(f *model.Family) error {
			for s := range f.Samples() {
				if s.Name == "c_total" {
					seen = s.Value
				}
			}
			return nil
		}); err != nil || seen != want || c.Value() != want {
			t.Errorf("%s: %v, and others see %v, %v; want %v", what, c.Value(), seen, err, want)
		}
	}
	count := func(n int) {
		for range n {
			c.Inc()
		}
		c.Add(0.25)
		c.Add(1 << 20)
		want += float64(n) + 0.25 + 1<<20
	}
	c.Add(1 << 45)
	want += 1 << 45
	check("in a row")
	collectOnce(t, reg)
	if !telltale.LooksForOthers(c) {
		t.Error("a collection of a registry with a store does not have the counter look for others")
	}
	telltale.SpreadCounter(c)
	count(10)
	if !telltale.IsSpread(c) {
		t.Error("it is not spread")
	}
	check("spread in a row")
	if err := reg.Unregister(c); err != nil {
		t.Fatal(err)
	}
	count(10)
	telltale.SpreadCounter(c)
	count(10)
	if !telltale.IsSpread(c) || c.Value() != want {
		t.Errorf("on the heap again: spread %v, at %v, want %v", telltale.IsSpread(c), c.Value(), want)
	}
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	count(10)
	check("in a row again")
	telltale.SpreadCounter(c)
	count(10)
	check("spread again")
	for _, late := range []func(*telltale.Counter){telltale.IncLate, telltale.IncLate, telltale.AddLate} {
		if late(c); c.Value() != want+1 {
			t.Errorf("an update that finds its word left: %v, want %v", c.Value(), want+1)
		}
		want++
		collectOnce(t, reg)
		check("after a late update and a collection")
	}
	telltale.IncLate(c)
	want++
	count(0)
	check("after a late Inc and an Add")
	if err := errors.Join(reg.Unregister(c), reg.Register(c)); err != nil {
		t.Fatal(err)
	}
	check("after all")
}
