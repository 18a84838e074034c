package remotewrite

import (
	"context"
	"sync"

	"telltale"
	"telltale/internal/outbox"
)

// Target is a receiver to which each [Target.Push] sends the present state once. It is a
// [push.Target]: for a job at its end, and for [push.Every] beside other targets. A
// program that runs on loses less by a [Sender], which keeps what could not be sent.
// All methods are safe for concurrent use.
type Target struct {
	mu       sync.Mutex        // one push at a time: of two, one is older
	sender   *Sender           // which never runs
	requests []*outbox.Request // of the push
}

// NewTarget returns the receiver at a URL, as [NewSender] takes it.
func NewTarget(url string, opts ...TargetOption) (*Target, error) {
	s := newSender(nil)
	s.out.Shards = 1
	all := make([]Option, len(opts))
	for i, o := range opts {
		all[i] = o
	}
	if err := s.set(url, all); err != nil {
		return nil, err
	}
	t := &Target{sender: s}
	s.encoder.emit = func(_ int, r *outbox.Request) { t.requests = append(t.requests, r) }
	return t, nil
}

func (t *Target) observed() *outbox.Outbox {
	if t == nil {
		return nil
	}
	return t.sender.observed()
}

// Push collects c and sends what it emits, with the time of the collection. Series that
// the push before had and this one has not are ended by stale markers, so that all
// pushes are to be of the same collector. It returns the receiver's first refusal that
// may be over later, without sending the rest, or all others, joined.
func (t *Target) Push(ctx context.Context, c telltale.Collector) error {
	merged, err := telltale.Merge(c)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sender.of = merged
	if err = t.sender.out.Push(ctx, &t.requests); err != nil {
		t.sender.encoder.ledger.resend()
	}
	return err
}
