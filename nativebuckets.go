package telltale

// What a definition says of native buckets.

import (
	"fmt"
	"math"
	"time"

	"telltale/internal/exponential"
)

// nativeBuckets is what a histogram's definition says of its native buckets.
type nativeBuckets struct {
	exponential.Options
	exemplars   int
	exemplarAge time.Duration
}

// nativeSettings is what the options say of native buckets.
type nativeSettings struct {
	nativeBuckets
	err error
}

const (
	defaultNativeBuckets   = 160
	defaultNativeExemplars = 10
	defaultExemplarAge     = 5 * time.Minute
)

const mostNativeExemplars = 1000

// check returns the buckets, or an error that says which option cannot be.
func (s *nativeSettings) check(classic bool) (*nativeBuckets, error) {
	switch err := s.Validate(); {
	case s.err != nil:
		return nil, s.err
	case s.MaxBuckets < 0:
		return nil, fmt.Errorf("telltale: a limit of %d native buckets: it must be at least 2", max(0, s.MaxBuckets))
	case err != nil:
		return nil, fmt.Errorf("telltale: native buckets: %w", err)
	case classic && s.MinReset > 0:
		return nil, fmt.Errorf("telltale: native buckets with a reset after %v beside classic ones, which are not reset", s.MinReset)
	case s.exemplars < 0 || s.exemplars > mostNativeExemplars || s.exemplarAge < 0:
		return nil, fmt.Errorf("telltale: %d native exemplars with an age of %v: there are 0 to %d, and the age is not negative", s.exemplars, s.exemplarAge, mostNativeExemplars)
	}
	made := s.nativeBuckets
	made.ZeroThreshold = math.Abs(made.ZeroThreshold) // -0 is 0
	return &made, nil
}

// equal reports whether both are the same, or both nil.
func (n *nativeBuckets) equal(other *nativeBuckets) bool {
	return n == other || n != nil && other != nil && *n == *other
}

// String describes the buckets for error messages.
func (n *nativeBuckets) String() string {
	return fmt.Sprintf("native buckets of schema %d, at most %d, zero threshold %v to %v, reset after %v, exemplars %d for %v",
		n.Schema, n.MaxBuckets, n.ZeroThreshold, max(n.ZeroThreshold, n.MaxZeroThreshold), n.MinReset, n.exemplars, n.exemplarAge)
}
