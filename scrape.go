package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"telltale/internal/gather"
	"telltale/model"
)

// collect collects c, a registry or a view, on the account of the given faults.
func collect(ctx context.Context, c Collector, account *faults, emit func(*model.Family) error) error {
	s := newScrape(ctx, account, rootOf(c))
	account.scrapes.Add(1)
	s.add(c, nil, &path{holder: s.holder})
	defer s.leave()
	if err := s.run(emit); err != nil {
		return err
	}
	return errors.Join(s.errs...)
}

// rootOf returns the registry whose names are those of c's page: c itself, or
// what views show under its own names. It may be nil.
func rootOf(c Collector) *Registry {
	switch c := c.(type) {
	case *Registry:
		if c.stored() {
			return nil // other processes have names that it never heard of
		}
		return c
	case *RestrictedRegistry:
		return rootOf(c.of())
	case *view:
		if c.lens.prefix == "" {
			return rootOf(c.inner)
		}
	case *merged:
		if len(c.parts) == 1 {
			return rootOf(c.parts[0])
		}
	}
	return nil
}

// scrape is one collection: first the tree of registries and views is flattened
// to steps, then all custom collectors are started, then the steps are emitted
// in order.
type scrape struct {
	ctx     context.Context
	faults  *faults
	custom  *gather.Scrape // of custom collectors
	holder  *holder        // of what is in no registry
	root    *Registry      // whose claims are known not to clash; may be nil
	steps   []step
	current *step               // that is emitted
	seen    map[string]struct{} // names on the page that no claim stands for
	errs    []error             // in strict mode
}

func newScrape(ctx context.Context, account *faults, root *Registry) *scrape {
	return &scrape{
		ctx: ctx, faults: account, root: root, custom: gather.NewScrape(ctx),
		holder: &holder{gather.Accounts{account}, gather.Room{Limit: DefaultRetention, Kept: &keptUnregistered}},
	}
}

// keptUnregistered is how many bytes are kept of collectors in no registry.
var keptUnregistered atomic.Int64

// step emits one ready family, what one custom collector emits, or what
// processes share.
type step struct {
	family *model.Family
	entry  *entry
	sub    *gather.Subscription // to a run
	shared *Registry            // whose store's families it emits
	failed bool                 // it did not emit all that it has
	found  gather.Tally         // faults of what it emitted
	path   *path
}

// path is what a family goes through on its way up: the filters, in terms of the
// collector's own names, then the lens.
type path struct {
	filters []gather.Names
	lens    *lens
	prefix  string // what the lens adds to the names within the registry's collector
	foreign bool   // under a nested registry, whose names are not claimed
	holder  *holder
}

// holder is what the registries on the way to a collector settle, or else the
// scrape.
type holder struct {
	accounts gather.Accounts // where the collector's faults are counted
	room     gather.Room     // of the innermost registry
}

// add flattens a collector into steps.
func (s *scrape) add(c Collector, e *entry, p *path) {
	if p.wantsNothing() {
		return
	}
	switch c := c.(type) {
	case *Registry:
		c.flatten(s, p)
	case *RestrictedRegistry:
		inner := *p
		inner.filters = append(slices.Clip(p.filters), c.names)
		s.add(c.of(), e, &inner)
	case *view:
		s.add(c.inner, e, c.lens.inward(p))
	case *merged:
		inner := *p
		inner.foreign = p.foreign || len(c.parts) > 1
		for _, part := range c.parts {
			s.add(part, e, &inner)
		}
	case instrument:
		if !c.callsBack() {
			s.steps = append(s.steps, step{family: c.header(), entry: e, path: p})
			return
		}
		s.addCustom(c, e, p)
	default:
		s.addCustom(c, e, p)
	}
}

// contained is a collector whose Collect is a scrape, so that nobody meets with
// what users' code in it does. It is the inner collector which that scrape runs.
type contained interface {
	Collector
	inner() Collector
}

