// Package outbox collects again and again and sends what comes of it to a server, over
// one connection or several, in order. What the server does not take at once waits in
// bounded queues and is sent again. It knows neither protocols nor formats.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Outbox is what one sender has to send. Its exported fields are set before [Outbox.Open];
// then all methods are safe for concurrent use.
type Outbox struct {
	Words  *Words
	Target string // the server's address, without secrets
	Send   func(context.Context, *Request) Outcome
	Hook   func(error) // told of failures; nil: log/slog

	Interval     time.Duration // between collections
	FlushTimeout time.Duration // what Run may take at its end
	FirstRetry   time.Duration // the wait before a request is sent again, doubled each time
	LongestRetry time.Duration
	Shards       int
	QueueBytes   int // of all shards
	Clock        Clock
	Collection   Collection
	Tally        Tally

	running atomic.Bool
	queues  []*queue
}

// Words are how a protocol is named.
type Words struct {
	Package  string // before errors: "push/remotewrite"
	Protocol string // in the log: "remote write"
	Samples  string // what requests consist of, in errors and metrics: "samples"
	Prefix   string // of the names of metrics: "telltale_remote_write_"
	Reasons  []string
}

// Outcome is how an attempt to send a request ended.
type Outcome struct {
	Verdict Verdict
	Written int           // samples that the server took, if the request is not to be sent again
	After   time.Duration // that the server asked to wait
	Err     error         // nil if all was delivered
}

// Verdict says whether a request is done.
type Verdict int

// The verdicts.
const (
	Delivered Verdict = iota
	Refused           // and never to be sent again
	Postponed
)

// Positive returns an error if the value of an option is not positive.
func Positive[N int | time.Duration](what string, n N) error {
	if n <= 0 {
		return fmt.Errorf("the %s %v is not positive", what, n)
	}
	return nil
}

// SetRetry sets the waits before a request is sent again. It is an error if the first is
// not positive or the longest is less.
func (o *Outbox) SetRetry(first, longest time.Duration) error {
	if first <= 0 || longest < first {
		return fmt.Errorf("the waits %v and %v are not positive, or the second is less", first, longest)
	}
	o.FirstRetry, o.LongestRetry = first, longest
	return nil
}

// SetHook sets the function that is called for each failure. It returns an error if
// that is nil.
func (o *Outbox) SetHook(hook func(error)) error {
	if hook == nil {
		return errors.New("the error hook is nil")
	}
	o.Hook = hook
	return nil
}

// Open makes the queues.
func (o *Outbox) Open() {
	for range o.Shards {
		o.queues = append(o.queues, newQueue(o.QueueBytes/o.Shards))
	}
}

// Run collects at once and then each time that the interval has passed, and sends what
// that puts into the queues, until ctx is done. Then it collects a last time, for half of
// FlushTimeout at most, calls last, and sends what is in the queues. It returns an error
// if Run is running already, or if something is left when FlushTimeout has passed.
func (o *Outbox) Run(ctx context.Context, last func()) error {
	if o.running.Swap(true) {
		return fmt.Errorf("%s: the sender runs already", o.Words.Package)
	}
	defer o.running.Store(false)
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	flushing := make(chan struct{})
	var shards sync.WaitGroup
	for _, q := range o.queues {
		q.open()
		sh := &shard{queue: q, send: o.Send, first: o.FirstRetry, most: o.LongestRetry, flushing: flushing, told: o.told}
		shards.Go(func() { sh.run(sending) })
	}
	o.collectUntil(ctx)

	end := time.AfterFunc(o.FlushTimeout, stop)
	defer end.Stop()
	close(flushing)
	o.collect(o.Collection.Fresh(sending), o.FlushTimeout/2) // all that was counted up to now
	last()
	for _, q := range o.queues {
		q.close()
	}
	shards.Wait()
	left := 0
	for _, q := range o.queues {
		left += q.clear()
	}
	if left == 0 {
		return nil
	}
	o.Tally.Dropped(left)
	return fmt.Errorf("%s: %d %s could not be sent to %s in %v", o.Words.Package, left, o.Words.Samples, o.Target, o.FlushTimeout)
}

// Put puts a request into the queue of a shard.
func (o *Outbox) Put(shard int, r *Request) {
	if dropped := o.queues[shard].add(r); dropped > 0 {
		o.Tally.Dropped(dropped)
		o.Tell(fmt.Errorf("%s: the queue for %s is full: dropped the oldest %d %s", o.Words.Package, o.Target, dropped, o.Words.Samples))
	}
}

// sendAll sends requests one after the other, and none after one that may be sent later.
// It returns the error of that one first, joined with those of what was refused.
func (o *Outbox) sendAll(ctx context.Context, requests []*Request) error {
	var errs []error
	for i, r := range requests {
		out := o.Send(ctx, r)
		o.Tally.Attempted(r, out)
		if out.Verdict != Postponed {
			errs = append(errs, out.Err)
			continue
		}
		left := 0
		for _, r := range requests[i:] {
			left += r.Count
		}
		o.Tally.Dropped(left)
		return errors.Join(append([]error{out.Err}, errs...)...)
	}
	return errors.Join(errs...)
}

// told notes how an attempt to send a request ended.
func (o *Outbox) told(r *Request, out Outcome) {
	o.Tally.Attempted(r, out)
	if out.Err != nil {
		o.Tell(out.Err)
		return
	}
	if o.Hook == nil && o.Tally.quiet.Swap(false) {
		slog.Info(o.Words.Protocol+" succeeds again", "target", o.Target)
	}
}

// Tell tells the hook of a failure, or logs the first of several in a row.
func (o *Outbox) Tell(err error) {
	switch {
	case o.Hook != nil:
		o.Hook(err)
	case !o.Tally.quiet.Swap(true):
		slog.Warn(o.Words.Protocol+" failed", "target", o.Target, "error", err)
	}
}
