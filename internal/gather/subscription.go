package gather

import (
	"context"
	"slices"
	"time"

	"telltale/internal/patience"
	"telltale/model"
)

// NewScrape returns a scrape that waits for collectors until the deadline of
// ctx, for as long as its server allows (see package patience), or for a minute.
func NewScrape(ctx context.Context) *Scrape {
	s := &Scrape{ctx: ctx, fresh: freshDemanded(ctx)}
	if s.patience, s.served = patience.Of(ctx); s.served && s.patience > 0 {
		return s
	}
	s.served = false
	s.patience = defaultPatience
	if deadline, ok := ctx.Deadline(); ok {
		s.patience = time.Until(deadline)
	}
	return s
}

// Nested reports whether a collector's code makes the scrape. It is known once a
// subscription has started.
func (s *Scrape) Nested() bool { return s.within != nil }

// Subscribe returns the scrape's subscription to the collector's runs. No run is
// started before [Subscription.Start] or [Subscription.Next].
func (s *Scrape) Subscribe(r Request) *Subscription {
	return &Subscription{Scrape: s, Request: r}
}

// Start starts a run of the collector, joins the present one, or waits for the
// next. A scrape starts all its subscriptions before it reads the first, so that
// the collectors run concurrently. If there is no run to join, Next tries again.
func (s *Subscription) Start() { _ = s.subscribe() }

func (s *Subscription) subscribe() error {
	if !s.looked {
		s.looked, s.within = true, runs.within(s.ctx)
	}
	return runs.subscribe(s)
}

// Next returns the run's next family, which is valid until the next call. It
// returns nil after the last, with an error if the scrape has to go on without
// the rest: [ErrRunning], [ErrRecursion] or the error of the scrape's context.
// [ErrTooSlow] ends the scrape, because it held up the collector.
func (s *Subscription) Next() (*model.Family, error) {
	s.giveBack()
	if s.run == nil || !s.takeTurn() { // a run that hung when the scrape began may have ended
		s.run = nil
		if err := s.subscribe(); err != nil {
			return nil, err
		}
		return s.Next()
	}
	return s.await()
}

// Wait waits until the run has ended, or lends a family, for which it cannot go on
// before the scrape reads it. It returns an error if the scrape has to go on without
// the rest of the run, as Next would.
func (s *Subscription) Wait() error {
	for {
		if s.run == nil || !s.shares() {
			s.run = nil
			if err := s.subscribe(); err != nil {
				return err
			}
		}
		if ended, err := s.awaitEnd(); ended || err != nil {
			return err
		}
	}
}

// Emitted returns the copies of families that the run has emitted so far, those that
// Next has returned among them. They do not change.
func (s *Subscription) Emitted() []*model.Family {
	if s.run == nil {
		return nil
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	return slices.Clone(s.run.items)
}

func (s *Subscription) shares() bool {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	_, shares := s.run.subs[s]
	return shares
}

// awaitEnd is Wait for the present run. It returns false without an error if the run
// went on without the scrape.
func (s *Subscription) awaitEnd() (ended bool, err error) {
	r := s.run
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		_, shares := r.subs[s]
		switch {
		case r.done || r.lent != nil && shares:
			return true, nil
		case !shares:
			return false, nil
		}
		if err := s.pause(); err != nil {
			return false, err
		}
	}
}

// pause waits for a change of the run. It returns an error if the scrape should wait
// no longer. The caller holds the run's lock.
func (s *Subscription) pause() error {
	r := s.run
	if err := s.ctx.Err(); err != nil {
		return err
	}
	wait, limited := s.limit()
	if limited && wait <= 0 {
		return ErrRunning
	}
	changed := r.changed
	r.mu.Unlock()
	waitFor(s.ctx, changed, wait)
	r.mu.Lock()
	return nil
}

// takeTurn records that the scrape has come to emit the run's families. It
// returns false if the run went on without the scrape.
func (s *Subscription) takeTurn() bool {
	r := s.run
	r.mu.Lock()
	defer r.mu.Unlock()
	turn, shares := r.subs[s]
	if shares && !turn {
		r.subs[s] = true
		if r.lent != nil {
			r.settle()
			r.change()
		}
	}
	return shares
}

// await waits for the run's next family and returns it.
func (s *Subscription) await() (*model.Family, error) {
	r := s.run
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case s.position < len(r.items):
			s.position++
			return r.items[s.position-1], nil
		case s.slow != nil:
			return nil, s.slow
		case r.lent != nil && r.lentTo[s] != nil && s.ctx.Err() == nil:
			return s.borrow(), nil
		case r.done:
			return nil, nil
		}
		if err := s.pause(); err != nil {
			return nil, err
		}
	}
}

// waitFor waits until changed is closed, ctx is done or the limit, unless it is
// zero, has passed.
func waitFor(ctx context.Context, changed <-chan struct{}, limit time.Duration) {
	var passed <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-changed:
	case <-ctx.Done():
	case <-passed:
	}
}

// limit returns the time until the run for which the scrape waits counts as
// hung, if the scrape then goes on without it. A run that the scrape has started
// or joined may take until the scrape's deadline. Without a deadline a joined
// run may not, because it may wait for the scrape in a way that cannot be
// detected. The caller holds the run's lock.
func (s *Subscription) limit() (time.Duration, bool) {
	_, bounded := s.ctx.Deadline()
	return time.Until(s.hung), s.run.started.IsZero() || s.joined && !bounded
}

// giveBack returns a lent family.
func (s *Subscription) giveBack() {
	if s.borrowed == nil {
		return
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	s.run.returned(s)
	s.borrowed = nil
}

// Leave ends the subscription. It may be called again.
func (s *Subscription) Leave() {
	if s.run != nil {
		runs.left(s.run, s)
	}
}

// Faults returns the faults of the run so far that were reported.
func (s *Subscription) Faults() []Fault {
	if s.run == nil {
		return nil
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	return s.run.found[:len(s.run.found):len(s.run.found)]
}

// Outcome says how the run went so far. Whole is for the scrape to judge.
func (s *Subscription) Outcome() Outcome {
	if s.run == nil {
		return Outcome{}
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	if s.run.started.IsZero() {
		return Outcome{} // it waits for a run that hangs
	}
	o := Outcome{Read: true, Took: s.run.took, Families: s.run.emitted}
	if !s.run.done {
		o.Took = time.Since(s.run.started)
	}
	return o
}
