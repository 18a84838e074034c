package exposition

import (
	"fmt"
	"io"

	"telltale/exposition/openmetrics"
	"telltale/exposition/openmetrics2"
	"telltale/exposition/protobuf"
	"telltale/exposition/text"
	"telltale/internal/scan"
	"telltale/model"
)

// Parser reads a page family by family. It is not safe for concurrent use.
type Parser interface {
	// Next returns the next family, or io.EOF after the last. The caller may
	// keep the family. Any other error is a [*SyntaxError], a
	// [*protobuf.SyntaxError] or an error of the reader, and is returned again
	// by every later call, unless [WithAllErrors] makes the parser go on.
	Next() (*model.Family, error)
}

// SyntaxError is an error of a text or JSON page: line, column, what was found
// and what was expected.
//
//	Line     int
//	Column   int
//	Found    string // what the page has there
//	Expected string // what the format expects there
//
//	Error() string // the position, what was found and what was expected
type SyntaxError = scan.SyntaxError

// Limits bound what a parser reads. Fields that are not above zero mean the
// default.
//
//	Input   int64 // bytes of the whole page; 1 GiB by default
//	Line    int   // bytes of a line; 1 MiB by default
//	Labels  int   // labels of a sample, or of an exemplar; 256 by default
//	Message int   // bytes of a message, in protobuf; 256 MiB by default
//	Errors  int   // errors after which a parser with WithAllErrors gives up; 100 by default
//
//	WithDefaults() Limits // the defaults in the place of fields that are not set
type Limits = scan.Limits

// LimitError is the error of a page that exceeds one of the [Limits]. It wraps
// the syntax error that has the position.
//
//	Limit string // name of the field of Limits
//	Max   int64  // value of the field
//	Wrong error  // the position: a SyntaxError of the format
//
//	Error() string // the text of Wrong
//	Unwrap() error // Wrong
type LimitError = scan.LimitError

// ParserOption is an option of [NewParser].
type ParserOption = scan.Option

// WithLimits replaces the default limits.
func WithLimits(l Limits) ParserOption { return scan.WithLimits(l) }

// WithAllErrors makes Next go on at the next line after a [*SyntaxError], so
// that one pass finds all errors of a page. Errors that follow from an earlier
// one are left out. A parser gives up with [ErrUnread] after [Limits].Errors
// errors; the families that it returns lack the wrong lines. Parsers of protobuf
// still stop at the first error.
func WithAllErrors() ParserOption { return scan.WithAllErrors() }

// WithLenient makes a parser accept common mistakes of exporters: see "Lenient
// reading" above. The whole page is read before the first family is returned.
// Protobuf has no lenient parser: Next returns an error.
func WithLenient() ParserOption { return scan.WithLenient() }

// ErrUnread follows the errors of a page whose rest was not read because it has
// too many errors or too many bytes.
var ErrUnread = scan.ErrUnread

// refusal is a parser that returns nothing but an error.
type refusal struct{ err error }

func (r refusal) Next() (*model.Family, error) { return nil, r.err }

// NewParser returns a parser of the format that reads from r. Escaped names are
// not unescaped, so the escaping scheme of f does not matter.
func NewParser(r io.Reader, f Format, opts ...ParserOption) Parser {
	o := scan.OptionsOf(opts)
	switch f.wire() {
	case openMetrics001, openMetrics1:
		return openmetrics.NewParser(r, opts...)
	case openMetrics2:
		return openmetrics2.NewParser(r, opts...)
	case protobufDelimited:
		if o.Lenient {
			return refusal{fmt.Errorf("exposition: there is no lenient parser of %s", f)}
		}
		return protobuf.NewParser(r, protobuf.WithLimits(o.Limits))
	default:
		return text.NewParser(r, opts...)
	}
}
