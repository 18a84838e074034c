package openmetrics2

import (
	"slices"

	"telltale/internal/scan"
	"telltale/model"
)

// sample adds a sample, which is a point of its family, or a state of one.
func (p *Parser) sample(e *Entry) error {
	if e.Composite != nil && !p.samples && p.family.Type == model.Unknown {
		p.family.Type = typeOf(e.Composite)
	}
	p.samples = true
	if err := p.check(e); err != nil {
		return err
	}
	if p.family.Type == model.StateSet {
		return p.state(e)
	}
	step, err := p.order.Step(p.scanner.page.Scanner, e.Labels)
	switch {
	case err != nil:
		return err
	case step == scan.SamePoint:
		return p.repeated()
	case step == scan.NextMetric:
		p.labels = p.texts.Labels(e.Labels)
	}
	p.family.Append(p.point(e))
	return nil
}

func (p *Parser) repeated() error {
	s := p.scanner.page
	return s.Fail(s.Columns.Name, "the same series again", "each series once for each timestamp")
}

// typeOf returns the type of a family that has such values.
func typeOf(c *Composite) model.Type {
	switch {
	case c.Summary:
		return model.Summary
	case c.Gauge:
		return model.GaugeHistogram
	}
	return model.Histogram
}

// point returns the point that a sample is.
func (p *Parser) point(e *Entry) model.Point {
	pt := model.Point{Labels: p.labels, Timestamp: e.Timestamp, Created: e.Start, Value: e.Value}
	switch p.family.Type {
	case model.Counter:
		pt.Has, pt.Exemplar = model.PartTotal, p.newest(e)
	case model.Info:
		pt.Has = model.PartInfo
	case model.Summary:
		c := e.Composite
		pt.Value, pt.Has = 0, model.PartCount|model.PartSum
		if len(c.Quantiles) > 0 {
			pt.Has |= model.PartValue
		}
		pt.Summary = &model.SummaryValue{Count: c.Count, Sum: c.Sum, Quantiles: kept(c.Quantiles)}
	case model.Histogram:
		pt.Value, pt.Histogram = 0, p.histogram(e)
		if e.Composite.Classic {
			pt.Has = model.PartBucket | model.PartCount | model.PartSum
		}
	case model.GaugeHistogram:
		pt.Value, pt.Histogram = 0, p.histogram(e)
		if e.Composite.Classic {
			pt.Has = model.PartBucket | model.PartGCount | model.PartGSum
		}
	default:
		pt.Has = model.PartValue
	}
	return pt
}

// kept returns a copy, and none of what is empty.
func kept[T any](list []T) []T { return append([]T(nil), list...) }

// newest returns the newest exemplar of a sample, or nil.
func (p *Parser) newest(e *Entry) *model.Exemplar {
	if len(e.Exemplars) == 0 {
		return nil
	}
	last := &e.Exemplars[0]
	for i := range e.Exemplars {
		if x := &e.Exemplars[i]; last.Timestamp.Compare(x.Timestamp) < 0 {
			last = x
		}
	}
	return p.texts.Exemplar(last)
}

// histogram returns a histogram's value to keep. Count and sum are in the native
// histogram, if there is one, and with the classic buckets, if there are any.
func (p *Parser) histogram(e *Entry) *model.HistogramValue {
	c := e.Composite
	h := &model.HistogramValue{}
	if c.Native {
		n := c.Histogram
		n.NegativeSpans, n.Negative = kept(n.NegativeSpans), kept(n.Negative)
		n.PositiveSpans, n.Positive = kept(n.PositiveSpans), kept(n.Positive)
		h.Native = &n
	}
	if c.Classic {
		h.Bounds, h.Cumulative, h.Count, h.Sum = p.bounds.Of(c.Upper), kept(c.Counts), c.Count, c.Sum
		p.spread(h, e)
		return h
	}
	for i := range e.Exemplars {
		h.Native.Exemplars = append(h.Native.Exemplars, *p.texts.Exemplar(&e.Exemplars[i]))
	}
	return h
}

// spread gives exemplars to the classic buckets that cover their values.
func (p *Parser) spread(h *model.HistogramValue, e *Entry) {
	if len(e.Exemplars) > 0 {
		h.Exemplars = make([]*model.Exemplar, h.Bounds.Len())
	}
	for i := range e.Exemplars {
		x := &e.Exemplars[i]
		bucket, _ := slices.BinarySearchFunc(h.Bounds.Upper(), x.Value, func(upper, value float64) int {
			if upper >= value {
				return 1
			}
			return -1 // NaN is above all
		})
		at := &h.Exemplars[min(bucket, h.Bounds.Len()-1)]
		if *at == nil || (*at).Timestamp.Compare(x.Timestamp) < 0 {
			*at = p.texts.Exemplar(x)
		}
	}
}
