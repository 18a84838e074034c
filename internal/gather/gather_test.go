package gather_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telltale/internal/gather"
	"telltale/model"
)

// collector is a custom collector whose runs are counted.
type collector struct {
	runs    atomic.Int64
	collect func(ctx context.Context, emit func(*model.Family) error) error
}

func (c *collector) Collect(ctx context.Context, emit func(*model.Family) error) error {
	c.runs.Add(1)
	return c.collect(ctx, emit)
}

func (c *collector) Name() string { return "the collector" }

// account keeps the reasons of reported faults.
type account struct {
	told    []gather.Reason
	counted uint64
}

func (a *account) Count(_ gather.Reason, _ model.Collector, n uint64) { a.counted += n }
func (a *account) Ran(model.Collector, gather.Outcome)                {}
func (a *account) Log(gather.Fault)                                   {}

func (a *account) Report(f gather.Fault) bool {
	a.told = append(a.told, f.Reason)
	return true
}

// subscribe returns a share in c's run with room for copies of that many bytes.
func subscribe(ctx context.Context, c *collector, a *account, bytes int) *gather.Subscription {
	var kept atomic.Int64
	return gather.NewScrape(ctx).Subscribe(gather.Request{
		Collector: c, Subject: c, Accounts: gather.Accounts{a}, Room: gather.Room{Limit: bytes, Kept: &kept},
	})
}

// names reads all families and returns their names.
func names(s *gather.Subscription) (list []string, err error) {
	for {
		f, err := s.Next()
		if f == nil {
			return list, err
		}
		list = append(list, f.Name)
	}
}

func family(name string) *model.Family { return &model.Family{Name: name, Type: model.Gauge} }

func TestScrapesShareARun(t *testing.T) {
	for _, room := range []int{0, 1 << 20} { // lent, copied
		synctest.Test(t, func(t *testing.T) {
			c := &collector{collect: func(_ context.Context, emit func(*model.Family) error) error {
				time.Sleep(time.Second)
				return errors.Join(emit(family("a")), emit(family("b")))
			}}
			shares := []*gather.Subscription{subscribe(t.Context(), c, new(account), room), subscribe(t.Context(), c, new(account), room)}
			got := make(chan []string)
			for _, s := range shares {
				s.Start()
				go func() {
					defer s.Leave()
					list, _ := names(s)
					got <- list
				}()
			}
			for range shares {
				if list := <-got; !slices.Equal(list, []string{"a", "b"}) {
					t.Errorf("room for %d bytes: a scrape got %q", room, list)
				}
			}
			if n := c.runs.Load(); n != 1 {
				t.Errorf("room for %d bytes: %d runs for two scrapes at once", room, n)
			}
		})
	}
}

// A scrape that demands it shares no run that has begun before.
func TestAFreshScrapeSharesNoOlderRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted atomic.Value
		counted.Store("old")
		c := &collector{collect: func(_ context.Context, emit func(*model.Family) error) error {
			name := counted.Load().(string)
			time.Sleep(time.Second)
			return emit(family(name))
		}}
		old := subscribe(t.Context(), c, new(account), 1<<20)
		old.Start()
		time.Sleep(time.Millisecond)
		counted.Store("new")
		for _, ctx := range []context.Context{gather.DemandFresh(t.Context()), gather.DemandFresh(t.Context())} {
			s := subscribe(ctx, c, new(account), 1<<20)
			s.Start()
			defer s.Leave()
			if list, err := names(s); err != nil || !slices.Equal(list, []string{"new"}) {
				t.Errorf("%q, %v", list, err)
			}
		}
		if list, err := names(old); err != nil || !slices.Equal(list, []string{"old"}) {
			t.Errorf("%q, %v", list, err)
		}
		old.Leave()
		// Nor what is kept of one that has ended.
		kept := func(ctx context.Context) *gather.Subscription {
			var bytes atomic.Int64
			return gather.NewScrape(ctx).Subscribe(gather.Request{
				Collector: c, Subject: c, Accounts: gather.Accounts{new(account)}, Room: gather.Room{Limit: 1 << 20, Kept: &bytes}, Coalesce: time.Hour,
			})
		}
		for i, ctx := range []context.Context{t.Context(), t.Context(), gather.DemandFresh(t.Context())} {
			before := c.runs.Load()
			s := kept(ctx)
			s.Start()
			if _, err := names(s); err != nil || c.runs.Load()-before != int64([]int{1, 0, 1}[i]) {
				t.Errorf("scrape %d: %d runs, %v", i, c.runs.Load()-before, err)
			}
			s.Leave()
		}
	})
}

func TestAHungRunIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := &collector{collect: func(context.Context, func(*model.Family) error) error {
			<-release
			return nil
		}}
		for _, want := range []error{context.DeadlineExceeded, gather.ErrRunning} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			s := subscribe(ctx, c, new(account), 0)
			s.Start()
			_, err := names(s)
			if s.Leave(); !errors.Is(err, want) {
				t.Errorf("the scrape ended with %v, want %v", err, want)
			}
			cancel()
			time.Sleep(time.Second)
			if !gather.Hung(c) {
				t.Error("the collector does not count as hung")
			}
		}
		close(release)
		synctest.Wait()
		if n := c.runs.Load(); n != 1 || gather.Hung(c) {
			t.Errorf("%d runs, hung at the end: %v", n, gather.Hung(c))
		}
	})
}

func TestFaultsAreToldTenTimesThenCounted(t *testing.T) {
	const faults = 25
	c := &collector{collect: func(_ context.Context, emit func(*model.Family) error) error {
		for range faults {
			if err := emit(nil); err != nil {
				return err
			}
		}
		panic("at the end")
	}}
	a := new(account)
	s := subscribe(t.Context(), c, a, 0)
	s.Start()
	if list, err := names(s); len(list) > 0 || err != nil {
		t.Errorf("families %q, error %v", list, err)
	}
	s.Leave()
	want := append(slices.Repeat([]gather.Reason{gather.ReasonInvalidFamily}, 10), gather.ReasonPanic)
	if !slices.Equal(a.told, want) || a.counted != faults-10 {
		t.Errorf("told %q, counted %d more", a.told, a.counted)
	}
	if n := len(s.Faults()); n != len(want) {
		t.Errorf("the subscription knows %d faults, want %d", n, len(want))
	}
}
