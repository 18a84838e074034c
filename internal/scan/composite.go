package scan

import (
	"bytes"
	"math"
	"strconv"

	"telltale/model"
)

// Composite is the value of a histogram, a gauge histogram or a summary in one
// line (OpenMetrics 2.0, section "ABNF", from "composite-value" on). It lies in
// the buffers of the scanner.
type Composite struct {
	Gauge     bool // count and sum are gcount and gsum
	Summary   bool // there is a list of quantiles, which may be empty
	Classic   bool // there are classic buckets
	Native    bool // there is a native histogram
	Count     float64
	Sum       float64
	Quantiles []model.Quantile
	Upper     []float64 // bounds of the classic buckets
	Counts    []float64 // of the classic buckets, cumulative
	Histogram model.NativeHistogram
}

// readComposite reads a composite value, from its brace on.
func (s *Scanner) readComposite() error {
	c := &s.composite
	h := &c.Histogram
	*c = Composite{Quantiles: c.Quantiles[:0], Upper: c.Upper[:0], Counts: c.Counts[:0], Histogram: model.NativeHistogram{
		NegativeSpans: h.NegativeSpans[:0], Negative: h.Negative[:0], PositiveSpans: h.PositiveSpans[:0], Positive: h.Positive[:0],
	}}
	s.Entry.Composite = c
	s.pos++
	count, sum := "count:", ",sum:"
	if c.Gauge = s.at('g'); c.Gauge {
		count, sum = "gcount:", ",gsum:"
	}
	if err := s.field(count, s.count, &c.Count); err != nil {
		return err
	}
	if err := s.field(sum, s.inner, &c.Sum); err != nil {
		return err
	}
	if err := s.distribution(c); err != nil {
		return err
	}
	return s.expect("}")
}

// distribution reads what follows count and sum: quantiles, or buckets of one
// kind or both, the native ones first.
func (s *Scanner) distribution(c *Composite) error {
	if !c.Gauge && s.begins(",quantile:") {
		c.Summary = true
		return s.quantiles(c)
	}
	if c.Native = s.begins(",schema:"); c.Native {
		if err := s.native(c); err != nil {
			return err
		}
		if s.at('}') {
			return nil
		}
	}
	c.Classic = true
	return s.buckets(c)
}

// native reads the fields of a native histogram, from its schema on.
func (s *Scanner) native(c *Composite) (err error) {
	h := &c.Histogram
	if err = s.expect(",schema:"); err != nil {
		return err
	}
	if h.Schema, err = s.integer(); err != nil {
		return err
	}
	if err = s.field(",zero_threshold:", s.real, &h.ZeroThreshold); err != nil {
		return err
	}
	if err = s.field(",zero_count:", s.count, &h.ZeroCount); err != nil {
		return err
	}
	if s.begins(",negative_spans:") {
		if h.NegativeSpans, err = s.spans(",negative_spans:", h.NegativeSpans); err != nil {
			return err
		}
		if h.Negative, err = s.counts(",negative_buckets:", h.Negative); err != nil {
			return err
		}
	}
	if s.begins(",positive_spans:") {
		if h.PositiveSpans, err = s.spans(",positive_spans:", h.PositiveSpans); err != nil {
			return err
		}
		if h.Positive, err = s.counts(",positive_buckets:", h.Positive); err != nil {
			return err
		}
	}
	h.Count, h.Sum = c.Count, c.Sum
	return nil
}

// expect reads the given text or returns an error.
func (s *Scanner) expect(text string) error {
	if !s.begins(text) {
		return s.Unexpected(strconv.Quote(text))
	}
	s.pos += len(text)
	return nil
}

// field reads a number after the text before.
func (s *Scanner) field(before string, read func() (float64, error), v *float64) (err error) {
	if err = s.expect(before); err == nil {
		*v, err = read()
	}
	return err
}

// item returns the text up to the next punctuation of a composite value.
func (s *Scanner) item() []byte {
	start := s.pos
	for s.pos < len(s.line) {
		switch s.line[s.pos] {
		case ',', ':', ']', '}', ' ':
			return s.line[start:s.pos]
		}
		s.pos++
	}
	return s.line[start:]
}

// inner reads a number within a composite value.
func (s *Scanner) inner() (float64, error) {
	start := s.pos
	v, ok := Number(s.item())
	if !ok {
		s.pos = start
		return 0, s.Unexpected("a number")
	}
	return v, nil
}

