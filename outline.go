package telltale

// What is known of a family before its series are read, and whether two families are
// of one definition, so that they can be one family on the page.

import (
	"errors"
	"fmt"
	"slices"

	"telltale/model"
)

// outline is a family with what all its series have.
type outline struct {
	family   *model.Family
	constant model.Labels  // labels with the same value in each, from the definition and from views
	labels   []string      // where no definition says them, names of all labels, sorted; nil if they are not known
	buckets  bool          // whether bounds are known
	bounds   *model.Bounds // nil without classic buckets
	of       *definition   // nil if the family is not of an instrument
}

// outlineOf returns what a definition says of its family, and the labels that views
// add to it; the definition is nil for a family of a custom collector.
func outlineOf(f *model.Family, d *definition, added model.Labels) outline {
	if d == nil {
		return outline{family: f, constant: added}
	}
	return outline{family: f, constant: d.constLabels.Append(added), buckets: true, bounds: d.bounds, of: d}
}

// names returns the names of all labels, sorted, nil if they are not known.
func (o *outline) names() []string {
	if o.of == nil {
		return o.labels
	}
	names := append(o.constant.Names(), o.of.labels...)
	slices.Sort(names)
	return slices.Clip(append([]string{}, names...)) // not nil
}

// differs reports whether it is known that two families have other labels. Most are of
// two definitions that have them in one order, which can be seen without their names.
func (o *outline) differs(other *outline) bool {
	if o.of != nil && other.of != nil && slices.Equal(o.of.labels, other.of.labels) && sameNames(o.constant, other.constant) {
		return false
	}
	names, others := o.names(), other.names()
	return names != nil && others != nil && !slices.Equal(names, others)
}

// sameNames reports whether labels are few and have the same names in the same order.
func sameNames(a, b model.Labels) bool {
	var names [fewConstants]string
	n, i := 0, 0
	for name := range a.Raw() {
		if n == len(names) {
			return false
		}
		names[n] = name
		n++
	}
	for name := range b.Raw() {
		if i == n || names[i] != name {
			return false
		}
		i++
	}
	return i == n
}

// fewConstants is how many constant labels are compared without a list of their names.
const fewConstants = 8

// outlines returns what a collector that describes families says of them: an
// instrument its definition, too.
func outlines(c Describer) []outline {
	var d *definition
	if c, ok := c.(defined); ok {
		d = c.what()
	}
	var list []outline
	for _, f := range c.Describe() {
		list = append(list, outlineOf(f, d, model.Labels{}))
	}
	return list
}

// through returns the outline of the family as a view shows it, which adds labels.
func (o outline) through(seen *model.Family, added model.Labels) outline {
	o.family = seen
	if added.IsEmpty() {
		return o
	}
	o.constant = o.constant.Append(added)
	if o.labels != nil {
		o.labels = append(slices.Clone(o.labels), added.Names()...)
		slices.Sort(o.labels)
	}
	return o
}

// outlinedSeries is how many series of a custom collector's family are read to learn
// its label names and buckets.
const outlinedSeries = 64

var errEnough = errors.New("enough")

// read completes the outline of a family from its first series: the label names and
// buckets that they all have, if they agree.
func (o outline) read() outline {
	if o.of != nil {
		return o
	}
	var names []string
	var scratch model.Point
	seen, sameLabels, sameBounds := 0, true, true
	_ = o.family.Visit(&scratch, func(p *model.Point) error {
		if seen++; seen > outlinedSeries {
			return errEnough
		}
		var bounds *model.Bounds
		if p.Histogram != nil {
			bounds = p.Histogram.Bounds
		}
		if seen == 1 {
			names, o.bounds = sortedNames(p.Labels), bounds
			return nil
		}
		sameLabels = sameLabels && hasNames(p.Labels, names)
		sameBounds = sameBounds && bounds.Equal(o.bounds)
		return nil
	})
	if seen > 0 && sameLabels {
		o.labels = names
	}
	o.buckets = seen > 0 && sameBounds
	return o
}

