package apitest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	served "telltale/internal/patience"
	"telltale/model"
)

// source is a Source of at least two series that does something after the first,
// from the given walk on.
type source struct {
	walks, from atomic.Int64
	then        func() error
	more        int
}

func failingFrom(walk int64, then func() error) *source {
	s := &source{then: then}
	s.from.Store(walk)
	return s
}

func (s *source) VisitPoints(_ *model.Point, visit func(*model.Point) error) error {
	walk := s.walks.Add(1)
	for i := range 2 + s.more {
		if i == 1 && walk >= s.from.Load() {
			if err := s.then(); err != nil {
				return err
			}
		}
		p := model.Point{Has: model.PartValue, Labels: model.LabelPairs([]string{"n"}, []string{fmt.Sprint(i + 1)}), Value: 1}
		if err := visit(&p); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) family() *model.Family { return family("sourced", model.Gauge).WithPoints(s) }

// A source that fails loses its family, or the part that has not been read,
// whether the family is copied or lent.
func TestSourcesThatFail(t *testing.T) {
	failures := []struct {
		name   string
		then   func() error
		reason telltale.Reason
	}{
		{"an error", func() error { return errNoConnection }, telltale.ReasonError},
		{"a panic", func() error { panic("at the disco") }, telltale.ReasonPanic},
		{"a panic with nil", func() error { panic(nil) }, telltale.ReasonPanic}, //nolint:govet // what a user may do
	}
	for _, tt := range failures {
		for _, lent := range []bool{false, true} {
			for walk := int64(1); walk <= 2; walk++ {
				t.Run(fmt.Sprintf("%s, lent: %t, at walk %d", tt.name, lent, walk), func(t *testing.T) {
					var opts []telltale.RegistryOption
					if lent {
						opts = append(opts, telltale.WithRetention(0))
					}
					s := failingFrom(walk, tt.then)
					reg, w := between(t, nameless(gauge("first", 1), s.family(), gauge("last", 1)), opts...)
					want := gaugePage("first", "1.0")
					fails := lent || walk == 1 // a copied family is walked once
					switch {
					case !fails:
						want += "# TYPE sourced gauge\nsourced{n=\"1\"} 1.0\nsourced{n=\"2\"} 1.0\n"
					case walk == 2: // the first walk succeeded
						want += "# TYPE sourced gauge\n"
					}
					got := page(t, reg)
					if fails && walk == 2 { // series from before the failure may be there
						got = strings.Replace(got, "sourced{n=\"1\"} 1.0\n", "", 1)
					}
					wantText(t, got, around(want+gaugePage("last", "1.0")))
					if !fails {
						w.want(t)
						return
					}
					if fault := w.want(t, tt.reason)[0]; fault.Family != "sourced" {
						t.Errorf("the fault %v names the family %q", fault, fault.Family)
					}
				})
			}
		}
	}
}

// A source that ends its goroutine ends its collector's goroutine, if it is
// walked there, and no other.
func TestSourceThatEndsItsGoroutine(t *testing.T) {
	for walk := int64(1); walk <= 2; walk++ {
		s := failingFrom(walk, func() error { runtime.Goexit(); return nil })
		reg, w := between(t, nameless(s.family()), telltale.WithRetention(0))
		got := page(t, reg)
		if !strings.HasPrefix(got, gaugePage("before", "0.0")) || !strings.HasSuffix(got, gaugePage("after", "1.0")) {
			t.Errorf("got page\n%s", got)
		}
		if heard := w.heard(); len(heard) == 0 || heard[0].Reason != telltale.ReasonPanic || heard[0].Family != "sourced" {
			t.Errorf("the hook heard %v", heard)
		}
	}
}

// A source that blocks delays the scrape only until its deadline.
func TestSourcesThatBlock(t *testing.T) {
	for walk := int64(1); walk <= 2; walk++ {
		t.Run(fmt.Sprintf("at walk %d", walk), func(t *testing.T) {
			blocked, release := make(chan struct{}, 10), make(chan struct{})
			s := failingFrom(walk, func() error { blocked <- struct{}{}; <-release; return nil })
			var w witness
			reg := telltale.NewRegistry(telltale.WithRetention(0), telltale.WithErrorHook(w.hear))
			register(t, reg, nameless(s.family()))
			telltale.Must(telltale.NewGauge("after", "", telltale.In(reg)))
			ctx := newAlarm(served.With(t.Context(), time.Hour))
			go func() {
				<-blocked
				ctx.ring()
			}()
			ended := make(chan error, 1)
			go func() {
				ended <- telltale.WriteLatest(ctx, discard{}, reg)
			}()
			if err := await(t, "the scrape", ended); err != nil {
				t.Errorf("the scrape returned %v", err)
			}
			w.want(t, telltale.ReasonDeadline)
			wantText(t, impatientPage(t, reg), gaugePage("after", "0.0"))
			w.want(t, telltale.ReasonDeadline, telltale.ReasonStillRunning)
			s.from.Store(100)
			close(release)
			wantPage(t, reg, "# TYPE sourced gauge\nsourced{n=\"1\"} 1.0\nsourced{n=\"2\"} 1.0\n"+gaugePage("after", "0.0"))
		})
	}
}

// lender is a collector that holds a lock of the application while it emits.
type lender struct {
	lock    sync.Mutex
	emitted chan error
	more    int
}

func newLender() *lender { return &lender{emitted: make(chan error, 100)} }

func (l *lender) Collect(_ context.Context, emit func(*model.Family) error) error {
	l.lock.Lock()
	s := failingFrom(100, nil)
	s.more = l.more
	err := emit(s.family())
	l.lock.Unlock()
	l.emitted <- err
	return err
}

// wantFree checks that the application can take its lock.
func (l *lender) wantFree(t *testing.T) {
	t.Helper()
	eventually(t, "the lock to be free", l.lock.TryLock)
	l.lock.Unlock()
}

// A slow scrape never delays a collector whose families are copied, nor another
// scrape.
func TestSlowReadersOfCopies(t *testing.T) {
	l := newLender()
	reg, w := between(t, l)
	reading, read := make(chan struct{}), make(chan struct{})
	slow := make(chan error, 1)
	go func() {
		slow <- reg.Collect(t.Context(), func(f *model.Family) error {
			return f.Visit(new(model.Point), func(*model.Point) error {
				if f.Name == "sourced" {
					reading <- struct{}{}
					<-read
				}
				return nil
			})
		})
	}()
	await(t, "the slow scrape", reading)
	if err := await(t, "emit to return", l.emitted); err != nil {
		t.Errorf("emit returned %v", err)
	}
	l.wantFree(t)
	wantPage(t, reg, around("# TYPE sourced gauge\nsourced{n=\"1\"} 1.0\nsourced{n=\"2\"} 1.0\n"))
	close(read)
	await(t, "the slow scrape", reading) // at the second series
	if err := await(t, "the slow scrape", slow); err != nil {
		t.Errorf("the slow scrape returned %v", err)
	}
	w.want(t)
}

// A scrape that is slow to read a lent family is cut off: when its deadline has
// passed, or when it has taken as long as its server allows a scrape to take.
func TestSlowReadersOfLoans(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   string // the family at which it is slow
		ctx  func(t *testing.T) *alarm
		ring bool
		cut  bool // otherwise it comes late, and goes on without the collector
	}{
		{"in the family, its deadline passes", "sourced", func(t *testing.T) *alarm { return newAlarm(t.Context()) }, true, true},
		{"in the family, its server's limit passes", "sourced", func(t *testing.T) *alarm { return newAlarm(served.With(t.Context(), 1)) }, false, true},
		{"before it, its deadline passes", "before", func(t *testing.T) *alarm { return newAlarm(t.Context()) }, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLender()
			l.more = 2000 // several chunks
			reg, _ := between(t, l, telltale.WithRetention(0))
			ctx := tt.ctx(t)
			reading, read := make(chan struct{}, 10_000), make(chan struct{})
			slow := make(chan error, 1)
			go func() {
				slow <- reg.Collect(ctx, func(f *model.Family) error {
					return f.Visit(new(model.Point), func(*model.Point) error {
						if f.Name == tt.at {
							reading <- struct{}{}
							<-read
						}
						return nil
					})
				})
			}()
			if tt.ring {
				await(t, "the slow scrape", reading)
				ctx.ring()
			}
			_ = await(t, "emit to return", l.emitted)
			l.wantFree(t)
			close(read)
			err := await(t, "the slow scrape", slow)
			if !tt.ring && err == nil { // with so short a limit the source may be the late one
				eventually(t, "the late source to be counted", func() bool { return reg.Stats().Faults[telltale.ReasonDeadline] > 0 })
				return
			}
			if tt.cut != errors.Is(err, os.ErrDeadlineExceeded) || !tt.cut && err != nil {
				t.Errorf("the slow scrape returned %v, want it cut off: %t", err, tt.cut)
			}
			n := 0 // series: the next scrape has all of them
			for f, err := range reg.Families(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				for range f.Samples() {
					n++
				}
			}
			if want := l.more + 4; n != want {
				t.Errorf("the next scrape has %d series, want %d", n, want)
			}
		})
	}
}

