package apitest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

// clock is a collector that shows when its run began and which it is, and takes its
// time for it.
type clock struct {
	takes time.Duration
	runs  atomic.Int64
	began atomic.Pointer[time.Time] // the latest run
	then  func(run int64) error
}

func (c *clock) Collect(_ context.Context, emit func(*model.Family) error) error {
	n, now := c.runs.Add(1), time.Now()
	c.began.Store(&now)
	time.Sleep(c.takes)
	if err := emit(gauge("run", float64(n))); err != nil || c.then == nil {
		return err
	}
	return c.then(n)
}

// wantRun checks which run of a clock a page shows.
func wantRun(t *testing.T, what string, c telltale.Collector, want float64) {
	t.Helper()
	got, err := runOn(t.Context(), c)
	if err != nil || got != want {
		t.Errorf("%s shows run %v, %v; want %v", what, got, err, want)
	}
}

// runOn returns which run of a clock a collection shows, 0 for none.
func runOn(ctx context.Context, c telltale.Collector) (run float64, err error) {
	err = c.Collect(ctx, func(f *model.Family) error {
		for s := range f.Samples() {
			if s.Name == "run" {
				run = s.Value
			}
		}
		return nil
	})
	return run, err
}

// A page that is polled shows no run that began as long ago as it may, or longer.
func TestPolledPagesShareRuns(t *testing.T) {
	const polls = 200
	for _, tt := range []struct {
		name                string
		every, takes, limit time.Duration
		runs                int64
	}{
		{"without coalescing", 50 * time.Millisecond, 0, 0, polls},
		{"a negative time", 50 * time.Millisecond, 0, -time.Second, polls},
		{"a second", 50 * time.Millisecond, 0, time.Second, polls / 20},
		{"a run that takes half of it", 50 * time.Millisecond, 500 * time.Millisecond, time.Second, 20}, // 11 polls for a run
		{"a run that takes longer", 50 * time.Millisecond, 2 * time.Second, time.Second, polls},
		{"polled less often", time.Second, 0, time.Second, polls},
		{"a hair more often", time.Second - 1, 0, time.Second, polls / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &clock{takes: tt.takes}
				reg := telltale.NewRegistry(telltale.WithCoalescing(tt.limit), telltale.WithStrict())
				register(t, reg, c)
				for i := range polls {
					began, runs := time.Now(), c.runs.Load()
					wantRun(t, fmt.Sprint("poll ", i), reg, float64(c.runs.Load()+boolInt(c.began.Load() == nil || began.Sub(*c.began.Load()) >= max(tt.limit, 1))))
					if c.runs.Load() > runs+1 {
						t.Fatalf("poll %d ran the collector %d times", i, c.runs.Load()-runs)
					}
					time.Sleep(tt.every)
				}
				if got := c.runs.Load(); got > tt.runs || got < tt.runs-1 {
					t.Errorf("%d polls made %d runs, want %d", polls, got, tt.runs)
				}
			})
		})
	}
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func TestWhatSharesAKeptRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clock)
		kept, other := telltale.NewRegistry(telltale.WithCoalescing(time.Minute)), telltale.NewRegistry()
		short := telltale.NewRegistry(telltale.WithCoalescing(time.Second))
		outer := telltale.NewRegistry(telltale.WithCoalescing(time.Minute))
		inner := telltale.NewRegistry()
		register(t, kept, c)
		register(t, other, c)
		register(t, short, c)
		register(t, inner, c)
		register(t, outer, inner)
		view := telltale.Must(telltale.Labelled(kept, map[string]string{"pool": "a"}))
		for _, step := range []struct {
			name string
			on   telltale.Collector
			wait time.Duration
			want float64
		}{
			{"the first", kept, 0, 1},
			{"a view", view, time.Second, 1},
			{"a registry with a shorter time", short, 0, 2},
			{"the first again, after a newer run", kept, time.Second - 1, 2},
			{"a registry without one", other, 0, 3},
			{"the first, since nobody kept that", kept, 0, 4},
			{"what a registry holds", outer, time.Second, 4},
			{"the registry itself, whose time has passed", short, 0, 5},
			{"the same registry without the outer one", inner, 0, 6},
			{"a restricted one", kept.Restricted("run"), 0, 7},
			{"all after a collector that cannot be restricted", kept, 0, 7},
			{"after the time", kept, time.Minute, 8},
		} {
			time.Sleep(step.wait)
			wantRun(t, step.name, step.on, step.want)
		}
	})
}

