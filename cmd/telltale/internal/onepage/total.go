package onepage

import "math"

// total is a sum of very many numbers: what hi lacks is in lo, so that additions lose
// nothing that shows.
type total struct{ hi, lo float64 }

func (t *total) add(v float64) {
	sum := t.hi + v
	if math.IsInf(sum, 0) || math.IsNaN(sum) {
		t.hi, t.lo = sum, 0
		return
	}
	part := sum - t.hi
	t.lo += (t.hi - (sum - part)) + (v - part)
	t.hi = sum + t.lo
	t.lo -= t.hi - sum
}

// advance adds to - from.
func (t *total) advance(from, to float64) {
	d := to - from
	t.add(d)
	if part := d - to; !math.IsNaN(part) && !math.IsInf(d, 0) {
		t.add((to - (d - part)) - (from + part))
	}
}

// rise adds to - from, which is not below zero, and never makes the total smaller by
// rounding.
func (t *total) rise(from, to float64) {
	before := t.hi
	if t.advance(from, to); t.hi < before {
		t.hi, t.lo = before, 0
	}
}
