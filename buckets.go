package telltale

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"telltale/model"
)

// DefaultBuckets returns the bounds of a histogram that is given none: the
// eleven of client_golang, in seconds, made for the latency of a network
// service. +Inf follows them.
func DefaultBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// LinearBuckets returns count bounds from start on, width apart. It is an error
// if count is below 1 or width not above 0.
func LinearBuckets(start, width float64, count int) ([]float64, error) {
	if count < 1 || !(width > 0) || math.IsNaN(start) || math.IsInf(start+width, 0) {
		return nil, fmt.Errorf("telltale: LinearBuckets(%v, %v, %d): needs a finite start, a width above 0 and a count of at least 1", start, width, count)
	}
	bounds := make([]float64, count)
	for i := range bounds {
		bounds[i] = start + float64(i)*width
	}
	return rising(bounds)
}

// rising returns the bounds, or an error if float64s cannot tell them apart.
func rising(bounds []float64) ([]float64, error) {
	if _, err := model.NewBounds(bounds); err != nil {
		return nil, err
	}
	return bounds, nil
}

// ExponentialBuckets returns count bounds from start on, each factor times the
// one before. It is an error if start is not above 0, factor not above 1 or
// count below 1.
func ExponentialBuckets(start, factor float64, count int) ([]float64, error) {
	if count < 1 || !(start > 0) || !(factor > 1) || math.IsInf(start*factor, 0) {
		return nil, fmt.Errorf("telltale: ExponentialBuckets(%v, %v, %d): needs a start above 0, a factor above 1 and a count of at least 1", start, factor, count)
	}
	bounds := make([]float64, count)
	for i := range bounds {
		bounds[i] = start
		start *= factor
	}
	return rising(bounds)
}

// ExponentialBucketsRange returns count bounds from low to high, each the same
// factor above the one before. It is an error if low is not above 0, high not
// above low or count below 2.
func ExponentialBucketsRange(low, high float64, count int) ([]float64, error) {
	if count < 2 || !(low > 0) || !(high > low) || math.IsInf(high, 0) {
		return nil, fmt.Errorf("telltale: ExponentialBucketsRange(%v, %v, %d): needs 0 < low < high and a count of at least 2", low, high, count)
	}
	factor := math.Pow(high/low, 1/float64(count-1))
	bounds := make([]float64, count)
	for i := range bounds {
		bounds[i] = low * math.Pow(factor, float64(i))
	}
	bounds[count-1] = high
	return rising(bounds)
}

// bucketBounds makes a histogram's bounds, +Inf included.
func bucketBounds(upper []float64) (*model.Bounds, error) {
	if upper == nil {
		upper = DefaultBuckets()
	}
	upper = slices.Clone(upper)
	if n := len(upper); n == 0 || !math.IsInf(upper[n-1], 1) {
		upper = append(upper, math.Inf(1))
	}
	if len(upper) < 2 {
		return nil, errors.New("telltale: a histogram needs at least one bucket below +Inf")
	}
	return model.NewBounds(upper)
}
