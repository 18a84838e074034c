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
// is: no underscore is added. A series of a state set that has a label of the name
// which the set gets is left out of the page and counted, because the label for the
// states has that name. It is an error if the prefix is not valid UTF-8, or if c is nil
// or of a type that == cannot compare, such as a func.
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
// order, and runs each as a registry does. Families of one definition in which a
// constant label or the label of a view differs are one family, at the place of the
// first: those of two registries under Labelled(a, {pool: a}) and Labelled(b, {pool:
// b}), say. [Registry.Register] has the rule. Values are never added up. A family that
// has a name on the page and does not join is left out, as a fault.
//
// Instruments join without being copied. Before the first family of a view whose label
// differs from another's, the custom collectors under such views are waited for, since
// their families may join, too. Each is copied within the limit of [WithRetention];
// there is no room to keep others until their turn, and if their name is on the page
// then they are left out, as a fault.
//
// It is an error if one of the collectors is nil. A collector of a type that == cannot
// compare may run several times at once, because the merged collector cannot recognize
// it on other pages.
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
func (v *view) describe(ask func(Collector) ([]outline, error)) (families []outline, err error) {
	for _, part := range v.parts {
		inner, err := describe(part, ask)
		if err != nil {
			return nil, err
		}
		for _, o := range inner {
			seen, wanted, err := v.lens.header(o.family)
			if err != nil {
				return nil, err
			}
			if wanted {
				families = append(families, o.through(seen, v.lens.labels))
			}
		}
	}
	return families, nil
}
