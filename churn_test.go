package telltale_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

// liveHeap is how many bytes are in use after a collection of garbage.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Series that come and go leave nothing behind, whatever the order in which
// they go.
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
			grown := int64(liveHeap()) - int64(before)
			t.Logf("%d series, %d bytes", v.Len(), grown)
			if most := int64(1 << 20); grown > most {
				t.Errorf("%d bytes are in use for %d series, want at most %d", grown, v.Len(), most)
			}
			runtime.KeepAlive(v)
		})
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

// Writers, creators, removers and readers at once: each series that nobody
// removes keeps its handle and its count; no reader sees a series twice, one
// without labels, or a created time that no series had.
func TestSeriesUnderContention(t *testing.T) {
	const stable, rounds = 50, 3000
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"kind", "n"}, telltale.Unregistered()))
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

// Created times belong to the series they are read with, also while series are
// being removed.
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
