package apitest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

func TestDeadline(t *testing.T) {
	h := newHang()
	reg, w := between(t, h)
	// Families emitted before the deadline are on the page. The collector after
	// it works, but may not have come to emit before the deadline passed.
	got := strings.TrimSuffix(scrapeUntilHung(t, reg, "part"), gaugePage("after", "1.0"))
	wantText(t, got, gaugePage("before", "0.0", "part", "1.0"))
	await(t, "the collector", h.begun)
	if fault := w.heard()[0]; fault.Reason != telltale.ReasonDeadline || !errors.Is(fault, context.DeadlineExceeded) {
		t.Errorf("the first fault is %v, want the deadline's", fault)
	}
	if n := reg.Stats().Hanging; n < 1 {
		t.Error("no collector is counted as hanging")
	}

	// A hung collector is not started again, through whatever view.
	for _, view := range []telltale.Collector{reg, reg.Restricted("part", "before", "after"), reg} {
		wantText(t, impatientPage(t, view), around(""))
	}
	select {
	case <-h.begun:
		t.Error("it was started again")
	default:
	}
	heard := w.heard()
	if last := heard[len(heard)-1]; last.Reason != telltale.ReasonStillRunning {
		t.Errorf("the last fault is %v, want that it still runs", last)
	}

	if of := reg.Stats().Custom[0]; of.Success || of.Duration == 0 {
		t.Errorf("the collector hangs, and its statistics are %+v", of)
	}

	// A late collector learns that it is late, and works again once it has
	// returned.
	close(h.release)
	if err := await(t, "the late emit", h.late); err == nil {
		t.Error("the late emit returned no error")
	}
	eventually(t, "the collector to recover", func() bool { return reg.Stats().Hanging == 0 })
	wantPage(t, reg, around(gaugePage("part", "1.0", "rest", "2.0")))
}

// A hung collector does not delay scrapes whose families are complete.
func TestDeadlineLeavesWhatIsDone(t *testing.T) {
	h := newHang()
	defer close(h.release)
	reg := telltale.NewRegistry()
	done := make(chan struct{})
	register(t, reg, h, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		defer close(done)
		return emit(gauge("after", 1))
	}))
	ctx := newAlarm(t.Context())
	var names []string
	err := reg.Collect(ctx, func(f *model.Family) error {
		names = append(names, f.Name)
		if f.Name == "part" {
			await(t, "the collector after it", done)
			ctx.ring()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, "families", names, "part", "after")
}

func TestDeadlineThatHasPassed(t *testing.T) {
	ctx := newAlarm(t.Context())
	ctx.ring()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	var names []string
	if err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil }); err != nil {
		t.Fatal(err)
	}
	wantNames(t, "families", names, "g")
}

func TestDeadlineInStrictMode(t *testing.T) {
	h := newHang()
	defer close(h.release)
	reg := telltale.NewRegistry(telltale.WithStrict())
	register(t, reg, h)
	ctx := newAlarm(t.Context())
	err := reg.Collect(ctx, func(*model.Family) error { ctx.ring(); return nil })
	var fault *telltale.Fault
	if !errors.As(err, &fault) || fault.Reason != telltale.ReasonDeadline {
		t.Errorf("got error %v, want a Fault of the deadline", err)
	}
}

// The collector's context has the scrape's deadline and values, and is done when
// no scrape waits any more.
func TestContextOfCollectors(t *testing.T) {
	type key struct{}
	reg := telltale.NewRegistry()
	saw := make(chan error, 1)
	register(t, reg, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		if ctx.Value(key{}) != "value" {
			t.Error("the context lacks the scrape's value")
		}
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the context lacks the scrape's deadline")
		}
		if err := emit(gauge("part", 1)); err != nil {
			return err
		}
		<-ctx.Done()
		saw <- emit(gauge("late", 1))
		return ctx.Err()
	}))
	ctx := newAlarm(context.WithValue(t.Context(), key{}, "value"))
	if err := reg.Collect(ctx, func(*model.Family) error { ctx.ring(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := await(t, "the collector to notice", saw); err == nil {
		t.Error("emit after the scrape returned no error")
	}
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonDeadline: 1})
}

func TestCancel(t *testing.T) {
	t.Run("makes Collect return at once", func(t *testing.T) {
		for _, last := range []bool{true, false} {
			t.Run(fmt.Sprintf("the collector is the last: %t", last), func(t *testing.T) {
				h := newHang()
				var w witness
				reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
				register(t, reg, h)
				if !last {
					register(t, reg, described(gauge("after", 1)))
				}
				ctx, cancel := context.WithCancel(t.Context())
				var names []string
				err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); cancel(); return nil })
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Collect returned %v, want context.Canceled", err)
				}
				wantNames(t, "families", names, "part")
				close(h.release)
				w.want(t) // no fault is reported
			})
		}
	})
	t.Run("before it begins", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		reg := zoo()
		err := reg.Collect(ctx, func(f *model.Family) error { t.Errorf("family %q was emitted", f.Name); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Collect returned %v, want context.Canceled", err)
		}
	})
	// A scraper that hangs up is no fault of the collector, which works at the
	// next scrape.
	t.Run("costs the next scrape nothing", func(t *testing.T) {
		h := newHang()
		reg, w := between(t, h)
		ctx, cancel := context.WithCancel(t.Context())
		err := reg.Collect(ctx, func(f *model.Family) error {
			if f.Name == "part" {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Collect returned %v", err)
		}
		begun, next := scrapeInBackground(t, reg)
		await(t, "the next scrape", begun)
		select {
		case got := <-next:
			t.Errorf("the next scrape does not wait for the collector: %s", got)
		default:
		}
		close(h.release)
		wantText(t, await(t, "the next scrape", next), around(gaugePage("part", "1.0", "rest", "2.0")))
		w.want(t)
	})
}

// gate is a collector whose runs wait for the test. It counts them.
type gate struct {
	runs  atomic.Int64
	begun chan struct{}
	open  chan struct{}
}

func newGate() *gate { return &gate{begun: make(chan struct{}, 100), open: make(chan struct{})} }

func (g *gate) Collect(ctx context.Context, emit func(*model.Family) error) error {
	g.begun <- struct{}{}
	n := g.runs.Add(1)
	<-g.open
	return emit(gauge("runs", float64(n)))
}

// scrapeInBackground collects and sends the page, after it has waited for the
// scrape to emit after, the family before the collector's.
func scrapeInBackground(t *testing.T, reg telltale.Collector) (begun <-chan struct{}, result <-chan string) {
	began, done := make(chan struct{}), make(chan string, 1)
	go func() {
		var got []*model.Family
		err := reg.Collect(context.Background(), func(f *model.Family) error {
			if len(got) == 0 {
				close(began)
			}
			got = append(got, f.Clone())
			return nil
		})
		if err != nil {
			t.Errorf("Collect: %v", err)
		}
		text, _ := telltale.GenerateLatest(nameless(got...))
		done <- withoutHelp(string(text))
	}()
	return began, done
}
