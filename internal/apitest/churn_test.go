package apitest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

// liveHeap returns the bytes in use after a garbage collection.
func liveHeap() int64 {
	for least := int64(math.MaxInt64); ; {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if int64(m.HeapAlloc) >= least {
			return least
		}
		least = int64(m.HeapAlloc) // memory of earlier tests may still be freed
	}
}

// Series that come and go leave no memory behind, in whatever order they go.
func TestChurnKeepsMemoryBounded(t *testing.T) {
	const living = 100
	total := 100_000
	if raceEnabled {
		total = 20_000
	}
	for name, churn := range map[string]func(v *telltale.CounterVec){
		"the oldest goes": func(v *telltale.CounterVec) {
			for i := range total {
				v.With("some label value", fmt.Sprint(i)).Inc()
				if i >= living {
					v.Remove("some label value", fmt.Sprint(i-living))
				}
			}
		},
		"the newest goes": func(v *telltale.CounterVec) {
			for i := range total {
				v.With("some label value", fmt.Sprint(i)).Inc()
				if i >= living {
					v.Remove("some label value", fmt.Sprint(i))
				}
			}
		},
		"the same comes back": func(v *telltale.CounterVec) {
			for i := range total {
				v.With("some label value", fmt.Sprint(i%living)).Inc()
				if i < total-living {
					v.Remove("some label value", fmt.Sprint(i%living))
				}
			}
		},
		"many at once": func(v *telltale.CounterVec) {
			for i := range total {
				v.With(fmt.Sprint(i/1000), fmt.Sprint(i)).Inc()
				if i%1000 == 999 && i < total-1 {
					v.RemoveMatching(map[string]string{"a": fmt.Sprint(i / 1000)})
				}
			}
		},
		"all at once": func(v *telltale.CounterVec) {
			for i := range total {
				v.With("some label value", fmt.Sprint(i)).Inc()
				if i%1000 == 999 && i < total-1 {
					v.Clear()
				}
			}
		},
		"replaced": func(v *telltale.CounterVec) {
			for i := range total / 1000 {
				v.Replace(func(next *telltale.CounterVec) {
					for j := range 1000 {
						next.With("some label value", fmt.Sprint(i*1000+j)).Inc()
					}
				})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := liveHeap()
			v := telltale.Must(telltale.NewCounterVec("c", "", []string{"a", "b"}, telltale.Unregistered()))
			churn(v)
			texts, _ := seriesOf(t, v)
			if len(texts) != v.Len() || v.Len() > 1000 || v.Len() < living {
				t.Errorf("%d series on the page, Len() = %d", len(texts), v.Len())
			}
			grown := liveHeap() - before
			t.Logf("%d series, %d bytes", v.Len(), grown)
			if most := int64(1 << 20); grown > most {
				t.Errorf("%d bytes are in use for %d series, want at most %d", grown, v.Len(), most)
			}
			runtime.KeepAlive(v)
		})
	}
}

