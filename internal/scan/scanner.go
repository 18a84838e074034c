package scan

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"telltale/model"
)

// Grammar is the set of forms that one format allows.
type Grammar struct {
	Blanks        bool // any number of spaces and tabs may separate tokens; else it is one space, or none
	TrailingComma bool // one comma may follow the last label
	AnyEscape     bool // a backslash before any other character stands for itself
	EscapedQuotes bool // a help text has no double quote without a backslash before it
	TextHelp      bool // a help text begins after any blanks, and quotes are not escaped in it
	NameReserved  bool // no label is called __name__
	Composites    bool // values may be composite: {count:1,sum:2,...}
	Starts        bool // a start timestamp may follow the timestamp: st@1.5
	Exemplars     int  // the most exemplars of a sample
	TimedAlways   bool // exemplars must have a timestamp
	Lenient       bool // common mistakes of exporters: see [Gather]
	Timestamp     func([]byte) (model.Timestamp, bool)
	Timestamps    string // what Timestamp reads, for errors
}

// Kind is the kind of a line.
type Kind uint8

// The kinds of line.
const (
	KindSample Kind = iota + 1
	KindHelp
	KindType
	KindUnit
	KindEnd // "# EOF"
)

// Entry is a line. It and everything that it refers to are valid until the next
// line is read.
type Entry struct {
	Kind      Kind
	Line      int
	Name      []byte // of the sample, or the family of a HELP, TYPE or UNIT line
	Text      []byte // the help text, type or unit
	Labels    Labels
	Value     float64
	Composite *Composite      // in place of Value; nil if the value is a number
	Timestamp model.Timestamp // may be absent
	Start     model.Timestamp // of OpenMetrics 2.0; may be absent
	Exemplars []Exemplar      // at most one, except in OpenMetrics 2.0
}

// Exemplar is an exemplar of a sample.
type Exemplar struct {
	Labels    Labels
	Value     float64
	Timestamp model.Timestamp // may be absent
}

// Columns are the columns of the parts of the last line, from 1.
type Columns struct{ Name, Text, Value, Timestamp, Start, Exemplar, ExemplarValue int }

// Scanner reads lines one by one. Formats drive it: [Scanner.Advance] moves to
// the next line, and the other methods read it from left to right into Entry.
type Scanner struct {
	Entry   Entry
	Columns Columns
	Ended   bool // the line has a line feed

	grammar Grammar
	lines   reader
	line    []byte
	pos     int
	name    []byte // scratch
	text    []byte // scratch
	own     Labels // memory for those of samples
	named   func([]byte)

	composite Composite
	exemplars []Exemplar // reusing the memory of earlier ones
	shapes    shapes
}

// New returns a scanner of the format.
func New(r io.Reader, g Grammar, limits Limits) *Scanner {
	s := &Scanner{grammar: g, lines: newReader(r, limits)}
	s.named = s.setName
	return s
}

// setName sets the name of a metric that stands among the labels, as in label
// text.
func (s *Scanner) setName(name []byte) {
	if name[0] == '"' {
		name = name[1 : len(name)-1]
	}
	s.name, _ = appendUnescaped(s.name[:0], name, quoteEscapes)
}

// Advance moves to the next line and returns it. After the last it returns
// io.EOF.
func (s *Scanner) Advance() ([]byte, error) {
	var err error
	s.line, s.Ended, err = s.lines.next()
	s.pos = 0
	if s.grammar.Lenient {
		s.line = s.mended(s.line)
	}
	e := &s.Entry
	e.Kind, e.Line, e.Name = 0, s.lines.number, nil
	e.Composite, e.Timestamp, e.Start, e.Exemplars = nil, model.Timestamp{}, model.Timestamp{}, nil
	s.Columns.Value = 0
	return s.line, err
}

// Readable reports whether a wrong line could be read in part: metadata up to
// its name, a sample up to its value.
func (s *Scanner) Readable() bool {
	if s.Entry.Kind == KindSample {
		return s.Columns.Value > 0
	}
	return len(s.Entry.Name) > 0
}

// Blank reports whether the line has nothing but blanks.
func (s *Scanner) Blank() bool { return blanks(s.line) == len(s.line) }

// Metadata reports whether the line is not a sample: it is empty or begins with
// "#".
func (s *Scanner) Metadata() bool {
	i := blanks(s.line)
	return i == len(s.line) || s.line[i] == '#'
}

// CheckUTF8 returns an error if the line is not UTF-8.
func (s *Scanner) CheckUTF8() error {
	if utf8.Valid(s.line) {
		return nil
	}
	i := 0
	for {
		r, n := utf8.DecodeRune(s.line[i:])
		if r == utf8.RuneError && n == 1 {
			return s.Fail(i+1, Quote(s.line[i:i+1]), "UTF-8")
		}
		i += n
	}
}

// Skip moves n bytes to the right.
func (s *Scanner) Skip(n int) { s.pos += n }

// Rest returns the part of the line that has not been read.
func (s *Scanner) Rest() []byte { return s.line[s.pos:] }

// Column returns the column at which Rest begins.
func (s *Scanner) Column() int { return s.pos + 1 }

// Fail returns an error in the current line.
func (s *Scanner) Fail(column int, found, expected string) error {
	return &SyntaxError{s.lines.number, column, found, expected}
}

// FailAfter returns an error at the line after the last.
func (s *Scanner) FailAfter(found, expected string) error {
	return &SyntaxError{s.lines.number + 1, 1, found, expected}
}

// Unexpected returns the error that the page has something else than expected at
// this place.
func (s *Scanner) Unexpected(expected string) error {
	if s.pos >= len(s.line) {
		return s.Fail(s.pos+1, "the end of the line", expected)
	}
	return s.Fail(s.pos+1, Quote(s.line[s.pos:]), expected)
}

