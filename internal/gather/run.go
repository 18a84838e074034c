package gather

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

// ErrRunning is the error of a scrape whose collector has been hung since an
// earlier scrape.
var ErrRunning = errors.New("its run for an earlier scrape has lasted longer than a scrape may; it was not started again")

// ErrRecursion is the error of a scrape that a collector's own code makes and
// for which that collector's run would wait.
var ErrRecursion = errors.New("collecting it collects it again")

var (
	errLate     = errors.New("emit was called after Collect had returned")
	errUnwanted = errors.New("telltale: no scrape waits for the collector any more")
)

// run is one collection of a custom collector. Overlapping scrapes share it.
type run struct {
	of       *queue
	subject  Subject
	ctx      context.Context
	cancel   context.CancelFunc
	wanted   Names     // a restriction of a model.Restrictor; nil if everything is wanted
	started  time.Time // zero while it waits for the collector's current run to end
	abandons *time.Timer

	room Room // the room for copies of the collector's families

	emitting chan struct{} // full while emit examines or lends a family; a collector may call it from several goroutines
	copying  chunker       // used by emit

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced at every change
	goroutines []uint64      // goroutines that run the collector's code
	accounts   Accounts      // the accounts of all its scrapes
	items      []*model.Family
	size       int                         // of items, in bytes
	lent       *loan                       // nil once all have returned it
	lentTo     map[*Subscription]*borrower // scrapes that still encode the lent family; empty until the turn of one has come
	watches    []func() bool               // stop watching scrapes that have not come to their turn
	subs       map[*Subscription]bool      // scrapes that share the run; true once it is their turn to emit its families
	deadline   time.Time                   // the latest of the scrapes; zero if one has none
	patience   time.Duration               // the longest of the scrapes: an older run is hung
	grace      time.Duration               // the longest limit of their servers, or defaultPatience, until which it goes on without scrapes
	settled    bool                        // a family was lent to a scrape, so no other can join any more
	unwanted   bool                        // no scrape is left, so none can join and emit fails
	ends       time.Time                   // the time by which it should have ended then
	done       bool
	took       time.Duration // once it is done
	emitted    int           // families
	found      []Fault       // the reported ones
	counted    Tally         // all faults
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
	switch key {
	case runKey{}:
		return c.run
	case wholeKey{}:
		return nil
	}
	return c.Context.Value(key)
}

type runKey struct{}

// newRun makes a run for its first subscription. The caller holds the table's
// lock.
func newRun(s *Subscription, q *queue) *run {
	r := &run{
		of: q, subject: s.Subject, wanted: s.Wanted, room: s.Room,
		changed: make(chan struct{}), emitting: make(chan struct{}, 1),
		lentTo: make(map[*Subscription]*borrower), subs: make(map[*Subscription]bool),
	}
	base, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	r.ctx, r.cancel = runContext{base, r}, cancel
	r.deadline, _ = s.ctx.Deadline()
	r.add(s)
	return r
}

// add makes a scrape share the run. The caller holds the lock, or no other
// goroutine has r yet.
func (r *run) add(s *Subscription) {
	s.run = r
	r.subs[s] = false
	if deadline, ok := s.ctx.Deadline(); !ok {
		r.deadline = time.Time{}
	} else if !r.deadline.IsZero() && deadline.After(r.deadline) {
		r.deadline = deadline
	}
	r.patience = max(r.patience, s.patience)
	if s.served {
		r.grace = max(r.grace, min(s.patience, defaultPatience))
	}
	for _, account := range s.Accounts {
		if !slices.Contains(r.accounts, account) {
			r.accounts = append(r.accounts, account)
			s.unheard = append(s.unheard, account)
		}
	}
	s.missed, s.uncounted = slices.Clone(r.found), r.counted.untold()
}

// start begins the run. The caller holds the table's lock.
func (r *run) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = time.Now()
	r.change()
	collector := r.of.collector
	if restrictor, ok := collector.(model.Restrictor); ok && r.wanted != nil {
		collector = restricted{restrictor, r.wanted.Sorted()}
	}
	go r.collect(collector)
}

// restricted is a Restrictor that has to leave out work. The restriction is
// applied where its panics are caught.
type restricted struct {
	model.Restrictor
	names []string
}

func (r restricted) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return r.Restricted(r.names...).Collect(ctx, emit)
}

func (r *run) collect(c model.Collector) {
	defer r.finish()
	defer r.enter()()
	guarded(func() error { return c.Collect(r.ctx, r.emit) }, func(reason Reason, err error) {
		if reason != ReasonError || r.ctx.Err() == nil { // else the scrapes have said already that they gave up
			r.fault(reason, "", err)
		}
	})
}

// guarded calls f, which is a user's code, and reports its error or panic, or
// that it ended its goroutine.
func guarded(f func() error, report func(Reason, error)) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			report(ReasonPanic, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		} else if !returned {
			report(ReasonPanic, errors.New("its goroutine was ended by runtime.Goexit"))
		}
	}()
	err := f()
	returned = true
	if err != nil {
		report(ReasonError, err)
	}
}