// The memory of live series depends on their number, not on the series that were
// created and removed beside them.
func TestMemoryFollowsTheLiving(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory")
	}
	const living, turnover = 5000, 20
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, tt := range []struct {
		name string
		most float64 // times the memory of series in a new family
		live func(random *rand.Rand, create func() int, remove func(int))
	}{
		{"fresh", 1, func(_ *rand.Rand, create func() int, _ func(int)) {
			for range living {
				create()
			}
		}},
		{"exponential lifetimes", 2, func(random *rand.Rand, create func() int, remove func(int)) {
			var alive [living]int
			for i := range turnover * living {
				at := random.IntN(living)
				if i < living {
					at = i
				} else {
					remove(alive[at])
				}
				alive[at] = create()
			}
		}},
		{"a few live long", 2, func(random *rand.Rand, create func() int, remove func(int)) {
			goes := make(map[int][]int)
			for now := range turnover * living {
				life := random.ExpFloat64() * living / 2
				if random.IntN(50) == 0 {
					life *= turnover
				}
				goes[now+int(life)] = append(goes[now+int(life)], create())
				for _, i := range goes[now] {
					remove(i)
				}
				delete(goes, now)
			}
		}},
		{"batches", 2, func(random *rand.Rand, create func() int, remove func(int)) {
			const batches, size = 20, living / 20
			var first [batches]int
			for i := range turnover * batches {
				at := random.IntN(batches)
				if i < batches {
					at = i
				} else {
					for j := range size {
						remove(first[at] + j)
					}
				}
				first[at] = create()
				for range size - 1 {
					create()
				}
			}
		}},
		{"one in twenty survives", 8, func(_ *rand.Rand, create func() int, remove func(int)) {
			for range turnover * living {
				create()
			}
			for i := range turnover * living {
				if i%turnover != 0 {
					remove(i)
				}
			}
		}},
		{"eight in four hundred survive together", 8, func(_ *rand.Rand, create func() int, remove func(int)) {
			for range 5 * turnover * living {
				create()
			}
			for i := range 5 * turnover * living {
				if i%400 >= 8 {
					remove(i)
				}
			}
		}},
	} {
		for name, work := range map[string]struct {
			fresh float64
			make  func() (create func(string), remove func(string) bool, count func() int)
		}{
			"counters": {100, func() (func(string), func(string) bool, func() int) {
				v := telltale.Must(telltale.NewCounterVec("c", "", []string{"a"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
				return func(l string) { v.With(l).Inc() }, func(l string) bool { return v.Remove(l) }, v.Len
			}},
			"histograms": {210, func() (func(string), func(string) bool, func() int) {
				v := telltale.Must(telltale.NewHistogramVec("h", "", []string{"a"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
				return func(l string) { v.With(l).Observe(1) }, func(l string) bool { return v.Remove(l) }, v.Len
			}},
		} {
			t.Run(tt.name+" of "+name, func(t *testing.T) {
				before := liveHeap()
				create, remove, count := work.make()
				n := 0
				tt.live(rand.New(rand.NewPCG(seed, 0)), func() int {
					n++
					create(fmt.Sprintf("session-%08d", n-1))
					return n - 1
				}, func(i int) {
					if !remove(fmt.Sprintf("session-%08d", i)) {
						t.Fatalf("series %d is lost", i)
					}
				})
				each := float64(liveHeap()-before) / float64(count())
				t.Logf("%d live, each takes %.0f bytes", count(), each)
				if slack := 1.1; each > slack*tt.most*work.fresh {
					t.Errorf("%d series take %.0f bytes each, want at most %v times %v", count(), each, tt.most, work.fresh)
				}
				runtime.KeepAlive(create)
			})
		}
	}
}

// Removing all series one by one leaves an empty family, with room for new ones.
func TestRemoveAllOneByOne(t *testing.T) {
	const n = 10_000
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered()))
	for round := range 3 {
		for i := range n {
			v.With(fmt.Sprint(i)).Add(float64(round + 1))
		}
		for i := range n {
			at := i
			if round == 1 {
				at = n - 1 - i
			}
			if v.With(fmt.Sprint(at)).Value() != float64(round+1) || !v.Remove(fmt.Sprint(at)) {
				t.Fatalf("round %d: series %d is lost", round, at)
			}
		}
		if v.Len() != 0 {
			t.Errorf("round %d: %d series are left", round, v.Len())
		}
		wantSeries(t, v)
	}
}

// Writers, creators, removers and readers at once: each series that no goroutine
// removes keeps its handle and its count; no reader sees a series twice, one
// without labels, or a created time that no series had.
func TestSeriesUnderContention(t *testing.T) {
	const stable, rounds = 50, 3000
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"kind", "n"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
	handles := make([]*telltale.Counter, stable)
	for i := range stable {
		handles[i] = v.With("stable", fmt.Sprint(i))
	}
	var writing atomic.Int32
	const writers = 4
	writing.Store(writers)
	together(writers+2, func(g int) {
		if g < writers {
			defer writing.Add(-1)
			for i := range rounds {
				v.With("stable", fmt.Sprint(i%stable)).Inc()
				mine := fmt.Sprint(g, i)
				v.With("passing", mine).Inc()
				if i%3 > 0 && !v.Remove("passing", mine) {
					t.Errorf("series %s is lost", mine)
				}
				if i%1000 == 999 {
					v.RemoveMatching(map[string]string{"kind": "passing", "n": mine})
				}
			}
			return
		}
		for writing.Load() > 0 {
			n := 0
			texts, values := seriesOf(t, v)
			for _, text := range texts {
				if text == "" {
					t.Error("a series has no labels")
				}
				if values[text] < 0 {
					t.Errorf("{%s} is at %v", text, values[text])
				}
				if len(text) > 14 && text[:14] == `kind="stable",` {
					n++
				}
			}
			if n != stable {
				t.Errorf("%d of the %d series that stay were seen", n, stable)
			}
		}
	})
	v.RemoveMatching(map[string]string{"kind": "passing"})
	if v.Len() != stable {
		t.Errorf("%d series are left, want %d", v.Len(), stable)
	}
	for i, h := range handles {
		if h != v.With("stable", fmt.Sprint(i)) || h.Value() != writers*rounds/stable {
			t.Errorf("series %d is at %v, want %d, or another", i, h.Value(), writers*rounds/stable)
		}
	}
}

// Created times belong to the series with which they are read, also while series
// are removed.
func TestCreatedWhileRemoving(t *testing.T) {
	start := model.TimestampOf(time.Now())
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered()))
	var done atomic.Bool
	together(2, func(g int) {
		if g == 0 {
			defer done.Store(true)
			for i := range 20_000 {
				v.With(fmt.Sprint(i % 10)).Inc()
				v.Remove(fmt.Sprint(i % 10))
			}
			return
		}
		for !done.Load() {
			err := v.Collect(t.Context(), func(f *model.Family) error {
				var scratch model.Point
				return f.Visit(&scratch, func(p *model.Point) error {
					if p.Created.Compare(start) < 0 {
						t.Errorf("{%s} was created at %s, before all began at %s", p.Labels, p.Created, start)
					}
					return nil
				})
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// A series that is removed and created again while a page is written is on the
// page once, however it was removed; series that stay are on the page.
func TestRemadeWhileVisited(t *testing.T) {
	for name, remove := range map[string]func(v *telltale.CounterVec, value string){
		"Remove":         func(v *telltale.CounterVec, value string) { v.Remove(value) },
		"RemoveMatching": func(v *telltale.CounterVec, value string) { v.RemoveMatching(map[string]string{"l": value}) },
		"Clear":          func(v *telltale.CounterVec, _ string) { v.Clear() },
		"Replace": func(v *telltale.CounterVec, value string) {
			v.Replace(func(next *telltale.CounterVec) { next.With(value) })
		},
	} {
		for _, n := range []int{1, 3, 8, 9, 64, 100, 1000} {
			v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered()))
			for i := range n {
				v.With(fmt.Sprint(i)).Inc()
			}
			seen := make(map[string]int)
			err := v.Collect(t.Context(), func(f *model.Family) error {
				return f.Visit(new(model.Point), func(p *model.Point) error {
					value, _ := p.Labels.Get("l")
					seen[value]++
					remove(v, value)
					v.With(value).Add(5)
					v.With("another " + value).Inc()
					return nil
				})
			})
			if err != nil {
				t.Error(err)
			}
			for i := range n {
				if value := fmt.Sprint(i); seen[value] != 1 {
					t.Errorf("%s: of %d series, %s is on the page %d times", name, n, value, seen[value])
				}
			}
			if len(seen) != n {
				t.Errorf("%s: %d series are on the page, want %d", name, len(seen), n)
			}
		}
	}
}

// Removing many series takes many short steps: other goroutines find and create
// series in between, and the series that they create stay.
func TestRemoveMatchingBesideOthers(t *testing.T) {
	const n = 20_000
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"kind", "n"}, telltale.Unregistered(), telltale.WithSeriesLimit(0)))
	for i := range n {
		v.With([]string{"goes", "stays"}[i%2], fmt.Sprint(i)).Inc()
	}
	var removed, made atomic.Int64
	together(3, func(g int) {
		switch g {
		case 0, 1: // each series is removed by one of them
			removed.Add(int64(v.RemoveMatching(map[string]string{"kind": "goes"})))
		case 2:
			for i := range 1000 {
				v.With("made", fmt.Sprint(i)).Inc()
				made.Add(1)
				if v.With("stays", fmt.Sprint(2*i+1)).Value() != 1 {
					t.Errorf("series %d is lost", 2*i+1)
				}
			}
		}
	})
	if removed.Load() != n/2 || int64(v.Len()) != n/2+made.Load() {
		t.Errorf("%d series are removed and %d left, want %d and %d", removed.Load(), v.Len(), n/2, n/2+made.Load())
	}
}
