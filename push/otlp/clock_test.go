package otlp_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push/otlp"
)

// Data points have the times of a clock that is given, and without one nothing is
// collected.
func TestClock(t *testing.T) {
	b, c := newBackend(t), &counting{series: 2}
	var asked atomic.Int64
	broken := errors.New("the clock is broken")
	s := start(t, c, b.URL, otlp.WithClock(func() (time.Time, error) {
		if n := asked.Add(1); n%2 == 1 {
			return time.UnixMilli(1_000_000 + 10*n), nil
		}
		return time.Time{}, broken
	}))
	await(t, "points", func() bool { return len(b.of(ofCounting(1))) > 5 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	b.check(t)
	for _, p := range b.of(ofCounting(1)) {
		if want := uint64(1_000_010+20*(int64(p.value)-1)) * 1e6; p.at != want {
			t.Errorf("the point of collection %v is of %d, want %d", p.value, p.at, want)
		}
	}
	times := (asked.Load() + 1) / 2 // that it gave; the collection that is cut off at the end may not use its own
	if n := c.n.Load(); n != times && n != times-1 {
		t.Errorf("%d collections, and the clock was asked %d times", c.n.Load(), asked.Load())
	}
	for _, err := range s.errors() {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	target := must(otlp.NewTarget(b.URL, otlp.WithClock(func() (time.Time, error) { return time.Time{}, broken })))
	if err := target.Push(t.Context(), c); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := otlp.NewTarget(b.URL, otlp.WithClock(nil)); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Error("no clock is one")
	}
}

// The last collection shares no run of a collector that has begun before the end.
func TestLastCollectionIsFresh(t *testing.T) {
	b := newBackend(t)
	reg := telltale.NewRegistry()
	counter := must(telltale.NewCounter("done", "", telltale.Unregistered()))
	entered, proceed := make(chan struct{}, 2), make(chan struct{})
	var runs atomic.Int64
	fail(reg.Register(telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		run := runs.Add(1)
		err := counter.Collect(ctx, func(f *model.Family) error {
			f = f.Clone() // what was counted when it began
			if run == 1 {
				entered <- struct{}{}
				<-proceed
			}
			return emit(f)
		})
		return err
	})))
	scraped := make(chan error, 1)
	go func() { scraped <- reg.Collect(t.Context(), func(*model.Family) error { return nil }) }()
	<-entered // a scrape's run, before the count
	counter.Inc()
	s := start(t, reg, b.URL, otlp.WithInterval(time.Hour))
	s.stop()
	close(proceed)
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	if err := <-scraped; err != nil {
		t.Error(err)
	}
	if all := b.of("done_total{}"); len(all) == 0 || all[len(all)-1].value != 1 {
		t.Errorf("the last of %v has not the count", all)
	}
}

// A series that began in the millisecond of its first collection begins with it; one that
// began later has no start.
func TestStartsOfTheSameMillisecond(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	for name, test := range map[string]struct {
		after time.Duration
		start int64
	}{
		"before":               {-time.Microsecond, at.UnixNano() - 1000},
		"the same millisecond": {999 * time.Microsecond, at.UnixNano()},
		"later":                {time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, reg := newBackend(t), telltale.NewRegistry()
			must(telltale.NewCounter("done", "", telltale.In(reg), telltale.WithCreated(at.Add(test.after)))).Inc()
			target := must(otlp.NewTarget(b.URL, otlp.WithClock(func() (time.Time, error) { return at, nil })))
			if err := target.Push(t.Context(), reg); err != nil {
				t.Fatal(err)
			}
			if got := b.of("done_total{}"); len(got) != 1 || got[0].start != uint64(test.start) {
				t.Errorf("the points are %+v, want a start of %d", got, test.start)
			}
		})
	}
}
