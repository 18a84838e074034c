package telltale

// One collection: flattening collectors to steps, running them, emitting families.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/gather"
	"telltale/model"
)

// composite is a collector that a scrape does not run but takes apart: a
// registry, a view, an instrument, a callback.
type composite interface {
	Collector
	// flatten adds the steps that emit the collector's families: those on the path,
	// for the entry that holds the collector, nil if none does.
	flatten(s *scrape, e *entry, p *path)
	// children returns the collectors that are in it.
	children() []Collector
}

// children returns the collectors that are in a collector.
func children(c Collector) []Collector {
	if c, ok := c.(composite); ok {
		return c.children()
	}
	return nil
}

// aboutOthers is a collector of statistics about others, which has none itself.
type aboutOthers interface{ tellsOfOthers() }

// visitCustom calls visit with the custom collectors that are a collector, or in it:
// all but functions of instruments, those of nested registries, and health.
func visitCustom(c Collector, visit func(Collector)) {
	switch c.(type) {
	case accounting, defined, aboutOthers:
	case composite:
		for _, part := range children(c) {
			visitCustom(part, visit)
		}
	default:
		visit(c)
	}
}

// contains reports whether a registry is, or is in, a collector.
func contains(c Collector, registry composite) bool {
	return c == Collector(registry) || slices.ContainsFunc(children(c), func(c Collector) bool { return contains(c, registry) })
}

// accounting is a collector that counts the faults of those in it: a registry.
type accounting interface{ account() *faults }

// accountIn returns where the faults under a collector are counted: with the first
// registry in it, nil if there is none.
func accountIn(c Collector) *faults {
	if a, ok := c.(accounting); ok {
		return a.account()
	}
	for _, child := range children(c) {
		if account := accountIn(child); account != nil {
			return account
		}
	}
	return nil
}

// claimant is a registry that knows the names of its collectors.
type claimant interface {
	// taken reports whether something else than the entry claims the name.
	taken(e *entry, name string) bool
}

// shared is a registry with a store.
type shared interface {
	emitShared(s *scrape, st *step, emit func(*model.Family) error) error
}

// collect collects a collector that is taken apart. Its faults are counted with the
// first registry in it; without one they are the caller's, as errors.
func collect(ctx context.Context, c composite, emit func(*model.Family) error) error {
	account := accountIn(c)
	if account == nil {
		account = &faults{strict: true}
	}
	return newScrape(ctx, account).collect(c, emit)
}

// scrape is one collection: first the tree of registries and views is flattened
// to steps, then all custom collectors are started, then the steps are emitted
// in order.
type scrape struct {
	ctx     context.Context
	faults  *faults
	custom  *gather.Scrape // of custom collectors
	holder  *holder        // of what is in no registry
	root    claimant       // the registry whose claims cover the whole page, so that its families need no check for duplicates; nil if there is none
	steps   []step
	current *step               // that is emitted
	seen    map[string]struct{} // names on the page that no claim stands for
	errs    []error             // its faults, if it complains

	complains bool // faults make the collection fail in the end
	settles   bool // custom collectors end before the first family is emitted; if they had faults, none is
}

func newScrape(ctx context.Context, account *faults) *scrape {
	whole := gather.WholeDemanded(ctx)
	return &scrape{
		ctx: ctx, faults: account, custom: gather.NewScrape(ctx), complains: whole || account.strict, settles: whole,
		holder: &holder{gather.Accounts{account}, gather.Room{Limit: DefaultRetention, Kept: &keptUnregistered}},
	}
}

// DefaultRetention is the limit of [WithRetention] without that option: 64 MiB.
const DefaultRetention = 64 << 20

// keptUnregistered is how many bytes are kept of collectors in no registry.
var keptUnregistered atomic.Int64

// step emits one ready family, what one custom collector emits, or what
// processes share.
type step struct {
	family *model.Family
	entry  *entry
	sub    *gather.Subscription // to a run
	shared shared               // it emits what processes share
	failed bool                 // it did not emit all that it has
	found  gather.Tally         // faults of what it emitted
	path   *path
}

// add flattens a collector into steps.
func (s *scrape) add(c Collector, e *entry, p *path) {
	if p.wantsNothing() {
		return
	}
	if c, ok := c.(composite); ok {
		c.flatten(s, e, p)
		return
	}
	s.addCustom(c, c, e, p)
}

