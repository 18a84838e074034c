package model

import "slices"

// CustomBucketsSchema is the schema of native histograms whose bucket bounds are
// listed rather than computed.
const CustomBucketsSchema = -53

// Span is a run of consecutive buckets of a native histogram: Offset buckets
// are skipped after the run before (for the first: the index of its first
// bucket), then Length buckets follow.
type Span struct {
	Offset int32
	Length uint32
}

// NativeHistogram is the value of an exponential or custom-bucket histogram as
// Prometheus defines it (specification "Native Histograms"). Bucket counts are
// absolute, as in OpenMetrics 2.0, and floats, so that integer and float
// histograms have one shape.
type NativeHistogram struct {
	Schema        int32 // -4 to 8, or CustomBucketsSchema
	ZeroThreshold float64
	ZeroCount     float64
	Count         float64
	Sum           float64
	PositiveSpans []Span
	Positive      []float64 // counts of the buckets in PositiveSpans
	NegativeSpans []Span
	Negative      []float64
	CustomBounds  []float64  // upper bounds under CustomBucketsSchema, without +Inf
	Exemplars     []Exemplar // by time
	IsFloat       bool       // counts need not be whole numbers
}

// Clone returns a copy that shares no memory with h.
func (h *NativeHistogram) Clone() *NativeHistogram {
	if h == nil {
		return nil
	}
	c := *h
	c.PositiveSpans, c.Positive = slices.Clone(h.PositiveSpans), slices.Clone(h.Positive)
	c.NegativeSpans, c.Negative = slices.Clone(h.NegativeSpans), slices.Clone(h.Negative)
	c.CustomBounds = slices.Clone(h.CustomBounds)
	c.Exemplars = slices.Clone(h.Exemplars)
	for i := range c.Exemplars {
		c.Exemplars[i].Labels = c.Exemplars[i].Labels.Clone()
	}
	return &c
}
