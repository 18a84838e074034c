package telltale

// Views of some samples of a registry.

import (
	"context"

	"telltale/model"
)

// RestrictedRegistry is a live view of a registry with only some samples:
// collectors registered later appear in it. It is a Collector. A sample's name
// selects those samples, a family's name the whole family; units, help and order
// stay. Collectors that describe other names are not called; those that describe
// nothing are, because they may have any.
//
// The zero RestrictedRegistry emits nothing.
type RestrictedRegistry struct{ view view }

// Restricted returns a live view of the registry with only the named samples and
// families.
func (r *Registry) Restricted(names ...string) *RestrictedRegistry {
	return &RestrictedRegistry{*restrict(r, names)}
}

// Collect emits what is left of the registry's families.
func (v *RestrictedRegistry) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, v, emit)
}

// Describe returns what is left of the families that the registry describes.
func (v *RestrictedRegistry) Describe() []*model.Family { return v.view.Describe() }

// Restricted returns a view of the samples that both views have.
func (v *RestrictedRegistry) Restricted(names ...string) Collector { return restrict(v, names) }

func (v *RestrictedRegistry) flatten(s *scrape, e *entry, p *path) { v.view.flatten(s, e, p) }
func (v *RestrictedRegistry) children() []Collector                { return v.view.parts }
func (v *RestrictedRegistry) describe(ask func(Collector) ([]outline, error)) ([]outline, error) {
	return v.view.describe(ask)
}

// Restrict returns a live view of any collector with only the named samples and
// families, as [Registry.Restricted] does. If c is a [Restrictor] of a type that
// == can compare, it is asked for the named samples alone. Collecting the view of
// a nil collector is an error.
func Restrict(c Collector, names ...string) Collector {
	if r, ok := c.(*Registry); ok {
		return r.Restricted(names...)
	}
	return restrict(c, names)
}
