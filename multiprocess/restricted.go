package multiprocess

import (
	"context"

	"telltale/model"
)

// nameSet is the names of wanted samples and families.
type nameSet map[string]struct{}

func newNameSet(names []string) nameSet {
	s := make(nameSet, len(names))
	for _, name := range names {
		s[name] = struct{}{}
	}
	return s
}

func (s nameSet) has(name string) bool { _, ok := s[name]; return ok }

// restricted is a collector's view of some names: those that all filters have.
type restricted struct {
	origin
	collector *Collector
	filters   []nameSet
}

// Collect emits the families that have wanted samples.
func (r *restricted) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return r.collector.collect(ctx, r.filters, emit)
}

// Describe returns nothing, as [Collector.Describe].
func (r *restricted) Describe() []*model.Family { return nil }

// Restricted returns a view of what both views have.
func (r *restricted) Restricted(names ...string) model.Collector {
	filters := append(r.filters[:len(r.filters):len(r.filters)], newNameSet(names))
	return &restricted{r.origin, r.collector, filters}
}

// restrict passes a family through the filters and reports whether any sample
// can be left.
func restrict(f *model.Family, filters []nameSet) (*model.Family, bool) {
	for _, filter := range filters {
		left, any := f.Restrict(filter.has)
		if !any {
			return nil, false
		}
		f = left
	}
	return f, true
}

// choose selects the families that the filters want, nil for all.
func (c *catalog) choose(filters []nameSet) *selection {
	if len(filters) == 0 {
		return nil
	}
	s := &selection{catalog: c, wanted: make(map[*family]bool), runs: make(map[*binding][]run)}
	for _, f := range c.present {
		header := *f.view.header
		for _, l := range f.view.loose {
			header.AddSample(l.name, nil, 0)
		}
		if _, wanted := restrict(&header, filters); wanted {
			s.wanted[f] = true
		}
	}
	return s
}
