package telltale

// Timing functions.

import "time"

// Timer measures one duration by the monotonic clock.
type Timer struct {
	start  time.Time
	record func(seconds float64)
}

// NewTimer starts a timer whose Stop calls record with the seconds. The function
// can choose a series by labels that are known only at the end.
func NewTimer(record func(seconds float64)) Timer {
	return Timer{start: time.Now(), record: record}
}

// Stop records the seconds since the start and returns the duration. Each call
// records again.
func (t Timer) Stop() time.Duration {
	elapsed := max(time.Since(t.start), 0)
	if t.record != nil {
		t.record(elapsed.Seconds())
	}
	return elapsed
}

func timed(record func(float64), f func()) {
	defer NewTimer(record).Stop()
	f()
}

// Start starts a timer that observes seconds:
//
//	defer latency.Start().Stop()
func (h *Histogram) Start() Timer { return NewTimer(h.Observe) }

// Time observes how many seconds f takes, also if it panics.
func (h *Histogram) Time(f func()) { timed(h.Observe, f) }

// Start starts a timer that observes seconds:
//
//	defer latency.Start().Stop()
func (m *Summary) Start() Timer { return NewTimer(m.Observe) }

// Time observes how many seconds f takes, also if it panics.
func (m *Summary) Time(f func()) { timed(m.Observe, f) }

// Start starts a timer that sets the gauge to the seconds that passed:
//
//	defer lastRun.Start().Stop()
func (g *Gauge) Start() Timer { return NewTimer(g.Set) }

// Time sets the gauge to how many seconds f takes, also if it panics.
func (g *Gauge) Time(f func()) { timed(g.Set, f) }
