package openmetrics2

import (
	"math"

	"telltale/internal/lines"
	"telltale/model"
)

// check checks a sample against the rules of its type (sections "MetricFamily
// Types" and "Metric types").
func (p *Parser) check(e *Entry) error {
	if err := p.checkKind(e); err != nil {
		return err
	}
	s, t := p.scanner.page, p.family.Type
	wrong, expected := "", ""
	switch t {
	case model.Counter:
		if !(e.Value >= 0) {
			wrong, expected = model.FormatValue(e.Value), "a number not below zero: counters only grow"
		}
	case model.Info:
		if e.Value != 1 {
			wrong, expected = model.FormatValue(e.Value), "1, the value of every info"
		}
	case model.StateSet:
		if e.Value != 0 && e.Value != 1 {
			wrong, expected = model.FormatValue(e.Value), "0 or 1"
		}
	case model.Summary:
		wrong, expected = summaryFault(e.Composite), "count and sum not below zero, and increasing quantiles from 0 to 1 of values not below zero"
	case model.Histogram, model.GaugeHistogram:
		wrong, expected = histogramFault(e.Composite), "buckets in order that add up to the count"
	}
	if wrong != "" {
		return s.Fail(s.Columns.Value, wrong, expected)
	}
	return p.checkExtras(e)
}

// checkExtras checks that the type may have start timestamps and exemplars, and
// refuses the labels of the parts of histograms and summaries.
func (p *Parser) checkExtras(e *Entry) error {
	s, t := p.scanner.page, p.family.Type
	counts := t == model.Counter || t == model.Histogram
	switch {
	case e.Start.IsSet() && !counts && t != model.Summary:
		return s.Fail(s.Columns.Start, "a start timestamp", "it on counters, histograms and summaries alone")
	case len(e.Exemplars) > 0 && !counts && t != model.GaugeHistogram:
		return s.Fail(s.Columns.Exemplar, "an exemplar", "exemplars on counters and histograms alone")
	case e.Composite == nil:
		return nil
	}
	own := -1
	switch {
	case e.Composite.Summary:
		own = e.Labels.Find("quantile")
	case e.Composite.Classic:
		own = e.Labels.Find("le")
	}
	if own >= 0 {
		return s.Fail(e.Labels.Column(own), "the label of a bucket or quantile", "none, as they are in the value")
	}
	return nil
}

// checkKind checks that the type has numbers or composite values (section
// "CompositeValue").
func (p *Parser) checkKind(e *Entry) error {
	s, c, t := p.scanner.page, e.Composite, p.family.Type
	composite := t == model.Summary || t == model.Histogram || t == model.GaugeHistogram
	switch {
	case c == nil && composite:
		return s.Fail(s.Columns.Value, model.FormatValue(e.Value), "the composite value of a "+t.String())
	case c != nil && !composite:
		return s.Fail(s.Columns.Value, "a composite value", "a number, as every value of this "+t.String())
	case c != nil && c.Type() != t:
		return s.Fail(s.Columns.Value, "the value of a "+c.Type().String(), "that of a "+t.String())
	}
	return nil
}

// summaryFault returns what is wrong with a summary, or "" (section "Summary").
func summaryFault(c *Composite) string {
	switch {
	case !lines.IsCount(c.Count):
		return "the count " + model.FormatValue(c.Count)
	case !(c.Sum >= 0):
		return "the sum " + model.FormatValue(c.Sum)
	}
	for i, q := range c.Quantiles {
		switch {
		case !(q.Q >= 0 && q.Q <= 1):
			return "the quantile " + model.FormatValue(q.Q)
		case i > 0 && q.Q <= c.Quantiles[i-1].Q:
			return "the quantile " + model.FormatValue(q.Q) + " after " + model.FormatValue(c.Quantiles[i-1].Q)
		case q.V < 0:
			return "a quantile of " + model.FormatValue(q.V)
		}
	}
	return ""
}

