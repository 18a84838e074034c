package scan

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"telltale/model"
)

// oddEnds end an unquoted name that has characters which need quotes.
const oddEnds = " \t{}\"=,#"

// Leniently returns the grammar of the format's lenient parsers.
func (g Grammar) Leniently() Grammar {
	g.Lenient, g.Blanks, g.TrailingComma, g.AnyEscape = true, true, true, true
	g.EscapedQuotes, g.NameReserved, g.TimedAlways = false, false, false
	g.Exemplars = max(g.Exemplars, 1)
	return g
}

// mended returns the line without a byte order mark and carriage returns, and
// with U+FFFD in place of invalid UTF-8.
func (s *Scanner) mended(line []byte) []byte {
	if s.lines.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	line = bytes.TrimRight(line, "\r")
	if utf8.Valid(line) {
		return line
	}
	return bytes.ToValidUTF8(line, []byte("\ufffd"))
}

// LenientLine moves to the next line and reads it; comments and empty lines
// leave no kind.
func (s *Scanner) LenientLine() error {
	if _, err := s.Advance(); err != nil {
		return err
	}
	s.SkipBlanks()
	switch {
	case s.pos == len(s.line):
		return nil
	case s.line[s.pos] != '#':
		return s.Sample()
	}
	if s.Skip(1); !s.lenientMetadata() {
		s.Entry.Kind = 0
	}
	return nil
}

// lenientMetadata reads a line that begins with "#", and reports whether it is
// metadata. A line that cannot be read is a comment.
func (s *Scanner) lenientMetadata() bool {
	e := &s.Entry
	s.SkipBlanks()
	switch string(s.Token()) {
	case "HELP":
		e.Kind = KindHelp
	case "TYPE":
		e.Kind = KindType
	case "UNIT":
		e.Kind = KindUnit
	default:
		return false
	}
	s.SkipBlanks()
	if s.FamilyName() != nil {
		return false
	}
	if e.Kind == KindHelp {
		if !s.grammar.TextHelp {
			s.pos = min(s.pos+1, len(s.line)) // other blanks belong to the text
		}
		return s.Help() == nil
	}
	s.SkipBlanks()
	e.Text = s.Token()
	return true
}

// lenientType reads the word of a TYPE line; any other word is Unknown.
func lenientType(word []byte) model.Type {
	t, _ := model.ParseType(strings.ToLower(string(word)))
	return t
}

// exemplarOrComment moves to the exemplar that may follow a sample, and reports
// whether there is one. Text without labels is a comment.
func (s *Scanner) exemplarOrComment() bool {
	s.blanks()
	if !s.at('#') {
		return false
	}
	if rest := bytes.TrimLeft(s.line[s.pos+1:], " \t"); len(rest) > 0 && rest[0] == '{' {
		return true
	}
	s.pos = len(s.line)
	return false
}

// LenientMilliseconds reads a timestamp in milliseconds that may have a fraction
// or an exponent.
func LenientMilliseconds(b []byte) (model.Timestamp, bool) {
	if t, ok := Milliseconds(b); ok {
		return t, true
	}
	ms, ok := Number(b)
	if !ok {
		return model.Timestamp{}, false
	}
	return model.UnixSeconds(ms / 1000)
}
