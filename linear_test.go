package telltale_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
)

// call is what one goroutine did to an instrument, between two readings of a clock
// that counts.
type call struct {
	write      bool
	set        bool // what a write does: set to v, else add v
	v          float64
	began, end int64
}

func (c call) String() string {
	what := map[[2]bool]string{{true, true}: "set", {true, false}: "add"}[[2]bool{c.write, c.set}]
	if !c.write {
		what = "read"
	}
	return fmt.Sprintf("%s %v in %d-%d", what, c.v, c.began, c.end)
}

// linearizable reports whether the calls can be put one after the other, none before
// one that had ended when it began, so that each reading is right. It tries all
// ways.
func linearizable(calls []call) bool {
	type state struct {
		done  uint64 // bits of the calls that are over
		value float64
	}
	failed := make(map[state]bool)
	var from func(s state) bool
	from = func(s state) bool {
		if s.done == 1<<len(calls)-1 {
			return true
		}
		if failed[s] {
			return false
		}
		first := int64(1 << 62) // when the first call that is left ended
		for i, c := range calls {
			if s.done>>i&1 == 0 {
				first = min(first, c.end)
			}
		}
		for i, c := range calls {
			if s.done>>i&1 != 0 || c.began > first || !c.write && c.v != s.value {
				continue
			}
			next := state{s.done | 1<<i, s.value}
			if c.write && c.set {
				next.value = c.v
			} else if c.write {
				next.value += c.v
			}
			if from(next) {
				return true
			}
		}
		failed[s] = true
		return false
	}
	return from(state{})
}

