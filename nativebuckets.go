package telltale

// What a definition says of native buckets.

import (
	"errors"
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
	rendered    bool // classic buckets are read from them
}

// nativeSettings is what the options say of native buckets.
type nativeSettings struct {
	nativeBuckets
	classic []float64 // the bounds of rendered classic buckets
	err     error
}

const (
	defaultNativeBuckets   = 160
	defaultNativeExemplars = 10
	defaultExemplarAge     = 5 * time.Minute
)

const mostNativeExemplars = 1000

// check returns the buckets, or an error that names the option that is not valid.
func (s *nativeSettings) check(classic bool) (*nativeBuckets, error) {
	if s.rendered {
		switch {
		case classic:
			return nil, errors.New("telltale: WithNativeClassicBuckets and WithBuckets exclude each other")
		case len(s.classic) == 0:
			return nil, errors.New("telltale: classic buckets rendered from native ones need a bound")
		}
		classic = true
		for i, bound := range s.classic {
			if !exponential.IsPowerOfTwo(bound) && (i == 0 || i < len(s.classic)-1 || !math.IsInf(bound, 1)) {
				return nil, fmt.Errorf("telltale: a classic bucket up to %v cannot be rendered from native ones: it must be a power of two, such as 0.125 or 8", bound)
			}
		}
		s.PowersFrom = s.classic[0]
	}
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
	classic := ""
	if n.rendered {
		classic = ", classic buckets rendered from them"
	}
	return fmt.Sprintf("native buckets of schema %d, at most %d, zero threshold %v to %v, reset after %v, exemplars %d for %v%s",
		n.Schema, n.MaxBuckets, n.ZeroThreshold, max(n.ZeroThreshold, n.MaxZeroThreshold), n.MinReset, n.exemplars, n.exemplarAge, classic)
}
