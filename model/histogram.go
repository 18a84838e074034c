package model

import (
	"fmt"
	"math"
	"slices"
)

// Bounds are the upper bounds of a classic histogram's buckets in increasing
// order, with each bound's label rendered once. Instruments and most foreign
// histograms end with +Inf. Bounds are immutable and shared by the series of a
// family.
type Bounds struct {
	upper  []float64
	labels []string // le="0.5"
}

// NewBounds returns bounds, or an error if they are not strictly increasing
// numbers. It does not add +Inf.
func NewBounds(upper []float64) (*Bounds, error) {
	for i, b := range upper {
		if math.IsNaN(b) {
			return nil, fmt.Errorf("model: bucket bound %d is NaN", i+1)
		}
		if i > 0 && b <= upper[i-1] {
			return nil, fmt.Errorf("model: bucket bounds are not strictly increasing: %s comes after %s",
				FormatValue(b), FormatValue(upper[i-1]))
		}
	}
	b := &Bounds{upper: slices.Clone(upper)}
	for _, u := range upper {
		b.labels = append(b.labels, boundLabel(u))
	}
	return b, nil
}

func boundLabel(upper float64) string { return string(AppendLabel(nil, "le", FormatValue(upper))) }

// and returns the bounds with one more at the end. The old ones may be shared
// by then, so the new ones are copies.
func (b *Bounds) and(upper float64) *Bounds {
	if b == nil {
		b = &Bounds{}
	}
	return &Bounds{append(slices.Clip(b.upper), upper), append(slices.Clip(b.labels), boundLabel(upper))}
}

// Len returns the number of buckets.
func (b *Bounds) Len() int {
	if b == nil {
		return 0
	}
	return len(b.upper)
}

// Upper returns the upper bounds; they must not be changed.
func (b *Bounds) Upper() []float64 {
	if b == nil {
		return nil
	}
	return b.upper
}

// Label returns the text of bucket i's label, le="0.5" for a bound of 0.5.
func (b *Bounds) Label(i int) string { return b.labels[i] }

// Spelling returns bound i as it is written in its label, 0.5 for le="0.5".
func (b *Bounds) Spelling(i int) string {
	label := b.labels[i]
	return label[len(`le="`) : len(label)-1]
}

// Equal reports whether both have the same bounds.
func (b *Bounds) Equal(other *Bounds) bool {
	return b == other || slices.Equal(b.Upper(), other.Upper())
}

// HistogramValue is the histogram of one series: classic buckets, a native
// histogram, or both. [Point.Has] holds which of count and sum are present.
type HistogramValue struct {
	Bounds     *Bounds     // nil without classic buckets
	Cumulative []float64   // observations at or below each bound
	Count      float64     // all observations
	Sum        float64     // of all observed values
	Exemplars  []*Exemplar // by bucket, nil where there is none; may be shorter than the bounds
	Native     *NativeHistogram
}

// Exemplar returns bucket i's exemplar or nil.
func (h *HistogramValue) Exemplar(i int) *Exemplar {
	if i < len(h.Exemplars) {
		return h.Exemplars[i]
	}
	return nil
}

func (h *HistogramValue) clone() *HistogramValue {
	if h == nil {
		return nil
	}
	c := *h
	c.Cumulative = slices.Clone(h.Cumulative)
	c.Exemplars = slices.Clone(h.Exemplars)
	for i, e := range c.Exemplars {
		c.Exemplars[i] = e.clone()
	}
	c.Native = h.Native.Clone()
	return &c
}

// SummaryValue is the summary of one series. [Point.Has] holds which of count
// and sum are present.
type SummaryValue struct {
	Count     float64
	Sum       float64
	Quantiles []Quantile // in increasing order
}

// Quantile is the value V below which the fraction Q, 0 to 1, of the
// observations lie.
type Quantile struct{ Q, V float64 }

func (s *SummaryValue) clone() *SummaryValue {
	if s == nil {
		return nil
	}
	c := *s
	c.Quantiles = slices.Clone(s.Quantiles)
	return &c
}

// State is one of the named booleans of a state set.
type State struct {
	Name string
	On   bool
}
