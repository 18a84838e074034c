package multiprocess

import (
	"context"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
)

// restricted is a collector's view of some names: those that all filters have.
type restricted struct {
	origin
	collector *Collector
	filters   []catalog.NameSet
}

// Collect emits the families that have wanted samples.
func (r *restricted) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return r.collector.gatherer.Collect(ctx, r.filters, emit)
}

// Describe returns nothing, as [Collector.Describe].
func (r *restricted) Describe() []*model.Family { return nil }

// Restricted returns a view of what both views have.
func (r *restricted) Restricted(names ...string) model.Collector {
	filters := append(r.filters[:len(r.filters):len(r.filters)], catalog.NewNameSet(names))
	return &restricted{r.origin, r.collector, filters}
}
