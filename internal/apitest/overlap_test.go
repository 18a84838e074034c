package apitest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

func TestOverlappingScrapesShareARun(t *testing.T) {
	g := newGate()
	reg, w := between(t, g)
	var results []<-chan string
	for range 5 {
		begun, result := scrapeInBackground(t, reg)
		await(t, "the scrape", begun) // by then it has subscribed to the collector
		results = append(results, result)
	}
	close(g.open)
	for _, result := range results {
		wantText(t, await(t, "the page", result), around(gaugePage("runs", "1.0")))
	}
	wantPage(t, reg, around(gaugePage("runs", "2.0"))) // a new scrape, a new run
	w.want(t)
}

// A fault of a run that scrapes share is counted once.
func TestOverlappingScrapesShareAFault(t *testing.T) {
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	reg, w := between(t, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		_ = emittingSlowly(begun, finish)(ctx, emit)
		return errNoConnection
	}))
	_, one := scrapeInBackground(t, reg)
	await(t, "the collector", begun)
	began, two := scrapeInBackground(t, reg)
	await(t, "the scrape", began)
	close(finish)
	wantText(t, await(t, "the page", one), around(""))
	wantText(t, await(t, "the page", two), around(""))
	w.want(t, telltale.ReasonError)
}

// One of two scrapes gives up; the other still waits, and a scrape that begins
// then waits with it.
func TestOverlappingScrapesHaveTheirOwnDeadlines(t *testing.T) {
	g, reg := newGate(), telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("before", "", telltale.In(reg)))
	register(t, reg, g)
	begun, patient := scrapeInBackground(t, reg)
	await(t, "the patient scrape", begun)
	hasty := newAlarm(t.Context())
	err := reg.Collect(hasty, func(*model.Family) error { hasty.ring(); return nil }) // only the first family: the rest is late
	if err != nil {
		t.Fatal(err)
	}
	begun, later := scrapeInBackground(t, reg)
	await(t, "the later scrape", begun)
	close(g.open)
	wantText(t, await(t, "the patient scrape's page", patient), gaugePage("before", "0.0", "runs", "1.0"))
	wantText(t, await(t, "the later scrape's page", later), gaugePage("before", "0.0", "runs", "1.0"))
}

