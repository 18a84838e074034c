package openmetrics

import (
	"io"

	"telltale/internal/scan"
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
	KindUnit   = scan.KindUnit
	KindEnd    = scan.KindEnd // "# EOF"
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

// grammar is what OpenMetrics allows in a line (section "ABNF").
var grammar = scan.Grammar{
	AnyEscape: true, EscapedQuotes: true, Exemplars: 1,
	Timestamp: scan.Seconds, Timestamps: "a timestamp in seconds",
}

// Scanner reads a page line by line. It checks each line, and that the page ends
// with "# EOF", but not the rules that hold between lines, which [Parser]
// checks. Lines cost no allocation. It is not safe for concurrent use.
type Scanner struct{ page *scan.Page }

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	return &Scanner{scan.NewPage(r, grammar, scan.OptionsOf(opts))}
}

// Next returns the next line, which is valid until the next call. The last line
// is "# EOF"; after it Next returns [io.EOF]. An error is a [*SyntaxError] or an
// error of the reader, and is returned again by every later call, unless
// [WithAllErrors] makes the scanner go on.
func (s *Scanner) Next() (*Entry, error) { return s.page.Next() }
