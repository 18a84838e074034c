// Package otelform converts units, counts and buckets of Prometheus to the form that
// OpenTelemetry has for them: abbreviated units, whole counts, buckets without gaps. It
// imports no library of OpenTelemetry.
package otelform

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// What the labels of exemplars and the names of scopes are called, and the bytes of their
// values.
const (
	TraceLabel  = "trace_id"
	SpanLabel   = "span_id"
	TraceLength = 16
	SpanLength  = 8
	ScopePrefix = "otel_scope_" // of labels that name a scope
)

// abbreviations are the units of OpenTelemetry for those of Prometheus.
var abbreviations = map[string]string{
	"days": "d", "hours": "h", "minutes": "min", "seconds": "s", "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns",
	"bytes": "By", "kibibytes": "KiBy", "mebibytes": "MiBy", "gibibytes": "GiBy", "tebibytes": "TiBy",
	"kilobytes": "KBy", "megabytes": "MBy", "gigabytes": "GBy", "terabytes": "TBy",
	"meters": "m", "volts": "V", "amperes": "A", "joules": "J", "watts": "W", "grams": "g", "celsius": "Cel", "hertz": "Hz", "percent": "%", "ratio": "1",
	"second": "s", "minute": "min", "hour": "h", "day": "d", "week": "wk", "month": "mo", "year": "a",
}