func TestLinearizable(t *testing.T) {
	add := func(v float64, began, end int64) call { return call{write: true, v: v, began: began, end: end} }
	set := func(v float64, began, end int64) call { return call{true, true, v, began, end} }
	read := func(v float64, began, end int64) call { return call{v: v, began: began, end: end} }
	for _, test := range []struct {
		name  string
		calls []call
		want  bool
	}{
		{"one after the other", []call{add(1, 1, 2), set(0, 3, 4), read(0, 5, 6)}, true},
		{"an addition that a set does not erase", []call{add(1, 1, 2), set(0, 3, 4), read(1, 5, 6)}, false},
		{"at once", []call{add(1, 1, 4), set(0, 2, 3), read(1, 5, 6)}, true},
		{"two readers disagree", []call{add(1, 1, 8), add(2, 1, 8), read(1, 2, 3), read(2, 4, 5)}, false},
		{"back again", []call{set(3, 1, 8), add(1, 2, 3), read(1, 4, 5), read(4, 6, 7)}, false},
	} {
		if got := linearizable(test.calls); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// linear is an instrument as linearizability sees it.
type linear struct {
	write  func(v float64)
	set    func(v float64) // nil where there is no such thing
	read   func() float64
	spread func() // what fighting writers bring about; nil for nothing
	each   []float64
}

// However a few goroutines use an instrument, while its writers begin to fight, it is
// as if they took turns.
func TestInstrumentsAreLinearizable(t *testing.T) {
	const goroutines, calls, histories = 4, 4, 300
	alone, made := telltale.Unregistered(), 0
	stored := telltale.NewRegistry(telltale.WithStore(openStore(t, t.TempDir())))
	for name, build := range map[string]func() linear{
		"counter": func() linear {
			c := newLoneCounter(false)
			return linear{write: func(float64) { c.Inc() }, read: c.Value, spread: func() { telltale.SpreadCounter(c) }, each: []float64{1}}
		},
		"counter of fractions": func() linear {
			c := newLoneCounter(false)
			return linear{write: c.Add, read: c.Value, spread: func() { telltale.SpreadCounter(c) }, each: []float64{0.5}}
		},
		"gauge": func() linear {
			g := newLoneGauge()
			return linear{write: g.Add, set: g.Set, read: g.Value, spread: func() { telltale.SpreadGauge(g) }, each: []float64{1, -2, 40}}
		},
		"gauge in a store": func() linear {
			g := telltale.Must(telltale.NewGauge("g"+strconv.Itoa(made), "", telltale.In(stored), telltale.WithGaugeMode(telltale.ModeSum)))
			made++
			return linear{write: g.Add, set: g.Set, read: g.Value, spread: func() { telltale.SpreadGauge(g) }, each: []float64{1, -2, 40}}
		},
		"count of a histogram": func() linear {
			h := telltale.Must(telltale.NewHistogram("h", "", alone, telltale.WithBuckets(1, 2)))
			return linear{write: func(float64) { h.Observe(1.5) }, read: func() float64 { return float64(h.Count()) }, spread: func() { telltale.SpreadHistogram(h) }, each: []float64{1}}
		},
		"sum of a histogram": func() linear {
			h := telltale.Must(telltale.NewHistogram("h", "", alone, telltale.WithBuckets(1, 2)))
			return linear{write: h.Observe, read: h.Sum, spread: func() { telltale.SpreadHistogram(h) }, each: []float64{3}}
		},
		"count of a native histogram": func() linear {
			h := telltale.Must(telltale.NewHistogram("h", "", alone, telltale.WithNativeBuckets(1.1)))
			return linear{write: func(float64) { h.Observe(1.5) }, read: func() float64 { return float64(h.Count()) }, each: []float64{1}}
		},
		"sum of a native histogram": func() linear {
			h := telltale.Must(telltale.NewHistogram("h", "", alone, telltale.WithNativeBuckets(1.1)))
			return linear{write: h.Observe, read: h.Sum, each: []float64{3}}
		},
		"bucket on the page of a histogram that has native ones too": func() linear {
			h := telltale.Must(telltale.NewHistogram("h", "", alone, telltale.WithNativeBuckets(1.1), telltale.WithBuckets(1, 2)))
			return linear{write: func(float64) { h.Observe(1.5) }, read: func() float64 { return only(t, h).Histogram.Cumulative[1] }, spread: func() { telltale.SpreadHistogram(h) }, each: []float64{1}}
		},
		"count of a summary": func() linear {
			m := telltale.Must(telltale.NewSummary("s", "", alone))
			return linear{write: func(float64) { m.Observe(3) }, read: func() float64 { return float64(m.Count()) }, spread: func() { telltale.SpreadSummary(m) }, each: []float64{1}}
		},
		"count of a summary with quantiles": func() linear {
			m := telltale.Must(telltale.NewSummary("s", "", alone, telltale.WithQuantiles(0.5)))
			return linear{write: func(float64) { m.Observe(3) }, read: func() float64 { return float64(m.Count()) }, spread: func() { telltale.SpreadSummary(m) }, each: []float64{1}}
		},
		"info": func() linear {
			i := telltale.Must(telltale.NewInfo("i", "", alone))
			return linear{
				set: func(v float64) { _ = i.Set(map[string]string{"v": strconv.Itoa(int(v))}) },
				read: func() float64 {
					v, _ := strconv.ParseFloat(i.Value()["v"], 64)
					return v
				},
				each: []float64{1, 2, 3},
			}
		},
		// An addition finds its series, then adds to it; if that has been replaced
		// in between, the addition came before. Whole numbers alone, which are in one
		// word: a reading of several words is no instant (see Counter.Value).
		"counter that is replaced, on the page": func() linear {
			v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, alone))
			v.With("x")
			return linear{
				write: func(n float64) { v.With("x").Add(n) },
				set:   func(n float64) { v.Replace(func(next *telltale.CounterVec) { next.With("x").Add(n) }) },
				read:  func() float64 { return only(t, v).Value },
				each:  []float64{1, 2, 7},
			}
		},
		"sum of a summary": func() linear {
			m := telltale.Must(telltale.NewSummary("s", "", alone))
			return linear{write: m.Observe, read: m.Sum, spread: func() { telltale.SpreadSummary(m) }, each: []float64{3}}
		},
		"enum": func() linear {
			e := telltale.Must(telltale.NewEnum("e", "", []string{"0", "1", "2", "3"}, alone))
			return linear{
				set: func(v float64) { _ = e.Set(strconv.Itoa(int(v))) },
				read: func() float64 {
					v, _ := strconv.ParseFloat(e.Value(), 64)
					return v
				},
				each: []float64{1, 2, 3},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			random := rand.New(rand.NewPCG(seed, 0))
			for range histories {
				history := goLinear(build(), goroutines, calls, random)
				if !linearizable(history) {
					t.Fatalf("seed %d: no order explains %v", seed, history)
				}
			}
		})
	}
}

// goLinear lets goroutines use an instrument and returns what they did.
func goLinear(l linear, goroutines, calls int, random *rand.Rand) (history []call) {
	var clock atomic.Int64
	var mu sync.Mutex
	seeds := make([]uint64, goroutines)
	for i := range seeds {
		seeds[i] = random.Uint64()
	}
	together(goroutines+1, func(i int) {
		if i == goroutines {
			if l.spread != nil {
				l.spread()
			}
			return
		}
		mine := rand.New(rand.NewPCG(seeds[i], 0))
		var done []call
		for range calls {
			c := call{write: mine.IntN(3) > 0, v: l.each[mine.IntN(len(l.each))]}
			c.set = c.write && l.set != nil && (l.write == nil || mine.IntN(2) == 0)
			c.began = clock.Add(1)
			switch {
			case c.set:
				l.set(c.v)
			case c.write:
				l.write(c.v)
			default:
				c.v = l.read()
			}
			c.end = clock.Add(1)
			done = append(done, c)
		}
		mu.Lock()
		defer mu.Unlock()
		history = append(history, done...)
	})
	end := call{began: clock.Add(1), v: l.read()}
	end.end = clock.Add(1)
	return append(history, end)
}