// narrow is a collector that can be restricted.
type narrow struct{ calls []string }

func (n *narrow) Collect(ctx context.Context, emit func(*model.Family) error) error {
	n.calls = append(n.calls, "all")
	return emitting(gauge("a", 1), gauge("b", 1))(ctx, emit)
}

func (n *narrow) Restricted(names ...string) telltale.Collector {
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		n.calls = append(n.calls, strings.Join(names, " "))
		for _, name := range names {
			if err := emit(gauge(name, 1)); err != nil {
				return err
			}
		}
		return nil
	})
}

// A restricted run serves those alone that want no more, a whole run all.
func TestKeptRunsThatWereRestricted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(narrow)
		reg := telltale.NewRegistry(telltale.WithCoalescing(time.Minute), telltale.WithStrict())
		register(t, reg, n)
		a, b := gaugePage("a", "1.0"), gaugePage("b", "1.0")
		wantPage(t, reg.Restricted("a"), a)
		wantPage(t, reg.Restricted("a"), a)
		wantPage(t, reg.Restricted("a", "b"), a+b)
		wantPage(t, reg.Restricted("b"), b)
		wantPage(t, reg, a+b)
		wantPage(t, reg.Restricted("b"), b)
		wantNames(t, "runs", n.calls, "a", "a b", "all")
	})
}

// Faults of a shared run cost a page what they cost the first, and are counted once.
func TestFaultsOfKeptRuns(t *testing.T) {
	down := errors.New("down")
	for _, tt := range []struct {
		name   string
		then   func(int64) error
		reason telltale.Reason
	}{
		{"an error", func(int64) error { return down }, telltale.ReasonError},
		{"a panic", func(int64) error { panic("at the disco") }, telltale.ReasonPanic},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &clock{then: tt.then}
				reg, w := between(t, c, telltale.WithCoalescing(time.Second))
				var late witness
				another := telltale.NewRegistry(telltale.WithCoalescing(time.Second), telltale.WithErrorHook(late.hear))
				strict := telltale.NewRegistry(telltale.WithCoalescing(time.Second), telltale.WithStrict())
				register(t, reg, reg.Health())
				register(t, another, c)
				register(t, strict, c)
				for scrape := range 3 {
					scrapes := 2*scrape + 2 // of which the first does not tell of itself
					wantText(t, page(t, reg.Restricted("before", "run", "after")), around(gaugePage("run", "1.0")))
					s := collectorStats(t, reg, "*apitest.clock")
					if s.Success || s.Scrapes != uint64(scrapes-1) || s.Faults != 1 || s.Families != 1 {
						t.Errorf("after scrape %d the collector's statistics are %+v", scrape, s)
					}
					if v, ok := reg.SampleValue("telltale_scrapes_total", nil); !ok || v != float64(scrapes) {
						t.Errorf("after scrape %d health has %v scrapes, %t", scrape, v, ok)
					}
				}
				w.want(t, tt.reason)
				for range 2 {
					wantRun(t, "a registry that comes later", another, 1)
					late.want(t, tt.reason)
					if err := strict.Collect(t.Context(), func(*model.Family) error { return nil }); err == nil {
						t.Error("a strict registry collects a run that failed without an error")
					}
				}
				time.Sleep(time.Second)
				wantRun(t, "a run later", reg, 2)
				w.want(t, tt.reason, tt.reason)
			})
		})
	}
}

