package telltale

import (
	"context"
	"slices"

	"telltale/model"
)

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
