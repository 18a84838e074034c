package exponential

import "math"

// Quantile returns the value below or at which the fraction q, 0 to 1, of the
// observations lie: of n observations in order, counted from 0, the one at
// q*(n-1) rounded down. It is within [RelativeError] of the snapshot's schema,
// or 0 for observations in the zero bucket. NaN observations do not count. It is
// NaN without observations or with a q outside 0 to 1.
func (s *Snapshot) Quantile(q float64) float64 {
	n := s.ZeroCount + s.inBuckets()
	if !(q >= 0 && q <= 1) || n == 0 {
		return math.NaN()
	}
	rank := uint64(q * float64(n-1))
	zeroDone := false
	for _, b := range s.buckets {
		index, negative := indexOfKey(b.key)
		if !negative && !zeroDone {
			if rank < s.ZeroCount {
				return 0
			}
			rank, zeroDone = rank-s.ZeroCount, true
		}
		if rank < b.n {
			return middle(index, s.Schema, negative)
		}
		rank -= b.n
	}
	return 0 // the zero bucket comes after all others, which are negative
}

// middle returns the value whose distance to all values in the bucket is at most
// the relative error.
func middle(index, schema int, negative bool) float64 {
	value := upperBound(index, schema)
	if !math.IsInf(value, 1) {
		lower := upperBound(index-1, schema)
		value = lower + lower*RelativeError(schema)
	}
	if negative {
		return -value
	}
	return value
}
