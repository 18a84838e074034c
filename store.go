package telltale

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"telltale/internal/cell"
	"telltale/internal/gather"
	"telltale/model"
)

// Store keeps the values of a registry's instruments where other processes see
// them. The package multiprocess has the one there is: multiprocess.Open.
type Store = cell.Store

// WithStore puts every instrument that is made for the registry into a store.
// Collecting the registry then gives what all processes that share the store's
// directory have counted, in families sorted by name, and any of them may serve
// it. What comes from elsewhere (callbacks, custom collectors, instruments made
// for no registry or for another one) is published: other processes see it as it
// was a moment ago, their gauges as one series a process, or as [model.WithMerge]
// says. Target info is the collecting registry's own, and so are families of
// [model.MergeOnce], and what tells of many processes anyway: the collector of
// another directory, or a nested registry that has a store there.
//
// Registries may share a store; each then shows what all have. For that reason
// one cannot be registered with the other.
//
// If store is nil or the zero value of its type, Register, every constructor that is given the registry and
// Collect return an error, and so does Collect of what contains the registry.
func WithStore(store Store) RegistryOption {
	return registryOption(func(r *Registry) {
		if r.store = store; unopened(store) {
			r.store, r.invalid = nil, errNotOpened
		}
	})
}

var errNotOpened = errors.New("telltale: the registry's store is nil or was not opened")

// unopened reports whether a store is nil, a nil pointer, which an interface
// hides, or a pointer to the zero value of its type.
func unopened(store Store) bool {
	v := reflect.ValueOf(store)
	return !v.IsValid() || v.Kind() == reflect.Pointer && (v.IsNil() || v.Elem().IsZero())
}

// UseStore is [WithStore] for a registry that exists, to be called early in main
// for instruments that are package variables. It is an error, and nothing has
// changed, if the registry has a store already or if one of its instruments was
// updated before; the error names all that were.
func (r *Registry) UseStore(store Store) error {
	if unopened(store) {
		return errNotOpened
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.invalid != nil {
		return r.invalid
	}
	if r.store != nil {
		return errors.New("telltale: the registry has a store already")
	}
	var updated []string
	for _, e := range r.entries {
		if e == nil {
			continue
		}
		if i, ok := e.collector.(instrument); ok && i.madeFor(&r.faults) && !i.untouched() {
			updated = append(updated, e.Name())
		}
		if reads(e.collector, store) {
			return errSameDirectory
		}
	}
	if len(updated) > 0 {
		return fmt.Errorf("telltale: these were updated before they could be put into the store: %s; call UseStore earlier", strings.Join(updated, ", "))
	}
	r.useStore(store)
	for _, e := range r.entries {
		if e != nil {
			r.adopt(e.collector)
		}
	}
	return nil
}

// useStore begins to use a store. The caller holds the lock, or nobody else knows
// r.
func (r *Registry) useStore(store Store) {
	r.store = store
	r.publication = store.Publication(r.publish)
}

// stored reports whether the registry has a store.
func (r *Registry) stored() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.store != nil
}

// adopt moves an instrument that was made for the registry to its store. The
// caller holds the lock.
func (r *Registry) adopt(c Collector) {
	if i, ok := c.(instrument); ok && r.store != nil && i.madeFor(&r.faults) {
		i.share(r.store)
	}
}

var errSameDirectory = errors.New("telltale: the registry has a store in that directory and shows what is there by itself; with the collector everything would be there twice")

// reads reports whether a collector, or one in it, reads what a registry with the
// store shows anyway.
func reads(c Collector, store Store) bool {
	within := func(c Collector) bool { return reads(c, store) }
	switch c := c.(type) {
	case *Registry:
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.store != nil && reads(c.store.Merged(), store) ||
			slices.ContainsFunc(c.entries, func(e *entry) bool { return e != nil && within(e.collector) })
	case *RestrictedRegistry:
		return within(c.of())
	case *view:
		return within(c.inner)
	case *merged:
		return slices.ContainsFunc(c.parts, within)
	}
	read, ok := cell.OriginOf(c)
	if !ok {
		return false
	}
	written, ok := cell.OriginOf(store.Merged())
	return ok && read.Same(written)
}

// mayBeOfMany reports whether a collector may have steps that are [step.ofMany].
func mayBeOfMany(c Collector) bool {
	switch c.(type) {
	case *Registry, *RestrictedRegistry, *view, *merged:
		return true
	}
	_, ok := cell.OriginOf(c)
	return ok
}

// ofMany reports whether a step emits what many processes have. Published, it
// would be there once for each process that does so, and if it came from the
// store itself once more each time.
func (st *step) ofMany() bool {
	if st.sub == nil {
		return st.shared != nil
	}
	_, ok := cell.OriginOf(st.sub.Collector)
	return ok
}

// adopted reports whether an entry's cells are in the registry's store, and need
// nobody to publish them.
func (e *entry) adopted() bool {
	i, ok := e.collector.(instrument)
	return ok && i.shared()
}

// publish shows other processes what the registry's custom collectors emit now.
func (r *Registry) publish(ctx context.Context) {
	s := newScrape(ctx, &r.faults, r)
	defer s.leave()
	r.publishFrom(s, &path{holder: &holder{gather.Accounts{&r.faults}, r.room()}})
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
		if e.adopted() {
			i := e.collector.(instrument)
			if i.tend(); !i.callsBack() {
				continue
			}
		}
		s.add(e.collector, e, within)
	}
	s.steps = slices.DeleteFunc(s.steps, func(st step) bool { return st.ofMany() })
	emitted := make(map[*entry][]string)
	err := s.run(func(f *model.Family) error {
		mode, foreign := r.modeOf(f)
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
// and its function has just been called for it.
func (r *Registry) modeOf(f *model.Family) (mode GaugeMode, foreign bool) {
	r.mu.RLock()
	e := r.claims[f.Name]
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

// emitShared publishes what is new, then emits what all processes have, and what is
// this process's alone among it.
func (s *scrape) emitShared(st *step, emit func(*model.Family) error) error {
	r := st.shared
	own := newScrape(s.ctx, s.faults, r)
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
