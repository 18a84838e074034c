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

// Parser reads families. It is not safe for concurrent use.
type Parser interface {
	// Next returns the next family, which is the caller's to keep, or io.EOF
	// after the last. Any other error is a [*SyntaxError], a
	// [*protobuf.SyntaxError] or one of the reader, and is returned ever after,
	// unless [WithAllErrors] has it go on.
	Next() (*model.Family, error)
}

// SyntaxError is what is wrong with a page of text: line, column, what was found and
// what was expected.
type SyntaxError = scan.SyntaxError

// Limits bound what a parser takes in. What is not above zero is the default.
type Limits = scan.Limits

// LimitError is the error that a page exceeds one of the [Limits]. It wraps the
// syntax error that says where.
type LimitError = scan.LimitError

// ParserOption is an option of [NewParser].
type ParserOption = scan.Option

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) ParserOption { return scan.WithLimits(l) }

// WithAllErrors has Next go on behind a [*SyntaxError], at the next line, so
// that all that is wrong with a page can be told. An error that follows from one
// before it is left out. A parser gives up after [Limits].Errors with
// [ErrUnread]; the families that it returns lack what was wrong. Parsers of
// protobuf stop at the first error all the same.
func WithAllErrors() ParserOption { return scan.WithAllErrors() }

// WithLenient has a parser take what sloppy exporters write: see "Lenient
// reading" above. The page is read as a whole before the first family comes. Of
// protobuf Next returns an error.
func WithLenient() ParserOption { return scan.WithLenient() }

// ErrUnread comes behind the errors of a page whose rest was not read, for there
// were too many of them or too many bytes.
var ErrUnread = scan.ErrUnread

// refusal is a parser that returns an error alone.
type refusal struct{ err error }

func (r refusal) Next() (*model.Family, error) { return nil, r.err }

// NewParser returns a parser of the format that reads from r. Escaped names are
// left as they are: the escaping scheme does not matter.
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