// What fails for lack of time is not shown to those who have more of it.
func TestHastyRunsAreNotKeptForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slow{needs: time.Second}
		reg := telltale.NewRegistry(telltale.WithCoalescing(time.Minute), telltale.WithErrorHook(func(error) {}))
		register(t, reg, c)
		within := func(d time.Duration) (run float64, runs int64) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			run, err := runOn(ctx, reg)
			if err != nil {
				t.Error(err)
			}
			return run, c.runs.Load()
		}
		for _, step := range []struct {
			time      time.Duration
			run, runs float64
		}{
			{10 * time.Millisecond, 0, 1},
			{15 * time.Millisecond, 0, 1}, // it shows the failure of the first
			{25 * time.Millisecond, 0, 2}, // which that did not make longer
			{5 * time.Second, 3, 3},
			{10 * time.Millisecond, 3, 3},
		} {
			if run, runs := within(step.time); run != step.run || runs != int64(step.runs) {
				t.Errorf("with %v: run %v of %d, want %v of %v", step.time, run, runs, step.run, step.runs)
			}
		}
		wantRun(t, "a collection without a deadline", reg, 3)
	})
}

// slow is a collector that gives up at once if it will not have the time it needs.
type slow struct {
	needs time.Duration
	runs  atomic.Int64
}

func (s *slow) Collect(ctx context.Context, emit func(*model.Family) error) error {
	n := s.runs.Add(1)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.needs {
		return context.DeadlineExceeded
	}
	return emit(gauge("run", float64(n)))
}

// What is not copied cannot be read again.
func TestLentFamiliesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clock)
		reg := telltale.NewRegistry(telltale.WithCoalescing(time.Minute), telltale.WithRetention(0), telltale.WithStrict())
		register(t, reg, c)
		for i := range 3 {
			wantRun(t, "a scrape", reg, float64(i+1))
		}
	})
}

// Functions of instruments are coalesced, instruments are not.
func TestCoalescingOfInstruments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, calls := telltale.NewRegistry(telltale.WithCoalescing(time.Minute)), 0
		g := telltale.Must(telltale.NewGauge("own", "", telltale.In(reg)))
		telltale.Must(telltale.NewGaugeFunc("calls", "", nil, func(_ context.Context, observe telltale.Observe) error {
			calls++
			return observe(float64(calls))
		}, telltale.In(reg)))
		for i := range 3 {
			g.Set(float64(i))
			wantPage(t, reg, gaugePage("own", fmt.Sprintf("%d.0", i), "calls", "1.0"))
		}
	})
}

// A kept run holds the collector and its copies no longer than it may.
func TestKeptRunsAreForgotten(t *testing.T) {
	wantForgotten(t, func(m *mark) {
		reg := telltale.NewRegistry(telltale.WithCoalescing(time.Millisecond))
		c := marked(m, emitting(gauge("a", 1)))
		register(t, reg, c)
		wantPage(t, reg, gaugePage("a", "1.0"))
		if err := reg.Unregister(c); err != nil {
			t.Error(err)
		}
	})
}

// Scrapes of registries with different times, all at once: each shows one run, and one
// without coalescing shows runs in their order.
func TestCoalescingUnderConcurrency(t *testing.T) {
	c := new(clock)
	var scrapers sync.WaitGroup
	for i := range 8 {
		reg := telltale.NewRegistry(telltale.WithCoalescing(time.Duration(i/2)*100*time.Microsecond), telltale.WithStrict())
		register(t, reg, c)
		scrapers.Go(func() {
			last := 0.0
			for range 300 {
				run, err := runOn(t.Context(), reg)
				if err != nil || run < 1 || i < 2 && run < last {
					t.Errorf("scraper %d got run %v after %v, %v", i, run, last, err)
					return
				}
				last = run
			}
		})
	}
	scrapers.Wait()
}