// innermost returns the collector that runs when c is collected.
func innermost(c Collector) Collector {
	if c, ok := c.(contained); ok {
		return c.inner()
	}
	return c
}

// wantsNothing reports whether no name can pass all filters.
func (p *path) wantsNothing() bool {
	return slices.ContainsFunc(p.filters, func(filter gather.Names) bool { return len(filter) == 0 })
}

func (s *scrape) addCustom(c Collector, e *entry, p *path) {
	if e == nil {
		e = &entry{collector: c} // under a view that no registry holds
	}
	request := gather.Request{Collector: innermost(c), Subject: e, Accounts: p.holder.accounts, Room: p.holder.room}
	if _, ok := c.(Restrictor); ok && len(p.filters) > 0 {
		request.Wanted = p.filters[0] // the other filters see to the rest
	}
	s.steps = append(s.steps, step{entry: e, path: p, sub: s.custom.Subscribe(request)})
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
		if e, ok := r.claims[name]; ok && e.wanted(filters[1:]) {
			found[e] = struct{}{}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b *entry) int { return a.position - b.position })
}

// wanted reports whether every filter has a name that the entry claims.
func (e *entry) wanted(filters []gather.Names) bool {
	for _, filter := range filters {
		if !slices.ContainsFunc(e.claims, filter.Has) {
			return false
		}
	}
	return true
}

// flatten adds the registry's collectors, those that can have a wanted name.
func (r *Registry) flatten(s *scrape, outer *path) {
	if r.invalid != nil {
		s.errs = append(s.errs, r.invalid)
		return
	}
	p := &path{
		filters: outer.filters, lens: outer.lens, foreign: outer.foreign || r != s.root,
		holder: &holder{outer.holder.accounts.With(&r.faults), r.room()},
	}
	r.mu.RLock()
	target, shared := r.targetInfo, r.store != nil
	entries := r.owners(p.filters)
	if _, taken := r.claims[targetName]; taken && target != nil {
		target = target.Literal() // its OpenMetrics name is another's
	}
	r.mu.RUnlock()
	if target != nil {
		s.steps = append(s.steps, step{family: target, path: p})
	}
	if shared {
		s.steps = append(s.steps, step{shared: r, path: p})
		entries = slices.DeleteFunc(entries, func(e *entry) bool { return e == nil || !mayBeOfMany(e.collector) })
	}
	first := len(s.steps)
	s.steps = slices.Grow(s.steps, len(entries))
	for _, e := range entries {
		if e != nil {
			s.add(e.collector, e, p)
		}
	}
	if shared { // all else is published
		s.steps = append(s.steps[:first], slices.DeleteFunc(s.steps[first:], func(st step) bool { return !st.ofMany() })...)
	}
}

// run starts the custom collectors and emits the steps.
func (s *scrape) run(emit func(*model.Family) error) error {
	for i := range s.steps {
		if sub := s.steps[i].sub; sub != nil {
			sub.Start()
		}
	}
	for i := range s.steps {
		if s.cancelled() {
			return s.ctx.Err()
		}
		var err error
		s.current = &s.steps[i]
		switch st := s.current; {
		case st.shared != nil:
			err = s.emitShared(st, emit)
		case st.sub != nil:
			err = s.runCustom(st, emit)
		default:
			err = s.emit(st, st.family, st.path.foreign, emit)
		}
		if err != nil {
			return err
		}
	}
	if s.cancelled() { // the last step may have given up for it
		return s.ctx.Err()
	}
	return nil
}

// cancelled reports whether nobody wants the page any more, which is not the
// same as that it should be done by now.
func (s *scrape) cancelled() bool { return s.cancellation() != nil }

func (s *scrape) cancellation() error {
	if err := s.ctx.Err(); err == context.Canceled {
		return err
	}
	return nil
}

