package openmetrics

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"telltale/internal/scan"
	"telltale/model"
)

// SyntaxError is what is wrong with a page, with its line and column.
type SyntaxError = scan.SyntaxError

// Limits bound the size of a page, of a line and of a sample's labels.
type Limits = scan.Limits

// Entry is a line of a page.
type Entry = scan.Entry

// Kind is what a line is.
type Kind = scan.Kind

// The kinds of line.
const (
	KindSample = scan.KindSample
	KindHelp   = scan.KindHelp
	KindType   = scan.KindType
	KindUnit   = scan.KindUnit
	KindEnd    = scan.KindEnd // "# EOF"
)

// ParserOption is an option of [NewParser] and [NewScanner].
type ParserOption = scan.Option

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) ParserOption { return scan.WithLimits(l) }

// WithAllErrors has Next go on behind a [*SyntaxError], at the next line, so
// that all that is wrong with a page can be told. An error that follows from one
// before it is left out. A parser gives up after [Limits].Errors with
// [ErrUnread]; the families that it returns lack what was wrong.
func WithAllErrors() ParserOption { return scan.WithAllErrors() }

// WithLenient has a parser take what sloppy exporters write; the documentation of
// the package exposition lists it. The page is read as a whole before the first
// family comes.
func WithLenient() ParserOption { return scan.WithLenient() }

// ErrUnread comes behind the errors of a page whose rest was not read, for there
// were too many of them or too many bytes.
var ErrUnread = scan.ErrUnread

// grammar is what OpenMetrics allows in a line (section "ABNF").
var grammar = scan.Grammar{
	AnyEscape: true, Exemplars: true,
	Timestamp: scan.Seconds, Timestamps: "a timestamp in seconds",
}

// Scanner reads a page line by line. It checks each line, and that the page
// ends as it must, but not what lines mean together: that is [Parser]'s. Lines
// cost no allocation.
type Scanner struct {
	scan *scan.Scanner
	read func() error // reads a line; one without meaning leaves no kind
	goOn bool         // behind errors
	over bool         // nothing comes behind the line
	err  error
}

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	o := scan.OptionsOf(opts)
	s := &Scanner{goOn: o.AllErrors}
	if o.Lenient {
		s.scan = scan.New(r, scan.LenientGrammar(scan.Seconds, grammar.Timestamps), o.Limits)
		s.read = s.scan.LenientLine
	} else {
		s.scan, s.read = scan.New(r, grammar, o.Limits), s.strict
	}
	return s
}

// Next returns the next line; the one before becomes invalid, with all that it
// refers to. The last is "# EOF"; after it comes [io.EOF]. An error is a
// [*SyntaxError] or one of the reader, and is returned ever after, unless
// [WithAllErrors] has it go on.
func (s *Scanner) Next() (*Entry, error) {
	for s.err == nil {
		if s.err = s.read(); s.scan.Entry.Kind != 0 {
			break
		}
	}
	if err := s.err; err != nil {
		if s.goOn && scan.IsSyntax(err) {
			if s.err = nil; s.over {
				s.err = io.EOF
			}
		}
		return nil, err
	}
	if s.scan.Entry.Kind == scan.KindEnd {
		s.err = io.EOF
	}
	return &s.scan.Entry, nil
}

// strict reads a line.
func (s *Scanner) strict() error {
	line, err := s.scan.Advance()
	switch {
	case errors.Is(err, io.EOF):
		s.over = true
		return s.scan.FailAfter("the end of the page", `"# EOF"`)
	case err != nil:
		return err
	case len(line) == 0:
		return s.scan.Fail(1, "an empty line", "a sample, metadata or # EOF")
	}
	if err := s.scan.CheckUTF8(); err != nil {
		return err
	}
	if line[0] != '#' {
		return s.scan.Sample()
	}
	if string(line) == "# EOF" {
		return s.end()
	}
	return s.metadata(line)
}

// end checks that nothing follows.
func (s *Scanner) end() error {
	s.over = true
	rest, err := s.scan.Advance()
	if err == nil {
		return s.scan.Fail(1, scan.Quote(rest), "nothing after # EOF")
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	s.scan.Entry.Kind = scan.KindEnd
	return nil
}

// keywords begin the lines of metadata.
var keywords = [...]struct {
	text string
	kind scan.Kind
}{{"# HELP ", scan.KindHelp}, {"# TYPE ", scan.KindType}, {"# UNIT ", scan.KindUnit}}

func (s *Scanner) metadata(line []byte) error {
	for _, k := range keywords {
		if strings.HasPrefix(string(line[:min(len(line), len(k.text))]), k.text) {
			s.scan.Skip(len(k.text))
			s.scan.Entry.Kind = k.kind
			return s.fields()
		}
	}
	return s.scan.Fail(1, scan.Quote(line), `"# HELP ", "# TYPE ", "# UNIT " or "# EOF"`)
}

// fields reads metadata after the keyword.
func (s *Scanner) fields() error {
	if err := s.scan.FamilyName(); err != nil {
		return err
	}
	if len(s.scan.Rest()) == 0 {
		return s.scan.Unexpected("a space after the metric name")
	}
	s.scan.Skip(1)
	text := s.scan.Rest()
	e, column := &s.scan.Entry, s.scan.Column()
	s.scan.Columns.Text, e.Text = column, text
	switch e.Kind {
	case scan.KindType:
		if t, err := model.ParseType(string(text)); err != nil || t.String() != string(text) {
			return s.scan.Unexpected("counter, gauge, histogram, gaugehistogram, stateset, info, summary or unknown")
		}
	case scan.KindUnit:
		if len(text) > 0 && !model.LegacyName("_"+string(text)) {
			return s.scan.Unexpected("a unit of letters, digits, underscores and colons")
		}
	default:
		if bytes.HasSuffix(text, []byte{'\r'}) {
			return s.scan.Fail(column+len(text)-1, "a carriage return at the end of the line", "a line feed alone")
		}
		return s.scan.Help()
	}
	return nil
}