// count reads a number of observations. Whole numbers have no point (section
// "Numbers"): a number with a point makes it a float histogram.
func (s *Scanner) count() (float64, error) {
	start := s.pos
	v, err := s.inner()
	token := s.line[start:s.pos]
	if digitsFrom(token, sign(token)) < len(token) {
		s.composite.Histogram.IsFloat = true
	}
	return v + 0, err // -0 is 0
}

// real reads a number that is neither infinite nor NaN.
func (s *Scanner) real() (float64, error) {
	start := s.pos
	token := s.item()
	if v, ok := Number(token); ok && decimal(token) {
		return v + 0, nil // -0 is 0
	}
	s.pos = start
	return 0, s.Unexpected("a number, and not an infinite one")
}

// integer reads a whole number.
func (s *Scanner) integer() (int32, error) {
	start := s.pos
	v, err := strconv.ParseInt(string(s.item()), 10, 32)
	if err != nil {
		s.pos = start
		return 0, s.Unexpected("a whole number of 32 bits")
	}
	return int32(v), nil
}

// length reads how many buckets a span has.
func (s *Scanner) length() (uint32, error) {
	start := s.pos
	token := s.item()
	v, err := strconv.ParseUint(string(bytes.TrimPrefix(token, []byte{'+'})), 10, 32)
	if err != nil {
		s.pos = start
		return 0, s.Unexpected("a number of buckets")
	}
	return uint32(v), nil
}

// list reads a list in brackets, item by item, after the text before.
func (s *Scanner) list(before string, item func() error) error {
	if err := s.expect(before); err != nil {
		return err
	}
	if err := s.expect("["); err != nil {
		return err
	}
	if s.at(']') {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.at(']') {
			s.pos++
			return nil
		}
		if !s.at(',') {
			return s.Unexpected(`"," or "]"`)
		}
		s.pos++
	}
}

func (s *Scanner) counts(before string, into []float64) ([]float64, error) {
	err := s.list(before, func() error {
		v, err := s.count()
		into = append(into, v)
		return err
	})
	return into, err
}

// spans reads spans. Offsets after the first are not negative.
func (s *Scanner) spans(before string, into []model.Span) ([]model.Span, error) {
	err := s.list(before, func() (err error) {
		var span model.Span
		column := s.Column()
		if span.Offset, err = s.integer(); err != nil {
			return err
		}
		if span.Offset < 0 && len(into) > 0 {
			return s.Fail(column, "a span before the end of the one before", "an offset not below zero")
		}
		if err = s.expect(":"); err != nil {
			return err
		}
		span.Length, err = s.length()
		into = append(into, span)
		return err
	})
	return into, err
}

// buckets reads classic buckets; the last must be that of +Inf.
func (s *Scanner) buckets(c *Composite) error {
	err := s.list(",bucket:", func() error {
		upper, err := s.bound(len(c.Upper) == 0)
		if err != nil {
			return err
		}
		if err := s.expect(":"); err != nil {
			return err
		}
		count, err := s.inner()
		if err != nil {
			return err
		}
		c.Upper, c.Counts = append(c.Upper, upper), append(c.Counts, count)
		if math.IsInf(upper, 1) && !s.at(']') {
			return s.Unexpected(`"]" behind the bucket +Inf`)
		}
		return nil
	})
	if err == nil && (len(c.Upper) == 0 || !math.IsInf(c.Upper[len(c.Upper)-1], 1)) {
		return s.Fail(s.pos, "buckets without +Inf", "the bucket +Inf at their end")
	}
	return err
}

// bound reads the bound of a classic bucket. Infinities are spelled +Inf and,
// only as the first, -Inf.
func (s *Scanner) bound(first bool) (float64, error) {
	switch {
	case s.begins("+Inf:"):
		s.pos += len("+Inf")
		return math.Inf(1), nil
	case s.begins("-Inf:") && first:
		s.pos += len("-Inf")
		return math.Inf(-1), nil
	}
	return s.real()
}

func (s *Scanner) quantiles(c *Composite) error {
	return s.list(",quantile:", func() error {
		q, err := s.real()
		if err != nil {
			return err
		}
		if err := s.expect(":"); err != nil {
			return err
		}
		v, err := s.inner()
		c.Quantiles = append(c.Quantiles, model.Quantile{Q: q, V: v})
		return err
	})
}
