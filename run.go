package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"telltale/model"
)

// retention is how many bytes of a custom collector's families are copied and
// kept, until their turn has come and for other scrapes to share. What goes
// beyond is lent: emit blocks until every scrape has dealt with the family.
const retention = 1 << 20

var (
	errLate     = errors.New("emit was called after Collect had returned")
	errUnwanted = errors.New("telltale: no scrape waits for the collector any more")
	errRunning  = errors.New("it still runs since a scrape that gave up on it, and was not started again")
)

// runs are the collections of one custom collector that are under way. Scrapes
// that overlap share them.
type runs struct {
	mu     sync.Mutex
	active map[runKey]*run
}

// runKey tells apart the differently restricted views of a collector.
type runKey struct {
	collector Collector
	filters   string
}

// run is one collection of a custom collector.
type run struct {
	entry   *entry
	key     runKey
	account *faults
	cancel  context.CancelFunc

	emitting  sync.Mutex // held by emit, which a collector may call from several goroutines
	size      int        // of items, in bytes; emit's
	streaming bool       // something was lent, so all that follows is; emit's

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	items    []*model.Family
	lent     *model.Family          // nil once all have dealt with it
	lentTo   map[*subscription]bool // who has not dealt with it yet; empty until somebody's turn has come
	subs     map[*subscription]bool // who shares the run; true once it is their turn to emit its families
	deadline time.Time              // the latest of the scrapes; zero if one has none
	settled  bool                   // a scrape has been lent something, so nobody can join any more
	overdue  bool                   // a scrape gave up on it
	done     bool
	found    []error // its faults
}

// runContext is a run's context: done when no scrape waits for it any more, with
// the deadline of the scrape that waits longest.
type runContext struct {
	context.Context
	run *run
}

func (c runContext) Deadline() (time.Time, bool) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	return c.run.deadline, !c.run.deadline.IsZero()
}

func (c runContext) Value(key any) any {
	if key == (runsKey{}) {
		return c
	}
	return c.Context.Value(key)
}

type runsKey struct{}

// recursing reports whether ctx comes from a run of the collector.
func recursing(ctx context.Context, collector Collector) bool {
	for {
		c, ok := ctx.Value(runsKey{}).(runContext)
		if !ok {
			return false
		}
		if c.run.key.collector == collector {
			return true
		}
		ctx = c.Context
	}
}

// start begins a run for its first subscription. The caller holds the entry's
// runs.mu.
func (e *entry) start(ctx context.Context, s *subscription) {
	r := &run{
		entry: e, key: s.key, account: s.account, changed: make(chan struct{}),
		lentTo: make(map[*subscription]bool), subs: map[*subscription]bool{s: false},
	}
	r.deadline, _ = ctx.Deadline()
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	if e.runs.active == nil {
		e.runs.active = make(map[runKey]*run)
	}
	e.runs.active[s.key] = r
	s.run = r
	go r.collect(runContext{base, r}, s.collector)
}

func (r *run) collect(ctx context.Context, c Collector) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			r.fault(ReasonPanic, "", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		} else if !returned {
			r.fault(ReasonPanic, "", errors.New("its goroutine was ended by runtime.Goexit"))
		}
		r.finish()
	}()
	err := c.Collect(ctx, r.emit)
	returned = true
	if err != nil && ctx.Err() == nil { // else the scrapes have said already that they gave up
		r.fault(ReasonError, "", err)
	}
}

func (r *run) fault(reason Reason, family string, err error) {
	f := &Fault{Reason: reason, Collector: r.entry.name(), Family: family, Err: err}
	r.mu.Lock()
	r.found = append(r.found, f)
	r.mu.Unlock()
	r.account.report(f)
}

func (r *run) finish() {
	r.entry.runs.mu.Lock()
	delete(r.entry.runs.active, r.key)
	r.entry.runs.mu.Unlock()
	r.mu.Lock()
	r.done = true
	r.change()
	r.mu.Unlock()
	r.cancel()
}

// change wakes all who wait. The caller holds the lock.
func (r *run) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// emit is what the collector calls.
func (r *run) emit(f *model.Family) error {
	r.emitting.Lock()
	defer r.emitting.Unlock()
	if f == nil {
		r.fault(ReasonInvalidFamily, "", errors.New("a nil family was emitted"))
		return nil
	}
	if err := f.Check(); err != nil {
		r.fault(ReasonInvalidFamily, f.Name, err)
		return nil
	}
	err := r.take(r.distinct(f))
	if errors.Is(err, errLate) {
		r.fault(ReasonLate, f.Name, err)
	}
	return err
}

// take keeps a copy of a family of the given size, or lends it if that would be
// too much.
func (r *run) take(f *model.Family, size int) error {
	if r.streaming = r.streaming || r.size+size > retention; r.streaming {
		return r.lend(f)
	}
	r.size += size
	return r.keep(f.Clone())
}

// wanted returns an error if no scrape will take a family. The caller holds the
// lock.
func (r *run) wanted() error {
	switch {
	case r.done:
		return errLate
	case len(r.subs) == 0:
		return errUnwanted
	}
	return nil
}

func (r *run) keep(f *model.Family) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.wanted(); err != nil {
		return err
	}
	r.items = append(r.items, f)
	r.change()
	return nil
}

