package exposition

import (
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
	// [*protobuf.SyntaxError] or one of the reader.
	Next() (*model.Family, error)
}

// SyntaxError is what is wrong with a page of text: line, column, what was found and
// what was expected.
type SyntaxError = scan.SyntaxError

// Limits bound what a parser takes in. What is not above zero is the default.
type Limits = scan.Limits

// ParserOption is an option of [NewParser].
type ParserOption func(*Limits)

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) ParserOption {
	return func(limits *Limits) { *limits = l }
}

// NewParser returns a parser of the format that reads from r. Escaped names are
// left as they are: the escaping scheme does not matter.
func NewParser(r io.Reader, f Format, opts ...ParserOption) Parser {
	var limits Limits
	for _, opt := range opts {
		opt(&limits)
	}
	switch f.wire() {
	case openMetrics001, openMetrics1:
		return openmetrics.NewParser(r, openmetrics.WithLimits(limits))
	case openMetrics2:
		return openmetrics2.NewParser(r, openmetrics2.WithLimits(limits))
	case protobufDelimited:
		return protobuf.NewParser(r, protobuf.WithLimits(limits))
	default:
		return text.NewParser(r, text.WithLimits(limits))
	}
}
