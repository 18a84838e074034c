package apitest

import (
	"testing"
	"time"

	"telltale"
)

func TestTimers(t *testing.T) {
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered()))
	s := telltale.Must(telltale.NewSummary("s", "", telltale.Unregistered()))
	g := telltale.Must(telltale.NewGauge("g", "", telltale.Unregistered()))
	for _, tt := range []struct {
		name  string
		start func() telltale.Timer
		time  func(func())
		count func() int
		sum   func() float64
	}{
		{"histogram", h.Start, h.Time, func() int { return int(h.Count()) }, h.Sum},
		{"summary", s.Start, s.Time, func() int { return int(s.Count()) }, s.Sum},
		{"gauge", g.Start, g.Time, nil, g.Value},
	} {
		timer := tt.start()
		time.Sleep(time.Millisecond)
		elapsed := timer.Stop()
		if elapsed < time.Millisecond || tt.sum() != elapsed.Seconds() {
			t.Errorf("%s: Stop returned %v and recorded %v seconds", tt.name, elapsed, tt.sum())
		}
		tt.time(func() { time.Sleep(time.Millisecond) })
		if tt.sum() < 0.001 {
			t.Errorf("%s: Time recorded %v seconds, at least a millisecond had passed", tt.name, tt.sum())
		}
		func() {
			defer func() {
				if p := recover(); p != "at the disco" {
					t.Errorf("%s: recovered %v", tt.name, p)
				}
			}()
			tt.time(func() { panic("at the disco") })
		}()
		if tt.count != nil && tt.count() != 3 {
			t.Errorf("%s: %d observations, want 3: a panic counts", tt.name, tt.count())
		}
	}
}

// The destination of a duration can be chosen when the timer stops.
func TestTimerToLabelsKnownLate(t *testing.T) {
	v := telltale.Must(telltale.NewHistogramVec("h", "", []string{"code"}, telltale.Unregistered()))
	code := "200"
	timer := telltale.NewTimer(func(seconds float64) { v.With(code).Observe(seconds) })
	code = "500"
	timer.Stop()
	timer.Stop() // each call records a duration
	if v.Len() != 1 || v.With("500").Count() != 2 {
		t.Errorf("%d series, %d observations with 500; want 1 and 2", v.Len(), v.With("500").Count())
	}
}

func TestZeroTimer(t *testing.T) {
	if elapsed := (telltale.Timer{}).Stop(); elapsed < 0 {
		t.Errorf("the zero Timer measures %v", elapsed)
	}
}
