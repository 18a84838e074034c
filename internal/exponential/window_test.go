package exponential_test

import (
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale/internal/exponential"
)

var sketch = exponential.Options{Schema: exponential.SchemaWithin(0.01), MaxBuckets: 1024}

func newClock(t testing.TB, maxAge time.Duration, ages int) *exponential.Clock {
	t.Helper()
	c, err := exponential.NewClock(maxAge, ages)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// windows are the ways to make a window, each with a way for others to read it.
var windows = map[string]func(*testing.T, *exponential.Clock, int) (*exponential.Window, func(s *exponential.Snapshot)){
	"heap": func(_ *testing.T, c *exponential.Clock, _ int) (*exponential.Window, func(*exponential.Snapshot)) {
		w := exponential.NewWindow(c, &sketch)
		return w, func(s *exponential.Snapshot) { w.Read(s, new(exponential.Snapshot)) }
	},
	"words": func(t *testing.T, c *exponential.Clock, ages int) (*exponential.Window, func(*exponential.Snapshot)) {
		words := make([]exponential.Word, ages*sketch.Words())
		w, err := exponential.NewWindowIn(words, c, &sketch)
		if err != nil {
			t.Fatal(err)
		}
		return w, func(s *exponential.Snapshot) {
			if err := c.ReadWindow(words, s, new(exponential.Snapshot)); err != nil {
				t.Error(err)
			}
		}
	},
}

func TestWindow(t *testing.T) {
	for home, build := range windows {
		t.Run(home, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const ages, interval = 5, time.Minute
				time.Sleep(interval / 2) // away from where ticks change
				w, read := build(t, newClock(t, ages*interval, ages), ages)
				var s exponential.Snapshot
				if read(&s); s.Count() != 0 {
					t.Errorf("%d observations before the first", s.Count())
				}
				for minute := range 20 {
					for range 10 {
						w.Observe(float64(minute + 1))
					}
					read(&s)
					oldest := max(1, minute+1-(ages-1))
					if s.Count() != uint64(10*(minute+2-oldest)) {
						t.Fatalf("minute %d: %d observations", minute, s.Count())
					}
					if got := s.Quantile(0); math.Abs(got-float64(oldest)) > 0.01*float64(oldest) {
						t.Fatalf("minute %d: the oldest is %v, want %v", minute, got, oldest)
					}
					time.Sleep(interval)
				}
				time.Sleep(2 * ages * interval) // the clock stops
				if read(&s); s.Count() != 0 {
					t.Errorf("%d observations long after the last", s.Count())
				}
				w.Observe(3)
				if read(&s); s.Count() != 1 {
					t.Errorf("%d observations after a rest, want 1", s.Count())
				}
				time.Sleep(2 * ages * interval)
			})
		})
	}
}

func TestWindowUnderConcurrency(t *testing.T) {
	const goroutines, minutes, each = 4, 10, 500
	for home, build := range windows {
		t.Run(home, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, read := build(t, newClock(t, 64*time.Minute, 64), 64)
				time.Sleep(time.Second) // away from where ticks change
				var writers sync.WaitGroup
				for i := range goroutines {
					writers.Go(func() {
						for minute := range minutes {
							for k := range each {
								w.Observe(float64(i*minute + k))
							}
							time.Sleep(time.Minute)
						}
					})
				}
				writers.Wait()
				var s exponential.Snapshot
				if read(&s); s.Count() != goroutines*minutes*each {
					t.Errorf("%d observations, want %d", s.Count(), goroutines*minutes*each)
				}
				time.Sleep(3 * time.Hour) // the clock stops
			})
		})
	}
}

func TestClockRefused(t *testing.T) {
	for _, ages := range []int{-1, 0, 65} {
		if _, err := exponential.NewClock(time.Hour, ages); err == nil {
			t.Errorf("%d ages: no error", ages)
		}
	}
	for _, age := range []time.Duration{-time.Hour, 0, time.Microsecond} {
		if _, err := exponential.NewClock(age, 5); err == nil {
			t.Errorf("age %v: no error", age)
		}
	}
	c := newClock(t, time.Hour, 5)
	if _, err := exponential.NewWindowIn(make([]exponential.Word, 5*sketch.Words()-1), c, &sketch); err == nil {
		t.Error("too few words: no error")
	}
	if c.ReadWindow(make([]exponential.Word, 999), new(exponential.Snapshot), new(exponential.Snapshot)) == nil {
		t.Error("words that are no window's: no error")
	}
}

func TestWindowAllocatesNothing(t *testing.T) {
	w := exponential.NewWindow(newClock(t, time.Hour, 5), &sketch)
	for _, v := range latencies() {
		w.Observe(v)
	}
	var s, work exponential.Snapshot
	w.Read(&s, &work)
	if n := testing.AllocsPerRun(1000, func() { w.Observe(0.0123) }); n != 0 {
		t.Errorf("observing allocates %v times", n)
	}
	allocs := testing.AllocsPerRun(100, func() {
		w.Read(&s, &work)
		s.Quantile(0.5)
	})
	if allocs != 0 {
		t.Errorf("reading allocates %v times", allocs)
	}
	runtime.KeepAlive(w)
}

// A window that is spread keeps what it has, has lanes in all ages from then on, and
// loses nothing while writers go on.
func TestWindowSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ages, interval, goroutines, rounds = 3, time.Minute, 4, 500
		time.Sleep(interval / 2)
		w := exponential.NewWindow(newClock(t, ages*interval, ages), &sketch)
		var s, work exponential.Snapshot
		for minute := range 7 {
			var writers sync.WaitGroup
			for range goroutines {
				writers.Go(func() {
					for i := range rounds {
						if w.Observe(float64(i)); minute == 1 && i == rounds/2 {
							w.Spread()
						}
					}
				})
			}
			writers.Wait()
			if w.Read(&s, &work); s.Count() != uint64(min(minute+1, ages)*goroutines*rounds) {
				t.Errorf("after %d minutes: %d observations", minute, s.Count())
			}
			if spread := w.LeastLanes() > 1; spread != (minute > 0) {
				t.Errorf("after %d minutes: all ages have lanes: %v", minute, spread)
			}
			time.Sleep(interval)
		}
		time.Sleep(ages * interval) // until the clock stands
	})
}
