package telltale

// Views: collectors shown through a lens.

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"telltale/internal/gather"
	"telltale/model"
)

// Prefixed returns a view of c with the prefix before every family's name, as it
// is: no underscore is added. It is an error if the prefix is not valid UTF-8, or
// if c is nil or of a type that == cannot compare, such as a func.
func Prefixed(c Collector, prefix string) (Collector, error) {
	if err := model.CheckName(prefix + "x"); err != nil {
		return nil, fmt.Errorf("telltale: prefix %q: %w", prefix, err)
	}
	c, err := identity(c)
	if err != nil {
		return nil, err
	}
	return &view{[]Collector{c}, lens{prefix: prefix}}, nil
}

// Labelled returns a view of c with the labels added to every series. It is an
// error if a label name is not valid, or if a family that c describes has the
// label or cannot have it, as a histogram "le". A series that turns out to have
// one of the labels is left out of the page and counted.
func Labelled(c Collector, labels map[string]string) (Collector, error) {
	c, err := identity(c)
	if err != nil {
		return nil, err
	}
	names := append(labelNames(c), slices.Sorted(maps.Keys(labels))...)
	if err := model.CheckLabelNames("", model.Unknown, names); err != nil {
		return nil, err
	}
	for _, f := range list(c) {
		if err := model.CheckLabelNames(f.Name, f.Type, names); err != nil {
			return nil, err
		}
	}
	return &view{[]Collector{c}, lens{labels: model.LabelsOf(labels)}}, nil
}

// Merge returns a collector that emits the families of all the collectors, in that
// order, and runs each as a registry does. It is an error if one of them is nil. A
// collector of a type that == cannot compare may run several times at once,
// because the merged collector cannot recognize it on other pages.
func Merge(collectors ...Collector) (Collector, error) {
	all := &view{}
	for _, c := range collectors {
		c, err := known(c)
		if err != nil {
			return nil, err
		}
		all.parts = append(all.parts, c)
	}
	return all, nil
}

// restrict returns a live view of a collector with only the named samples.
func restrict(c Collector, names []string) *view {
	c, err := known(c)
	if err != nil {
		c = CollectorFunc(func(context.Context, func(*model.Family) error) error { return err })
	}
	return &view{[]Collector{c}, lens{filter: gather.NamesOf(names)}}
}

// view is collectors seen through a lens, one after the other. The zero view has
// nothing.
type view struct {
	parts []Collector
	lens  lens
}

// Collect emits the families of all parts through the lens.
func (v *view) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, v, emit)
}

// Describe returns what the parts describe, through the lens.
func (v *view) Describe() []*model.Family { return list(v) }

// Restricted returns the view with only the named samples.
func (v *view) Restricted(names ...string) Collector { return restrict(v, names) }

func (v *view) children() []Collector { return v.parts }

func (v *view) flatten(s *scrape, e *entry, p *path) {
	inner := v.lens.inward(p)
	inner.foreign = p.foreign || len(v.parts) > 1 // their names may clash
	for _, part := range v.parts {
		s.add(part, e, inner)
	}
}

// labelNames returns the labels that the view adds and those of its only part.
func (v *view) labelNames() (names []string) {
	if len(v.parts) == 1 {
		names = labelNames(v.parts[0])
	}
	return append(names, v.lens.labels.Names()...)
}

// describe returns what ask learns of the parts, through the lens.
func (v *view) describe(ask func(Collector) ([]*model.Family, error)) (families []*model.Family, err error) {
	for _, part := range v.parts {
		inner, err := describe(part, ask)
		if err != nil {
			return nil, err
		}
		for _, f := range inner {
			f, wanted, err := v.lens.header(f)
			if err != nil {
				return nil, err
			}
			if wanted {
				families = append(families, f)
			}
		}
	}
	return families, nil
}