func (s *scrape) runCustom(st *step, emit func(*model.Family) error) error {
	defer st.sub.Leave()
	for {
		f, err := st.sub.Next()
		if errors.Is(err, gather.ErrTooSlow) {
			return err // which is no fault of the collector
		}
		if f == nil {
			faults := st.sub.Faults()
			st.failed = err != nil || len(faults) > 0
			switch {
			case errors.Is(err, gather.ErrRunning):
				s.report(st, "", ReasonStillRunning, err)
			case errors.Is(err, gather.ErrRecursion):
				s.report(st, "", ReasonRecursion, err)
			case err != nil && !s.cancelled():
				s.report(st, "", ReasonDeadline, err)
			}
			if s.faults.strict {
				for _, fault := range faults {
					s.errs = append(s.errs, faultOf(fault))
				}
			}
			return nil
		}
		if err := s.emit(st, f, true, emit); err != nil {
			return err
		}
	}
}

// emit passes one family through its path.
func (s *scrape) emit(st *step, f *model.Family, foreign bool, emit func(*model.Family) error) error {
	if st.entry != nil && st.entry.literal[st.path.prefix+f.SampleName()] {
		f = f.Literal()
	}
	for _, filter := range st.path.filters {
		restricted, any := f.Restrict(filter.Has)
		if !any {
			return nil
		}
		f = restricted
	}
	if st.path.lens != nil {
		name := f.Name // and not f, which would then be on the heap for every family
		clash := func(err error) { s.report(st, name, ReasonLabelClash, err) }
		seen, err := st.path.lens.apply(f, clash)
		if err != nil {
			clash(err)
			return nil
		}
		f = seen
	}
	if foreign {
		if f = s.admit(st, f); f == nil {
			return nil
		}
	}
	return emit(f)
}

// admit lets a family onto the page whose names nobody has checked before. One
// that repeats a name is left out; a counter or info whose OpenMetrics name only
// is taken goes under the name of its samples.
func (s *scrape) admit(st *step, f *model.Family) *model.Family {
	e := st.entry
	if s.taken(e, f.BaseName()) && f.SampleName() != f.BaseName() && !s.taken(e, f.SampleName()) {
		f = f.Literal()
	}
	repeated := s.taken(e, f.BaseName())
	f.Type.Parts().Each(func(part model.Parts) { repeated = repeated || s.taken(e, f.NameOf(part)) })
	if repeated {
		s.report(st, f.Name, ReasonRepeatedFamily, fmt.Errorf("the page has a family of the name %q or of one of its samples", f.Name))
		return nil
	}
	if s.seen == nil {
		s.seen = make(map[string]struct{})
	}
	s.seen[f.BaseName()] = struct{}{}
	f.Type.Parts().Each(func(part model.Parts) { s.seen[f.NameOf(part)] = struct{}{} })
	return f
}

// taken reports whether a name is on the page or claimed by another collector.
func (s *scrape) taken(e *entry, name string) bool {
	if _, ok := s.seen[name]; ok {
		return true
	}
	if s.root == nil {
		return false
	}
	s.root.mu.RLock()
	defer s.root.mu.RUnlock()
	holder, ok := s.root.claims[name]
	return ok && holder != e || name == targetInfoName && s.root.targetInfo != nil
}

// report counts a fault of a step's collector and, in strict mode, makes the
// collection fail in the end.
func (s *scrape) report(st *step, family string, reason Reason, err error) {
	fault := gather.Fault{Reason: gather.Reason(reason), Family: family, Err: err}
	if st.entry != nil {
		fault.Collector = st.entry.Name()
	}
	accounts := st.path.holder.accounts
	if !st.found.Add(&fault) {
		accounts.Count(fault.Reason, 1)
		return
	}
	accounts.Report(fault)
	if s.faults.strict {
		s.errs = append(s.errs, faultOf(fault))
	}
}

// leave lets go of all runs that this scrape has not waited for.
func (s *scrape) leave() {
	for i := range s.steps {
		if s.steps[i].sub != nil {
			s.steps[i].sub.Leave()
		}
	}
}
