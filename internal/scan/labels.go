package scan

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"

	"telltale/model"
)

// Labels are the labels of a sample, as text in the form of [model.Labels] and
// in the order of the page. They lie in the buffers of the scanner.
type Labels struct {
	text  []byte
	spans []span
}

// span is the position of one label in the text: name="value", without commas.
type span struct {
	start, name, end int // name is the end of the name
	column           int // of the label in the line
}

// Append returns the labels with one more at the end.
func (l Labels) Append(name, value string) Labels {
	s := span{start: len(l.text)}
	if s.start > 0 {
		s.start++ // the comma
	}
	l.text = model.AppendLabel(l.text, name, value)
	s.end = len(l.text)
	s.name = s.end - len(model.AppendEscaped(nil, value)) - len(`=""`)
	l.spans = append(l.spans, s)
	return l
}

// Text returns the labels as they are written between braces.
func (l Labels) Text() []byte { return l.text }

// Len returns the number of labels.
func (l Labels) Len() int { return len(l.spans) }

// Column returns the column of label i in the line.
func (l Labels) Column(i int) int { return l.spans[i].column }

// Find returns the index of the label with the name, as it is written in the
// text, or -1.
func (l Labels) Find(name string) int {
	for i := len(l.spans) - 1; i >= 0; i-- { // le and quantile are mostly last
		if s := l.spans[i]; string(l.text[s.start:s.name]) == name {
			return i
		}
	}
	return -1
}

// FindName returns the index of the label with the name, which may need quotes,
// or -1.
func (l Labels) FindName(name string) int {
	if model.LegacyLabelName(name) {
		return l.Find(name)
	}
	text := model.AppendLabel(nil, name, "")
	return l.Find(string(text[:len(text)-len(`=""`)]))
}

// reserved returns the index of the first label whose name begins with an
// underscore and is not among those excepted, or -1.
func (l Labels) reserved(except []string) int {
	for i, s := range l.spans {
		name := l.text[s.start:s.name]
		if name[0] == '"' {
			name = name[1 : len(name)-1]
		}
		if name[0] == '_' && !slices.Contains(except, string(name)) {
			return i
		}
	}
	return -1
}

// Value returns label i's value as it is written between its quotes.
func (l Labels) Value(i int) []byte {
	s := l.spans[i]
	return l.text[s.name+2 : s.end-1]
}

// Without returns the labels without label i. Scratch provides their memory.
func (l Labels) Without(i int, scratch *Labels) Labels {
	last := len(l.spans) - 1
	switch {
	case last == 0:
		return Labels{}
	case i == last:
		return Labels{l.text[:l.spans[i].start-1], l.spans[:i]}
	}
	cut := l.spans[i+1].start - l.spans[i].start
	scratch.text = append(append(scratch.text[:0], l.text[:l.spans[i].start]...), l.text[l.spans[i+1].start:]...)
	scratch.spans = append(scratch.spans[:0], l.spans[:i]...)
	for _, s := range l.spans[i+1:] {
		scratch.spans = append(scratch.spans, span{s.start - cut, s.name - cut, s.end - cut, s.column})
	}
	return *scratch
}

// Hash returns a hash that does not depend on the order of the labels. A page
// cannot make hashes equal on purpose, because it does not know the seed.
func (l Labels) Hash(seed maphash.Seed) uint64 {
	h := uint64(0)
	for _, s := range l.spans {
		h += maphash.Bytes(seed, l.text[s.start:s.end])
	}
	return h
}

// fewLabels is the number of names that are compared one by one; more are looked
// up in a map, so that a line takes linear time.
const fewLabels = 16

// repeated returns the index of the first label whose name occurred before, or
// -1.
func (l Labels) repeated() int {
	name := func(i int) []byte { return l.text[l.spans[i].start:l.spans[i].name] }
	if len(l.spans) <= fewLabels {
		for i := 1; i < len(l.spans); i++ {
			for j := range i {
				if bytes.Equal(name(i), name(j)) {
					return i
				}
			}
		}
		return -1
	}
	seen := make(map[string]bool, len(l.spans))
	for i := range l.spans {
		if seen[string(name(i))] {
			return i
		}
		seen[string(name(i))] = true
	}
	return -1
}

// labels reads labels from the brace on into l. The quoted name of a metric may
// stand before them, or among them if the format is lenient, and is passed to
// named.
func (s *Scanner) labels(l *Labels, named func([]byte)) error {
	l.text, l.spans = l.text[:0], l.spans[:0]
	s.pos++ // the brace
	for first := true; ; first = false {
		s.blanks()
		if s.at('}') && (first || s.grammar.TrailingComma) {
			break
		}
		start, before := s.pos, len(l.spans)
		if err := s.label(l, named); err != nil {
			return err
		}
		if most := s.lines.limits.Labels; len(l.spans) > most {
			return &LimitError{"Labels", int64(most), s.Fail(start+1, fmt.Sprintf("more than %d labels", most), "fewer")}
		}
		if !s.grammar.Lenient || len(l.spans) == before { // it was the name
			named = nil
		}
		s.blanks()
		if s.at('}') {
			break
		}
		if !s.at(',') {
			return s.Unexpected(`"," or "}"`)
		}
		s.pos++
	}
	s.pos++
	if i := l.repeated(); i >= 0 {
		sp := l.spans[i]
		return s.Fail(sp.column, "the label name "+Quote(l.text[sp.start:sp.name])+" again", "each name once")
	}
	return nil
}