// enter records that the calling goroutine runs the collector's code, until
// leave is called.
func (r *run) enter() (leave func()) {
	id := GoroutineID()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.goroutines = append(r.goroutines, id)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if i := slices.Index(r.goroutines, id); i >= 0 {
			r.goroutines = slices.Delete(r.goroutines, i, i+1)
		}
	}
}

// fault counts a fault of the run in the accounts of all scrapes that share it.
func (r *run) fault(reason Reason, family string, err error) {
	f := Fault{Reason: reason, Source: r.of.collector, Collector: r.subject.Name(), Family: family, Err: err}
	r.mu.Lock()
	accounts, told := r.accounts, r.counted.Add(&f)
	if told {
		r.found = append(r.found, f)
	}
	r.mu.Unlock()
	if told {
		accounts.Report(f)
	} else {
		accounts.Count(reason, r.of.collector, 1)
	}
}

// finish ends the run and starts the next one that waits for its end.
func (r *run) finish() {
	runs.ended(r)
	r.cancel()
}

// change wakes all waiting goroutines. The caller holds the lock.
func (r *run) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// emit is the function that the collector calls. A call waits for its turn until
// the run is over, because the call that has the turn may wait for this one: a
// source that emits.
func (r *run) emit(f *model.Family) error {
	select {
	case r.emitting <- struct{}{}:
		defer func() { <-r.emitting }()
	case <-r.ctx.Done():
	}
	name := ""
	if f != nil {
		name = f.Name
	}
	if err := r.refusal(); err != nil {
		if errors.Is(err, errLate) {
			r.fault(ReasonLate, name, err)
		}
		return err
	}
	if f == nil {
		r.fault(ReasonInvalidFamily, "", errors.New("a nil family was emitted"))
		return nil
	}
	if err := f.Check(); err != nil {
		r.fault(ReasonInvalidFamily, name, err)
		return nil
	}
	c, err := r.examine(f)
	switch {
	case err != nil:
		return err
	case c == nil: // its source failed: only this family is lost
		return nil
	case c.complete:
		return r.keep(c)
	}
	return r.lend(c)
}

// refusal returns an error if no scrape takes families any more.
func (r *run) refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusalLocked()
}

// refusalLocked is refusal for a caller who holds the lock.
func (r *run) refusalLocked() error {
	switch {
	case r.done:
		return errLate
	case r.unwanted:
		return errUnwanted
	}
	return nil
}

// keep passes a copied family to the scrapes.
func (r *run) keep(c *copied) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refusalLocked(); err != nil {
		r.retain(-c.size)
		return err
	}
	r.size += c.size
	r.items = append(r.items, c.family)
	r.emitted++
	r.change()
	return nil
}

// lend lends a family to the scrapes whose turn it is, or to the first whose
// turn comes, and waits until they have returned it.
func (r *run) lend(c *copied) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refusalLocked(); err != nil {
		return err
	}
	l := &loan{run: r, family: c.family, legacy: c.legacy}
	r.lent = l
	r.emitted++
	for s := range r.subs {
		r.watch(s)
	}
	r.settle()
	r.change()
	for l.walks > 0 || r.lent != nil && len(r.subs) > 0 {
		changed := r.changed
		r.mu.Unlock()
		<-changed
		r.mu.Lock()
	}
	r.lent = nil
	for _, stop := range r.watches {
		stop()
	}
	r.watches = nil
	if len(r.subs) == 0 {
		r.giveUp() // the family is lost, so no scrape can have the whole run
		return errUnwanted
	}
	return nil
}

// settle leaves a lending run to the scrapes whose turn it is, if there are any.
// The others have read nothing of it yet, so they wait for a run of their own;
// if the run waited for them, two scrapes could wait for each other. The caller
// holds the lock.
func (r *run) settle() {
	for s, turn := range r.subs {
		if turn {
			r.lendTo(s)
		}
	}
	if len(r.lentTo) > 0 {
		r.settled = true
		maps.DeleteFunc(r.subs, func(_ *Subscription, turn bool) bool { return !turn })
	}
}

// abandoned is called when the last scrape has left. It gives the run up, at
// once or after as long as the servers of its scrapes allow a scrape to take.
// Until then other scrapes can join the run, so that clients which do not wait
// can neither restart the collector again and again nor end the run of clients
// which do wait. The caller holds the lock.
func (r *run) abandoned() {
	rest := r.grace - time.Since(r.started)
	switch {
	case r.done || r.started.IsZero():
	case rest <= 0 || r.settled:
		r.giveUp()
	case r.abandons == nil:
		r.abandons = time.AfterFunc(rest, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.subs) == 0 {
				r.giveUp()
			}
		})
	}
}

// endingTime is the time that a collector has to notice that its run was given
// up.
const endingTime = 100 * time.Millisecond

// giveUp cancels the run's context because no scrape waits any more. The caller
// holds the lock.
func (r *run) giveUp() {
	if r.unwanted {
		return
	}
	r.unwanted, r.ends = true, time.Now().Add(endingTime)
	r.change()
	r.cancel()
}