// Scrapes that share, cancel, restrict, stop early and read slowly, of
// collectors that are copied, lent and fail, get whole families and leave
// nothing behind.
func TestRunsLeaveNothingBehind(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, retention := range []int{0, 40_000, telltale.DefaultRetention} {
		wantForgotten(t, func(m *mark) {
			reg := telltale.NewRegistry(telltale.WithRetention(retention))
			sound := failingFrom(1<<60, nil)
			sound.more = 600
			broken := failingFrom(1, func() error { panic("at the disco") })
			register(t, reg,
				marked(m, emitting(gauge("a", 1), sound.family(), gauge("b", 1))),
				marked(m, emitting(gauge("c", 1), family("broken", model.Gauge).WithPoints(broken), gauge("d", 1))))
			outer := telltale.NewRegistry()
			register(t, outer, prefixed(reg, "p_"))
			var all sync.WaitGroup
			for range 4 {
				choices := rand.New(rand.NewPCG(random.Uint64(), 0))
				all.Go(func() {
					for range 60 {
						scrapeAtRandom(t, choices, reg, outer)
					}
				})
			}
			all.Wait()
		})
	}
}

func scrapeAtRandom(t *testing.T, choices *rand.Rand, reg, outer *telltale.Registry) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if choices.IntN(2) == 0 {
		ctx = served.With(ctx, time.Hour)
	}
	var c telltale.Collector = reg
	switch choices.IntN(4) {
	case 0:
		c = reg.Restricted("a", "sourced", "d")
	case 1:
		c = outer
	}
	stop, reads, cancels := choices.IntN(8), choices.IntN(1200), choices.IntN(8)
	err := c.Collect(ctx, func(f *model.Family) error {
		if stop--; stop == 0 {
			return errNoConnection
		}
		if cancels--; cancels == 0 {
			cancel()
		}
		n := 0
		err := f.Visit(new(model.Point), func(*model.Point) error {
			if n++; n == reads {
				runtime.Gosched()
			}
			return nil
		})
		if err == nil && strings.HasSuffix(f.Name, "sourced") && n != 602 && ctx.Err() == nil {
			t.Errorf("a scrape got %d series of 602", n)
		}
		return err
	})
	if err != nil && !errors.Is(err, errNoConnection) && !errors.Is(err, context.Canceled) {
		t.Errorf("Collect returned %v", err)
	}
}
