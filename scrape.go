package telltale

// One collection: flattening collectors to steps, running them, emitting families.

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/gather"
	"telltale/internal/reshape"
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

// reshaped is a view that changes families at will, such as that of package rules, as a
// scrape takes it apart.
type reshaped struct {
	Collector
	inner Collector
	now   func() reshape.Reshaper
}

// composed returns a collector as what a scrape takes apart, or false if the scrape
// is to run it.
func composed(c Collector) (composite, bool) {
	if c, ok := c.(composite); ok {
		return c, true
	}
	if inner, now, ok := reshape.Of(c); ok {
		return reshaped{c, inner, now}, true
	}
	return nil, false
}

// Collect emits what the families of the collector behind the view become.
func (v reshaped) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, v, emit)
}

func (v reshaped) children() []Collector {
	if v.inner == nil {
		return nil // of a zero value
	}
	inner, err := identity(v.inner)
	if err != nil {
		return nil
	}
	return []Collector{inner}
}

// flatten adds the collector behind the view. Names from outside are its names too
// where the view keeps them; where it does not, all that can become a wanted family
// is collected.
func (v reshaped) flatten(s *scrape, e *entry, outer *path) {
	if v.inner == nil {
		return
	}
	by := v.now()
	inner := &path{foreign: true, holder: outer.holder, reshaper: by, beyond: outer}
	if by.KeepsNames() {
		inner.filters = outer.filters
	}
	for _, part := range v.children() {
		s.add(part, e, inner)
	}
}

// children returns the collectors that are in a collector.
func children(c Collector) []Collector {
	if c, ok := composed(c); ok {
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
		return
	}
	if c, ok := composed(c); ok {
		for _, part := range c.children() {
			visitCustom(part, visit)
		}
		return
	}
	visit(c)
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
	// taken reports whether a name is claimed, and by none of the entries.
	taken(name string, entries []*entry) bool
}

// shared is a registry with a store.
type shared interface {
	emitShared(s *scrape, st *step, emit func(*model.Family) error) error
	custom() Collector // that emits the same
}

// collect collects a collector that is taken apart. Its faults are counted with the
// first registry in it; without one they are the caller's, as errors.
func collect(ctx context.Context, c composite, emit func(*model.Family) error) error {
	account := accountIn(c)
	if account != nil {
		return newScrape(ctx, account).collect(c, emit)
	}
	s := newScrape(ctx, &faults{strict: true})
	s.unheld = true
	return s.collect(c, emit)
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
	at      int                 // its index
	joins   *joining            // families that may join; nil if none can
	seen    map[string]struct{} // names on the page that no claim stands for
	allowed []*entry            // that may claim the names of the family which is emitted
	errs    []error             // its faults, if it complains

	unheld    bool // no registry is in what is collected
	complains bool // faults make the collection fail in the end
	settles   bool // custom collectors end before the first family is emitted; if they had faults, none is
}

