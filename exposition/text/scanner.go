package text

import (
	"io"

	"telltale/internal/scan"
	"telltale/model"
)

// SyntaxError is an error of a page, with its line and column.
//
//	Line     int
//	Column   int
//	Found    string // what the page has there
//	Expected string // what the format expects there
//
//	Error() string // the position, what was found and what was expected
type SyntaxError = scan.SyntaxError

// Limits bound the size of a page, of a line and of a sample's labels.
//
//	Input   int64 // bytes of the whole page; 1 GiB by default
//	Line    int   // bytes of a line; 1 MiB by default
//	Labels  int   // labels of a sample, or of an exemplar; 256 by default
//	Message int   // bytes of a message, in protobuf; 256 MiB by default
//	Errors  int   // errors after which a parser with WithAllErrors gives up; 100 by default
//
//	WithDefaults() Limits // the defaults in the place of fields that are not set
type Limits = scan.Limits

// Entry is a line of a page.
//
//	Kind      Kind
//	Line      int
//	Name      []byte // of the sample, or the family of a HELP, TYPE or UNIT line
//	Text      []byte // the help text, type or unit
//	Labels           // Len, Find(name), Value(i), Text: as they are written; Column(i) of the line
//	Value     float64
//	Composite        // in place of Value in OpenMetrics 2.0, nil if the value is a number
//	Timestamp model.Timestamp // may be absent
//	Start     model.Timestamp // of OpenMetrics 2.0; may be absent
//	Exemplars                 // each with Labels, Value, Timestamp; at most one, except in OpenMetrics 2.0
//
//	Whole // is for parsers within telltale
type Entry = scan.Entry

// Kind is the kind of a line.
type Kind = scan.Kind

// The kinds of line.
const (
	KindSample = scan.KindSample
	KindHelp   = scan.KindHelp
	KindType   = scan.KindType
	KindUnit   = scan.KindUnit // with [WithLenient]
)

// ParserOption is an option of [NewParser] and [NewScanner].
type ParserOption = scan.Option

// WithLimits replaces the default limits.
func WithLimits(l Limits) ParserOption { return scan.WithLimits(l) }

// WithAllErrors makes Next go on at the next line after a [*SyntaxError], so
// that one pass finds all errors of a page. Errors that follow from an earlier
// one are left out. A parser gives up with [ErrUnread] after [Limits].Errors
// errors; the families that it returns lack the wrong lines.
func WithAllErrors() ParserOption { return scan.WithAllErrors() }

// WithLenient makes a parser accept common mistakes of exporters; package
// exposition lists them. The whole page is read before the first family is
// returned.
func WithLenient() ParserOption { return scan.WithLenient() }

// ErrUnread follows the errors of a page whose rest was not read because it has
// too many errors or too many bytes.
var ErrUnread = scan.ErrUnread

// grammar is what the text format allows in a line.
var grammar = scan.Grammar{
	Blanks: true, TrailingComma: true, TextHelp: true, NameReserved: true,
	Timestamp: scan.Milliseconds, Timestamps: "a timestamp in whole milliseconds",
}

// Scanner reads a page line by line: samples, HELP and TYPE lines. It skips
// comments and empty lines. It checks each line, but not the rules that hold
// between lines, which [Parser] checks. Lines cost no allocation. It is not safe
// for concurrent use.
type Scanner struct {
	scan *scan.Scanner
	read func() error // reads a line; comments and empty lines leave no kind
	goOn bool         // after errors
	err  error
}

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	o := scan.OptionsOf(opts)
	s := &Scanner{goOn: o.AllErrors}
	if o.Lenient {
		lenient := grammar.Leniently()
		lenient.Timestamp, lenient.Timestamps = scan.LenientMilliseconds, "a timestamp in milliseconds"
		s.scan = scan.New(r, lenient, o.Limits)
		s.read = s.scan.LenientLine
	} else {
		s.scan, s.read = scan.New(r, grammar, o.Limits), s.strict
	}
	return s
}

// Next returns the next line, which is valid until the next call. After the last
// it returns [io.EOF]. An error is a [*SyntaxError] or an error of the reader,
// and is returned again by every later call, unless [WithAllErrors] makes the
// scanner go on.
//
// A page that does not end with a line feed is an error, as the format demands:
// it may have been cut off within a number.
func (s *Scanner) Next() (*Entry, error) {
	for s.err == nil {
		s.err = s.read()
		switch {
		case s.err != nil && s.goOn && scan.IsSyntax(s.err):
			err := s.err
			s.err = nil
			return nil, err
		case s.err == nil && s.scan.Entry.Kind != 0:
			return &s.scan.Entry, nil
		}
	}
	return nil, s.err
}

// strict reads a line.
func (s *Scanner) strict() error {
	line, err := s.scan.Advance()
	if err != nil {
		return err
	}
	if !s.scan.Ended {
		return s.scan.Fail(len(line)+1, "the end of the page", "a line feed")
	}
	s.scan.SkipBlanks()
	rest := s.scan.Rest()
	switch {
	case len(rest) == 0:
		return nil
	case rest[0] == '#':
		return s.comment()
	}
	return s.scan.Sample()
}

// comment reads a line that begins with "#". The line is a comment unless the
// word after "#" is HELP or TYPE.
func (s *Scanner) comment() error {
	s.scan.Skip(1)
	s.scan.SkipBlanks()
	var read func() error
	e := &s.scan.Entry
	switch string(s.scan.Token()) {
	case "HELP":
		e.Kind, read = scan.KindHelp, s.scan.Help
	case "TYPE":
		e.Kind, read = scan.KindType, s.typeWord
	default:
		return nil
	}
	if err := s.scan.CheckUTF8(); err != nil {
		return err
	}
	s.scan.SkipBlanks()
	if err := s.scan.FamilyName(); err != nil {
		return err
	}
	return read()
}

func (s *Scanner) typeWord() error {
	s.scan.SkipBlanks()
	column := s.scan.Column()
	word := s.scan.Token()
	s.scan.Columns.Text, s.scan.Entry.Text = column, word
	if _, ok := typeOf(word); !ok {
		s.scan.Skip(-len(word))
		return s.scan.Unexpected("counter, gauge, histogram, summary or untyped")
	}
	s.scan.SkipBlanks()
	if len(s.scan.Rest()) > 0 {
		return s.scan.Unexpected("the end of the line")
	}
	return nil
}

// typeOf reads the word of a TYPE line.
func typeOf(word []byte) (model.Type, bool) {
	switch string(word) {
	case "counter":
		return model.Counter, true
	case "gauge":
		return model.Gauge, true
	case "histogram":
		return model.Histogram, true
	case "summary":
		return model.Summary, true
	case "untyped":
		return model.Unknown, true
	}
	return 0, false
}
