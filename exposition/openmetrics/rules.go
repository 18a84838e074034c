package openmetrics

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"telltale/internal/lines"
	"telltale/internal/scan"
	"telltale/model"
)

// checkValue checks a value against the rules of its type (sections "Metric
// Types").
func (p *Parser) checkValue(e *Entry, part model.Parts) error {
	s := p.scanner.page
	expected := ""
	switch part {
	case model.PartTotal:
		if !(e.Value >= 0) {
			expected = "a number not below zero: counters only grow"
		}
	case model.PartSum:
		if !(e.Value >= 0) {
			expected = "a number not below zero: sums count"
		}
	case model.PartGSum:
		if math.IsNaN(e.Value) {
			expected = "a number"
		}
	case model.PartCount, model.PartGCount:
		return p.checkCount(e)
	case model.PartInfo:
		if e.Value != 1 {
			expected = "1, the value of every info"
		}
	case model.PartCreated:
		if _, ok := model.UnixSeconds(e.Value); !ok {
			expected = "a timestamp in seconds"
		}
	}
	if expected == "" {
		return nil
	}
	return s.Fail(s.Columns.Value, model.FormatValue(e.Value), expected)
}

// checkCount checks that a bucket or a count is a whole number.
func (p *Parser) checkCount(e *Entry) error {
	if lines.IsCount(e.Value) {
		return nil
	}
	s := p.scanner.page
	return s.Fail(s.Columns.Value, model.FormatValue(e.Value), "a whole number not below zero: it counts")
}

// bare refuses a sample with the bare name of its family if the type has only
// names with suffixes (section "Suffixes").
func (p *Parser) bare(e *Entry) error {
	f, s := p.family, p.scanner.page
	p.doubts.Add(f.Name)
	var suffixes []string
	(f.Type.Parts() &^ model.PartCreated).Each(func(part model.Parts) { suffixes = append(suffixes, part.Suffix()) })
	expected := "its name to end in " + strings.Join(suffixes, ", ")
	if base, has := strings.CutSuffix(f.Name, suffixes[0]); has && len(suffixes) == 1 {
		expected = "the family to be named " + strconv.Quote(base) + ": the suffix is that of its samples alone"
	}
	return s.Fail(s.Columns.Name, "a sample of the "+f.Type.String()+" "+scan.Quote(e.Name)+" without a suffix", expected)
}

// checkLabels refuses the labels of buckets and quantiles on other samples of
// their family.
func (p *Parser) checkLabels(series scan.Labels) error {
	var own string
	switch p.family.Type {
	case model.Histogram, model.GaugeHistogram:
		own = "le"
	case model.Summary:
		own = "quantile"
	default:
		return nil
	}
	if i := series.Find(own); i >= 0 {
		return p.scanner.page.Fail(series.Column(i), "the label "+scan.Quote([]byte(own)), "it on buckets or quantiles alone")
	}
	return nil
}

// checkExemplar checks where exemplars stand and how long they are (section
// "Exemplars").
func (p *Parser) checkExemplar(e *Entry, part model.Parts) error {
	if len(e.Exemplars) == 0 {
		return nil
	}
	s := p.scanner.page
	if part&(model.PartTotal|model.PartBucket) == 0 {
		return s.Fail(s.Columns.Exemplar, "an exemplar", "exemplars on counters and buckets alone")
	}
	if text := e.Exemplars[0].Labels.Text(); len(text) > model.MaxExemplarRunes {
		n := 0
		for name, value := range model.LabelsFromText(string(text)).All() {
			n += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
		}
		if n > model.MaxExemplarRunes {
			return s.Fail(s.Columns.Exemplar, "an exemplar with labels of more than 128 characters", "fewer")
		}
	}
	return nil
}

// endHistogram checks a histogram as a whole: it has buckets, the last of them
// +Inf and equal to the count; count and sum come together; sums can be
// negative, or missing for that, only with negative bounds.
func (p *Parser) endHistogram() error {
	pt := &p.point
	const counts, sums = model.PartCount | model.PartGCount, model.PartSum | model.PartGSum
	n := len(pt.upper)
	negative := n > 0 && pt.upper[0] < 0
	found, expected := "", ""
	switch {
	case n == 0 || !math.IsInf(pt.upper[n-1], 1):
		found, expected = "a histogram without the bucket +Inf", "that bucket behind all others"
	case pt.Has&counts != 0 && pt.count != pt.cumulative[n-1]:
		found, expected = "the count "+model.FormatValue(pt.count), "the value of the bucket +Inf, "+model.FormatValue(pt.cumulative[n-1])
	case pt.Has&counts != 0 && pt.Has&sums == 0:
		found, expected = "a count without a sum", "both or neither"
	case pt.Has&counts == 0 && pt.Has&sums != 0:
		found, expected = "a sum without a count", "both or neither"
	case negative && pt.Has&model.PartSum != 0:
		found, expected = "a sum beside a negative bound", "none, since it could fall"
	case !negative && pt.Has&model.PartGSum != 0 && pt.sum < 0:
		found, expected = "a negative sum", "one only beside negative bounds"
	}
	if found != "" {
		return p.fail(pt.last, found, expected)
	}
	pt.Histogram = &model.HistogramValue{
		Bounds: p.bounds.Of(pt.upper), Cumulative: slices.Clone(pt.cumulative),
		Count: pt.count, Sum: pt.sum,
	}
	if len(pt.exemplars) > 0 {
		pt.Histogram.Exemplars = slices.Clone(pt.exemplars)
	}
	return nil
}
