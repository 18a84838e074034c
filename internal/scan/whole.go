package scan

import (
	"slices"

	"telltale/model"
)

// Type returns the type of a family with such values.
func (c *Composite) Type() model.Type {
	switch {
	case c.Summary:
		return model.Summary
	case c.Gauge:
		return model.GaugeHistogram
	}
	return model.Histogram
}

// misfit returns why a sample's composite value cannot be a point of a family of
// the type, or "" if it can or there is none.
func (e *Entry) misfit(t model.Type) (found, expected string) {
	c := e.Composite
	switch {
	case c == nil:
		return "", ""
	case c.Type() != t:
		return "the value of a " + c.Type().String(), "that of a " + t.String()
	}
	for i := 1; i < len(c.Upper); i++ {
		if !(c.Upper[i-1] < c.Upper[i]) {
			return "the bound " + model.FormatValue(c.Upper[i]) + " after " + model.FormatValue(c.Upper[i-1]), "bounds in order"
		}
	}
	return "", ""
}

// clone returns a copy that shares no memory with the scanner.
func (c *Composite) clone() *Composite {
	if c == nil {
		return nil
	}
	k := *c
	k.Quantiles, k.Upper, k.Counts = kept(c.Quantiles), kept(c.Upper), kept(c.Counts)
	k.Histogram = *c.Histogram.Clone()
	return &k
}

// kept returns a copy, nil if the list is empty.
func kept[T any](list []T) []T { return append([]T(nil), list...) }

// Whole returns a copy of the point that a sample with a composite value is.
func (e *Entry) Whole(labels model.Labels, texts *Texts, bounds *Bounds) model.Point {
	c := e.Composite
	pt := model.Point{Labels: labels, Timestamp: e.Timestamp, Created: e.Start}
	switch {
	case c.Summary:
		pt.Has = model.PartCount | model.PartSum
		if len(c.Quantiles) > 0 {
			pt.Has |= model.PartValue
		}
		pt.Summary = &model.SummaryValue{Count: c.Count, Sum: c.Sum, Quantiles: kept(c.Quantiles)}
		return pt
	case c.Classic && c.Gauge:
		pt.Has = model.PartBucket | model.PartGCount | model.PartGSum
	case c.Classic:
		pt.Has = model.PartBucket | model.PartCount | model.PartSum
	}
	pt.Histogram = e.histogram(texts, bounds)
	return pt
}

// histogram returns a copy of a histogram's value. Count and sum are in the
// native histogram, if there is one, and beside the classic buckets, if there
// are any.
func (e *Entry) histogram(texts *Texts, bounds *Bounds) *model.HistogramValue {
	c := e.Composite
	h := &model.HistogramValue{}
	if c.Native {
		n := c.Histogram
		n.NegativeSpans, n.Negative = kept(n.NegativeSpans), kept(n.Negative)
		n.PositiveSpans, n.Positive = kept(n.PositiveSpans), kept(n.Positive)
		h.Native = &n
	}
	if c.Classic {
		h.Bounds, h.Cumulative, h.Count, h.Sum = bounds.Of(c.Upper), kept(c.Counts), c.Count, c.Sum
		e.spread(h, texts)
		return h
	}
	for i := range e.Exemplars {
		h.Native.Exemplars = append(h.Native.Exemplars, *texts.Exemplar(&e.Exemplars[i]))
	}
	return h
}

// spread assigns exemplars to the classic buckets that cover their values.
func (e *Entry) spread(h *model.HistogramValue, texts *Texts) {
	if len(e.Exemplars) > 0 {
		h.Exemplars = make([]*model.Exemplar, h.Bounds.Len())
	}
	e.sortExemplars()
	for i := range e.Exemplars {
		x := &e.Exemplars[i]
		bucket, _ := slices.BinarySearchFunc(h.Bounds.Upper(), x.Value, func(upper, value float64) int {
			if upper >= value {
				return 1
			}
			return -1 // NaN is above all
		})
		at := &h.Exemplars[min(bucket, h.Bounds.Len()-1)]
		newer := texts.Exemplar(x)
		newer.Older, *at = *at, newer
	}
}
