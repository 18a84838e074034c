package apitest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	served "telltale/internal/patience"
	"telltale/model"
)

// expired returns a context of a server with an hour's patience whose client has
// gone already.
func expired(t *testing.T) context.Context {
	return newRung(served.With(t.Context(), time.Hour))
}

// Clients that do not wait lose only their own page: the run that they began
// goes on, and a scrape that begins then shares it.
func TestImpatientClientsHarmNobody(t *testing.T) {
	for _, tt := range []struct {
		name      string
		impatient func(t *testing.T) context.Context
	}{
		{"a deadline that has passed", expired},
		{"a connection that is closed", func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(served.With(t.Context(), time.Hour))
			cancel()
			return ctx
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate()
			reg, _ := between(t, g)
			for range 20 {
				_ = reg.Collect(tt.impatient(t), func(*model.Family) error { return nil })
			}
			await(t, "the collector", g.begun)
			if n := reg.Stats().Hanging; n != 0 {
				t.Errorf("%d collectors are counted as hanging", n)
			}
			began, page := scrapeInBackground(t, reg)
			await(t, "the patient scrape", began)
			for range 20 {
				_ = reg.Collect(tt.impatient(t), func(*model.Family) error { return nil })
			}
			close(g.open)
			wantText(t, await(t, "the patient scrape's page", page), around(gaugePage("runs", "1.0")))
		})
	}
}

// A short deadline proves nothing about a collector: a run that a quick scrape
// leaves while another shares it is not hung for the next.
func TestShortDeadlineIsNobodyElses(t *testing.T) {
	g := newGate()
	reg, w := between(t, g)
	began, first := scrapeInBackground(t, reg)
	await(t, "the first scrape", began)
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		if err := reg.Collect(ctx, func(*model.Family) error { return nil }); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	for _, fault := range w.heard() {
		if fault.Reason != telltale.ReasonDeadline {
			t.Errorf("a quick scrape got %v, want that its deadline passed", fault)
		}
	}
	began, second := scrapeInBackground(t, reg)
	await(t, "the second scrape", began)
	close(g.open)
	for _, page := range []<-chan string{first, second} {
		wantText(t, await(t, "the page", page), around(gaugePage("runs", "1.0")))
	}
}

// selective is a Restrictor whose runs wait for the test.
type selective struct {
	gate
	atOnce, most atomic.Int64
	mu           sync.Mutex
	asked        [][]string // names of each restricted run
}

func newSelective() *selective { return &selective{gate: *newGate()} }

func (s *selective) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return s.run(ctx, emit, "a", "b", "c", "d")
}

func (s *selective) run(_ context.Context, emit func(*model.Family) error, names ...string) error {
	n := s.atOnce.Add(1)
	defer s.atOnce.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	s.runs.Add(1)
	s.begun <- struct{}{}
	<-s.open
	for _, name := range names {
		if err := emit(gauge(name, 1)); err != nil {
			return err
		}
	}
	return nil
}

func (s *selective) Restricted(names ...string) telltale.Collector {
	s.mu.Lock()
	s.asked = append(s.asked, names)
	s.mu.Unlock()
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		return s.run(ctx, emit, names...)
	})
}

// However many lists of names are asked for while a Restrictor runs, one more
// run collects all that they want.
func TestListsOfNamesShareRuns(t *testing.T) {
	for _, tt := range []struct {
		name  string
		full  bool // one of the scrapes wants everything
		asked int
	}{
		{"all restricted", false, 2},
		{"one wants everything", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, reg := newSelective(), telltale.NewRegistry()
			telltale.Must(telltale.NewGauge("before", "", telltale.In(reg)))
			register(t, reg, s)
			_, first := scrapeInBackground(t, reg.Restricted("a", "before"))
			await(t, "the collector", s.begun)
			lists := [][]string{{"a", "before"}, {"b", "before"}, {"b", "c", "before"}, {"d", "before"}, {"d", "before"}}
			var pages []<-chan string
			var want []string
			for _, names := range lists {
				began, page := scrapeInBackground(t, reg.Restricted(names...))
				await(t, "a scrape", began)
				pages = append(pages, page)
				text := gaugePage("before", "0.0")
				for _, name := range []string{"a", "b", "c", "d"} {
					for _, asked := range names {
						if asked == name {
							text += gaugePage(name, "1.0")
						}
					}
				}
				want = append(want, text)
			}
			if tt.full {
				began, page := scrapeInBackground(t, reg)
				await(t, "a scrape", began)
				pages, want = append(pages, page), append(want, gaugePage("before", "0.0", "a", "1.0", "b", "1.0", "c", "1.0", "d", "1.0"))
			}
			close(s.open)
			await(t, "the first page", first)
			for i, page := range pages {
				wantText(t, await(t, fmt.Sprintf("page %d", i), page), want[i])
			}
			if runs, most := s.runs.Load(), s.most.Load(); runs != 2 || most != 1 {
				t.Errorf("the collector ran %d times, %d at once; want 2 times, one after the other", runs, most)
			}
			if len(s.asked) != tt.asked {
				t.Errorf("it was restricted to %q, want %d restricted runs", s.asked, tt.asked)
			}
		})
	}
}

// A hung collector is not started again, through whatever view it is collected.
func TestHungCollectorIsNotStartedAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		wrap func(t *testing.T, c telltale.Collector) []telltale.Collector
	}{
		{"bare", func(_ *testing.T, c telltale.Collector) []telltale.Collector { return []telltale.Collector{c} }},
		{"merged", func(_ *testing.T, c telltale.Collector) []telltale.Collector {
			return []telltale.Collector{merge(c), merge(c, gaugeNamed("other"))}
		}},
		{"views", func(_ *testing.T, c telltale.Collector) []telltale.Collector {
			return []telltale.Collector{prefixed(c, "a_"), prefixed(c, "b_"), telltale.Restrict(c, "runs")}
		}},
		{"registries", func(t *testing.T, c telltale.Collector) []telltale.Collector {
			a, b := telltale.NewRegistry(), telltale.NewRegistry()
			register(t, a, c)
			register(t, b, prefixed(c, "b_"), c)
			return []telltale.Collector{a, b, a.Restricted("runs"), c}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate()
			collectors := tt.wrap(t, g)
			for range 5 {
				for _, c := range collectors {
					_ = telltale.WriteLatest(newRung(served.With(t.Context(), 1)), discard{}, c)
				}
			}
			close(g.open)
			await(t, "the collector", g.begun)
			eventually(t, "the run to end", func() bool { return g.runs.Load() > 0 })
			if n := g.runs.Load(); n != 1 {
				t.Errorf("the collector ran %d times at once", n)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// newRung returns a context whose deadline has passed.
func newRung(ctx context.Context) context.Context {
	a := newAlarm(ctx)
	a.ring()
	return a
}

func gaugeNamed(name string) telltale.Collector { return nameless(gauge(name, 1)) }
