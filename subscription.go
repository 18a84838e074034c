package telltale

import (
	"context"
	"time"

	"telltale/model"
)

// defaultPatience is how long a run may last before it is hung, where its scrapes
// have neither a deadline nor a server with a limit of its own. Where the limit
// is longer, it is also how long a run goes on without scrapes and how long a
// scrape may read what it was lent.
const defaultPatience = time.Minute

// subscription is one scrape's share in a collector's run.
type subscription struct {
	ctx       context.Context //nolint:containedctx // of the scrape
	collector Collector
	subject   subject
	wanted    names // a Restrictor's share; nil means all
	accounts  accounts
	room      room
	within    *run          // whose code makes the scrape; nil for most
	patience  time.Duration // of the scrape: it does not wait for older runs
	served    bool          // the patience is a server's limit

	run      *run
	joined   bool      // run was under way already
	hung     time.Time // when the run that was under way counts as hung
	position int       // in the run's items
	borrowed *borrower // of what the scrape reads now, if that is lent
	slow     error     // it was cut off

	unheard   accounts // that have heard neither of missed nor of uncounted
	missed    []*Fault
	uncounted tally
}

// next returns the run's next family, which is valid until the call after; nil
// after the last, with an error if the scrape has to go on without the rest.
func (s *subscription) next() (*model.Family, error) {
	s.giveBack()
	if s.run == nil || !s.takeTurn() { // what was hung when the scrape began may have ended
		s.run = nil
		if err := runs.subscribe(s); err != nil {
			return nil, err
		}
		return s.next()
	}
	return s.await()
}

// takeTurn tells the run that the scrape has come to emit its families. It
// returns false if the run went on without the scrape.
func (s *subscription) takeTurn() bool {
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

// await returns the run's next family as soon as it is there.
func (s *subscription) await() (*model.Family, error) {
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
		case s.ctx.Err() != nil:
			return nil, s.ctx.Err()
		}
		wait, limited := s.limit()
		if limited && wait <= 0 {
			return nil, errRunning
		}
		changed := r.changed
		r.mu.Unlock()
		waitFor(s.ctx, changed, wait)
		r.mu.Lock()
	}
}

// waitFor waits until something has changed, ctx is done or, unless it is zero,
// the time has passed.
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

// limit returns how long it takes until the run that the scrape waits for counts
// as hung, if the scrape goes on without it then. A run that the scrape has started
// or joined may take until the scrape's deadline. Without a deadline one that it
// has joined may not, because it may wait for the scrape in a way that cannot be
// seen. The caller holds the run's lock.
func (s *subscription) limit() (time.Duration, bool) {
	_, bounded := s.ctx.Deadline()
	return time.Until(s.hung), s.run.started.IsZero() || s.joined && !bounded
}

// giveBack ends the use of a lent family.
func (s *subscription) giveBack() {
	if s.borrowed == nil {
		return
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	s.run.returned(s)
	s.borrowed = nil
}

// leave ends the subscription.
func (s *subscription) leave() {
	if s.run != nil {
		runs.left(s.run, s)
	}
}

// faults returns what went wrong in the run so far.
func (s *subscription) faults() []*Fault {
	if s.run == nil {
		return nil
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	return s.run.found[:len(s.run.found):len(s.run.found)]
}
