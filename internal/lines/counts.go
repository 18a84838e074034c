package lines

import (
	"math"

	"telltale/model"
)

// IsCount reports whether v is a whole number not below zero.
func IsCount(v float64) bool { return v >= 0 && v <= math.MaxFloat64 && v == math.Trunc(v) }

// Increase reports whether counts of buckets are numbers not below zero, none less than
// the one before.
func Increase(counts []float64) bool {
	last := 0.0
	for _, v := range counts {
		if !(v >= last) {
			return false
		}
		last = v
	}
	return true
}

// Cumulate reports whether the counts of the first n buckets of a histogram increase, and
// the bucket +Inf, which may be the last of them, has the count.
func Cumulate(h *model.HistogramValue, n int, count float64) bool {
	last := 0.0
	if n > 0 {
		last = h.Cumulative[n-1]
	}
	return Increase(h.Cumulative[:n]) && (count == last || count > last && !Closed(h.Bounds, n))
}

// Closed reports whether the last of the first n buckets is that of the bound +Inf.
func Closed(bounds *model.Bounds, n int) bool {
	return n > 0 && math.IsInf(bounds.Upper()[n-1], 1)
}
