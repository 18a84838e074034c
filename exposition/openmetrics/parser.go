package openmetrics

import (
	"cmp"
	"io"
	"strings"

	"telltale/internal/scan"
	"telltale/model"
)

// Parser reads a page family by family and checks it against every rule of
// OpenMetrics 1.0. It is not safe for concurrent use.
type Parser struct {
	scanner  *Scanner
	families *scan.Families
	claims   map[string]string // the family of each name of a sample or family so far
	doubts   scan.Doubts
	repeats  scan.Repeats

	// Of the family being read:
	family  *model.Family
	begun   place
	had     scan.Metadata
	samples bool
	point   point
	torn    bool // the next point lacks a line that was wrong
	order   *scan.Order
	texts   scan.Texts
	bounds  scan.Bounds
	scratch scan.Labels
}

// place is a position in the page.
type place struct{ line, column int }

// NewParser returns a parser that reads from r.
func NewParser(r io.Reader, opts ...ParserOption) *Parser {
	o := scan.OptionsOf(opts)
	p := &Parser{
		scanner: NewScanner(r, opts...),
		claims:  map[string]string{}, order: scan.NewOrder(),
	}
	p.families = scan.NewFamilies(p.read, o)
	if o.Lenient {
		p.families = scan.Gather(p.scanner.Next, o, false)
	}
	return p
}

// Next returns the next family as soon as it has ended, or io.EOF after the
// last. The caller may keep the family. It has its name on the page, except that
// a counter whose family's name ends in "_total" has the name of its samples,
// "x_total_total" for a family "x_total". An error is a [*SyntaxError] or an
// error of the reader, and is returned again by every later call, unless
// [WithAllErrors] makes the parser go on. A page with any error is invalid as a
// whole (section "Data transmission"): discard the families returned before.
func (p *Parser) Next() (*model.Family, error) { return p.families.Next() }

// read reads a line and returns the family that it ends.
func (p *Parser) read() (*model.Family, error) {
	e, err := p.scanner.Next()
	switch {
	case err == nil:
	case p.families.GoesOn():
		return p.doubt(err)
	default:
		return nil, err
	}
	done, err := p.take(e)
	if err != nil && p.families.GoesOn() {
		p.damage()
	}
	return done, err
}

// take reads a line. If the line is the first after a family, take returns that
// family, perhaps with an error in the line.
func (p *Parser) take(e *Entry) (done *model.Family, err error) {
	switch {
	case e.Kind == scan.KindEnd:
		done, err = p.end()
		if err == nil {
			err = io.EOF
		}
		return done, err
	case e.Kind == scan.KindSample:
		if p.doubts.Has(e.Name) {
			return nil, nil
		}
		if p.family != nil {
			if part, ok := p.partOf(e.Name); ok {
				return nil, p.sample(e, part)
			}
			if string(e.Name) == p.family.Name {
				return nil, p.bare(e)
			}
		}
	case p.family != nil && string(e.Name) == p.family.Name:
		return nil, p.describe(e)
	}
	if e.Kind == scan.KindSample && p.doubts.Adopt(e.Name) {
		return nil, nil
	}
	if done, err = p.end(); err != nil {
		return nil, err
	}
	if e.Kind == scan.KindSample && p.doubts.Has(e.Name) { // because of an error in the family that has just ended
		return done, nil
	}
	p.begin(e)
	if e.Kind == scan.KindSample {
		return done, p.sample(e, model.PartValue)
	}
	return done, p.describe(e)
}

// begin begins a family, whose type is unknown so far.
func (p *Parser) begin(e *Entry) {
	p.family = &model.Family{Name: string(e.Name)}
	p.begun = place{e.Line, p.scanner.page.Columns.Name}
	p.had, p.samples, p.torn = 0, false, false
}

// describe reads a metadata line of the family.
func (p *Parser) describe(e *Entry) error {
	s, f := p.scanner.page, p.family
	if err := p.had.Take(s.Scanner, f, p.samples); err != nil {
		if e.Kind == scan.KindType {
			p.doubts.Add(f.Name)
		}
		return err
	}
	if e.Kind == scan.KindType {
		p.doubts.Find()
	}
	switch {
	case f.Unit != "" && !strings.HasSuffix(f.Name, "_"+f.Unit):
		return s.Fail(s.Columns.Text, "the unit "+scan.Quote(e.Text), "a unit that the family's name ends in, after an underscore")
	case f.Unit != "" && (f.Type == model.Info || f.Type == model.StateSet):
		return s.Fail(s.Columns.Text, "a unit of an info or a state set", "none")
	}
	return nil
}

// settle claims the names of the family, whose metadata is complete. Names that
// begin with an underscore are reserved (section "MetricFamily", "Name"). A name
// that was claimed before is a clash, or the family comes in two pieces (sections
// "MetricFamily" and "Suffixes").
func (p *Parser) settle() error {
	f := p.family
	if p.doubts.Has([]byte(f.Name)) {
		return nil
	}
	if f.Name[0] == '_' {
		p.doubts.Add(f.Name)
		return p.repeats.Tell(f.Name, p.fail(p.begun, "the family "+scan.Quote([]byte(f.Name)), "a name that does not begin with an underscore, as those are reserved"))
	}
	clash := p.claim(f.Name)
	f.Type.Parts().Each(func(part model.Parts) {
		if part != model.PartValue {
			clash = cmp.Or(clash, p.claim(f.Name+part.Suffix()))
		}
	})
	if clash != "" {
		p.doubts.Add(f.Name)
		return p.repeats.Tell(clash, p.fail(p.begun, "the family "+scan.Quote([]byte(f.Name))+", which clashes with one before it",
			"families in one piece, whose names and samples differ"))
	}
	return nil
}

// claim claims a name for the family, and returns the one that had it before.
func (p *Parser) claim(name string) (before string) {
	if before = p.claims[name]; before == "" {
		p.claims[name] = p.family.Name
	}
	return before
}

// end ends the family being read, if any.
func (p *Parser) end() (*model.Family, error) {
	f := p.family
	if f == nil {
		return nil, nil
	}
	if p.samples {
		if err := p.families.Heed(p.endPoint()); err != nil {
			return nil, err
		}
	} else if err := p.families.Heed(p.settle()); err != nil {
		return nil, err
	}
	if f.Type == model.Counter && strings.HasSuffix(f.Name, "_total") {
		f.Name += "_total" // the samples' name: under its own name the model would take it for the counter without the suffix
	}
	p.family = nil
	p.order.Reset()
	p.texts.Reset()
	return f, nil
}

// partOf returns which part of the family a sample with the name is.
func (p *Parser) partOf(name []byte) (model.Parts, bool) {
	base := p.family.Name
	if len(name) < len(base) || string(name[:len(base)]) != base {
		return 0, false
	}
	part, ok := suffixes[string(name[len(base):])]
	return part, ok && p.family.Type.Parts()&part != 0
}

var suffixes = func() map[string]model.Parts {
	all := map[string]model.Parts{}
	model.AllParts.Each(func(part model.Parts) { all[part.Suffix()] = part })
	return all
}()

func (p *Parser) fail(at place, found, expected string) error {
	return &SyntaxError{Line: at.line, Column: at.column, Found: found, Expected: expected}
}
