package exponential

import (
	"errors"
	"fmt"
	"math"

	"telltale/model"
)

// Take replaces the content by that of a native histogram of another program. An error,
// after which the snapshot is empty, says why it is none that counts: its schema is
// another than an exponential one, its counts are not whole or do not make up its count,
// or no number is in one of its buckets. The start of counting is unknown then.
func (s *Snapshot) Take(h *model.NativeHistogram) error {
	s.Reset()
	err := s.take(h)
	if err != nil {
		s.Reset()
	}
	return err
}

func (s *Snapshot) take(h *model.NativeHistogram) error {
	switch {
	case h.Schema < MinSchema || h.Schema > MaxSchema:
		return fmt.Errorf("exponential: schema %d is not between %d and %d", h.Schema, MinSchema, MaxSchema)
	case !validThreshold(h.ZeroThreshold):
		return fmt.Errorf("exponential: zero threshold %v is not a number of at least 0", h.ZeroThreshold)
	}
	s.Schema, s.ZeroThreshold, s.Sum = int(h.Schema), h.ZeroThreshold, h.Sum
	left, err := wholeOf(h.Count, countMask)
	if err != nil {
		return err
	}
	if s.ZeroCount, err = wholeOf(h.ZeroCount, left); err != nil {
		return err
	}
	left -= s.ZeroCount
	if left, err = s.takeSide(h.NegativeSpans, h.Negative, left, true); err != nil {
		return err
	}
	if left, err = s.takeSide(h.PositiveSpans, h.Positive, left, false); err != nil {
		return err
	}
	// NaN is in no bucket, and makes the sum NaN.
	if s.NaNCount = left; left > 0 && !math.IsNaN(h.Sum) {
		return fmt.Errorf("exponential: %d of %v observations are in no bucket", left, h.Count)
	}
	s.sort()
	return nil
}

// wholeOf returns a count of at most the given number.
func wholeOf(v float64, most uint64) (uint64, error) {
	if !(v >= 0) || v != math.Trunc(v) {
		return 0, fmt.Errorf("exponential: %v is no whole number of observations", v)
	}
	if v > float64(most) {
		return 0, fmt.Errorf("exponential: a count of %v where %d are left", v, most)
	}
	return uint64(v), nil
}

// takeSide adds the buckets on one side of zero. What lies below the zero threshold
// counts in the zero bucket. Left is how many observations are left for it; it returns
// how many are left then.
func (s *Snapshot) takeSide(spans []model.Span, counts []float64, left uint64, negative bool) (uint64, error) {
	lowest, highest := int64(indexOf(math.SmallestNonzeroFloat64, s.Schema)), int64(indexOf(math.Inf(1), s.Schema))
	index, next := int64(0), 0
	for i, span := range spans {
		if i > 0 && span.Offset < 0 || uint64(span.Length) > uint64(len(counts)-next) {
			return 0, errors.New("exponential: spans that go back, or of more buckets than there are")
		}
		index += int64(span.Offset)
		for range span.Length {
			n, err := wholeOf(counts[next], left)
			switch {
			case err != nil:
				return 0, err
			case n == 0:
			case index < lowest || index > highest:
				return 0, fmt.Errorf("exponential: no number is in bucket %d of schema %d", index, s.Schema)
			case upperBound(int(index), s.Schema) <= s.ZeroThreshold:
				s.ZeroCount += n
			default:
				s.buckets = append(s.buckets, bucket{keyOf(int(index), negative), n})
			}
			left -= n
			index, next = index+1, next+1
		}
	}
	if next < len(counts) {
		return 0, errors.New("exponential: more buckets than spans have")
	}
	return left, nil
}

// Copy replaces the content by that of another snapshot, which stays as it is.
func (s *Snapshot) Copy(from *Snapshot) {
	buckets, parts := append(s.buckets[:0], from.buckets...), append(s.parts[:0], from.parts...)
	*s = *from
	s.buckets, s.parts = buckets, parts
}

// Subtract takes away what the same histogram had before, and leaves what it has counted
// since. It reports false if that cannot be, so that the histogram began anew: a finer
// schema, a lower zero threshold, or a count that fell. Both are changed, also then. The
// sum is not what was observed since.
func (s *Snapshot) Subtract(before *Snapshot) bool {
	if before.Schema < s.Schema || before.ZeroThreshold > s.ZeroThreshold {
		return false
	}
	s.unify(before)
	if before.ZeroCount > s.ZeroCount || before.NaNCount > s.NaNCount {
		return false
	}
	s.ZeroCount -= before.ZeroCount
	s.NaNCount -= before.NaNCount
	kept, next := s.buckets[:0], 0
	for _, b := range s.buckets {
		if next < len(before.buckets) && before.buckets[next].key <= b.key {
			if before.buckets[next].key < b.key || before.buckets[next].n > b.n {
				return false
			}
			b.n -= before.buckets[next].n
			next++
		}
		if b.n > 0 {
			kept = append(kept, b)
		}
	}
	s.buckets, s.parts = kept, s.parts[:0]
	return next == len(before.buckets)
}
