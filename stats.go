package telltale

// Statistics of a registry.

import (
	"context"
	"maps"
	"slices"

	"telltale/internal/gather"
	"telltale/model"
)

// Stats is statistics of a registry.
type Stats struct {
	Collectors int               // registered now
	Series     int               // of the registered instruments
	Hanging    int               // custom collectors that have run for longer than a scrape may take
	Scrapes    uint64            // collections begun
	Faults     map[Reason]uint64 // by reason
}

// Stats returns the registry's statistics. It does not count collectors and series
// of nested registries; their faults are counted by both.
func (r *Registry) Stats() Stats {
	stats := Stats{Scrapes: r.faults.scrapes.Load(), Faults: r.faults.snapshot()}
	r.mu.RLock()
	entries := slices.Clone(r.entries)
	r.mu.RUnlock()
	for _, e := range entries {
		if e == nil {
			continue
		}
		stats.Collectors++
		if i, ok := e.collector.(instrument); ok {
			stats.Series += i.count()
		}
		if hanging(e.collector) {
			stats.Hanging++
		}
	}
	return stats
}

// hanging reports whether one of the custom collectors under a collector is hung,
// nested registries left out.
func hanging(c Collector) bool {
	if _, nested := c.(accounting); nested {
		return false
	}
	if parts := children(c); len(parts) > 0 {
		return slices.ContainsFunc(parts, hanging)
	}
	return gather.Hung(c)
}

// Health returns a collector of the registry's own health, its [Stats] as families
// whose names begin with telltale_. It is in no registry until it is registered.
// Two calls return equal collectors, either of which unregisters the other.
func (r *Registry) Health() Collector { return health{r} }

type health struct{ registry *Registry }

func (h health) families(s Stats) []*model.Family {
	family := func(name, help string, typ model.Type) *model.Family {
		return &model.Family{Name: name, Help: help, Type: typ}
	}
	value := func(f *model.Family, v float64) *model.Family {
		f.Append(model.Point{Has: f.Type.Parts() &^ model.PartCreated, Value: v})
		return f
	}
	faults := family("telltale_faults", "What was left out of the page, mended or ignored, by reason.", model.Counter)
	for _, reason := range slices.Sorted(maps.Keys(s.Faults)) {
		faults.Append(model.Point{
			Labels: model.LabelPairs([]string{"reason"}, []string{string(reason)}),
			Has:    model.PartTotal, Value: float64(s.Faults[reason]),
		})
	}
	return []*model.Family{
		value(family("telltale_collectors", "Registered collectors.", model.Gauge), float64(s.Collectors)),
		value(family("telltale_series", "Series of the registered instruments.", model.Gauge), float64(s.Series)),
		value(family("telltale_hanging_collectors", "Custom collectors that have run for longer than a scrape may take.", model.Gauge), float64(s.Hanging)),
		value(family("telltale_scrapes", "Collections begun.", model.Counter), float64(s.Scrapes)),
		faults,
	}
}

// Describe returns the families without samples.
func (h health) Describe() []*model.Family {
	families := h.families(Stats{})
	for i, f := range families {
		families[i] = f.Header()
	}
	return families
}

// Collect emits the registry's stats.
func (h health) Collect(_ context.Context, emit func(*model.Family) error) error {
	for _, f := range h.families(h.registry.Stats()) {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}
