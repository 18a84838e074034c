package openmetrics2

import (
	"io"
	"math"

	"telltale/internal/scan"
)

// SyntaxError is what is wrong with a page, with its line and column.
type SyntaxError = scan.SyntaxError

// Limits bound the size of a page, of a line and of a sample's labels.
type Limits = scan.Limits

// Entry is a line of a page.
type Entry = scan.Entry

// Composite is the value of a histogram or a summary.
type Composite = scan.Composite

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
type ParserOption func(*scan.Limits)

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) ParserOption {
	return func(limits *scan.Limits) { *limits = l }
}

// grammar is what the draft allows in a line (section "ABNF").
var grammar = scan.Grammar{
	AnyEscape: true, EscapedQuotes: true, Composites: true, Starts: true, Exemplars: math.MaxInt, TimedAlways: true,
	Timestamp: scan.Seconds, Timestamps: "a timestamp in seconds",
}

// Scanner reads a page line by line. It checks each line, and that the page
// ends as it must, but not what lines mean together: that is [Parser]'s. Lines
// cost no allocation.
type Scanner struct{ page *scan.Page }

// NewScanner returns a scanner that reads from r.
func NewScanner(r io.Reader, opts ...ParserOption) *Scanner {
	var limits scan.Limits
	for _, opt := range opts {
		opt(&limits)
	}
	return &Scanner{scan.NewPage(r, grammar, scan.Options{Limits: limits})}
}

// Next returns the next line; the one before becomes invalid, with all that it
// refers to. The last is "# EOF"; after it comes [io.EOF]. An error is a
// [*SyntaxError] or one of the reader, and is returned ever after.
func (s *Scanner) Next() (*Entry, error) { return s.page.Next() }
