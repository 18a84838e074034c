package telltale

// An instrument, or one of its handles, as a collector.

import (
	"context"

	"telltale/model"
)

// Describe returns the instrument's family without samples.
func (c *core[H]) Describe() []*model.Family {
	if c == nil {
		return nil
	}
	return []*model.Family{c.family.Header()}
}

// Collect emits the instrument's family. One with functions is collected as a
// custom collector is.
func (c *core[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	switch {
	case c == nil:
		return nil
	case c.callsBack():
		return collect(ctx, c, emit)
	}
	return emit(c.family)
}

// flatten adds the family, or what calls its functions.
func (c *core[H]) flatten(s *scrape, e *entry, p *path) {
	if c.callsBack() {
		s.addCustom(functions[H]{c}, c, e, p)
		return
	}
	s.steps = append(s.steps, step{family: c.family, of: &c.definition, entry: e, path: p})
}

// children returns what calls the instrument's functions, if it has any.
func (c *core[H]) children() []Collector {
	if c.callsBack() {
		return []Collector{functions[H]{c}}
	}
	return nil
}

// functions is an instrument with what its series' functions say.
type functions[H any] struct{ core *core[H] }

// Collect emits a copy, so that however often it is walked the functions are
// called once.
func (f functions[H]) Collect(_ context.Context, emit func(*model.Family) error) error {
	return emit(f.core.family.WithPoints(f).Clone())
}

// VisitPoints walks the series as [table.VisitPoints] does, and calls functions.
func (f functions[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = true
	return f.core.table.walk(room, p, visit)
}

// VisitPrototype visits what the table's series have in common.
func (f functions[H]) VisitPrototype(p *model.Point, visit func(*model.Point) error) error {
	return f.core.table.VisitPrototype(p, visit)
}

// Collect emits the family to which the handle belongs.
func (h *handle[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return h.core.Collect(ctx, emit)
}

// Describe returns the family to which the handle belongs, without samples.
func (h *handle[H]) Describe() []*model.Family { return h.core.Describe() }

func (h *handle[H]) instrument() instrument {
	if h.core == nil {
		return nil
	}
	return h.core
}
