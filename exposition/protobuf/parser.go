package protobuf

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unsafe"

	"telltale/internal/scan"
	"telltale/model"
)

// Parser reads a page family by family. It is not safe for concurrent use.
//
// Consecutive messages of one family are joined if their help, type and unit
// agree; a family that comes again after another one is an error. Nothing is
// renamed: the family of a counter "requests_total" has that name, and one whose
// name lacks the suffix is literal ([model.Family.IsLiteral]). Repeated series
// are not detected.
type Parser struct {
	scanner  *Scanner
	families *scan.Families
	seen     map[string]bool // names of families

	// Of the family being read:
	family *model.Family
	texts  scan.Texts
}

// NewParser returns a parser that reads from r.
func NewParser(r io.Reader, opts ...ParserOption) *Parser {
	p := &Parser{scanner: NewScanner(r, opts...), seen: map[string]bool{}}
	p.families = scan.NewFamilies(p.read, scan.Options{})
	return p
}

// Next returns the next family as soon as it has ended, or io.EOF after the
// last. The caller may keep the family. An error is a [*SyntaxError] or an error
// of the reader, and is returned again by every later call.
func (p *Parser) Next() (*model.Family, error) { return p.families.Next() }

// read reads an entry. It returns the family that the entry, or the end of the
// page, ends.
func (p *Parser) read() (*model.Family, error) {
	e, err := p.scanner.Next()
	switch {
	case errors.Is(err, io.EOF):
		return p.end(), err
	case err != nil:
		return nil, err
	case e.Kind == KindSeries:
		p.family.Append(p.keep(&e.Point))
		return nil, nil
	}
	return p.begin(e)
}

// begin reads a message. If it is the first after a family, begin returns that
// family, perhaps with an error in the message.
func (p *Parser) begin(e *Entry) (done *model.Family, err error) {
	name := string(e.Name)
	if f := p.family; f != nil && f.Name == name {
		if e.Type != f.Type || string(e.Help) != f.Help || string(e.Unit) != f.Unit {
			return nil, &SyntaxError{e.Offset, name, "", "more of the family with other metadata", "the same help, type and unit"}
		}
		return nil, nil
	}
	done = p.end()
	if p.seen[name] {
		return done, &SyntaxError{e.Offset, name, "", "the family again", "all of a family together"}
	}
	p.seen[name] = true
	p.family = &model.Family{Name: name, Help: string(e.Help), Unit: string(e.Unit), Type: e.Type}
	return done, nil
}

// end ends the family being read, if any.
func (p *Parser) end() *model.Family {
	f := p.family
	if f != nil && f.Type == model.Counter && !strings.HasSuffix(f.Name, "_total") {
		f = f.Literal()
		f.Name = p.family.Name // Literal may have added a suffix
	}
	p.family = nil
	p.texts.Reset()
	return f
}

// keep returns a copy of the point that shares no memory with the scanner.
func (p *Parser) keep(from *model.Point) model.Point {
	to := *from
	to.Labels = p.labels(from.Labels)
	if from.Exemplar != nil {
		to.Exemplar = p.exemplar(from.Exemplar)
	}
	if s := from.Summary; s != nil {
		to.Summary = &model.SummaryValue{Count: s.Count, Sum: s.Sum, Quantiles: slices.Clone(s.Quantiles)}
	}
	if h := from.Histogram; h != nil {
		kept := *h
		kept.Cumulative, kept.Exemplars = slices.Clone(h.Cumulative), slices.Clone(h.Exemplars)
		for i, x := range kept.Exemplars {
			if x != nil {
				kept.Exemplars[i] = p.exemplar(x)
			}
		}
		kept.Native = h.Native.Clone()
		to.Histogram = &kept
	}
	return to
}

func (p *Parser) labels(l model.Labels) model.Labels {
	text := l.Text()
	return model.LabelsFromText(p.texts.Keep(unsafe.Slice(unsafe.StringData(text), len(text))))
}

func (p *Parser) exemplar(x *model.Exemplar) *model.Exemplar {
	return &model.Exemplar{Labels: p.labels(x.Labels), Value: x.Value, Timestamp: x.Timestamp}
}
