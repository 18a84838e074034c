package gather

import (
	"context"
	"time"

	"telltale/internal/patience"
	"telltale/model"
)

// defaultPatience is how long a run may last before it counts as hung, where its
// scrapes have neither a deadline nor a server with a limit of its own. Where the
// limit is longer, it is also how long a run goes on without scrapes and how long a
// scrape may read what it was lent.
const defaultPatience = time.Minute

// Scrape is one collection of a page, as far as its custom collectors are
// concerned. One goroutine uses it.
type Scrape struct {
	ctx      context.Context //nolint:containedctx // of the scrape
	patience time.Duration   // it does not wait for runs that are older
	served   bool            // the patience is a server's limit
	within   *run            // whose code makes the scrape; nil for most
	looked   bool            // within is known
}

// NewScrape returns a scrape that waits for collectors until the deadline of ctx,
// for as long as its server lets it (see package patience), or for a minute.
func NewScrape(ctx context.Context) *Scrape {
	s := &Scrape{ctx: ctx}
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

// Subject names a collector in faults.
type Subject interface{ Name() string }

// Request is what a scrape wants of a collector.
type Request struct {
	Collector model.Collector // of a type that == can compare
	Subject   Subject         // its name in faults
	Wanted    Names           // of a model.Restrictor: what of it is wanted; nil is everything
	Accounts  Accounts        // of its faults
	Room      Room            // for copies of its families
}

// Subscription is a scrape's share in a collector's run. One goroutine uses it.
type Subscription struct {
	*Scrape
	Request

	run      *run
	joined   bool      // run was under way already
	hung     time.Time // when the run that was under way counts as hung
	position int       // in the run's items
	borrowed *borrower // of what the scrape reads now, if that is lent
	slow     error     // it was cut off

	unheard   Accounts // that have heard neither of missed nor of uncounted
	missed    []Fault
	uncounted Tally
}

// Subscribe returns the scrape's share in the collector's runs. None is started
// before [Subscription.Start] or [Subscription.Next].
func (s *Scrape) Subscribe(r Request) *Subscription {
	return &Subscription{Scrape: s, Request: r}
}

// Start starts a run of the collector, joins the present one, or waits for the
// next. A scrape starts all its subscriptions before it reads the first, so that
// the collectors run side by side. Where there is nothing to join, Next tries
// again.
func (s *Subscription) Start() { _ = s.subscribe() }

func (s *Subscription) subscribe() error {
	if !s.looked {
		s.looked, s.within = true, runs.within(s.ctx)
	}
	return runs.subscribe(s)
}

// Next returns the run's next family, which is valid until the next call; nil
// after the last, with an error if the scrape has to go on without the rest:
// [ErrRunning], [ErrRecursion] or that of the scrape's context. [ErrTooSlow] ends
// the scrape: it held up the collector.
func (s *Subscription) Next() (*model.Family, error) {
	s.giveBack()
	if s.run == nil || !s.takeTurn() { // what was hung when the scrape began may have ended
		s.run = nil
		if err := s.subscribe(); err != nil {
			return nil, err
		}
		return s.Next()
	}
	return s.await()
}

// takeTurn tells the run that the scrape has come to emit its families. It
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

// await returns the run's next family as soon as it is there.
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
		case s.ctx.Err() != nil:
			return nil, s.ctx.Err()
		}
		wait, limited := s.limit()
		if limited && wait <= 0 {
			return nil, ErrRunning
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
func (s *Subscription) limit() (time.Duration, bool) {
	_, bounded := s.ctx.Deadline()
	return time.Until(s.hung), s.run.started.IsZero() || s.joined && !bounded
}

// giveBack ends the use of a lent family.
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

// Faults returns what went wrong in the run so far and was told of.
func (s *Subscription) Faults() []Fault {
	if s.run == nil {
		return nil
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	return s.run.found[:len(s.run.found):len(s.run.found)]
}
