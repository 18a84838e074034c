package gather

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"telltale/model"
)

// ErrRunning is the error of a scrape whose collector has been hung since an
// earlier scrape.
var ErrRunning = errors.New("its run for an earlier scrape has lasted longer than a scrape may; it was not started again")

// ErrRecursion is the error of a scrape that a collector's own code makes and
// for which that collector's run would wait.
var ErrRecursion = errors.New("it collects a registry or a view that it is part of")

// newRun makes a run for its first subscription, which calls ended once the
// collector's code has returned. The caller holds the table's lock.
func newRun(s *Subscription, q *queue, ended func(*run)) *run {
	r := &run{
		of: q, ended: ended, subject: s.Subject, wanted: s.Wanted, room: s.Room,
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
	if deadline, ok := s.ctx.Deadline(); !ok {
		r.deadline = time.Time{}
	} else if !r.deadline.IsZero() && deadline.After(r.deadline) {
		r.deadline = deadline
	}
	r.patience = max(r.patience, s.patience)
	if s.served {
		r.grace = max(r.grace, min(s.patience, defaultPatience))
	}
	r.coalesce = max(r.coalesce, s.Coalesce)
	r.show(s)
}

// show makes a scrape read the run. The caller holds the lock, or no other
// goroutine has r yet.
func (r *run) show(s *Subscription) {
	s.run = r
	r.subs[s] = false
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

// finish ends the run, whereupon the next one that waits for its end starts.
func (r *run) finish() {
	r.ended(r)
	r.cancel()
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
