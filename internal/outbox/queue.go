package outbox

import (
	"context"
	"slices"
	"sync"
)

// Request is an encoded request.
type Request struct {
	Body  []byte
	Count int   // samples in it
	Time  int64 // of their collection, in milliseconds
}

// queue holds the requests of one shard in order, within a limit of bytes. The oldest
// is sent again and again until it is acknowledged or given up.
type queue struct {
	limit int
	wake  chan struct{} // has an element if a request or the end may have come

	mu     sync.Mutex
	all    []*Request
	bytes  int
	busy   bool // the first is being sent
	closed bool
}

func newQueue(limit int) *queue { return &queue{limit: limit, wake: make(chan struct{}, 1)} }

// add adds a request, and returns those that were dropped for it: the oldest but for
// the one that is being sent.
func (q *queue) add(r *Request) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := 0
	if q.busy {
		first = 1
	}
	left := first
	for ; left < len(q.all) && q.bytes+len(r.Body) > q.limit; left++ {
		q.bytes -= len(q.all[left].Body)
		dropped += q.all[left].Count
	}
	if left > first {
		q.all = slices.Delete(q.all, first, left)
	}
	q.all = append(q.all, r)
	q.bytes += len(r.Body)
	q.signal()
	return dropped
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// open says that requests will be added, after the queue was closed.
func (q *queue) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = false
}

// clear drops all requests.
func (q *queue) clear() (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.all {
		dropped += r.Count
	}
	q.all, q.bytes, q.busy = nil, 0, false
	return dropped
}

// close says that no more requests will be added.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// begin waits for the oldest request, which is then being sent. It returns nil when
// the queue is closed and empty, or ctx is done.
func (q *queue) begin(ctx context.Context) *Request {
	for ctx.Err() == nil {
		q.mu.Lock()
		if len(q.all) > 0 {
			q.busy = true
			defer q.mu.Unlock()
			return q.all[0]
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
		}
	}
	return nil
}

// remove takes the request that was being sent out of the queue.
func (q *queue) remove() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	q.bytes -= len(q.all[0].Body)
	q.all[0] = nil
	q.all = q.all[1:]
	if len(q.all) == 0 {
		q.all = nil
	}
}

// release ends an attempt to send the oldest request, which stays.
func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
}

// state returns how much is in the queue, and the time of the oldest request, 0 if
// there is none.
func (q *queue) state() (in int, bytes int, oldest int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.all {
		in += r.Count
	}
	if len(q.all) > 0 {
		oldest = q.all[0].Time
	}
	return in, q.bytes, oldest
}
