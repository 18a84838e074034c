package outbox

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// longestRetryAfter is the longest wait that a receiver may ask for.
const longestRetryAfter = 5 * time.Minute

// shard sends the requests of one queue, one after the other.
type shard struct {
	queue    *queue
	send     func(context.Context, *Request) Outcome
	first    time.Duration // the wait before the first new attempt, on average
	most     time.Duration
	flushing <-chan struct{} // closed when all is to be sent soon
	told     func(*Request, Outcome)
}

// endless is a wait that nobody sees the end of: sums of two do not overflow.
const endless = math.MaxInt64 / 4

// run sends until the queue is closed and empty, or ctx is done. No request is sent
// before the one before it is acknowledged, given up or dropped.
func (s *shard) run(ctx context.Context) {
	first, most := min(s.first, endless), min(s.most, endless)
	wait := first
	for {
		r := s.queue.begin(ctx)
		if r == nil {
			return
		}
		o := s.send(ctx, r)
		if o.Verdict != Postponed {
			s.queue.remove()
			s.told(r, o)
			wait = first
			continue
		}
		s.queue.release()
		if ctx.Err() != nil {
			return
		}
		s.told(r, o)
		pause := wait/2 + rand.N(wait) // so that many senders do not come back at once
		s.pause(ctx, max(pause, min(o.After, longestRetryAfter)))
		wait = min(2*wait, most)
	}
}

// pause waits, and not beyond the time when all is to be sent soon; from then on for a
// second at most.
func (s *shard) pause(ctx context.Context, d time.Duration) {
	flushing := s.flushing
	select {
	case <-flushing:
		flushing, d = nil, min(d, time.Second)
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-flushing:
	}
}
