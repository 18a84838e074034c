package telltale

// Options of the quantiles of summaries.

import (
	"slices"
	"time"
)

// WithQuantiles gives a summary up to [MaxQuantiles] quantiles, each from 0 to 1,
// of the observations within [WithMaxAge]. They are NaN while there are none. A
// quantile is the observation at that fraction of all in order, within
// [WithQuantileError].
//
// Quantiles cannot be aggregated over instances. In a store (see [WithStore]) a
// summary has none: those of several processes come from the buckets of all of
// them, and room for a window of these in each process would be a few hundred KiB
// a series. Its count and sum are shared. Use native buckets there.
func WithQuantiles(quantiles ...float64) SummaryOption {
	sorted := slices.Sorted(slices.Values(quantiles))
	return summaryOption{func(s *settings) { s.window.quantiles = sorted }}
}

// WithMaxAge sets for how long an observation counts in a summary's quantiles, 10
// minutes without this option.
func WithMaxAge(d time.Duration) SummaryOption {
	return summaryOption{func(s *settings) { s.window.maxAge = d }}
}

// WithAgeBuckets sets the number of parts of the window of a summary's quantiles,
// from 1 to 64; the oldest part is dropped every [WithMaxAge]/n. It is 5 without
// this option. More parts make the window smoother and take more memory.
func WithAgeBuckets(n int) SummaryOption {
	return summaryOption{func(s *settings) { s.window.ages = n }}
}

// WithQuantileError sets how far a quantile may be from the observation of its
// rank, as a fraction of it: 0.01, that is one percent, without this option, from
// about 0.0014. It holds as long as the observations of a window, by absolute
// value, are within a factor of 2^32 of each other; beyond that it doubles. Half
// the error needs twice the memory.
func WithQuantileError(relative float64) SummaryOption {
	return summaryOption{func(s *settings) { s.window.within = relative }}
}
