package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// Limits bound the size of a page and of a sample's labels. Lines have no limit
// of their own.
//
//	Input   int64 // bytes of the whole page; 1 GiB by default
//	Line    int   // bytes of a line; 1 MiB by default
//	Labels  int   // labels of a sample, or of an exemplar; 256 by default
//	Message int   // bytes of a message, in protobuf; 256 MiB by default
//	Errors  int   // errors after which a parser with WithAllErrors gives up; 100 by default
//
//	WithDefaults() Limits // the defaults in the place of fields that are not set
type Limits = scan.Limits

// ParserOption is an option of [NewParser].
type ParserOption interface{ applyParser(*Limits) }

type parserOption func(*Limits)

func (o parserOption) applyParser(to *Limits) { o(to) }

// WithLimits replaces the default limits.
func WithLimits(l Limits) ParserOption { return parserOption(func(limits *Limits) { *limits = l }) }

// Parser reads what [Encoder] writes, family by family. The samples of a type
// whose points have several are joined by labels and timestamp, in whatever
// order they come; samples that fit no point stay loose. It is not safe for
// concurrent use.
type Parser struct {
	r      io.Reader
	limits Limits
	page   []byte
	dec    *json.Decoder
	points *scan.Points
	err    error // returned by every later call
}

// NewParser returns a parser that reads from r.
func NewParser(r io.Reader, opts ...ParserOption) *Parser {
	p := &Parser{r: r, points: scan.NewPoints()}
	for _, opt := range opts {
		opt.applyParser(&p.limits)
	}
	p.limits = p.limits.WithDefaults()
	return p
}

// Next returns the next family, or io.EOF after the last. The caller may keep
// the family. An error is a [*SyntaxError] or an error of the reader, and is
// returned again by every later call. The whole page is read before the first
// family is returned.
func (p *Parser) Next() (*model.Family, error) {
	if p.err != nil {
		return nil, p.err
	}
	f, err := p.family()
	p.err = err
	return f, err
}

func (p *Parser) family() (*model.Family, error) {
	if p.dec == nil {
		if err := p.open(); err != nil {
			return nil, err
		}
	}
	if !p.dec.More() {
		return nil, p.close()
	}
	start := p.position()
	var f family
	if err := p.dec.Decode(&f); err != nil {
		return nil, p.wrong(start, err)
	}
	built, err := p.build(&f)
	var limit *scan.LimitError
	switch {
	case errors.As(err, &limit):
		return nil, &scan.LimitError{Limit: limit.Limit, Max: limit.Max, Wrong: p.fail(start, limit.Wrong.Error(), "fewer")}
	case err != nil:
		return nil, p.fail(start, err.Error(), "a family of metrics")
	}
	return built, nil
}

// open reads the page and enters the array.
func (p *Parser) open() error {
	var err error
	if p.page, err = io.ReadAll(io.LimitReader(scan.Progressing(p.r), p.limits.Input+1)); err != nil {
		return err
	}
	if int64(len(p.page)) > p.limits.Input {
		return &scan.LimitError{Limit: "Input", Max: p.limits.Input, Wrong: p.fail(0, fmt.Sprintf("a page of more than %d bytes", p.limits.Input), "a shorter one")}
	}
	p.dec = json.NewDecoder(bytes.NewReader(p.page))
	p.dec.DisallowUnknownFields()
	start := p.position()
	token, err := p.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return p.wrong(start, err)
	case err != nil || token != json.Delim('['):
		return p.fail(start, scan.Quote(p.page[start:]), "an array of families")
	}
	return nil
}

// close leaves the array and checks that nothing follows it.
func (p *Parser) close() error {
	start := p.position()
	if _, err := p.dec.Token(); errors.Is(err, io.EOF) {
		return p.wrong(start, err)
	} else if err != nil {
		return p.fail(start, scan.Quote(p.page[start:]), "the end of the array")
	}
	if start = p.position(); start < len(p.page) {
		return p.fail(start, scan.Quote(p.page[start:]), "the end of the page")
	}
	return io.EOF
}

// position returns the offset at which the next token begins.
func (p *Parser) position() int {
	at := int(p.dec.InputOffset())
	return at + len(p.page[at:]) - len(bytes.TrimLeft(p.page[at:], ", \t\r\n"))
}

// wrong adds a position to an error of a value that began at start.
func (p *Parser) wrong(start int, err error) error {
	var syntax *json.SyntaxError
	var unfit *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return p.fail(start+max(int(syntax.Offset)-1, 0), syntax.Error(), "JSON")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p.fail(len(p.page), "the end of the page", "the end of the array")
	case errors.As(err, &unfit):
		return p.fail(start, fmt.Sprintf("a %s as %q", unfit.Value, unfit.Field), "the type that the member has in this format")
	}
	return p.fail(start, err.Error(), "a family of metrics")
}

func (p *Parser) fail(at int, found, expected string) error {
	before := p.page[:min(at, len(p.page))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	return &SyntaxError{Line: line, Column: len(before) - bytes.LastIndexByte(before, '\n'), Found: found, Expected: expected}
}
