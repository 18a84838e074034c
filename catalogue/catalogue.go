package catalogue

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"telltale/model"
)

// Catalogue is a list of families. The zero Catalogue is empty. Its methods are not
// safe for concurrent use.
type Catalogue struct {
	families map[string]*Family
}

// Family is what a catalogue says of a metric family.
type Family struct {
	Name      string    `json:"name"` // without the suffixes of samples
	Type      string    `json:"type"` // as OpenMetrics spells it
	Unit      string    `json:"unit,omitzero"`
	Help      string    `json:"help,omitzero"`
	Labels    []string  `json:"labels,omitzero"`    // sorted names of all labels that a series has; nil if that is not known
	Buckets   []float64 `json:"buckets,omitzero"`   // increasing upper bounds of classic buckets, without +Inf
	Native    bool      `json:"native,omitzero"`    // whether it is a histogram with native buckets
	Quantiles []float64 `json:"quantiles,omitzero"` // of a summary, increasing
	States    []string  `json:"states,omitzero"`    // of a state set, sorted
}

// Add adds a family: what its series have in common if its source knows that, and
// what its series have. If the family is there already, labels, buckets, quantiles
// and states of both are kept. It returns the error of a source that cannot be read.
func (c *Catalogue) Add(f *model.Family) error {
	e := c.entry(f)
	var scratch model.Point
	note := func(p *model.Point) error { e.note(p); return nil }
	if err := f.VisitPrototype(&scratch, note); err != nil {
		return err
	}
	if err := f.Visit(&scratch, note); err != nil {
		return err
	}
	for _, s := range f.Loose() {
		e.label(s.Labels)
	}
	return nil
}

// entry returns what the catalogue says of a family, which it adds if need be.
func (c *Catalogue) entry(f *model.Family) *Family {
	name := f.BaseName()
	e := c.families[name]
	if e == nil {
		e = &Family{Name: name}
		if c.families == nil {
			c.families = make(map[string]*Family)
		}
		c.families[name] = e
	}
	e.Type, e.Unit, e.Help = f.Type.String(), f.Unit, f.Help
	return e
}

// note adds what a series has.
func (f *Family) note(p *model.Point) {
	f.label(p.Labels)
	f.label(p.Info)
	if h := p.Histogram; h != nil {
		if h.Bounds != nil {
			f.Buckets = union(f.Buckets, h.Bounds.Upper()[:h.Bounds.Len()-1])
		}
		f.Native = f.Native || h.Native != nil
	}
	if s := p.Summary; s != nil {
		for _, q := range s.Quantiles {
			if !math.IsNaN(q.Q) { // JSON has none
				f.Quantiles = union(f.Quantiles, []float64{q.Q})
			}
		}
	}
	for _, s := range p.States {
		f.States = union(f.States, []string{s.Name})
	}
}

// label adds label names. Once a series has been seen, the names are known.
func (f *Family) label(labels model.Labels) {
	if f.Labels == nil {
		f.Labels = []string{}
	}
	f.Labels = union(f.Labels, labels.Names())
}

// union adds to a sorted list what it lacks.
func union[T cmp.Ordered](list, more []T) []T {
	for _, v := range more {
		if at, there := slices.BinarySearch(list, v); !there {
			list = slices.Insert(list, at, v)
		}
	}
	return list
}

// Families returns the families sorted by name. The caller must not change them.
func (c *Catalogue) Families() []*Family {
	list := make([]*Family, 0, len(c.families))
	for _, name := range slices.Sorted(maps.Keys(c.families)) {
		list = append(list, c.families[name])
	}
	return list
}
