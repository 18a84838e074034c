package estate

import (
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Bury drops the series that were removed.
func (e *Estate) Bury(c spool.Cover) {
	drops := make([]func(labels string) bool, len(e.Families))
	for i := range e.Families {
		drops[i] = removed(c, &e.Families[i])
	}
	e.drop(func(i int) bool {
		dropped := drops[e.Of[i]]
		return dropped != nil && dropped(catalog.SortedLabels(e.Series[i].Labels))
	})
}

// Bury drops the series that were removed.
func (r *Remains) Bury(c spool.Cover) {
	for _, f := range r.families {
		dropped := removed(c, &f.Family)
		if dropped == nil {
			continue
		}
		f.keep(func(s *Remnant) bool { return !dropped(s.Labels) })
	}
}

// keep drops the series that are not wanted, and reports whether there were any.
func (f *remainingFamily) keep(wanted func(*Remnant) bool) (dropped bool) {
	kept := f.series[:0]
	for _, s := range f.series {
		if wanted(s) {
			kept = append(kept, s)
		}
	}
	if len(kept) == len(f.series) {
		return false
	}
	clear(f.series[len(kept):])
	f.series = kept
	clear(f.index)
	for _, s := range kept {
		f.index[remnantKey{s.Labels, s.Process}] = s
	}
	return true
}

// removed returns what reports whether a series of a family with these labels, sorted, was
// removed; nil if none was.
func removed(c spool.Cover, f *segment.Family) func(labels string) bool {
	labels, all := c.Of(f)
	if all {
		return func(string) bool { return true }
	}
	if len(labels) == 0 {
		return nil
	}
	gone := make(map[string]bool, len(labels))
	for _, text := range labels {
		gone[catalog.SortedLabels(text)] = true
	}
	return func(labels string) bool { return gone[labels] }
}
