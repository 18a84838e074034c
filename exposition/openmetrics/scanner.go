package openmetrics

import (
	"io"

	"telltale/internal/scan"
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
	AnyEscape: true, EscapedQuotes: true, Exemplars: 1,
	Timestamp: scan.Seconds, Timestamps: "a timestamp in seconds",
}

// Scanner reads a page line by line. It checks each line, and that the page
// ends as it must, but not what lines mean together: that is [Parser]'s. Lines
// cost no allocation.
type Scanner struct{ page *scan.Page }

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	return &Scanner{scan.NewPage(r, grammar, scan.OptionsOf(opts))}
}

// Next returns the next line; the one before becomes invalid, with all that it
// refers to. The last is "# EOF"; after it comes [io.EOF]. An error is a
// [*SyntaxError] or one of the reader, and is returned ever after, unless
// [WithAllErrors] has it go on.
func (s *Scanner) Next() (*Entry, error) { return s.page.Next() }