// addCustom adds a step that runs a collector. Faults name the one that was
// registered, of which it may be a part.
func (s *scrape) addCustom(c, registered Collector, e *entry, p *path) {
	if e == nil {
		e = &entry{collector: registered} // under a view that no registry holds
	}
	request := gather.Request{Collector: c, Subject: e, Accounts: p.holder.accounts, Room: p.holder.room}
	if _, ok := c.(Restrictor); ok && len(p.filters) > 0 {
		request.Wanted = p.filters[0] // the other filters see to the rest
	}
	s.steps = append(s.steps, step{entry: e, path: p, sub: s.custom.Subscribe(request)})
}

// run starts the custom collectors and emits the steps.
func (s *scrape) run(emit func(*model.Family) error) error {
	for i := range s.steps {
		if sub := s.steps[i].sub; sub != nil {
			sub.Start()
		}
	}
	if s.settles {
		if err := s.settle(); err != nil {
			return err
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
			err = st.shared.emitShared(s, st, emit)
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

// cancelled reports whether the scrape's context was cancelled. A deadline that has
// passed does not cancel a scrape: it goes on without the collectors that are late.
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
			s.conclude(st, err)
			return nil
		}
		if err := s.emit(st, f, true, emit); err != nil {
			return err
		}
	}
}

// collect makes the collection of a collector from its beginning to its end.
func (s *scrape) collect(c Collector, emit func(*model.Family) error) error {
	s.faults.scrapes.Add(1)
	s.add(c, nil, &path{holder: s.holder})
	defer s.leave()
	if err := s.run(emit); err != nil {
		return err
	}
	return errors.Join(s.errs...)
}

// settle waits until no custom collector has more to emit than can be kept, and
// returns their faults.
func (s *scrape) settle() error {
	broken := false
	for i := range s.steps {
		st := &s.steps[i]
		if st.sub == nil {
			continue
		}
		if err := st.sub.Wait(); err != nil || len(st.sub.Faults()) > 0 {
			broken = true
			s.conclude(st, err)
		}
		if s.cancelled() {
			return s.ctx.Err()
		}
	}
	if !broken {
		return nil
	}
	return errors.Join(s.errs...)
}

// conclude reports how the run of a step's collector went; err says why the scrape
// goes on without the rest of it.
func (s *scrape) conclude(st *step, err error) {
	faults := st.sub.Faults()
	st.failed = err != nil || len(faults) > 0
	switch {
	case s.cancelled():
		return
	case errors.Is(err, gather.ErrRunning):
		s.report(st, "", ReasonStillRunning, err)
	case errors.Is(err, gather.ErrRecursion):
		s.report(st, "", ReasonRecursion, err)
	case err != nil:
		s.report(st, "", ReasonDeadline, err)
	}
	if s.complains {
		for _, fault := range faults {
			s.errs = append(s.errs, faultOf(fault))
		}
	}
	outcome := st.sub.Outcome()
	outcome.Whole = !st.failed && len(st.found) == 0
	st.path.holder.accounts.Ran(st.sub.Collector, outcome)
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

// admit lets a family onto the page whose names no claim has checked. One
// that repeats a name is left out; a counter or info whose OpenMetrics name only
// is taken goes under the name of its samples.
func (s *scrape) admit(st *step, f *model.Family) *model.Family {
	taken := func(name string) bool { return s.taken(st.entry, name) }
	if f.SampleName() != f.BaseName() && taken(f.BaseName()) && !taken(f.SampleName()) {
		f = f.Literal()
	}
	for name := range sampleNames(f) {
		if taken(name) {
			s.report(st, f.Name, ReasonRepeatedFamily, fmt.Errorf("another family on the page has the name %q or that of one of its samples; give one of them another name (Prefixed does so for a whole collector), or take it out", f.Name))
			return nil
		}
	}
	if s.seen == nil {
		s.seen = make(map[string]struct{})
	}
	for name := range sampleNames(f) {
		s.seen[name] = struct{}{}
	}
	return f
}

// taken reports whether a name is on the page or claimed by another collector.
func (s *scrape) taken(e *entry, name string) bool {
	_, seen := s.seen[name]
	return seen || s.root != nil && s.root.taken(e, name)
}

// report counts a fault of a step's collector and makes a collection that complains
// fail in the end.
func (s *scrape) report(st *step, family string, reason Reason, err error) {
	fault := gather.Fault{Reason: gather.Reason(reason), Family: family, Err: err}
	if st.entry != nil {
		fault.Collector = st.entry.Name()
	}
	if st.sub != nil {
		fault.Source = st.sub.Collector
	}
	accounts := st.path.holder.accounts
	if !st.found.Add(&fault) {
		accounts.Count(fault.Reason, fault.Source, 1)
		return
	}
	accounts.Report(fault)
	if s.complains {
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
