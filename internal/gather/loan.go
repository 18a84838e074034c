package gather

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"telltale/model"
)

// ErrTooSlow is the error of a scrape that was cut off because it held up a
// collector.
var ErrTooSlow = errors.New("the scrape took too long to read a family that was lent to it")

var (
	errReturned   = errors.New("telltale: a family was read after it had been returned to its collector")
	errSourceLate = errors.New("the family's source takes longer than a scrape may")
)

// lendTo lends the family to a scrape. The loan ends when the scrape's context
// is done and, unless the context is a program's own with a deadline, when the
// scrape's patience or defaultPatience has passed: for the whole loan if a
// server sets the limit, else between chunks. The caller holds the lock.
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

// cutOff ends the loan to a scrape. It reports whether the family's source took
// the time although the scrape has more. The caller holds the lock.
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

// watch makes a scrape whose turn has not come leave a lending run when the
// scrape's context is done. The caller holds the lock.
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

// returned records that a scrape has returned the family. The caller holds the
// lock.
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

// borrow returns the lent family in a form that the scrape may read. The caller
// holds the lock.
func (s *Subscription) borrow() *model.Family {
	l := s.run.lent
	s.borrowed = s.run.lentTo[s]
	// Everything but points is copied, because the scrape may read it after the
	// loan.
	return detached(l.family, &lentPoints{l, s.borrowed})
}

// lentPoints are the points of a family that is lent to a scrape.
type lentPoints struct {
	loan     *loan
	borrower *borrower
}

// LegacyLabels reports whether all label names are legacy names, so that
// encoders need not check every series.
func (p *lentPoints) LegacyLabels() bool { return p.loan.legacy }

// VisitPoints starts a walk of the family and visits its points. A failing
// source ends the walk early and is counted; a scrape that is too slow gets an
// error.
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
	stopped chan struct{} // closed when the scrape stops reading
	ended   bool          // ended by the scrape, not by the source
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

// failure returns why the scrape cannot go on after its loan ended, or nil if
// the family's source took the time. The caller holds the lock.
func (b *borrower) failure() error {
	if err := b.scrape.ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	return b.scrape.slow
}

// do walks the family, in a goroutine of the run.
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

// walked records that a walk has ended.
func (l *loan) walked() {
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	l.walks--
	l.run.change()
}

var errEnded = errors.New("telltale: the scrape stopped reading the family")

// hand passes a chunk to the scrape, or ends the walk if the scrape has stopped
// reading.
func (w *lentWalk) hand(c pointChunk) error {
	if w.ended {
		return errEnded // the source ignores the error and goes on
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
