package scan

import (
	"errors"
	"io"
	"strings"

	"telltale/model"
)

// Page reads the lines of OpenMetrics in any version: each is a sample or
// metadata, and the last is "# EOF" (OpenMetrics 1.0 and 2.0, section "Overall
// Structure").
type Page struct {
	*Scanner
	read func() error // reads a line; comments and empty lines leave no kind
	goOn bool         // after errors
	over bool         // the line was the last
	err  error
}

// NewPage returns a reader of a page in the format.
func NewPage(r io.Reader, g Grammar, o Options) *Page {
	p := &Page{goOn: o.AllErrors}
	if o.Lenient {
		p.Scanner = New(r, g.Leniently(), o.Limits)
		p.read = p.LenientLine
	} else {
		p.Scanner, p.read = New(r, g, o.Limits), p.strict
	}
	return p
}

// Next returns the next line, which is valid until the next call. The last line
// is "# EOF"; after it Next returns [io.EOF]. An error is a [*SyntaxError] or an
// error of the reader, and is returned again by every later call, unless the
// options make the page go on.
func (p *Page) Next() (*Entry, error) {
	for p.err == nil {
		if p.err = p.read(); p.Entry.Kind != 0 {
			break
		}
	}
	if err := p.err; err != nil {
		if p.goOn && IsSyntax(err) {
			if p.err = nil; p.over {
				p.err = io.EOF
			}
		}
		return nil, err
	}
	if p.Entry.Kind == KindEnd {
		p.err = io.EOF
	}
	return &p.Entry, nil
}

// strict reads a line.
func (p *Page) strict() error {
	line, err := p.Advance()
	switch {
	case errors.Is(err, io.EOF):
		p.over = true
		return p.FailAfter("the end of the page", `"# EOF"`)
	case err != nil:
		return err
	case len(line) == 0:
		return p.Fail(1, "an empty line", "a sample, metadata or # EOF")
	}
	if line[0] != '#' {
		return p.Sample()
	}
	if err := p.CheckUTF8(); err != nil {
		return err
	}
	if string(line) == "# EOF" {
		return p.end()
	}
	return p.metadata(line)
}

// end checks that nothing follows.
func (p *Page) end() error {
	p.over = true
	rest, err := p.Advance()
	if err == nil {
		return p.Fail(1, Quote(rest), "nothing after # EOF")
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	p.Entry.Kind = KindEnd
	return nil
}

// keywords begin the lines of metadata.
var keywords = [...]struct {
	text string
	kind Kind
}{{"# HELP ", KindHelp}, {"# TYPE ", KindType}, {"# UNIT ", KindUnit}}

func (p *Page) metadata(line []byte) error {
	for _, k := range keywords {
		if strings.HasPrefix(string(line[:min(len(line), len(k.text))]), k.text) {
			p.Skip(len(k.text))
			p.Entry.Kind = k.kind
			return p.fields()
		}
	}
	return p.Fail(1, Quote(line), `"# HELP ", "# TYPE ", "# UNIT " or "# EOF"`)
}

// fields reads metadata after the keyword.
func (p *Page) fields() error {
	if err := p.FamilyName(); err != nil {
		return err
	}
	if len(p.Rest()) == 0 {
		return p.Unexpected("a space after the metric name")
	}
	p.Skip(1)
	text := p.Rest()
	e := &p.Entry
	p.Columns.Text, e.Text = p.Column(), text
	switch e.Kind {
	case KindType:
		if t, err := model.ParseType(string(text)); err != nil || t.String() != string(text) {
			return p.Unexpected("counter, gauge, histogram, gaugehistogram, stateset, info, summary or unknown")
		}
	case KindUnit:
		if len(text) > 0 && !model.LegacyName("_"+string(text)) {
			return p.Unexpected("a unit of letters, digits, underscores and colons")
		}
	default:
		return p.Help() // which may end in a carriage return: the ABNF counts it among the characters
	}
	return nil
}