func newScrape(ctx context.Context, account *faults) *scrape {
	whole := gather.WholeDemanded(ctx)
	return &scrape{
		ctx: ctx, faults: account, custom: gather.NewScrape(ctx), complains: whole || account.strict, settles: whole,
		holder: &holder{accounts: gather.Accounts{account}, room: gather.Room{Limit: DefaultRetention, Kept: &keptUnregistered}},
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
	of     *definition          // of the instrument or callback; nil if it has none
	failed bool                 // it did not emit all that it has
	joins  bool                 // its families may join with those of others
	apart  bool                 // they never do
	found  gather.Tally         // faults of what it emitted
	unfit  gather.Tally         // what the encoder of the page left out of it
	path   *path
}

// add flattens a collector into steps.
func (s *scrape) add(c Collector, e *entry, p *path) {
	if p.wantsNothing() {
		return
	}
	if c, ok := composed(c); ok {
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
	st := step{entry: e, path: p, sub: s.subscribe(c, e, p)}
	if _, others := c.(aboutOthers); !others { // whose statistics go on
		st.sub.Coalesce = p.holder.coalesce
	}
	if d, ok := registered.(defined); ok {
		st.of = d.what()
	}
	s.steps = append(s.steps, st)
}

// subscribe returns the scrape's subscription to a collector's runs.
func (s *scrape) subscribe(c Collector, subject gather.Subject, p *path) *gather.Subscription {
	request := gather.Request{Collector: c, Subject: subject, Accounts: p.holder.accounts, Room: p.holder.room}
	if _, ok := c.(Restrictor); ok && len(p.filters) > 0 {
		request.Wanted = p.filters[0] // the other filters see to the rest
	}
	return s.custom.Subscribe(request)
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
	s.findJoins()
	for i := range s.steps {
		if s.cancelled() {
			return s.ctx.Err()
		}
		var err error
		s.current, s.at = &s.steps[i], i
		if s.current.joins {
			s.gather()
		}
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
	gather.HearUnwritten(s.ctx, s.unwritten)
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

// emit passes one family through its path, with those that join it.
func (s *scrape) emit(st *step, f *model.Family, foreign bool, emit func(*model.Family) error) error {
	if s.joins == nil || !st.joins {
		return s.pass(st, st.path, st.literally(f), foreign, emit)
	}
	key := st.key(f)
	if s.joins.pass(key, s.at) {
		return nil
	}
	if f = s.show(st, st.path, st.literally(f)); f == nil {
		return nil
	}
	return s.place(st, st.path, f, foreign, s.group(st, key, f), emit)
}

// pass passes a family through a path.
func (s *scrape) pass(st *step, p *path, f *model.Family, foreign bool, emit func(*model.Family) error) error {
	if f = s.show(st, p, f); f == nil {
		return nil
	}
	return s.place(st, p, f, foreign, nil, emit)
}

// place emits a family that has passed a path's filters and lens, and the others of its
// group, nil if it has none.
func (s *scrape) place(st *step, p *path, f *model.Family, foreign bool, g *group, emit func(*model.Family) error) error {
	admits := p.reshaper == nil && (foreign || g != nil)
	if admits {
		if f = s.admit(st, f, g); f == nil {
			return nil
		}
	}
	if g != nil {
		s.joins.show(key{g.first.family.SampleName(), p.beyond}, g.first)
		f = g.take(f)
	}
	if admits {
		f = s.admitLoose(st, f)
	}
	if p.reshaper != nil {
		return s.reshape(st, p, f, emit)
	}
	return emit(f)
}

// reshape passes what a family becomes through the path beyond the reshaper.
func (s *scrape) reshape(st *step, p *path, f *model.Family, emit func(*model.Family) error) error {
	report := func(fault reshape.Fault) { s.report(st, fault.Family, Reason(fault.Reason), fault.Err) }
	return p.reshaper.Reshape(f, report, func(f *model.Family) error { return s.pass(st, p.beyond, f, true, emit) })
}

// literally returns a family of the step, under the name of its samples if its
// OpenMetrics name is another's.
func (st *step) literally(f *model.Family) *model.Family {
	if st.entry != nil && st.entry.literal[st.path.prefix+f.SampleName()] {
		return f.Literal()
	}
	return f
}

// show returns a family as a path's filters and lens show it, nil if nothing is left.
func (s *scrape) show(st *step, p *path, f *model.Family) *model.Family {
	for _, filter := range p.filters {
		restricted, any := f.Restrict(filter.Has)
		if !any {
			return nil
		}
		f = restricted
	}
	if p.lens != nil {
		name := f.Name // and not f, which would then be on the heap for every family
		clash := func(err error) { s.report(st, name, ReasonLabelClash, err) }
		seen, err := p.lens.apply(f, clash)
		if err != nil {
			clash(err)
			return nil
		}
		f = seen
	}
	return f
}

// report counts a fault of a step's collector and makes a collection that complains
// fail in the end.
func (s *scrape) report(st *step, family string, reason Reason, err error) {
	fault := st.fault(family, reason, err)
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

// fault returns a fault of the step's collector.
func (st *step) fault(family string, reason Reason, err error) gather.Fault {
	fault := gather.Fault{Reason: gather.Reason(reason), Family: family, Err: err}
	if st.entry != nil {
		fault.Collector = st.entry.Name()
	}
	if st.sub != nil {
		fault.Source = st.sub.Collector
	}
	return fault
}

// unregistered counts what encoders leave out of families that no registry holds, and
// logs it: other faults of these are errors of Collect.
var unregistered faults

// unwritten counts something that the encoder of the page left out of a family which the
// present step emits, and tells the program if tell is true; err describes it. It does
// not make the collection fail, except in strict mode, since another format may hold
// all.
func (s *scrape) unwritten(family string, tell bool, err func() error) {
	st, accounts := s.current, s.current.path.holder.accounts
	if s.unheld {
		accounts = gather.Accounts{&unregistered}
	}
	fault := st.fault(family, ReasonFormat, nil)
	if tell = tell || s.faults.strict && !s.unheld; tell {
		fault.Err = err()
	}
	if !tell || !st.unfit.Add(&fault) {
		accounts.Count(fault.Reason, fault.Source, 1)
		return
	}
	accounts.Report(fault)
	if s.faults.strict && !s.unheld {
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
