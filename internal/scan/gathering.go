package scan

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"telltale/model"
)

// gathering reads a whole page before it returns the first family, so that the
// lines of a family may stand anywhere, metadata after samples too. It accepts
// common mistakes of exporters, in any text format.
type gathering struct {
	next     func() (*Entry, error)
	families *Families // the families that are returned
	asNamed  bool      // a family has the name of its samples, as in text and OpenMetrics 2.0

	lines    int
	gathered map[string]*gathered
	runs     map[string]*run // by name of the samples
	ready    []*gathered     // read and not yet returned
	read     bool
	points   *Points
}

// gathered is what is known about a family.
type gathered struct {
	first int // the line that names it first
	name  string
	help  string
	unit  string
	typed bool
	typ   model.Type
	runs  []*run
}

// run are the samples of one name.
type run struct {
	first   int
	name    string
	part    model.Parts // of its family
	entries []Entry
}

// Gather returns the families of the lines that next returns, in the order in
// which their names first occur. If asNamed is set, families have the name of
// their samples, as in text and in OpenMetrics 2.0.
func Gather(next func() (*Entry, error), o Options, asNamed bool) *Families {
	g := &gathering{
		next: next, asNamed: asNamed,
		gathered: map[string]*gathered{}, runs: map[string]*run{}, points: NewPoints(),
	}
	g.families = NewFamilies(g.family, o)
	return g.families
}

// family returns the next family once all lines are read.
func (g *gathering) family() (*model.Family, error) {
	for !g.read {
		e, err := g.next()
		switch {
		case errors.Is(err, io.EOF):
			g.read = true
			g.assign()
		case err != nil:
			return nil, err
		default:
			g.take(e)
		}
	}
	if len(g.ready) == 0 {
		return nil, io.EOF
	}
	next := g.ready[0]
	g.ready = g.ready[1:]
	return g.build(next)
}

// take keeps a line.
func (g *gathering) take(e *Entry) {
	g.lines++
	if e.Kind == KindSample {
		r := g.runs[string(e.Name)]
		if r == nil {
			r = &run{first: g.lines, name: string(e.Name)}
			g.runs[r.name] = r
		}
		r.entries = append(r.entries, e.clone(r.name))
		return
	}
	f := g.named(string(e.Name), g.lines)
	switch e.Kind {
	case KindHelp:
		f.help = cmp.Or(f.help, string(e.Text))
	case KindUnit:
		f.unit = cmp.Or(f.unit, string(e.Text))
	case KindType:
		if f.typ == model.Unknown {
			f.typed, f.typ = true, lenientType(e.Text)
		}
	}
}

// named returns the family with the name.
func (g *gathering) named(name string, line int) *gathered {
	f := g.gathered[name]
	if f == nil {
		f = &gathered{first: line, name: name}
		g.gathered[name] = f
	}
	return f
}

// clone returns a copy of a sample that shares no memory with the scanner.
func (e *Entry) clone(name string) Entry {
	c := *e
	c.Name, c.Text = []byte(name), nil
	c.Labels, c.Composite = e.Labels.clone(), e.Composite.clone()
	c.Exemplars = slices.Clone(e.Exemplars)
	for i := range c.Exemplars {
		c.Exemplars[i].Labels = c.Exemplars[i].Labels.clone()
	}
	return c
}

func (l Labels) clone() Labels { return Labels{bytes.Clone(l.text), slices.Clone(l.spans)} }

// assign joins the samples with their families.
func (g *gathering) assign() {
	runs := make([]*run, 0, len(g.runs))
	for _, r := range g.runs {
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b *run) int { return cmp.Compare(a.first, b.first) })
	for _, r := range runs {
		f := g.owner(r)
		f.first = min(f.first, r.first)
		f.runs = append(f.runs, r)
	}
	for _, f := range g.gathered {
		g.ready = append(g.ready, f)
	}
	slices.SortFunc(g.ready, func(a, b *gathered) int { return cmp.Compare(a.first, b.first) })
}

