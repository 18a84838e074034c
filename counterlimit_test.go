package telltale_test

import (
	"math"
	"math/big"
	"sync/atomic"
	"testing"
)

// A counter's total is true, and never falls, however large it becomes: beyond
// 2^53, where float64s are coarse, and beyond 2^64, where integers end.
func TestCounterBeyondIntegers(t *testing.T) {
	const most = 1<<53 - 1
	for _, test := range []struct {
		name  string
		start float64
		add   []float64 // in turn
		times int
	}{
		{"ones", 1 << 53, []float64{1}, 1000},
		{"halves", 1e16, []float64{0.5}, 100_000},
		{"ones and halves", most, []float64{1, 0.5}, 1000},
		{"many of the largest exact", 0, []float64{most}, 3000},
		{"the largest exact and ones", 0, []float64{most, 1}, 6000},
		{"the largest exact and halves", 0, []float64{most, 0.5}, 600},
		{"2^63 again and again", 0, []float64{1 << 63}, 5},
		{"to 2^64 from below", math.Nextafter(1<<64, 0), []float64{1 << 11, 1, 1 << 12}, 30},
		{"of every size", 0, []float64{1, 1 << 20, 1<<32 - 1, 1 << 32, 1 << 52, 1 << 60, 3, 12345678901}, 900},
	} {
		for _, spread := range []bool{false, true} {
			c := newLoneCounter(spread)
			c.Add(test.start)
			want, last := big.NewFloat(test.start).SetPrec(300), c.Value()
			for i := range test.times {
				v := test.add[i%len(test.add)]
				c.Add(v)
				c.Inc()
				want.Add(want, big.NewFloat(v+1))
				if now := c.Value(); now < last {
					t.Fatalf("%s, spread %v: it fell from %v to %v", test.name, spread, last, now)
				} else {
					last = now
				}
			}
			exact, _ := want.Float64()
			if got := c.Value(); math.Abs(got-exact) > math.Nextafter(exact, math.Inf(1))-exact {
				t.Errorf("%s, spread %v: %v, want %v", test.name, spread, got, exact)
			}
		}
	}
}

// Those who add at the same time lose nothing at the limits, and whoever reads
// meanwhile sees the total rise.
func TestCounterBeyondIntegersConcurrently(t *testing.T) {
	const goroutines, rounds = 4, 1000
	for _, spread := range []bool{false, true} {
		c := newLoneCounter(spread)
		var adding atomic.Int32
		adding.Store(goroutines)
		together(goroutines+1, func(i int) {
			if i < goroutines {
				for range rounds {
					c.Add(1<<53 - 1)
					c.Inc()
				}
				adding.Add(-1)
				return
			}
			for last := 0.0; adding.Load() > 0; {
				now := c.Value()
				if now < last {
					t.Errorf("it fell from %v to %v", last, now)
				}
				last = now
			}
		})
		if got := c.Value(); got != goroutines*rounds*(1<<53) {
			t.Errorf("%v, want %v", got, float64(goroutines*rounds*(1<<53)))
		}
	}
}
