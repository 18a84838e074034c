package exponential

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"telltale/model"
)

// Snapshot is the content of a histogram at one time, or of several merged.
// After Reset it is empty and can be merged with any other. It keeps its memory
// for the next use. It is not safe for concurrent use.
type Snapshot struct {
	Schema        int
	ZeroThreshold float64
	ZeroCount     uint64
	NaNCount      uint64
	Sum           float64
	Since         int64     // start of counting, in nanoseconds after 1970; 0 if not known
	buckets       []bucket  // in increasing order of keys, each once
	parts         []float64 // what Read has found of the sum, in more than one word
}

// bucket is the number of observations in the bucket of a key.
type bucket struct {
	key int32
	n   uint64
}

// Reset empties the snapshot.
func (s *Snapshot) Reset() {
	*s = Snapshot{Schema: MaxSchema, buckets: s.buckets[:0], parts: s.parts[:0]}
}

// SumParts calls add with numbers that make up the sum, exactly where it was read by
// [Read] and nothing was merged into it; their sum, rounded, is Sum.
func (s *Snapshot) SumParts(add func(v float64)) {
	if len(s.parts) == 0 {
		add(s.Sum)
	}
	for _, v := range s.parts {
		add(v)
	}
}

// Count returns the number of observations.
func (s *Snapshot) Count() uint64 { return s.ZeroCount + s.NaNCount + s.inBuckets() }

func (s *Snapshot) inBuckets() (n uint64) {
	for _, b := range s.buckets {
		n += b.n
	}
	return n
}

// sort sorts the buckets by key.
func (s *Snapshot) sort() {
	slices.SortFunc(s.buckets, func(a, b bucket) int { return cmp.Compare(a.key, b.key) })
}

// unite joins neighbours with the same key.
func (s *Snapshot) unite() {
	kept := s.buckets[:0]
	for _, b := range s.buckets {
		if last := len(kept) - 1; last >= 0 && kept[last].key == b.key {
			kept[last].n += b.n
			continue
		}
		kept = append(kept, b)
	}
	s.buckets = kept
}

// add adds a bucket without observations, unless the snapshot has it.
func (s *Snapshot) add(key int32) {
	s.buckets = append(s.buckets, bucket{key: key})
	s.sort()
	s.unite()
}

// check returns an error if no histogram can have the buckets.
func (s *Snapshot) check() error {
	lowest, highest := indexOf(max(s.ZeroThreshold, math.SmallestNonzeroFloat64), s.Schema), indexOf(math.Inf(1), s.Schema)
	if upperBound(lowest, s.Schema) <= s.ZeroThreshold {
		lowest++
	}
	for i, b := range s.buckets {
		if index, _ := indexOfKey(b.key); index < lowest || index > highest {
			return fmt.Errorf("exponential: damaged histogram: bucket %d of schema %d, zero threshold %v", index, s.Schema, s.ZeroThreshold)
		}
		if i > 0 && b.key == s.buckets[i-1].key {
			return fmt.Errorf("exponential: damaged histogram: bucket key %d occurs twice", b.key)
		}
	}
	return nil
}

// coarsen lowers the schema to the given one, if it is above that.
func (s *Snapshot) coarsen(schema int) {
	if schema >= s.Schema {
		return
	}
	by := uint(s.Schema - schema)
	for i := range s.buckets {
		index, negative := indexOfKey(s.buckets[i].key)
		s.buckets[i].key = keyOf(coarser(index, by), negative)
	}
	s.Schema = schema
	s.unite()
}

// widen raises the zero threshold to the given one, or further if that is inside
// a bucket that has observations.
func (s *Snapshot) widen(threshold float64) {
	if threshold <= s.ZeroThreshold {
		return
	}
	s.ZeroThreshold = threshold
	last := indexOf(threshold, s.Schema)
	if upperBound(last, s.Schema) > threshold {
		if s.has(keyOf(last, false)) || s.has(keyOf(last, true)) {
			s.ZeroThreshold = upperBound(last, s.Schema)
		} else {
			last--
		}
	}
	kept := s.buckets[:0]
	for _, b := range s.buckets {
		if index, _ := indexOfKey(b.key); index <= last {
			s.ZeroCount += b.n
		} else {
			kept = append(kept, b)
		}
	}
	s.buckets = kept
}

func (s *Snapshot) has(key int32) bool {
	_, ok := slices.BinarySearchFunc(s.buckets, key, func(b bucket, key int32) int { return cmp.Compare(b.key, key) })
	return ok
}

// narrow moves the buckets nearest zero into the zero bucket, until the given
// number is left or the threshold would be passed.
func (s *Snapshot) narrow(buckets int, threshold float64) {
	for len(s.buckets) > buckets {
		nearest := math.MaxInt
		for _, b := range s.buckets {
			index, _ := indexOfKey(b.key)
			nearest = min(nearest, index)
		}
		bound := upperBound(nearest, s.Schema)
		if bound > threshold {
			return
		}
		s.widen(bound)
	}
}