func (s *Scanner) at(c byte) bool { return s.pos < len(s.line) && s.line[s.pos] == c }

// blanks skips spaces and tabs if the format allows them.
func (s *Scanner) blanks() {
	if s.grammar.Blanks {
		s.pos += blanks(s.line[s.pos:])
	}
}

func blanks(b []byte) int {
	for i, c := range b {
		if c != ' ' && c != '\t' {
			return i
		}
	}
	return len(b)
}

// SkipBlanks skips spaces and tabs.
func (s *Scanner) SkipBlanks() { s.pos += blanks(s.line[s.pos:]) }

// Token returns the text up to the next blank or the end.
func (s *Scanner) Token() []byte { return s.token() }

// separator skips the separator between two tokens.
func (s *Scanner) separator() bool {
	start := s.pos
	if s.at(' ') {
		s.pos++
	}
	s.blanks()
	return s.pos > start
}

// token returns the text up to the next blank or the end.
func (s *Scanner) token() []byte {
	start := s.pos
	for s.pos < len(s.line) && s.line[s.pos] != ' ' && (s.line[s.pos] != '\t' || !s.grammar.Blanks) {
		s.pos++
	}
	if s.grammar.Lenient {
		before, _, _ := bytes.Cut(s.line[start:s.pos], []byte{'#'})
		s.pos = start + len(before)
	}
	return s.line[start:s.pos]
}

// A set is the set of characters that are allowed in a name without quotes.
type set [256]bool

var (
	labelBytes  = setOf("_")
	metricBytes = setOf("_:")
)

// setOf returns the set of ASCII letters and digits, and the characters of more.
func setOf(more string) *set {
	var s set
	for c := range s {
		letter := byte(c) | 0x20
		s[c] = isDigit(byte(c)) || 'a' <= letter && letter <= 'z' || strings.IndexByte(more, byte(c)) >= 0
	}
	return &s
}

// word returns the name without quotes at this place, or nothing.
func (s *Scanner) word(of *set) []byte {
	rest, n := s.line[s.pos:], 0
	if len(rest) > 0 && isDigit(rest[0]) && !s.grammar.Lenient {
		return nil
	}
	for n < len(rest) && of[rest[n]] {
		n++
	}
	for s.grammar.Lenient && n < len(rest) && strings.IndexByte(oddEnds, rest[n]) < 0 {
		n++
	}
	s.pos += n
	return rest[:n]
}

// FamilyName reads the name in a HELP, TYPE or UNIT line.
func (s *Scanner) FamilyName() error {
	s.Columns.Name = s.pos + 1
	if s.at('"') {
		column := s.pos + 1
		var err error
		if s.text, err = s.quoted(s.text[:0]); err != nil {
			return err
		}
		if len(s.text) == 2 {
			return s.Fail(column, "an empty name", "a metric name")
		}
		s.name, _ = appendUnescaped(s.name[:0], s.text[1:len(s.text)-1], quoteEscapes)
		s.Entry.Name = s.name
	} else if s.Entry.Name = s.word(metricBytes); len(s.Entry.Name) == 0 {
		return s.Unexpected("a metric name")
	}
	if s.pos < len(s.line) && s.line[s.pos] != ' ' && (s.line[s.pos] != '\t' || !s.grammar.Blanks) {
		return s.Unexpected("a space after the metric name")
	}
	return nil
}

// Help reads the rest of the line as a help text.
func (s *Scanner) Help() error {
	escapes := quoteEscapes
	if s.grammar.TextHelp {
		escapes = textHelpEscapes
		s.SkipBlanks()
	}
	s.Columns.Text = s.pos + 1
	rest := s.Rest()
	s.pos = len(s.line)
	s.Entry.Text = rest
	if i := bareQuote(rest); i >= 0 && s.grammar.EscapedQuotes {
		return s.Fail(s.Columns.Text+i, "a double quote", `it after a backslash`)
	}
	if bytes.IndexByte(rest, '\\') < 0 {
		return nil
	}
	var bad int
	s.text, bad = appendUnescaped(s.text[:0], rest, escapes)
	alone := len(rest) - len(bytes.TrimRight(rest, `\`)) // backslashes at the end
	switch {
	case bad >= 0 && !s.grammar.AnyEscape:
		return s.badEscape(s.Columns.Text+bad, escapes)
	case alone%2 == 1 && !s.grammar.Lenient:
		return s.badEscape(len(s.line), escapes)
	}
	s.Entry.Text = s.text
	return nil
}

// bareQuote returns the index of the first double quote that no backslash
// precedes, or -1. By the ABNF that backslash must itself be unescaped, but the
// tests of the specification accept a help text of \\".
func bareQuote(text []byte) int {
	for i, c := range text {
		if c == '"' && (i == 0 || text[i-1] != '\\') {
			return i
		}
	}
	return -1
}

// The characters that a backslash may escape: within quotes and in the help
// texts of OpenMetrics, and in those of the text format.
const (
	quoteEscapes    = `\"n`
	textHelpEscapes = `\n`
)

// appendUnescaped appends text with its escapes undone. It also returns the
// first backslash that escapes nothing and stands for itself, or -1.
func appendUnescaped(dst, text []byte, escapes string) (unescaped []byte, bad int) {
	bad = -1
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c != '\\':
		case i+1 < len(text) && strings.IndexByte(escapes, text[i+1]) >= 0:
			i++
			if c = text[i]; c == 'n' {
				c = '\n'
			}
		case bad < 0:
			bad = i
		}
		dst = append(dst, c)
	}
	return dst, bad
}
