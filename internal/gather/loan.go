package gather

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"telltale/model"
)

// loan is a family that is too large to be copied. The collector waits in emit
// while scrapes read it. A goroutine of the run walks it for each scrape and
// hands on copies of its points, chunk by chunk, so that neither a source that
// fails can harm the scrape nor a scrape that is slow can hold the collector for
// longer than its time.
type loan struct {
	run    *run
	family *model.Family // the collector's own
	legacy bool
	walks  int // that are under way; guarded by the run's lock
}

// borrower is a scrape to which a loan was made. Its fields are guarded by the
// run's lock.
type borrower struct {
	scrape  *Subscription
	cut     chan struct{} // closed when its time is over
	over    bool
	waiting bool        // for the next chunk
	renewed bool        // every chunk gives it new time
	timer   *time.Timer // nil if its context is limit enough
	unwatch func() bool
}

// ErrTooSlow says that a scrape was cut off because it held up a collector.
var ErrTooSlow = errors.New("the scrape took too long to read a family that was lent to it")

var (
	errReturned   = errors.New("telltale: a family was read after it had been returned to its collector")
	errSourceLate = errors.New("the family's source takes longer than a scrape may")
)

// lendTo makes a loan to a scrape. Its time ends when its context is done and,
// unless it is a program's own with a deadline, when its patience has passed, or
// defaultPatience: as a whole where a server sets it, else between chunks. The caller holds the lock.
func (r *run) lendTo(s *Subscription) {
	if r.lentTo[s] != nil {
		return
	}
	_, bounded := s.ctx.Deadline()
	b := &borrower{scrape: s, cut: make(chan struct{}), renewed: !s.served}
	end := func() {
		r.mu.Lock()
		l := r.lent
		late := r.cutOff(b)
		r.mu.Unlock()
		if late {
			r.fault(ReasonDeadline, l.family.Name, errSourceLate)
		}
	}
	b.unwatch = context.AfterFunc(s.ctx, end)
	if s.served || !bounded {
		b.timer = time.AfterFunc(min(s.patience, defaultPatience), end)
	}
	r.lentTo[s] = b
}

// cutOff takes a loan away from a scrape. It reports whether the family's source
// took the time though the scrape has more. The caller holds the lock.
func (r *run) cutOff(b *borrower) (sourceLate bool) {
	s := b.scrape
	if r.lentTo[s] != b {
		return false
	}
	expired, cancelled := s.ctx.Err() != nil, errors.Is(s.ctx.Err(), context.Canceled)
	b.over = true
	if !b.waiting && !cancelled && (s.borrowed == b || !expired) {
		s.slow = fmt.Errorf("telltale: %w: %q, of collector %s: %w", ErrTooSlow, r.lent.family.Name, r.subject.Name(), os.ErrDeadlineExceeded)
	}
	close(b.cut)
	r.returned(s)
	return b.waiting && !expired
}

// watch has a scrape that has not come to its turn leave a run that lends, when
// its context is done. The caller holds the lock.
func (r *run) watch(s *Subscription) {
	r.watches = append(r.watches, context.AfterFunc(s.ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if turn, shares := r.subs[s]; shares && !turn && r.lent != nil {
			delete(r.subs, s)
			r.change()
		}
	}))
}

// returned notes that a scrape has returned what it was lent. The caller holds
// the lock.
func (r *run) returned(s *Subscription) {
	b := r.lentTo[s]
	if b == nil {
		return
	}
	b.unwatch()
	if b.timer != nil {
		b.timer.Stop()
	}
	delete(r.lentTo, s)
	if len(r.lentTo) == 0 {
		r.lent = nil
	}
	r.change()
}

// borrow returns the lent family as the scrape may read it. The caller holds the
// lock.
func (s *Subscription) borrow() *model.Family {
	l := s.run.lent
	s.borrowed = s.run.lentTo[s]
	// What is not points is copied, because the scrape may look at it late.
	return detached(l.family, &lentPoints{l, s.borrowed})
}

// lentPoints is the points of a family that is lent to a scrape.
type lentPoints struct {
	loan     *loan
	borrower *borrower
}

// LegacyLabels spares encoders a look at every series.
func (p *lentPoints) LegacyLabels() bool { return p.loan.legacy }

// VisitPoints has the family walked. A source that fails ends it early and is
// counted; a scrape that is too slow gets an error.
func (p *lentPoints) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	w := &lentWalk{lentPoints: p, chunks: make(chan pointChunk), stopped: make(chan struct{})}
	if err := w.begin(); err != nil {
		return err
	}
	defer close(w.stopped)
	for {
		c, more, err := w.next()
		if err != nil || !more {
			return err
		}
		if err := c.visit(scratch, visit); err != nil {
			return err
		}
	}
}

// lentWalk is one walk through a lent family.
type lentWalk struct {
	*lentPoints
	chunker chunker
	chunks  chan pointChunk
	stopped chan struct{} // closed when the scrape reads no more
	ended   bool          // by the scrape, and not by the source
}

// begin starts the walk.
func (w *lentWalk) begin() error {
	l, b := w.loan, w.borrower
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	switch {
	case b.over:
		return b.failure()
	case l.run.lentTo[b.scrape] != b:
		return errReturned
	}
	l.walks++
	go w.do()
	return nil
}

// next returns the next chunk as soon as it is there.
func (w *lentWalk) next() (c pointChunk, more bool, err error) {
	b, r := w.borrower, w.loan.run
	r.mu.Lock()
	b.waiting = !b.over
	r.mu.Unlock()
	select {
	case c, more = <-w.chunks:
	case <-b.cut:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b.waiting = false
	switch {
	case more:
		if b.renewed && b.timer != nil && !b.over {
			b.timer.Reset(min(b.scrape.patience, defaultPatience))
		}
	case b.over:
		err = b.failure()
	}
	return c, more, err
}

// failure returns why the scrape cannot go on once its loan is over, nil if it is
// the family's source that took the time. The caller holds the lock.
func (b *borrower) failure() error {
	if err := b.scrape.ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	return b.scrape.slow
}

// do walks the family, on a goroutine of the run.
func (w *lentWalk) do() {
	l := w.loan
	defer l.walked()
	defer close(w.chunks)
	defer l.run.enter()()
	w.chunker.take = w.hand
	guarded(func() error {
		var scratch model.Point
		if err := l.family.Visit(&scratch, w.chunker.add); err != nil {
			return err
		}
		return w.chunker.flush()
	}, func(reason Reason, err error) {
		if !w.ended {
			l.run.fault(reason, l.family.Name, err)
		}
	})
}

// walked notes that a walk has ended.
func (l *loan) walked() {
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	l.walks--
	l.run.change()
}

var errEnded = errors.New("telltale: the scrape stopped reading the family")

// hand gives the scrape a chunk, or ends the walk if the scrape takes no more.
func (w *lentWalk) hand(c pointChunk) error {
	if w.ended {
		return errEnded // the source goes on in spite of it
	}
	select {
	case w.chunks <- c:
		return nil
	case <-w.stopped:
	case <-w.borrower.cut:
	}
	w.ended = true
	return errEnded
}