func sortedNames(l model.Labels) []string {
	names := l.Names()
	slices.Sort(names)
	return slices.Clip(append([]string{}, names...)) // not nil, which means unknown
}

// hasNames reports whether labels have exactly the sorted names.
func hasNames(l model.Labels, names []string) bool {
	n := 0
	for name := range l.All() {
		if _, ok := slices.BinarySearch(names, name); !ok {
			return false
		}
		n++
	}
	return n == len(names)
}

// joins returns nil if two families can be one: they have one definition, and no
// series of one can have the labels of a series of the other.
func (o *outline) joins(other *outline) error {
	f, g := o.family, other.family
	alike := f.Name == g.Name && f.Type == g.Type && f.IsLiteral() == g.IsLiteral() // then so are the names made of these
	switch {
	case !alike && (f.BaseName() != g.BaseName() || f.SampleName() != g.SampleName()):
		return fmt.Errorf("their names differ, %q and %q", f.Name, g.Name)
	case f.Type != g.Type:
		return fmt.Errorf("one is a %s, the other a %s", f.Type, g.Type)
	case f.Unit != g.Unit:
		return fmt.Errorf("their units differ, %q and %q", f.Unit, g.Unit)
	case f.Merge != g.Merge:
		return fmt.Errorf("their rules of merging processes differ, %s and %s", f.Merge, g.Merge)
	case f.Mask() != g.Mask():
		return errors.New("views leave out different samples of them")
	case o.differs(other):
		return fmt.Errorf("their label names differ, %q and %q", o.names(), other.names())
	case o.buckets && other.buckets && !o.bounds.Equal(other.bounds):
		return errors.New("their buckets differ")
	case !tellApart(o.constant, other.constant):
		return errors.New("they have no constant label, or label of a view, with different values")
	}
	return nil
}

// tellApart reports whether some label has different values in both.
func tellApart(a, b model.Labels) bool {
	for name, value := range a.Raw() {
		for n, v := range b.Raw() {
			if n == name && v != value {
				return true
			}
		}
	}
	return false
}

// registers returns nil if an instrument can be registered beside another of its
// name: it differs in the values of its constant labels alone.
func (d *definition) registers(other *definition) error {
	if !slices.Equal(d.constLabels.Names(), other.constLabels.Names()) {
		return errors.New("the names of their constant labels differ")
	}
	if !tellApart(d.constLabels, other.constLabels) {
		return errors.New("no constant label has different values")
	}
	like := *other
	if like.constLabels = d.constLabels; !d.equal(&like) {
		return errors.New("they differ in more than the values of constant labels")
	}
	return nil
}

// joinedPoints are the points of families that are one on the page, one family after
// the other.
type joinedPoints []*model.Family

// VisitPoints visits the points of all.
func (j joinedPoints) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	for _, f := range j {
		if err := f.Visit(scratch, visit); err != nil {
			return err
		}
	}
	return nil
}

// VisitScalars is VisitPoints for encoders that take scalars many at a time.
func (j joinedPoints) VisitScalars(scratch *model.Point, scalars func([]model.Scalar) error, visit func(*model.Point) error) error {
	for _, f := range j {
		if err := f.VisitScalars(scratch, scalars, visit); err != nil {
			return err
		}
	}
	return nil
}

// VisitPrototype visits what the series of each have in common.
func (j joinedPoints) VisitPrototype(scratch *model.Point, visit func(*model.Point) error) error {
	for _, f := range j {
		if err := f.VisitPrototype(scratch, visit); err != nil {
			return err
		}
	}
	return nil
}

// LegacyLabels reports whether all have legacy label names.
func (j joinedPoints) LegacyLabels() bool {
	return !slices.ContainsFunc(j, func(f *model.Family) bool { return !f.LegacyLabels() })
}

// joined returns the families as one, with what the first says of itself.
func joined(families []*model.Family) *model.Family {
	var loose []model.Sample
	for _, f := range families {
		loose = append(loose, f.Loose()...)
	}
	return families[0].WithPoints(joinedPoints(families)).WithLoose(loose)
}
