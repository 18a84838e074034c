package outbox

import (
	"context"
	"errors"
	"time"
)

// Collection is how a protocol collects.
type Collection struct {
	// Encode collects what there is at a time and makes requests of it.
	Encode func(context.Context, time.Time) error
	// End ends what Encode has begun, which was cut off if the sender ends. It returns
	// what could not be sent.
	End func(cut bool) error
	// Fresh returns a context for a collection that has all that was counted before.
	Fresh func(context.Context) context.Context
}

// leastCollection is what a collection may take, or the interval if that is longer.
const leastCollection = 10 * time.Second

// collectUntil collects until ctx is done.
func (o *Outbox) collectUntil(ctx context.Context) {
	due := time.NewTicker(o.Interval)
	defer due.Stop()
	for ctx.Err() == nil {
		o.collect(ctx, max(o.Interval, leastCollection))
		select {
		case <-ctx.Done():
		case <-due.C:
		}
	}
}

// collect collects within a limit, and tells of errors, but for those of a collection that
// was cut off: the last one will tell.
func (o *Outbox) collect(ctx context.Context, limit time.Duration) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if cut, err := o.encode(ctx, limited); err != nil && !cut {
		o.Tell(err)
	}
}

// encode collects, and reports whether that was cut off because ctx is done.
func (o *Outbox) encode(ctx, limited context.Context) (cut bool, err error) {
	now, err := o.Clock.Now()
	if err != nil {
		return false, err
	}
	err = o.Collection.Encode(limited, now)
	cut = err != nil && ctx.Err() != nil
	return cut, errors.Join(err, o.Collection.End(cut))
}

// Push collects once and sends the requests that this makes, one after the
// other, and none after one that may be sent later. It returns the error of that one
// first, joined with those of what was refused and of the collection.
func (o *Outbox) Push(ctx context.Context, requests *[]*Request) error {
	_, err := o.encode(ctx, ctx)
	defer func() { *requests = nil }()
	return errors.Join(o.sendAll(ctx, *requests), err)
}
