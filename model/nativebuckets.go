package model

import (
	"math"
	"slices"
)

// VisitBuckets calls visit with the bounds and the count of each bucket that has
// observations, by increasing bounds (Prometheus specification "Native Histograms").
// Observations lie above lower and at or below upper; those of negative buckets at or
// above lower and below upper, and those of the zero bucket at one of its bounds or
// between them. Spans and counts that do not belong together end where the shorter ends.
func (h *NativeHistogram) VisitBuckets(visit func(lower, upper, count float64)) {
	type bucket struct {
		index int
		count float64
	}
	var negative []bucket
	visitSpans(h.NegativeSpans, h.Negative, func(index int, count float64) {
		negative = append(negative, bucket{index, count})
	})
	for _, b := range slices.Backward(negative) {
		visit(-h.bound(b.index), -h.bound(b.index-1), b.count)
	}
	if h.ZeroCount != 0 {
		visit(-h.ZeroThreshold, h.ZeroThreshold, h.ZeroCount)
	}
	visitSpans(h.PositiveSpans, h.Positive, func(index int, count float64) {
		visit(h.bound(index-1), h.bound(index), count)
	})
}

// visitSpans calls visit with index and count of each bucket that has observations.
func visitSpans(spans []Span, counts []float64, visit func(index int, count float64)) {
	index, next := 0, 0
	for _, s := range spans {
		index += int(s.Offset)
		for range s.Length {
			if next == len(counts) {
				return
			}
			if counts[next] != 0 {
				visit(index, counts[next])
			}
			index, next = index+1, next+1
		}
	}
}

// bound returns the upper bound of the positive bucket with the index.
func (h *NativeHistogram) bound(index int) float64 {
	if h.Schema == CustomBucketsSchema {
		switch {
		case index < 0:
			return math.Inf(-1)
		case index >= len(h.CustomBounds):
			return math.Inf(1)
		}
		return h.CustomBounds[index]
	}
	return math.Exp2(math.Ldexp(float64(index), -int(h.Schema)))
}
