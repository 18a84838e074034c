package board

import (
	"math"

	"telltale/model"
)

// maxBuckets is how many buckets of a histogram are kept; of one with more, neighbours
// are joined.
const maxBuckets = 160

// bucketsOf returns the buckets of a histogram: the classic ones if it has some.
func bucketsOf(h *model.HistogramValue) []Bucket {
	if h.Bounds == nil {
		if h.Native == nil {
			return nil
		}
		return join(nativeBuckets(h.Native))
	}
	var all []Bucket
	below := 0.0
	for i, upper := range h.Bounds.Upper() {
		if i >= len(h.Cumulative) {
			break
		}
		all = append(all, Bucket{upper, h.Cumulative[i] - below})
		below = h.Cumulative[i]
	}
	return join(all)
}

// nativeBuckets returns the buckets of a native histogram that have observations.
func nativeBuckets(h *model.NativeHistogram) (all []Bucket) {
	h.VisitBuckets(func(_, upper, count float64) {
		if count > 0 {
			all = append(all, Bucket{upper, count})
		}
	})
	return all
}

// join returns at most maxBuckets buckets.
func join(all []Bucket) []Bucket { return Joined(all, maxBuckets) }

// Joined returns at most n buckets, of which each stands for as many neighbours.
func Joined(all []Bucket, n int) []Bucket {
	if len(all) <= n || n <= 0 {
		return all
	}
	each := (len(all) + n - 1) / n
	var fewer []Bucket
	for i := 0; i < len(all); i += each {
		part := all[i:min(i+each, len(all))]
		one := Bucket{Upper: part[len(part)-1].Upper}
		for _, b := range part {
			one.Count += b.Count
		}
		fewer = append(fewer, one)
	}
	return fewer
}

// Quantile estimates a quantile of buckets, linear within one, NaN without
// observations. In the lowest bucket values are taken to begin at 0, and above the
// highest bound they are that bound, as in Prometheus.
func Quantile(q float64, buckets []Bucket) float64 {
	total := 0.0
	for _, b := range buckets {
		total += b.Count
	}
	if total == 0 || len(buckets) == 0 {
		return math.NaN()
	}
	rank, lower := q*total, min(0, buckets[0].Upper)
	for _, b := range buckets {
		if rank <= b.Count && b.Count > 0 {
			if math.IsInf(b.Upper, 1) {
				return lower
			}
			return lower + (b.Upper-lower)*rank/b.Count
		}
		rank -= b.Count
		lower = b.Upper
	}
	return lower
}
