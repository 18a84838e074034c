package multiprocess_test

import (
	"sync"
	"testing"
	"time"

	"telltale"
)

// A series that comes back has all that the process has counted in it, wherever it did.
func TestIdleSeriesComeBackWithTheirLanes(t *testing.T) {
	t.Parallel()
	for seriesComeBackWithTheirLanes(t) { // on a machine that stood still
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < time.Minute {
			t.Fatal("the machine does not come to look at series within their expiry")
		}
	}
}

// seriesComeBackWithTheirLanes reports whether so much time passed between two steps that
// the process could not know whether others go on with a series: then it may begin it anew,
// beside what it has left, and only the page has both.
func seriesComeBackWithTheirLanes(t *testing.T) (slow bool) {
	dir := sharedDir(t)
	last := time.Now()
	step := func() {
		slow = slow || time.Since(last) > idle/4
		last = time.Now()
	}
	busy, quiet := expiring(t, dir, "busy"), expiring(t, dir, "quiet")
	in, d, labels := telltale.In(quiet), telltale.WithIdleExpiry(idle), []string{"l"}
	updates(t, busy, "x") // which keeps it
	c := telltale.Must(telltale.NewCounterVec("c", "", labels, in, d))
	h := telltale.Must(telltale.NewHistogramVec("h", "", labels, in, d, telltale.WithBuckets(1)))
	n := telltale.Must(telltale.NewHistogramVec("n", "", labels, in, d, telltale.WithNativeBuckets(2), telltale.WithBuckets(1)))
	s := telltale.Must(telltale.NewSummaryVec("s", "", labels, in, d))
	held, heldH, heldN, heldS := c.With("x"), h.With("x"), n.With("x"), s.With("x")
	const each, writers = 200_000, 4
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				held.Add(0.5)
				heldH.Observe(0.5)
				heldN.Observe(0.5)
				heldS.Observe(0.5)
			}
		})
	}
	all.Wait()
	for life := range 3 {
		want := float64(writers*each) + float64(life)
		for name, each := range map[string]float64{"c_total": 0.5, "h_count": 1, "h_sum": 0.5, "n_count": 1, "n_sum": 0.5, "s_count": 1, "s_sum": 0.5} {
			if v, _ := quiet.SampleValue(name, map[string]string{"l": "x"}); v != want*each {
				t.Errorf("in life %d %s is %v on the page, want %v", life, name, v, want*each)
			}
		}
		if slow {
			return true
		}
		for name, v := range map[string]float64{
			"c": held.Value() * 2, "h count": float64(heldH.Count()), "h sum": heldH.Sum() * 2, "n count": float64(heldN.Count()), "n sum": heldN.Sum() * 2,
			"s count": float64(heldS.Count()), "s sum": heldS.Sum() * 2,
		} {
			if v != want {
				t.Errorf("in life %d %s is %v, want %v", life, name, v, want)
			}
		}
		last = time.Now()
		soon(t, "all have left", func() bool {
			step()
			_ = samplesOf(t, quiet)
			return c.Len()+h.Len()+n.Len()+s.Len() == 0
		})
		held, heldH, heldN, heldS = c.With("x"), h.With("x"), n.With("x"), s.With("x")
		held.Add(0.5)
		heldH.Observe(0.5)
		heldN.Observe(0.5)
		heldS.Observe(0.5)
		step()
	}
	return false
}
