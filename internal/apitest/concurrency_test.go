package apitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// rounds is the number of times that each goroutine of a test does its work.
const rounds = 200

// TestEverythingAtOnce is for the race detector: it uses all operations of a
// registry and its instruments at the same time.
func TestEverythingAtOnce(t *testing.T) {
	reg, nested := telltale.NewRegistry(telltale.WithErrorHook(func(error) {})), telltale.NewRegistry()
	in := telltale.In(reg)
	register(t, reg, reg.Health(), prefixed(nested, "nested_"), nameless(gauge("unnamed", 1)))
	counter := telltale.Must(telltale.NewCounter("counter", "", in))
	vec := telltale.Must(telltale.NewGaugeVec("vec", "", []string{"l"}, in))
	of := telltale.Must(telltale.NewHistogramOf[byQueue]("of", "", in))
	info := telltale.Must(telltale.NewInfo("info", "", in))
	held := vec.With("held")

	work := map[string]func(i int) error{
		"observe": func(i int) error {
			counter.Add(float64(i%3) / 2)
			held.Set(float64(i))
			of.With(byQueue{fmt.Sprint(i % 20)}).Observe(float64(i))
			return info.Set(labelMap{"i": fmt.Sprint(i)})
		},
		"create and remove": func(i int) error {
			vec.With(fmt.Sprint(i)).Add(1)
			vec.Remove(fmt.Sprint(i))
			of.RemoveMatching(labelMap{"queue": fmt.Sprint(i % 20)})
			if i%50 == 0 {
				of.Clear()
			}
			return nil
		},
		"replace": func(i int) error {
			vec.Replace(func(next *telltale.GaugeVec) { next.With("held").Set(float64(i)) })
			return nil
		},
		"misuse": func(int) error {
			counter.Add(-1)
			vec.With("too", "many")
			return nil
		},
		"register and unregister": func(i int) error {
			c := counting(new(atomic.Int64), gauge("transient", 1))
			if err := reg.Register(c); err != nil {
				return err
			}
			return reg.Unregister(c)
		},
		"make and unregister": func(i int) error {
			g, err := telltale.NewGauge(fmt.Sprintf("made_%d", i%3), "", telltale.In(nested))
			if err != nil {
				return err
			}
			g.SetFunc(func() float64 { return 1 })
			if err := nested.Unregister(g); err != nil && !errors.Is(err, telltale.ErrNotRegistered) {
				return err
			}
			return nil
		},
		"scrape": func(int) error {
			return telltale.WriteLatest(context.Background(), io.Discard, reg)
		},
		"scrape and hang up": func(i int) error {
			ctx, cancel := context.WithCancel(context.Background())
			n := 0
			err := reg.Collect(ctx, func(*model.Family) error {
				if n++; n > i%8 {
					cancel()
				}
				return nil
			})
			cancel()
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		},
		"scrape some": func(int) error {
			_, err := telltale.GenerateLatest(reg.Restricted("vec", "of_bucket", "nested_made_1", "unnamed"))
			return err
		},
		"scrape copies": func(int) error {
			for _, err := range reg.Families(context.Background()) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"look": func(int) error {
			reg.Stats()
			reg.Describe()
			reg.SampleValue("counter_total", nil)
			reg.TargetInfo()
			return nil
		},
		"set target info": func(i int) error {
			return reg.SetTargetInfo(labelMap{"i": fmt.Sprint(i)})
		},
		"be refused": func(int) error {
			if nested.Register(prefixed(reg, "p_")) == nil {
				return errors.New("a cycle was accepted")
			}
			if reg.Register(described(gauge("counter", 1))) == nil {
				return errors.New("a duplicate was accepted")
			}
			return nil
		},
	}
	var all sync.WaitGroup
	for name, do := range work {
		all.Go(func() {
			for i := range rounds {
				if err := do(i); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	all.Wait()
	if got, want := counter.Value(), float64(rounds/3)*1.5+float64(rounds%3/2)*0.5; got != want {
		t.Errorf("the counter has come to %v, want %v", got, want)
	}
}

// Goroutines that make the same instrument at once all get the same one, and
// none of their counts is lost.
func TestMakeTheSameInstrumentAtOnce(t *testing.T) {
	const goroutines = 8
	for range 20 {
		reg := telltale.NewRegistry()
		var all sync.WaitGroup
		for i := range goroutines {
			all.Go(func() {
				if i%2 == 0 {
					telltale.Must(telltale.NewCounterVec("jobs", "", []string{"queue"}, telltale.In(reg))).With("a").Inc()
				} else {
					telltale.Must(telltale.NewCounterOf[byQueue]("jobs", "", telltale.In(reg))).With(byQueue{"a"}).Inc()
				}
			})
		}
		all.Wait()
		if got, _ := reg.SampleValue("jobs_total", labelMap{"queue": "a"}); got != goroutines {
			t.Fatalf("the counter has come to %v, want %d", got, goroutines)
		}
	}
}

// Of goroutines that register different collectors with one name, exactly one
// succeeds.
func TestClaimTheSameNameAtOnce(t *testing.T) {
	for range 50 {
		reg := telltale.NewRegistry()
		var accepted atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if reg.Register(described(gauge("free", 1), gauge("m", 1))) == nil {
					accepted.Add(1)
				}
			})
		}
		all.Wait()
		if accepted.Load() != 1 {
			t.Fatalf("%d of 4 were accepted", accepted.Load())
		}
	}
}