// If a scrape leaves a run early, the next scrape must not get the rest of it.
func TestAbandonedRunsAreNotShared(t *testing.T) {
	h := newHang()
	reg, w := between(t, h)
	enough := errors.New("enough")
	if err := reg.Collect(t.Context(), func(f *model.Family) error {
		if f.Name == "part" {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	begun, next := scrapeInBackground(t, reg)
	await(t, "the next scrape", begun)
	close(h.release)
	if err := await(t, "the abandoned run's emit", h.late); err == nil {
		t.Error("emit in an abandoned run returned no error")
	}
	wantText(t, await(t, "the next scrape's page", next), around(gaugePage("part", "1.0", "rest", "2.0")))
	w.want(t)
}

// retention is room for some families of a bulk, so that the others are lent.
const retention = 1 << 20

// bulk is a collector of many families of about 50 KiB each.
type bulk struct {
	families []*model.Family
	emitted  atomic.Int64 // emits begun
}

const bulkSeries = 500

func newBulk(families int) *bulk {
	b := &bulk{}
	for i := range families {
		f := family(fmt.Sprintf("bulk_%03d", i), model.Gauge)
		for n := range bulkSeries {
			f.AddSample(f.Name, labelMap{"n": fmt.Sprintf("%050d", n)}, float64(i))
		}
		b.families = append(b.families, f)
	}
	return b
}

func (b *bulk) Collect(_ context.Context, emit func(*model.Family) error) error {
	for _, f := range b.families {
		b.emitted.Add(1)
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// The families of a collector whose turn has not come are kept up to the
// retention: the collector waits in emit until its other families are taken, one
// after the other.
func TestWhatIsKeptIsBounded(t *testing.T) {
	const families, least, kept = 120, 10, 40 // there is room for about 20
	b, g, reg := newBulk(families), newGate(), telltale.NewRegistry(telltale.WithRetention(retention))
	register(t, reg, b, g)
	taken := int64(0)
	err := reg.Collect(t.Context(), func(f *model.Family) error {
		if !strings.HasPrefix(f.Name, "bulk") {
			return nil
		}
		if taken == 0 {
			await(t, "the collector after it", g.begun) // which does not wait
			close(g.open)
			eventually(t, "what there is room for", func() bool { return b.emitted.Load() >= least })
		}
		if want := fmt.Sprintf("bulk_%03d", taken); f.Name != want {
			t.Fatalf("got family %q, want %q", f.Name, want)
		}
		n := 0
		for range f.Samples() {
			n++
		}
		if n != bulkSeries {
			t.Errorf("family %q has %d samples, want %d", f.Name, n, bulkSeries)
		}
		taken++
		if ahead := b.emitted.Load() - taken; ahead > kept {
			t.Fatalf("%d families are emitted that no scrape has read yet", ahead)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if taken != families {
		t.Errorf("%d families came, want %d", taken, families)
	}
}

func countFamilies(c telltale.Collector, n *int) error {
	return c.Collect(context.Background(), func(*model.Family) error { *n++; return nil })
}

// Scrapes that share a collector with more families than are kept all get every
// family.
func TestOverlappingScrapesOfALot(t *testing.T) {
	b, reg := newBulk(25), telltale.NewRegistry(telltale.WithRetention(retention))
	register(t, reg, b)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n := 0
			if err := countFamilies(reg, &n); err != nil || n != len(b.families) {
				t.Errorf("a scrape got %d families and error %v, want %d", n, err, len(b.families))
			}
		})
	}
	all.Wait()
}

// Two scrapes reach the same collectors in opposite order: neither may wait for
// the other.
func TestOverlappingScrapesInOppositeOrder(t *testing.T) {
	a, b := telltale.NewRegistry(telltale.WithRetention(retention)), telltale.NewRegistry(telltale.WithRetention(retention))
	register(t, a, prefixed(newBulk(25), "a_"))
	register(t, b, prefixed(newBulk(25), "b_"))
	scrapes := []telltale.Collector{merge(a, b), merge(b, a)}
	begun, results := make(chan struct{}, 2), make(chan int, 2)
	for _, c := range scrapes {
		go func() {
			n := 0
			err := c.Collect(context.Background(), func(*model.Family) error {
				if n++; n == 1 { // both have subscribed to both
					begun <- struct{}{}
					for len(begun) < 2 {
						runtime.Gosched()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			results <- n
		}()
	}
	for range scrapes {
		if n := await(t, "a scrape", results); n != 50 {
			t.Errorf("a scrape got %d families, want 50", n)
		}
	}
}

// One page shows one collector in two views; its families are more than are
// kept.
func TestOnePageWithALotTwice(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithRetention(retention))
	register(t, reg, newBulk(25))
	result := make(chan int, 1)
	go func() {
		n := 0
		if err := countFamilies(merge(prefixed(reg, "a_"), prefixed(reg, "b_")), &n); err != nil {
			t.Error(err)
		}
		result <- n
	}()
	if n := await(t, "the scrape", result); n != 50 {
		t.Errorf("the scrape got %d families, want 50", n)
	}
}

// A collector may emit from several goroutines.
func TestEmitConcurrently(t *testing.T) {
	const goroutines, each = 5, 5
	b, reg := newBulk(goroutines*each), telltale.NewRegistry(telltale.WithRetention(retention))
	register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		var all sync.WaitGroup
		for i := range goroutines {
			all.Go(func() {
				for j := range each {
					if err := emit(b.families[i*each+j]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		return nil
	}))
	result := make(chan int, 1)
	go func() {
		n := 0
		if err := countFamilies(reg, &n); err != nil {
			t.Error(err)
		}
		result <- n
	}()
	if n := await(t, "the scrape", result); n != goroutines*each {
		t.Errorf("%d families came, want %d", n, goroutines*each)
	}
}

// Families that a collector emits after it has returned are too late, which is
// reported.
func TestEmitAfterReturn(t *testing.T) {
	var kept func(*model.Family) error
	reg, w := between(t, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		kept = emit
		return nil
	}))
	wantPage(t, reg, around(""))
	if kept(gauge("late", 1)) == nil {
		t.Error("the late emit returned no error")
	}
	wantPage(t, reg, around(""))
	w.want(t, telltale.ReasonLate)
}