// label reads one label, or the name of the metric.
func (s *Scanner) label(l *Labels, named func([]byte)) error {
	sp := span{column: s.pos + 1}
	kept := len(l.text)
	if kept > 0 {
		l.text = append(l.text, ',')
	}
	sp.start = len(l.text)
	if s.at('"') {
		if err := s.quotedName(l); err != nil {
			return err
		}
	} else if name := s.word(labelBytes); len(name) > 0 {
		l.text = s.appendName(l.text, name)
	} else {
		return s.Unexpected("a label name")
	}
	sp.name = len(l.text)
	s.blanks()
	if !s.at('=') {
		if named == nil || s.line[sp.column-1] != '"' {
			return s.Unexpected(`"="`)
		}
		named(l.text[sp.start:])
		l.text = l.text[:kept]
		return nil
	}
	if s.grammar.NameReserved && string(l.text[sp.start:sp.name]) == nameLabel {
		return s.Fail(sp.column, "the label name "+nameLabel, "another: it is that of the metric's name")
	}
	s.pos++
	s.blanks()
	if !s.at('"') {
		return s.Unexpected("a label value in double quotes")
	}
	l.text = append(l.text, '=')
	var err error
	if l.text, err = s.quoted(l.text); err != nil {
		return err
	}
	sp.end = len(l.text)
	l.spans = append(l.spans, sp)
	return nil
}

// nameLabel is the label that Prometheus keeps a metric's name in.
const nameLabel = "__name__"

// appendName appends a name without quotes; a lenient format also accepts one
// that needs them.
func (s *Scanner) appendName(dst, name []byte) []byte {
	if !s.grammar.Lenient || model.LegacyLabelName(string(name)) {
		return append(dst, name...)
	}
	return append(model.AppendEscaped(append(dst, '"'), string(name)), '"')
}

// quotedName reads a name in quotes into the text, in which names that need no
// quotes have none.
func (s *Scanner) quotedName(l *Labels) error {
	column, start := s.pos+1, len(l.text)
	var err error
	if l.text, err = s.quoted(l.text); err != nil {
		return err
	}
	name := l.text[start+1 : len(l.text)-1]
	if len(name) == 0 {
		return s.Fail(column, "an empty name", "a name")
	}
	if model.LegacyLabelName(string(name)) {
		copy(l.text[start:], name)
		l.text = l.text[:start+len(name)]
	}
	return nil
}

// quoted copies a quoted string, with its quotes and only the escapes that
// [model.Labels] uses.
func (s *Scanner) quoted(dst []byte) ([]byte, error) {
	opening := s.pos + 1
	dst = append(dst, '"')
	s.pos++
	closing := -1 // the next quote, searched only once, however many backslashes precede it
	for {
		if closing < s.pos {
			i := bytes.IndexByte(s.line[s.pos:], '"')
			if i < 0 {
				s.pos = len(s.line)
				return dst, s.Fail(opening, "an opening quote", "a closing one after it")
			}
			closing = s.pos + i
		}
		b := bytes.IndexByte(s.line[s.pos:closing], '\\')
		if b < 0 {
			dst = append(dst, s.line[s.pos:closing+1]...)
			s.pos = closing + 1
			return dst, nil
		}
		dst = append(dst, s.line[s.pos:s.pos+b+1]...)
		s.pos += b + 1
		switch c := s.line[s.pos]; { // at the quote or before it
		case c == '\\' || c == '"' || c == 'n':
			dst = append(dst, c)
			s.pos++
		case s.grammar.AnyEscape: // the backslash stands for itself
			dst = append(dst, '\\')
		default:
			return dst, s.badEscape(s.pos, quoteEscapes)
		}
	}
}

// CheckReserved returns an error if a label of the last sample, or of one of its
// exemplars, begins with an underscore and is not among those excepted: such
// names are reserved (OpenMetrics 1.0 and 2.0, section "Label").
func (s *Scanner) CheckReserved(except []string) error {
	e := &s.Entry
	if err := s.checkReserved(e.Labels, except); err != nil {
		return err
	}
	for i := range e.Exemplars {
		if err := s.checkReserved(e.Exemplars[i].Labels, except); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scanner) checkReserved(l Labels, except []string) error {
	i := l.reserved(except)
	if i < 0 {
		return nil
	}
	name := l.text[l.spans[i].start:l.spans[i].name]
	return s.Fail(l.Column(i), "the label name "+Quote(name), "one that does not begin with an underscore, as those are reserved")
}

// badEscape returns the error that the backslash at pos, which counts from 1,
// does not precede a character that it escapes.
func (s *Scanner) badEscape(pos int, escapes string) error {
	expected := `\\, \" or \n`
	if escapes == textHelpEscapes {
		expected = `\\ or \n`
	}
	return s.Fail(pos, "the escape "+Quote(s.line[pos-1:min(pos+1, len(s.line))]), expected)
}
