package telltale_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

// expired has everything leave that a family has.
func expired(t *testing.T, c telltale.Collector) {
	t.Helper()
	for range 2 {
		time.Sleep(time.Minute)
		if _, err := telltale.GenerateLatest(c); err != nil {
			t.Fatal(err)
		}
	}
}

// shows returns what a page has of the one series of a family: its value, or its count
// and sum.
func shows(t *testing.T, c telltale.Collector) string {
	t.Helper()
	text := ""
	err := c.Collect(t.Context(), func(f *model.Family) error {
		return f.Visit(new(model.Point), func(p *model.Point) error {
			switch {
			case p.Summary != nil:
				text += fmt.Sprint(p.Summary.Count, " ", p.Summary.Sum)
			case p.Histogram != nil:
				text += fmt.Sprint(p.Histogram.Count, " ", p.Histogram.Sum)
			default:
				text += fmt.Sprint(p.Value)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Series that were spread over lanes leave with all that these hold, and come back; so
// do those whose update found its words before the series left.
func TestSpreadAndLateUpdatesOfExpiredSeries(t *testing.T) {
	labels, expiry, alone := []string{"l"}, telltale.WithIdleExpiry(time.Minute), telltale.Unregistered()
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, again bool) (c telltale.Collector, want string)
	}{
		{"counter", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewCounterVec("c", "", labels, alone, expiry))
			c := v.With("x")
			c.Add(1.5)
			telltale.SpreadCounter(c)
			if !telltale.IsSpread(c) {
				t.Error("it is not spread")
			}
			c.Inc()
			c.Add(0.5)
			telltale.IncInLanesAcross(c, func() {
				if expired(t, v); again {
					v.With("x").Add(10)
				}
			})
			c.Add(2)
			return v, map[bool]string{false: "3", true: "13"}[again]
		}},
		{"gauge", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewGaugeVec("g", "", labels, alone, expiry))
			g := v.With("x")
			g.Add(3)
			telltale.SpreadGauge(g)
			g.Add(-1)
			g.Add(-2)
			if expired(t, v); again {
				v.With("x").Add(10)
			}
			g.Add(1)
			telltale.SpreadGauge(g)
			g.Add(1)
			return v, map[bool]string{false: "2", true: "12"}[again]
		}},
		{"classic histogram", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewHistogramVec("h", "", labels, alone, expiry))
			return lateObservations(t, v, v.With, again)
		}},
		{"native histogram", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewHistogramVec("h", "", labels, alone, expiry, telltale.WithNativeBuckets(2)))
			return lateObservations(t, v, v.With, again)
		}},
		{"histogram with both buckets", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewHistogramVec("h", "", labels, alone, expiry, telltale.WithNativeBuckets(2), telltale.WithBuckets(1)))
			return lateObservations(t, v, v.With, again)
		}},
		{"summary", func(t *testing.T, again bool) (telltale.Collector, string) {
			v := telltale.Must(telltale.NewSummaryVec("s", "", labels, alone, expiry, telltale.WithQuantiles(0.5)))
			m := v.With("x")
			m.Observe(3)
			telltale.SpreadSummary(m)
			m.Observe(4)
			if expired(t, v); again {
				v.With("x").Observe(10)
			}
			m.Observe(2)
			return v, map[bool]string{false: "1 2", true: "2 12"}[again]
		}},
	} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", made again: ", again), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, want := tt.run(t, again)
					if got := shows(t, c); got != want {
						t.Errorf("a page shows %q, want %q", got, want)
					}
				})
			})
		}
	}
}

func lateObservations(t *testing.T, v telltale.Collector, with func(...string) *telltale.Histogram, again bool) (telltale.Collector, string) {
	h := with("x")
	h.Observe(3)
	telltale.SpreadHistogram(h)
	h.Observe(4)
	telltale.ObserveAcross(h, func() {
		if expired(t, v); again {
			with("x").Observe(10)
		}
	})
	h.Observe(1)
	return v, map[bool]string{false: "2 3", true: "3 13"}[again]
}
