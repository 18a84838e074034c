package telltale

// The registry as a collector of what it holds.

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"telltale/internal/gather"
	"telltale/model"
)

// Collect emits the families of all collectors: target_info first, then in the
// order of registration. A family is valid until emit returns. Custom collectors
// run side by side; what fails is left out, counted, and told to the error hook or
// logged, and does not make Collect fail, except in strict mode. Collect returns emit's
// first error, and ctx.Err() if ctx is cancelled; past a deadline it goes on
// without the collectors that are not done. It returns an error that is
// [os.ErrDeadlineExceeded] if emit took too long to read a family that a collector
// lent (see [WithRetention]).
//
// While it lasts, a collection and the encoder of its page take about 90 bytes of
// memory for each family of an instrument, and nothing for its series. What a custom
// collector emits is copied, up to the bytes of [WithRetention]: about 1.4 KB for a
// family of one series, and about 120 bytes for each further series.
func (r *Registry) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, r, emit)
}

// Families iterates over what Collect emits, as copies that are safe to keep. An
// error comes last, with a nil family.
func (r *Registry) Families(ctx context.Context) iter.Seq2[*model.Family, error] {
	return func(yield func(*model.Family, error) bool) {
		enough := errors.New("enough")
		err := r.Collect(ctx, func(f *model.Family) error {
			if !yield(f.Clone(), nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(nil, err)
		}
	}
}

// Describe returns the families that the registered collectors describe, or
// emitted when [WithAutoDescribe] collected them, without samples, in the order of
// registration.
func (r *Registry) Describe() []*model.Family {
	r.mu.RLock()
	entries := slices.Clone(r.entries)
	var described []outline
	if r.targetInfo != nil {
		described = append(described, outlineOf(r.targetInfo.Header(), nil, model.Labels{}))
	}
	r.mu.RUnlock()
	for _, e := range entries {
		switch {
		case e == nil:
		case e.settled && e.described != nil:
			described = append(described, e.described...)
		default:
			described = append(described, describedNow(e.collector)...)
		}
	}
	return headers(described)
}

// owners returns the entries that can have a name which every filter wants, in
// the order of registration: those that claim one and those that claim nothing.
// It may have nils. The caller holds the lock.
func (r *Registry) owners(filters []gather.Names) []*entry {
	if len(filters) == 0 {
		return slices.Clone(r.entries)
	}
	found := maps.Clone(r.unclaimed)
	for name := range filters[0] {
		for e := range r.claimants(name) {
			if e.wanted(filters[1:]) {
				found[e] = struct{}{}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b *entry) int { return a.position - b.position })
}

// flatten adds the registry's collectors, those that can have a wanted name. A
// registry that the page shows alone and under its own names is the root of the
// scrape.
func (r *Registry) flatten(s *scrape, _ *entry, outer *path) {
	if r.invalid != nil {
		s.errs = append(s.errs, r.invalid)
		return
	}
	p := outer.within(r.holder(outer.holder))
	r.mu.RLock()
	target, stored := r.targetInfo, r.store != nil
	if s.root == nil && !stored && !outer.foreign && outer.prefix == "" {
		s.root = r // with a store, other processes have names that it never heard of
	}
	p.foreign = s.root != claimant(r)
	entries := r.owners(p.filters)
	if _, taken := r.claims[targetName]; taken && target != nil {
		target = target.Literal() // its OpenMetrics name is another's
	}
	r.mu.RUnlock()
	if target != nil {
		s.steps = append(s.steps, step{family: target, path: p, apart: s.root == claimant(r)}) // no other family may have its name then
	}
	if stored {
		s.steps = append(s.steps, step{shared: r, path: p})
		entries = slices.DeleteFunc(entries, func(e *entry) bool { return e == nil || e.ofOneProcess() })
	}
	if p.reshaper != nil {
		entries = slices.DeleteFunc(entries, func(e *entry) bool { return e == nil || !p.wantsAny(e) })
	}
	first := len(s.steps)
	s.steps = slices.Grow(s.steps, len(entries))
	for _, e := range entries {
		if e != nil {
			s.add(e.collector, e, p)
		}
	}
	if stored { // all else is published
		s.steps = append(s.steps[:first], slices.DeleteFunc(s.steps[first:], func(st step) bool { return !st.ofMany() })...)
	}
}

// children returns the registered collectors, and what reads the store.
func (r *Registry) children() []Collector {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []Collector
	if r.store != nil {
		list = append(list, r.store.Merged())
	}
	for _, e := range r.entries {
		if e != nil {
			list = append(list, e.collector)
		}
	}
	return list
}

func (r *Registry) account() *faults { return &r.faults }

// taken reports whether a name is claimed, and by none of the entries.
func (r *Registry) taken(name string, entries []*entry) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	claimed := name == targetInfoName && r.targetInfo != nil
	for e := range r.claimants(name) {
		if slices.Contains(entries, e) {
			return false
		}
		claimed = true
	}
	return claimed
}
