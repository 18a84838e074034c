package telltale

// Showing custom collectors to other processes, and the merged page of all.

import (
	"context"
	"errors"
	"slices"
	"strings"

	"telltale/internal/gather"
	"telltale/model"
)

// publish shows other processes what the registry's custom collectors emit now.
func (r *Registry) publish(ctx context.Context) {
	s := newScrape(ctx, &r.faults)
	s.root = r
	defer s.leave()
	r.publishFrom(s, &path{holder: r.holder(nil)})
}

// publishFrom publishes what the custom collectors emit that can have wanted
// names. It returns the families that are this process's alone, sorted by name.
func (r *Registry) publishFrom(s *scrape, p *path) (own []*model.Family) {
	r.mu.RLock()
	entries, publication := r.owners(p.filters), r.publication
	r.mu.RUnlock()
	within := &path{filters: p.filters, foreign: p.foreign, holder: p.holder}
	for _, e := range entries {
		if e == nil {
			continue
		}
		adopted := e.adopted()
		if adopted {
			i := e.collector.(instrument)
			if i.tend(); !i.callsBack() {
				continue
			}
		}
		first := len(s.steps)
		s.add(e.collector, e, within)
		for i := range s.steps[first:] {
			s.steps[first+i].apart = adopted // it is called, and not published
		}
	}
	s.steps = slices.DeleteFunc(s.steps, func(st step) bool { return st.ofMany() })
	emitted := make(map[*entry][]string)
	err := s.run(func(f *model.Family) error {
		mode, foreign := r.modeOf(f, s.current.entry)
		switch {
		case foreign && f.Merge == model.MergeOnce:
			own = append(own, f.Clone())
		case foreign:
			emitted[s.current.entry] = append(emitted[s.current.entry], f.Name)
			publication.Publish(f, uint8(mode))
		}
		return nil
	})
	nested := s.custom.Nested() // a collector collects, which itself is left out then
	if err == nil && len(p.filters) == 0 && !nested {
		publication.Retain(r.retained(s.steps, emitted))
	}
	slices.SortStableFunc(own, func(a, b *model.Family) int { return strings.Compare(a.Name, b.Name) })
	return own
}

// retained notes which families each collector emitted, and returns which of what
// is published should stay. What a collector emitted that has failed this time
// does: totals would fall otherwise, and rise again.
func (r *Registry) retained(steps []step, emitted map[*entry][]string) (keep func(name string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]bool)
	for _, st := range steps {
		if st.failed {
			emitted[st.entry] = append(emitted[st.entry], r.published[st.entry]...)
		}
		for _, name := range emitted[st.entry] {
			all[name] = true
		}
	}
	for e, list := range emitted {
		slices.Sort(list)
		emitted[e] = slices.Compact(list)
	}
	r.published = emitted
	return func(name string) bool { return all[name] }
}

// modeOf returns how the gauges of a published family merge, and whether it is
// to be published at all: an instrument that is in the store has a row there,
// and its function has just been called for it. The family is of the step's entry, or
// of one in it.
func (r *Registry) modeOf(f *model.Family, of *entry) (mode GaugeMode, foreign bool) {
	r.mu.RLock()
	e := r.claims[f.Name]
	if slices.Contains(r.joined[f.Name], of) {
		e = of
	}
	r.mu.RUnlock()
	switch mode = ModeLiveAll; f.Merge {
	case model.MergeSum:
		mode = ModeLiveSum
	case model.MergeMax:
		mode = ModeLiveMax
	}
	if e == nil {
		return mode, true
	}
	if d, ok := e.collector.(defined); ok && d.what().modeGiven {
		mode = d.what().mode
	}
	return mode, !e.adopted()
}

// storePage emits what a registry with a store has, as a custom collector.
type storePage struct{ registry *Registry }

func (r *Registry) custom() Collector { return storePage{r} }

// Collect emits what all processes have.
func (p storePage) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return p.collect(ctx, nil, emit)
}

// Restricted returns it with only the named samples.
func (p storePage) Restricted(names ...string) Collector {
	return CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		return p.collect(ctx, []gather.Names{gather.NamesOf(names)}, emit)
	})
}

func (p storePage) collect(ctx context.Context, filters []gather.Names, emit func(*model.Family) error) error {
	s := newScrape(ctx, &p.registry.faults)
	st := step{path: &path{filters: filters, holder: p.registry.holder(nil)}}
	if err := p.registry.emitShared(s, &st, emit); err != nil {
		return err
	}
	return errors.Join(s.errs...)
}

// emitShared publishes what custom collectors emit, then emits the merged families of
// all processes, with the families of this process alone between them by name.
func (r *Registry) emitShared(s *scrape, st *step, emit func(*model.Family) error) error {
	own := newScrape(s.ctx, s.faults)
	own.root, own.complains = r, s.complains
	defer own.leave()
	alone := r.publishFrom(own, st.path)
	s.errs = append(s.errs, own.errs...)
	var merged Collector = r.store.Merged()
	if len(st.path.filters) > 0 {
		merged = r.store.Merged().Restricted(st.path.filters[0].Sorted()...)
	}
	var stopped error
	pass := func(f *model.Family) error {
		if stopped = s.cancellation(); stopped == nil {
			stopped = s.emit(st, f, true, emit)
		}
		return stopped
	}
	// passAlone passes on the families of this process that belong before a name.
	passAlone := func(isBefore func(name string) bool) (err error) {
		for err == nil && len(alone) > 0 && isBefore(alone[0].Name) {
			err, alone = pass(alone[0]), alone[1:]
		}
		return err
	}
	// A collector of this process that used up the scrape's time is no reason to
	// leave out what all others have.
	err := merged.Collect(context.WithoutCancel(s.ctx), func(f *model.Family) error {
		if err := passAlone(func(name string) bool { return name <= f.Name }); err != nil {
			return err
		}
		return pass(f)
	})
	if err != nil && stopped == nil {
		s.report(st, "", ReasonStore, err)
	}
	if stopped != nil {
		return stopped
	}
	return passAlone(func(string) bool { return true })
}
