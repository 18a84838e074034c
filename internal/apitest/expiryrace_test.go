package apitest

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

// lives is what pages showed of one series: the last count and sum of each of its
// lives, by the created time.
type lives map[model.Timestamp][2]float64

// see adds a page, on which a life never shows less than on one before.
func (l lives) see(t *testing.T, c telltale.Collector) {
	t.Helper()
	seen := 0
	err := c.Collect(t.Context(), func(f *model.Family) error {
		return f.Visit(new(model.Point), func(p *model.Point) error {
			var now [2]float64
			switch {
			case p.Summary != nil:
				now = [2]float64{p.Summary.Count, p.Summary.Sum}
			case p.Histogram != nil:
				now = [2]float64{p.Histogram.Count, p.Histogram.Sum}
				if n := len(p.Histogram.Cumulative); n > 0 && p.Histogram.Cumulative[n-1] != now[0] {
					t.Errorf("the buckets have %v, the count is %v", p.Histogram.Cumulative, now[0])
				}
			default:
				now[0] = p.Value
			}
			if last := l[p.Created]; now[0] < last[0] || now[1] < last[1] {
				t.Errorf("the life since %s fell from %v to %v", p.Created, last, now)
			}
			l[p.Created] = now
			if seen++; seen > 1 {
				t.Errorf("%s is on a page twice", p.Labels)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

func (l lives) total() (total [2]float64) {
	for _, life := range l {
		total[0], total[1] = total[0]+life[0], total[1]+life[1]
	}
	return total
}

// Writers that use handles of all ages while their series leaves whenever it is idle for
// a moment lose nothing: what all lives have shown is what was counted.
func TestNothingIsLostBetweenLives(t *testing.T) {
	const writers = 4
	updates := 20_000
	if raceEnabled || testing.Short() {
		updates = 4000
	}
	labels, always, alone := []string{"l"}, telltale.WithIdleExpiry(1), telltale.Unregistered()
	counter := telltale.Must(telltale.NewCounterVec("c", "", labels, alone, always))
	fractions := telltale.Must(telltale.NewCounterVec("f", "", labels, alone, always))
	gauge := telltale.Must(telltale.NewGaugeVec("g", "", labels, alone, always))
	classic := telltale.Must(telltale.NewHistogramVec("h", "", labels, alone, always, telltale.WithBuckets(1)))
	native := telltale.Must(telltale.NewHistogramVec("n", "", labels, alone, always, telltale.WithNativeBuckets(2)))
	both := telltale.Must(telltale.NewHistogramVec("b", "", labels, alone, always, telltale.WithNativeBuckets(2), telltale.WithBuckets(1)))
	summary := telltale.Must(telltale.NewSummaryVec("m", "", labels, alone, always, telltale.WithQuantiles(0.5)))
	for _, tt := range []struct {
		name      string
		collector telltale.Collector
		hold      func() (update func())
		each      [2]float64
	}{
		{"counter", counter, func() func() { return counter.With("x").Inc }, [2]float64{1, 0}},
		{"counter of fractions", fractions, func() func() { c := fractions.With("x"); return func() { c.Add(0.5) } }, [2]float64{0.5, 0}},
		{"classic histogram", classic, func() func() { h := classic.With("x"); return func() { h.Observe(0.5) } }, [2]float64{1, 0.5}},
		{"native histogram", native, func() func() { h := native.With("x"); return func() { h.Observe(0.5) } }, [2]float64{1, 0.5}},
		{"histogram with both buckets", both, func() func() { h := both.With("x"); return func() { h.Observe(0.5) } }, [2]float64{1, 0.5}},
		{"summary", summary, func() func() { m := summary.With("x"); return func() { m.Observe(0.5) } }, [2]float64{1, 0.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := make(lives)
			var writing atomic.Int32
			writing.Store(writers)
			together(writers+1, func(g int) {
				if g == writers {
					for writing.Load() > 0 {
						all.see(t, tt.collector)
						runtime.Gosched()
					}
					all.see(t, tt.collector)
					return
				}
				defer writing.Add(-1)
				update := tt.hold()
				for i := range updates {
					if i%100 == 99 {
						update = tt.hold()
					}
					if update(); i%10 == 0 {
						time.Sleep(time.Duration(i%7) * time.Microsecond)
					}
				}
			})
			for range 2 {
				all.see(t, tt.collector) // it has left in the end, however busy the machine is
			}
			tt.hold()()
			all.see(t, tt.collector)
			n := float64(writers*updates + 1)
			if total, want := all.total(), [2]float64{n * tt.each[0], n * tt.each[1]}; total != want {
				t.Errorf("%d lives have shown %v, want %v", len(all), total, want)
			}
			if t.Logf("%d lives", len(all)); len(all) < 2 {
				t.Error("the series never left")
			}
		})
	}
	t.Run("gauge", func(t *testing.T) {
		var writing atomic.Int32
		writing.Store(writers)
		together(writers+1, func(g int) {
			if g == writers {
				for writing.Load() > 0 {
					page(t, gauge)
				}
				return
			}
			defer writing.Add(-1)
			for range updates {
				one := gauge.With("x")
				one.Add(2)
				one.Add(-1)
				one.Dec()
			}
		})
		if got := gauge.With("x").Value(); got != 0 {
			t.Errorf("what was added and subtracted is %v", got)
		}
	})
}

// What is set last is what a gauge shows, whether it had left before or leaves at once.
func TestLastSetIsShown(t *testing.T) {
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.Unregistered(), telltale.WithIdleExpiry(1)))
	one, sets := g.With("x"), 3000
	var done atomic.Bool
	together(2, func(i int) {
		if i == 0 {
			for !done.Load() {
				page(t, g)
			}
			return
		}
		defer done.Store(true)
		for i := range sets {
			one.Set(5) // the same value again and again
			if got := one.Value(); got != 5 && got != 0 {
				t.Errorf("after Set the gauge is %v", got)
			}
			if i%100 == 0 {
				time.Sleep(time.Microsecond)
			}
		}
	})
	one.Set(5)
	wantPage(t, g, "# TYPE g gauge\ng{l=\"x\"} 5.0\n")
}