// lend shows a family to the scrapes whose turn it is, or to the first whose
// turn it will be, and waits until they have dealt with it.
func (r *run) lend(f *model.Family) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.wanted(); err != nil {
		return err
	}
	r.lent = f
	r.settle()
	r.change()
	for r.lent != nil && len(r.subs) > 0 {
		changed := r.changed
		r.mu.Unlock()
		<-changed
		r.mu.Lock()
	}
	r.lent = nil
	if len(r.subs) == 0 {
		return errUnwanted
	}
	return nil
}

// settle leaves a run that lends to the scrapes whose turn it is, if there are
// any. The others have had nothing of it yet, so they can wait for a run of
// their own; were they waited for, two scrapes could wait for each other. The
// caller holds the lock.
func (r *run) settle() {
	for s, turn := range r.subs {
		if turn {
			r.lentTo[s] = true
		}
	}
	if len(r.lentTo) > 0 {
		r.settled = true
		maps.DeleteFunc(r.subs, func(_ *subscription, turn bool) bool { return !turn })
	}
}

// returned notes that a scrape has dealt with what it was lent. The caller holds
// the lock.
func (r *run) returned(s *subscription) {
	if !r.lentTo[s] {
		return
	}
	delete(r.lentTo, s)
	if len(r.lentTo) == 0 {
		r.lent = nil
	}
	r.change()
}

// subscription is one scrape's share in a run.
type subscription struct {
	key       runKey
	collector Collector // restricted as the key says
	account   *faults
	run       *run
	blocked   *run // a run that cannot be joined, whose end is awaited
	position  int  // in the run's items
	holding   bool
}

// subscribe joins the entry's run or starts one, or makes the scrape wait for the
// end of one that cannot be joined. It does none of these if a run is overdue.
func (s *subscription) subscribe(ctx context.Context, e *entry) {
	e.runs.mu.Lock()
	defer e.runs.mu.Unlock()
	r := e.runs.active[s.key]
	switch {
	case r != nil && r.join(ctx, s):
	case e.runs.anyOverdue():
	case r != nil:
		s.blocked = r
	default:
		e.start(ctx, s)
	}
}

// join lets a scrape share the run, unless some of its families are gone already
// or it is ending, because nobody waits for it any more.
func (r *run) join(ctx context.Context, s *subscription) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled || len(r.subs) == 0 {
		return false
	}
	s.run = r
	r.subs[s] = false
	if deadline, ok := ctx.Deadline(); !ok || deadline.After(r.deadline) && !r.deadline.IsZero() {
		r.deadline = deadline
	}
	return true
}

// next returns the run's next family, which is valid until the call after; nil
// after the last, with an error if the scrape has to go on without the rest.
func (s *subscription) next(ctx context.Context, e *entry) (*model.Family, error) {
	s.takeTurn()
	if s.blocked != nil {
		if err := s.blocked.await(ctx, func() bool { return s.blocked.done }); err != nil {
			return nil, err
		}
		s.blocked = nil
	}
	if s.run == nil { // what was overdue when the scrape began may have ended
		if s.subscribe(ctx, e); s.run == nil && s.blocked == nil {
			return nil, errRunning
		}
		return s.next(ctx, e)
	}
	s.giveBack()
	var f *model.Family
	err := s.run.await(ctx, func() bool {
		switch r := s.run; {
		case s.position < len(r.items):
			f = r.items[s.position]
			s.position++
		case r.lent != nil && r.lentTo[s]:
			f, s.holding = r.lent, true
		default:
			return r.done
		}
		return true
	})
	return f, err
}

// takeTurn tells the run that the scrape has come to emit its families. If the
// run went on without the scrape, that waits for its end.
func (s *subscription) takeTurn() {
	r := s.run
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	turn, shares := r.subs[s]
	switch {
	case turn:
	case !shares:
		s.run, s.blocked = nil, r
	default:
		r.subs[s] = true
		if r.lent != nil {
			r.settle()
		}
	}
}

// await returns once ready does, which is called under the lock, or with an
// error when ctx is done before. The run is overdue if that is for the time.
func (r *run) await(ctx context.Context, ready func() bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !ready() {
		if err := ctx.Err(); err != nil {
			r.overdue = r.overdue || err != context.Canceled
			return err
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		r.mu.Lock()
	}
	return nil
}

// giveBack ends the use of a lent family.
func (s *subscription) giveBack() {
	if !s.holding {
		return
	}
	s.holding = false
	s.run.mu.Lock()
	s.run.returned(s)
	s.run.mu.Unlock()
}

// leave ends the subscription; the last to leave cancels the run.
func (s *subscription) leave() {
	r := s.run
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, shares := r.subs[s]; !shares {
		return
	}
	delete(r.subs, s)
	r.returned(s)
	if len(r.subs) == 0 {
		r.change()
		r.cancel()
	}
}

// faults returns what went wrong in the run so far.
func (s *subscription) faults() []error {
	if s.run == nil {
		return nil
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	return slices.Clone(s.run.found)
}

// hanging reports whether a scrape gave up on a run that goes on.
func (rs *runs) hanging() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.anyOverdue()
}

func (rs *runs) anyOverdue() bool {
	for _, r := range rs.active {
		r.mu.Lock()
		overdue := r.overdue
		r.mu.Unlock()
		if overdue {
			return true
		}
	}
	return false
}