// owner finds the family of a run of samples, and the part of it that they are.
// A family with their name has precedence over one with their name without its
// suffix.
func (g *gathering) owner(r *run) *gathered {
	own, ok := g.gathered[r.name]
	if ok && own.typed {
		r.part = own.bare()
		return own
	}
	if own = nil; r.entries[0].Composite != nil {
		return g.named(r.name, r.first)
	}
	(model.AllParts &^ model.PartValue).Each(func(part model.Parts) {
		base, has := strings.CutSuffix(r.name, part.Suffix())
		if g.asNamed && part == model.PartTotal && strings.HasSuffix(base, "_total") {
			return // the counter's own name
		}
		if f := g.gathered[base]; own == nil && has && f != nil && f.typed && f.typ.Parts()&part != 0 {
			own, r.part = f, part
		}
	})
	if own == nil {
		own, r.part = g.named(r.name, r.first), model.PartValue
	}
	return own
}

// bare returns the part of the samples that have the family's name.
func (f *gathered) bare() model.Parts {
	switch f.typ {
	case model.Counter:
		return model.PartTotal
	case model.Info:
		return model.PartInfo
	case model.Histogram, model.GaugeHistogram:
		return 0
	}
	return model.PartValue
}

// build builds a family from its samples.
func (g *gathering) build(from *gathered) (*model.Family, error) {
	if err := g.checkWholes(from); err != nil {
		return nil, err
	}
	f := &model.Family{Name: from.modelName(g.asNamed), Help: from.help, Type: from.typ, Unit: from.unit}
	g.points.Begin(f)
	for _, r := range from.runs {
		for i := range r.entries {
			if r.part == model.PartCreated {
				g.points.Created(&r.entries[i])
			}
		}
	}
	literal := from.literal(g.asNamed)
	total := from.typ == model.Counter && strings.HasSuffix(from.name, "_total") && from.has(from.name+"_total")
	if total {
		f.Name += "_total" // the samples' name: under its own name the model would take it for the counter without the suffix
	}
	for _, r := range from.runs {
		for i := range r.entries {
			switch {
			case r.part == model.PartCreated, r.entries[i].Kind == 0:
			case literal && r.name != from.name, total && r.name == from.name:
				g.points.Loose(&r.entries[i])
			default:
				g.points.Add(&r.entries[i], r.part)
			}
		}
		r.entries = nil
	}
	if f = g.points.End(); literal {
		f = f.Literal()
		f.Name = from.name // Literal may have added a suffix
	}
	return f, nil
}

// checkWholes checks a family's composite values against its type, which they
// determine if it is not known. Samples that do not fit become loose.
func (g *gathering) checkWholes(f *gathered) error {
	for _, r := range f.runs {
		for i := range r.entries {
			e := &r.entries[i]
			if e.Composite != nil && f.typ == model.Unknown {
				f.typ = e.Composite.Type()
			}
			if found, expected := e.misfit(f.typ); found != "" {
				if err := g.families.Heed(&SyntaxError{e.Line, 1, found, expected}); err != nil {
					return err
				}
				e.Kind = 0
			}
		}
	}
	return nil
}

// modelName returns the family's name in the model: that of an info lacks the
// suffix of its samples.
func (f *gathered) modelName(asNamed bool) string {
	if f.typ == model.Info && f.name != "_info" && !f.has(f.name+"_info") && (asNamed || f.has(f.name)) {
		return strings.TrimSuffix(f.name, "_info")
	}
	return f.name
}

// literal reports whether the samples of a counter or info have the family's
// name without a suffix, and the name does not end in one.
func (f *gathered) literal(asNamed bool) bool {
	suffix := map[model.Type]string{model.Counter: "_total", model.Info: "_info"}[f.typ]
	if suffix == "" || f.typ == model.Counter && strings.HasSuffix(f.name, suffix) || f.modelName(asNamed) != f.name {
		return false
	}
	return f.has(f.name) || asNamed && f.typ == model.Counter && len(f.runs) == 0
}

// has reports whether the family has samples with the name.
func (f *gathered) has(name string) bool {
	return slices.ContainsFunc(f.runs, func(r *run) bool { return r.name == name })
}