// Unit returns the unit of OpenTelemetry for one of Prometheus: "bytes_per_second" is
// "By/s". A unit that it does not know stays.
func Unit(unit string) string {
	parts := strings.Split(strings.Clone(unit), "_per_")
	for i, part := range parts {
		if short, ok := abbreviations[part]; ok {
			parts[i] = short
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

var errNotWhole = errors.New("a count of it is not a whole number that OpenTelemetry can have")

// Whole returns a count as OpenTelemetry has it.
func Whole(v float64) (uint64, error) {
	if !(v >= 0 && v < 1<<64) || v != math.Trunc(v) {
		return 0, fmt.Errorf("%w: %s", errNotWhole, model.FormatValue(v))
	}
	return uint64(v), nil
}

// Exponential is a native histogram as OpenTelemetry has it. It can be set again and
// again, which reuses its memory.
type Exponential struct {
	Scale              int32
	Count, ZeroCount   uint64
	Positive, Negative Buckets
	sparse             [2][]bucket
}

// Buckets are all from the first to the last, the empty ones between others included,
// counted by their lower bounds.
type Buckets struct {
	Offset int32
	Counts []uint64
}

// bucket is a native bucket with observations, by its index in OpenTelemetry.
type bucket struct {
	index int32
	n     uint64
}

// MaxBuckets is the largest number of buckets on one side of zero. If there are more, the
// scale is lowered.
const MaxBuckets = 4096

// Set makes the histogram the same as a native one with exponential buckets, or returns
// an error if OpenTelemetry cannot have it.
func (e *Exponential) Set(n *model.NativeHistogram) error {
	var errs [4]error
	e.Count, errs[0] = Whole(n.Count)
	e.ZeroCount, errs[1] = Whole(n.ZeroCount)
	e.sparse[0], errs[2] = sparse(e.sparse[0][:0], n.PositiveSpans, n.Positive)
	e.sparse[1], errs[3] = sparse(e.sparse[1][:0], n.NegativeSpans, n.Negative)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := e.sound(n); err != nil {
		return err
	}
	coarser := int32(0)
	for extentAt(e.sparse[0], coarser) > MaxBuckets || extentAt(e.sparse[1], coarser) > MaxBuckets {
		coarser++
	}
	e.Scale = n.Schema - coarser
	e.Positive.set(e.sparse[0], coarser)
	e.Negative.set(e.sparse[1], coarser)
	return nil
}

// wholeFloats is the first number from which on not all whole numbers are float64s.
const wholeFloats = 1 << 53

// sound returns why receivers would refuse the histogram. Only observations that are no
// numbers are in no bucket.
func (e *Exponential) sound(n *model.NativeHistogram) error {
	switch {
	case n.Schema < -4 || n.Schema > 8:
		return fmt.Errorf("there are no native buckets of schema %d", n.Schema)
	case !(n.ZeroThreshold >= 0):
		return fmt.Errorf("the threshold of its zero bucket is %v", n.ZeroThreshold)
	case e.Count >= wholeFloats:
		return nil // and may be rounded
	}
	all := float64(e.ZeroCount)
	for _, side := range e.sparse {
		for _, b := range side {
			all += float64(b.n)
		}
	}
	if count := float64(e.Count); all > count || all < count && !math.IsNaN(n.Sum) {
		return fmt.Errorf("it has %v observations, and %v in its native buckets", count, all)
	}
	return nil
}

// sparse appends the native buckets that have observations. OpenTelemetry counts
// buckets by their lower bounds, Prometheus by the upper ones.
func sparse(all []bucket, spans []model.Span, counts []float64) ([]bucket, error) {
	index := int64(-1)
	for i, s := range spans {
		if i > 0 && s.Offset < 0 {
			return nil, errors.New("a span of its native buckets goes back")
		}
		index += int64(s.Offset)
		for range s.Length {
			if len(counts) == 0 {
				return nil, errors.New("its spans have more native buckets than it has counts")
			}
			n, err := Whole(counts[0])
			if err != nil {
				return nil, err
			}
			if index != int64(int32(index)) {
				return nil, fmt.Errorf("the native bucket %d is beyond all numbers", index)
			}
			if n > 0 {
				all = append(all, bucket{int32(index), n})
			}
			counts = counts[1:]
			index++
		}
	}
	if len(counts) > 0 {
		return nil, errCounts
	}
	return all, nil
}

var errCounts = errors.New("it has counts of more native buckets than its spans have")

// extentAt returns how many buckets there are from the first to the last, at a scale
// that is lower by so much.
func extentAt(all []bucket, by int32) int64 {
	if len(all) == 0 {
		return 0
	}
	return int64(all[len(all)-1].index>>by) - int64(all[0].index>>by) + 1
}

// set puts all buckets from the first to the last, at a scale that is lower by so much.
func (b *Buckets) set(all []bucket, by int32) {
	b.Offset, b.Counts = 0, b.Counts[:0]
	if len(all) == 0 {
		return
	}
	n := int(extentAt(all, by))
	b.Offset, b.Counts = all[0].index>>by, slices.Grow(b.Counts, n)[:n]
	clear(b.Counts)
	for _, from := range all {
		b.Counts[(from.index>>by)-b.Offset] += from.n
	}
}

// Custom puts the counts of native buckets whose bounds are listed into counts: one for
// each bound and one for those above. It returns an error if they do not fit.
func Custom(counts []uint64, n *model.NativeHistogram) ([]uint64, error) {
	for i, v := range n.CustomBounds {
		if math.IsNaN(v) || math.IsInf(v, 1) || i > 0 && v <= n.CustomBounds[i-1] {
			return nil, errors.New("its bounds do not increase, or are not finite")
		}
	}
	if len(n.NegativeSpans) > 0 || len(n.Negative) > 0 || n.ZeroCount != 0 {
		return nil, errors.New("it has both bounds and negative or zero buckets")
	}
	all := len(n.CustomBounds) + 1
	counts = slices.Grow(counts[:0], all)[:all]
	clear(counts)
	index, rest := 0, n.Positive
	for _, s := range n.PositiveSpans {
		index += int(s.Offset)
		for range s.Length {
			if index < 0 || index >= len(counts) || len(rest) == 0 {
				return nil, errors.New("its native buckets do not fit its bounds")
			}
			c, err := Whole(rest[0])
			if err != nil {
				return nil, err
			}
			counts[index], rest = c, rest[1:]
			index++
		}
	}
	if len(rest) > 0 {
		return nil, errCounts
	}
	return counts, nil
}

// Classic puts the counts of classic buckets into counts, one for each bound but +Inf and
// one for those above, and returns how many bounds are to be sent.
func Classic(counts []uint64, h *model.HistogramValue) (all []uint64, bounds int, err error) {
	bounds = h.Bounds.Len()
	if bounds != len(h.Cumulative) {
		return nil, 0, fmt.Errorf("it has %d buckets and the counts of %d", bounds, len(h.Cumulative))
	}
	counts = counts[:0]
	below := 0.0
	for _, c := range h.Cumulative {
		n, err := Whole(c - below)
		if err != nil {
			return nil, 0, err
		}
		counts, below = append(counts, n), c
	}
	if bounds > 0 && math.IsInf(h.Bounds.Upper()[bounds-1], 1) {
		return counts, bounds - 1, nil
	}
	n, err := Whole(h.Count - below)
	if err != nil {
		return nil, 0, err
	}
	return append(counts, n), bounds, nil
}