// histogramFault returns what is wrong with a histogram, or "" (section
// "Histogram"). The counts of a gauge histogram may be negative, and so need not
// increase.
func histogramFault(c *Composite) string {
	if !c.Gauge && c.Count < 0 {
		return "a count of less than zero"
	}
	if c.Native {
		if wrong := nativeFault(c); wrong != "" {
			return wrong
		}
	}
	if c.Classic {
		return classicFault(c)
	}
	return ""
}

// classicFault returns what is wrong with classic buckets, or "" (section
// "Classic Buckets").
func classicFault(c *Composite) string {
	for i, upper := range c.Upper {
		switch {
		case i > 0 && upper <= c.Upper[i-1]:
			return "the bound " + model.FormatValue(upper) + " after " + model.FormatValue(c.Upper[i-1])
		case c.Gauge:
		case c.Counts[i] < 0:
			return "a bucket of less than zero"
		case i > 0 && c.Counts[i] < c.Counts[i-1]:
			return "a bucket of less than the one before"
		}
	}
	if last := c.Counts[len(c.Counts)-1]; last != c.Count && !(math.IsNaN(last) && math.IsNaN(c.Count)) {
		return "the count " + model.FormatValue(c.Count) + " beside the bucket +Inf of " + model.FormatValue(last)
	}
	return ""
}

// nativeFault returns what is wrong with a native histogram, or "" (section
// "Native Buckets").
func nativeFault(c *Composite) string {
	h := &c.Histogram
	switch {
	case !validSchema(h.Schema):
		return "a schema that is reserved"
	case !validThreshold(h.ZeroThreshold):
		return "a zero threshold of less than zero"
	case !validSpans(h.NegativeSpans, len(h.Negative)), !validSpans(h.PositiveSpans, len(h.Positive)):
		return "spans that cover another number of buckets"
	case beyond(h.NegativeSpans, h.Schema), beyond(h.PositiveSpans, h.Schema):
		return "buckets beyond infinity"
	}
	total, lowest := sum(h)
	switch {
	case c.Gauge:
		return ""
	case lowest < 0:
		return "a bucket of less than zero"
	case h.IsFloat || total >= 1<<53: // floats are not exact
		return ""
	case total > h.Count, total < h.Count && !math.IsNaN(h.Sum): // observations of NaN are in no bucket
		return "the count " + model.FormatValue(h.Count) + " beside buckets of " + model.FormatValue(total)
	}
	return ""
}

// sum returns the sum and the lowest of a histogram's buckets.
func sum(h *model.NativeHistogram) (total, lowest float64) {
	total, lowest = h.ZeroCount, h.ZeroCount
	for _, v := range h.Negative {
		total, lowest = total+v, min(lowest, v)
	}
	for _, v := range h.Positive {
		total, lowest = total+v, min(lowest, v)
	}
	return total, lowest
}

// validSchema reports whether the schema is a standard one.
func validSchema(schema int32) bool { return schema >= -4 && schema <= 8 }

func validThreshold(t float64) bool { return t >= 0 && !math.IsInf(t, 1) }

// validSpans reports whether the spans advance and cover the number of buckets.
func validSpans(spans []model.Span, buckets int) bool {
	total := uint64(0)
	for i, s := range spans {
		if i > 0 && s.Offset < 0 {
			return false
		}
		total += uint64(s.Length)
	}
	return total == uint64(buckets)
}

// beyond reports whether there are buckets above that of infinity, the one after
// the bucket that ends at 2^1024.
func beyond(spans []model.Span, schema int32) bool {
	const bits = 1024
	last := int64(bits)
	if schema >= 0 {
		last <<= schema
	} else {
		last >>= -schema
	}
	next, highest := int64(0), int64(math.MinInt64)
	for _, s := range spans {
		next += int64(s.Offset) + int64(s.Length)
		if s.Length > 0 {
			highest = next - 1
		}
	}
	return highest > last+1
}
