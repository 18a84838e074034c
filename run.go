package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
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
