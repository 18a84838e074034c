package scan

import "telltale/model"

// Sample reads the rest of the line as a sample, and checks that the line is
// UTF-8.
func (s *Scanner) Sample() error {
	e := &s.Entry
	if s.recall() {
		e.Kind = KindSample
	} else {
		e.Labels = Labels{}
		if err := s.CheckUTF8(); err != nil {
			return err
		}
		e.Kind = KindSample
		if err := s.series(); err != nil {
			return err
		}
	}
	s.Columns.Value = s.pos + 1
	if err := s.value(); err != nil {
		return err
	}
	if s.pos == len(s.line) {
		return nil
	}
	var err error
	if e.Timestamp, err = s.timestamp(&s.Columns.Timestamp, s.grammar.Timestamp, s.grammar.Timestamps); err != nil {
		return err
	}
	if s.grammar.Starts && s.startFollows() {
		if err := s.start(); err != nil {
			return err
		}
	}
	for len(e.Exemplars) < s.grammar.Exemplars && s.exemplarFollows() {
		if err := s.exemplar(); err != nil {
			return err
		}
	}
	s.blanks()
	if s.pos < len(s.line) {
		return s.Unexpected("the end of the line")
	}
	return nil
}

// series reads name and labels up to the value.
func (s *Scanner) series() error {
	e, start := &s.Entry, s.pos
	s.Columns.Name = start + 1
	if s.at('{') {
		s.name = s.name[:0]
		if err := s.readLabels(s.named); err != nil {
			return err
		}
		if e.Name = s.name; len(e.Name) == 0 {
			return s.Fail(s.Columns.Name, "labels without a metric name", "a metric name")
		}
	} else {
		if e.Name = s.word(metricBytes); len(e.Name) == 0 {
			return s.Unexpected("a metric name")
		}
		between := s.separator()
		if !s.at('{') || between && (!s.grammar.Blanks || s.compositeFollows()) {
			if !between {
				return s.Unexpected(`a space or "{" after the metric name`)
			}
			return nil
		}
		if err := s.readLabels(nil); err != nil {
			return err
		}
	}
	s.learn(start)
	if !s.separator() && !s.grammar.Blanks {
		return s.Unexpected("a space before the value")
	}
	return nil
}

// readLabels reads the labels of the series.
func (s *Scanner) readLabels(named func([]byte)) error {
	err := s.labels(&s.own, named)
	s.Entry.Labels = s.own
	return err
}

// compositeFollows reports whether the brace at this place begins a value, and
// not labels after a blank.
func (s *Scanner) compositeFollows() bool {
	return s.grammar.Composites && (s.begins("{count:") || s.begins("{gcount:"))
}

// value reads a number or a composite value.
func (s *Scanner) value() (err error) {
	if s.grammar.Composites && s.at('{') {
		return s.readComposite()
	}
	s.Entry.Value, err = s.number("a number")
	return err
}

// number reads a number.
func (s *Scanner) number(expected string) (float64, error) {
	start := s.pos
	if v, n := plain(s.line[start:]); n > 0 && (start+n == len(s.line) || s.line[start+n] == ' ') {
		s.pos += n
		return v, nil
	}
	token := s.token()
	v, ok := Number(token)
	if !ok {
		s.pos = start
		if len(token) == 0 {
			return 0, s.Unexpected(expected)
		}
		return 0, s.Fail(start+1, Quote(token), expected)
	}
	return v, nil
}

// timestamp reads a timestamp, if there is one.
func (s *Scanner) timestamp(column *int, read func([]byte) (model.Timestamp, bool), expected string) (model.Timestamp, error) {
	before := s.pos
	if !s.separator() {
		return model.Timestamp{}, nil
	}
	if s.at('#') && s.grammar.Exemplars > 0 || s.grammar.Starts && s.begins(startMark) {
		s.pos = before
		return model.Timestamp{}, nil
	}
	if s.pos == len(s.line) && s.grammar.Blanks {
		return model.Timestamp{}, nil
	}
	*column = s.pos + 1
	token := s.token()
	t, ok := read(token)
	if !ok {
		if len(token) == 0 {
			s.pos = *column - 1
			return t, s.Unexpected(expected)
		}
		return t, s.Fail(*column, Quote(token), expected)
	}
	return t, nil
}

// startMark stands before a start timestamp.
const startMark = "st@"

// startFollows reports whether a start timestamp comes next, and moves to it.
func (s *Scanner) startFollows() bool {
	before := s.pos
	if s.separator() && s.begins(startMark) {
		return true
	}
	s.pos = before
	return false
}

// begins reports whether the rest of the line begins with the text.
func (s *Scanner) begins(text string) bool {
	rest := s.Rest()
	return len(rest) >= len(text) && string(rest[:len(text)]) == text
}

// start reads a start timestamp, from its mark on.
func (s *Scanner) start() error {
	s.pos += len(startMark)
	s.Columns.Start = s.pos + 1
	token := s.token()
	t, ok := s.grammar.Timestamp(token)
	if !ok {
		return s.Fail(s.Columns.Start, Quote(token), s.grammar.Timestamps)
	}
	s.Entry.Start = t
	return nil
}

// exemplarFollows reports whether an exemplar comes next. In a lenient format it
// moves to the exemplar, or past a comment in its place.
func (s *Scanner) exemplarFollows() bool {
	if s.grammar.Lenient {
		return s.exemplarOrComment()
	}
	return s.pos+1 < len(s.line) && s.line[s.pos+1] == '#'
}

// exemplar reads an exemplar, from the space before it on.
func (s *Scanner) exemplar() error {
	switch {
	case s.at(' '):
		s.pos++
	case !s.grammar.Lenient:
		return s.Unexpected("the end of the line")
	}
	s.Columns.Exemplar = s.pos + 1
	x := s.addExemplar()
	s.pos++
	if !s.separator() && !s.grammar.Lenient {
		return s.Unexpected(`a space after "#"`)
	}
	if !s.at('{') {
		return s.Unexpected(`"{", the labels of an exemplar`)
	}
	if err := s.labels(&x.Labels, nil); err != nil {
		return err
	}
	if !s.separator() && !s.grammar.Lenient {
		return s.Unexpected("a space before the exemplar's value")
	}
	s.Columns.ExemplarValue = s.pos + 1
	var err error
	if x.Value, err = s.number("the exemplar's value, a number"); err != nil {
		return err
	}
	var column int
	if x.Timestamp, err = s.timestamp(&column, Seconds, "a timestamp in seconds"); err != nil {
		return err
	}
	if s.grammar.TimedAlways && !x.Timestamp.IsSet() {
		return s.Unexpected("the exemplar's timestamp")
	}
	return nil
}

// addExemplar adds an exemplar to the entry and reuses the memory of an earlier
// one.
func (s *Scanner) addExemplar() *Exemplar {
	n := len(s.Entry.Exemplars)
	if n == len(s.exemplars) {
		s.exemplars = append(s.exemplars, Exemplar{})
	}
	s.Entry.Exemplars = s.exemplars[:n+1]
	return &s.exemplars[n]
}
