package telltale

// Bounds of classic buckets, and the bucket in which a value counts.

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"telltale/model"
)

// DefaultBuckets returns the bounds of a histogram without [WithBuckets]: the eleven
// default bounds of client_golang, in seconds, chosen for latencies of network
// services. The bucket +Inf is added to them.
func DefaultBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// MaxBuckets is the largest number of bounds below +Inf of a histogram. Each
// series takes a word and a line of text for every bound.
const MaxBuckets = 10_000

// LinearBuckets returns count bounds from start on, width apart. It is an error
// if count is not from 1 to [MaxBuckets], if start or the last bound is not finite,
// if width is not above 0, or if it is so small that two bounds would be equal.
func LinearBuckets(start, width float64, count int) ([]float64, error) {
	if !(width > 0) || math.IsInf(width, 0) {
		return nil, fmt.Errorf("telltale: LinearBuckets(%v, %v, %d): the width must be finite and above 0", start, width, count)
	}
	bounds, err := boundsBy(count, func(i int) float64 { return start + float64(i)*width })
	if err != nil {
		return nil, fmt.Errorf("telltale: LinearBuckets(%v, %v, %d): %w", start, width, count, err)
	}
	return bounds, nil
}

// ExponentialBuckets returns count bounds from start on, each factor times the one
// before. It is an error if count is not from 1 to [MaxBuckets], start not above 0 or
// factor not above 1, if the last bound is not finite, or if factor is so small that
// two bounds would be equal.
func ExponentialBuckets(start, factor float64, count int) ([]float64, error) {
	if !(start > 0) || !(factor > 1) {
		return nil, fmt.Errorf("telltale: ExponentialBuckets(%v, %v, %d): needs a start above 0 and a factor above 1", start, factor, count)
	}
	next := start
	bounds, err := boundsBy(count, func(int) float64 {
		bound := next
		next *= factor
		return bound
	})
	if err != nil {
		return nil, fmt.Errorf("telltale: ExponentialBuckets(%v, %v, %d): %w", start, factor, count, err)
	}
	return bounds, nil
}

// ExponentialBucketsRange returns count bounds from low to high, each the same
// factor above the one before. It is an error if count is not from 2 to
// [MaxBuckets], low not above 0 or high not above low, if high/low is not finite,
// or if low and high are so close that two bounds would be equal.
func ExponentialBucketsRange(low, high float64, count int) ([]float64, error) {
	if count < 2 || !(low > 0) || !(high > low) || math.IsInf(high/low, 0) {
		return nil, fmt.Errorf("telltale: ExponentialBucketsRange(%v, %v, %d): needs 0 < low < high, a finite high/low and a count of at least 2", low, high, count)
	}
	factor := math.Pow(high/low, 1/float64(count-1))
	bounds, err := boundsBy(count, func(i int) float64 {
		if i == count-1 {
			return high
		}
		return low * math.Pow(factor, float64(i))
	})
	if err != nil {
		return nil, fmt.Errorf("telltale: ExponentialBucketsRange(%v, %v, %d): %w", low, high, count, err)
	}
	return bounds, nil
}

// boundsBy returns count bounds, or an error if a histogram could not have them.
func boundsBy(count int, bound func(i int) float64) ([]float64, error) {
	if count < 1 || count > MaxBuckets {
		return nil, fmt.Errorf("the count is not from 1 to %d", MaxBuckets)
	}
	bounds := make([]float64, count)
	for i := range bounds {
		bounds[i] = bound(i)
	}
	if err := checkBounds(bounds); err != nil {
		return nil, err
	}
	return bounds, nil
}

// checkBounds returns an error if a histogram cannot have the bounds below +Inf.
func checkBounds(bounds []float64) error {
	switch n := len(bounds); {
	case n == 0:
		return errors.New("a histogram needs at least one bucket below +Inf")
	case n > MaxBuckets:
		return fmt.Errorf("a histogram has at most %d buckets below +Inf, not %d", MaxBuckets, n)
	}
	for i, bound := range bounds {
		switch {
		case math.IsNaN(bound) || math.IsInf(bound, 0):
			return fmt.Errorf("bound %d of %d is %v", i+1, len(bounds), bound)
		case i > 0 && bound <= bounds[i-1]:
			return fmt.Errorf("bound %d of %d is %v and does not exceed the one before it, %v", i+1, len(bounds), bound, bounds[i-1])
		}
	}
	return nil
}

// bucketBounds makes a histogram's bounds, +Inf included.
func bucketBounds(upper []float64) (*model.Bounds, error) {
	if upper == nil {
		upper = DefaultBuckets()
	}
	if n := len(upper); n > 0 && math.IsInf(upper[n-1], 1) {
		upper = upper[:n-1]
	}
	if err := checkBounds(upper); err != nil {
		return nil, fmt.Errorf("telltale: %w", err)
	}
	return model.NewBounds(append(slices.Clip(upper), math.Inf(1)))
}

// fewBounds is how many bounds are compared one after the other. Observations
// mostly fall into the same few buckets, so those branches are foreseen, and
// halving is faster only for more.
const fewBounds = 16

// bucketOf returns the index of the bucket that v belongs to; NaN belongs to the
// last.
func bucketOf(upper []float64, v float64) int {
	low := 0
	for n := len(upper); n > fewBounds; n = len(upper) {
		if half := n / 2; v <= upper[half-1] {
			upper = upper[:half]
		} else {
			upper, low = upper[half:], low+half
		}
	}
	for i, bound := range upper {
		if v <= bound {
			return low + i
		}
	}
	return low + len(upper)
}