// Merge adds the content of other, as if one histogram had counted both: at the
// coarser of the two schemas, and with a zero threshold that divides no bucket
// of either (specification, section "Zero bucket"). Other is changed.
func (s *Snapshot) Merge(other *Snapshot) {
	s.unify(other)
	s.insert(other.buckets)
	s.unite()
	s.ZeroCount += other.ZeroCount
	s.NaNCount += other.NaNCount
	s.Sum += other.Sum
	s.parts = s.parts[:0]
	if s.Since == 0 || other.Since != 0 && other.Since < s.Since {
		s.Since = other.Since
	}
}

// unify gives both snapshots the zero threshold and the schema that a merge has.
func (s *Snapshot) unify(other *Snapshot) {
	for s.ZeroThreshold != other.ZeroThreshold {
		s.widen(other.ZeroThreshold)
		other.widen(s.ZeroThreshold)
	}
	s.coarsen(other.Schema)
	other.coarsen(s.Schema)
}

// insert inserts buckets in their order, from the end on.
func (s *Snapshot) insert(others []bucket) {
	i, j := len(s.buckets)-1, len(others)-1
	s.buckets = append(s.buckets, others...)
	for at := len(s.buckets) - 1; j >= 0; at-- {
		if i >= 0 && s.buckets[i].key > others[j].key {
			s.buckets[at] = s.buckets[i]
			i--
		} else {
			s.buckets[at] = others[j]
			j--
		}
	}
}

// Limit reduces a snapshot to the buckets that one histogram with the options would
// have kept, without resets: it widens the zero bucket up to the threshold, then lowers
// the schema, then widens further, the last two as far as [Options.PowersFrom] allows.
func (s *Snapshot) Limit(o *Options) {
	buckets, lowest, widest := o.maxBuckets(), MinSchema, math.MaxFloat64
	if o.PowersFrom > 0 {
		lowest, widest = 0, o.PowersFrom
	}
	s.narrow(buckets, o.MaxZeroThreshold)
	for len(s.buckets) > buckets && s.Schema > lowest {
		s.coarsen(s.Schema - 1)
	}
	s.narrow(buckets, widest)
}

// AppendCumulative appends how many observations are at most each of the bounds, which
// are in increasing order and above the zero threshold. It is exact where a bound is one
// of the buckets', as powers of two are under schemas from 0 on; else a bucket counts
// below the first bound that is not lower than its own.
func (s *Snapshot) AppendCumulative(to, bounds []float64) []float64 {
	below, at := s.ZeroCount, 0
	for _, bound := range bounds {
		for ; at < len(s.buckets); at++ {
			index, negative := indexOfKey(s.buckets[at].key)
			if !negative && upperBound(index, s.Schema) > bound {
				break
			}
			below += s.buckets[at].n
		}
		to = append(to, float64(below))
	}
	return to
}

// Native sets h to the histogram in the form of the formats, and reuses the
// slices of h. It does not change exemplars.
func (s *Snapshot) Native(h *model.NativeHistogram) {
	h.Schema, h.ZeroThreshold, h.ZeroCount = int32(s.Schema), s.ZeroThreshold, float64(s.ZeroCount)
	h.Count, h.Sum, h.IsFloat = float64(s.Count()), s.Sum, false
	h.PositiveSpans, h.Positive = h.PositiveSpans[:0], h.Positive[:0]
	h.NegativeSpans, h.Negative = h.NegativeSpans[:0], h.Negative[:0]
	h.CustomBounds = h.CustomBounds[:0]
	firstPositive, _ := slices.BinarySearchFunc(s.buckets, 0, func(b bucket, _ int) int { return cmp.Compare(b.key, 0) })
	next := 0
	for i := firstPositive - 1; i >= 0; i-- {
		h.NegativeSpans, h.Negative, next = appendBucket(h.NegativeSpans, h.Negative, next, s.buckets[i])
	}
	next = 0
	for _, b := range s.buckets[firstPositive:] {
		h.PositiveSpans, h.Positive, next = appendBucket(h.PositiveSpans, h.Positive, next, b)
	}
}

// shortGap is the longest run of empty buckets that is written instead of a new
// span.
const shortGap = 2

// appendBucket appends a bucket to those before index next, and returns the
// index after it.
func appendBucket(spans []model.Span, counts []float64, next int, b bucket) ([]model.Span, []float64, int) {
	index, _ := indexOfKey(b.key)
	if gap := index - next; len(spans) == 0 || gap > shortGap {
		spans = append(spans, model.Span{Offset: int32(gap)})
	} else {
		for range gap {
			counts = append(counts, 0)
		}
		spans[len(spans)-1].Length += uint32(gap)
	}
	spans[len(spans)-1].Length++
	return spans, append(counts, float64(b.n)), index + 1
}
