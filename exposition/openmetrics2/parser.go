package openmetrics2

import (
	"errors"
	"io"
	"strings"

	"telltale/internal/scan"
	"telltale/model"
)

// Parser reads a page family by family and checks it against every rule of the
// draft. It is not safe for concurrent use.
//
// Families keep their name on the page; but an info "build_info" is "build" in
// the model, and a counter whose name does not end in "_total" is literal
// ([model.Family.IsLiteral]). A family without a TYPE line whose values are
// composite has the type of the values. Exemplars of a histogram go to the
// classic buckets that cover their values; several on one bucket are in the
// order of time.
type Parser struct {
	scanner  *Scanner
	families *scan.Families
	seen     map[string]bool // names of families
	doubts   scan.Doubts
	repeats  scan.Repeats

	// Of the family being read:
	family  *model.Family
	had     scan.Metadata
	samples bool
	order   *scan.Order // of its metrics
	groups  *scan.Order // of a state set's groups of metrics
	group   group
	torn    bool         // the wrong timestamps of the metric were reported
	labels  model.Labels // of the metric
	texts   scan.Texts
	bounds  scan.Bounds
	scratch scan.Labels
}

// NewParser returns a parser that reads from r.
func NewParser(r io.Reader, opts ...ParserOption) *Parser {
	o := scan.OptionsOf(opts)
	p := &Parser{
		scanner: NewScanner(r, opts...),
		seen:    map[string]bool{}, order: scan.NewOrder(), groups: scan.NewOrder(),
	}
	p.families = scan.NewFamilies(p.read, o)
	if o.Lenient {
		p.families = scan.Gather(p.scanner.Next, o, true)
	}
	return p
}

// Next returns the next family as soon as it has ended, or io.EOF after the
// last. The caller may keep the family. An error is a [*SyntaxError] or an error
// of the reader, and is returned again by every later call, unless
// [WithAllErrors] makes the parser go on. A page with any error is invalid as a
// whole (section "Failure Modes"): discard the families returned before.
func (p *Parser) Next() (*model.Family, error) { return p.families.Next() }

// read reads a line and returns the family that it ends.
func (p *Parser) read() (*model.Family, error) {
	e, err := p.scanner.Next()
	switch {
	case err == nil:
		return p.take(e)
	case p.families.GoesOn():
		return p.doubt(err)
	}
	return nil, err
}

// doubt uses what is known of a line that has an error.
func (p *Parser) doubt(err error) (*model.Family, error) {
	s := p.scanner.page
	switch {
	case errors.Is(err, io.EOF): // after an error in the last line
		return p.end(), err
	case !scan.IsSyntax(err), s.Blank(), !p.doubts.Salvage(s.Scanner):
		return nil, err
	}
	if more := p.families.Heed(err); more != nil {
		return nil, more
	}
	return p.take(&s.Entry)
}

// take reads a line. If the line is the first after a family, take returns that
// family, perhaps with an error in the line.
func (p *Parser) take(e *Entry) (done *model.Family, err error) {
	other := p.family == nil || string(e.Name) != p.family.Name
	switch {
	case e.Kind == scan.KindEnd:
		return p.end(), io.EOF
	case e.Kind != scan.KindSample:
	case p.doubts.Has(e.Name), (other || !p.samples) && p.doubts.Adopt(e.Name):
		return nil, nil
	}
	if other {
		done = p.end()
		if err := p.begin(e); err != nil {
			return done, err
		}
	}
	if e.Kind == scan.KindSample {
		return done, p.sample(e)
	}
	return done, p.describe(e)
}

// begin begins a family, whose type is unknown so far. Names that begin with an
// underscore are reserved (section "MetricFamily Name").
func (p *Parser) begin(e *Entry) error {
	name := string(e.Name)
	if p.seen[name] {
		s := p.scanner.page
		return p.repeats.Tell(name, s.Fail(s.Columns.Name, "the family "+scan.Quote(e.Name)+" again", "all lines of a family together"))
	}
	p.seen[name] = true
	if name[0] == '_' {
		p.doubts.Add(name)
		s := p.scanner.page
		return s.Fail(s.Columns.Name, "the family "+scan.Quote(e.Name), "a name that does not begin with an underscore, as those are reserved")
	}
	p.family = &model.Family{Name: name}
	p.had, p.samples = 0, false
	return nil
}

// describe reads a metadata line of the family. An empty help text or unit
// counts as none (section "MetricFamily metadata").
func (p *Parser) describe(e *Entry) error {
	s, f := p.scanner.page, p.family
	if len(e.Text) == 0 && !p.samples {
		return nil
	}
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
	case f.Type == model.Info && !strings.HasSuffix(f.Name, "_info"):
		return s.Fail(s.Columns.Name, "the info "+scan.Quote(e.Name), `a name that ends in "_info"`)
	case f.Unit != "" && (f.Type == model.Info || f.Type == model.StateSet):
		return s.Fail(s.Columns.Text, "a unit of an info or a state set", "none")
	}
	return nil
}

// end ends the family being read, if any.
func (p *Parser) end() *model.Family {
	f := p.family
	if f == nil {
		return nil
	}
	p.group.flush(f)
	p.family = nil
	p.order.Reset()
	p.groups.Reset()
	p.texts.Reset()
	return named(f)
}

// named returns the family under its name in the model.
func named(f *model.Family) *model.Family {
	switch f.Type {
	case model.Counter:
		if !strings.HasSuffix(f.Name, "_total") {
			return f.Literal().Renamed(f.Name)
		}
	case model.Info:
		if f.Name == "_info" {
			return f.Literal().Renamed(f.Name)
		}
		f.Name = strings.TrimSuffix(f.Name, "_info")
	}
	return f
}
