package outbox

import (
	"sync"
	"sync/atomic"
	"time"
)

// Tally counts what became of samples and requests. All methods are safe for concurrent
// use.
type Tally struct {
	quiet atomic.Bool // the last failure was logged, and nothing succeeded since

	mu       sync.Mutex
	results  [sampleResults]uint64
	requests [3]uint64 // by verdict
	left     []uint64  // by reason
	last     time.Time // of the last success
}

type sampleResult int

const (
	sampleDelivered sampleResult = iota
	sampleRefused
	sampleDropped
	sampleResults
)

// Attempted counts an attempt to send a request.
func (t *Tally) Attempted(r *Request, o Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[o.Verdict]++
	if o.Verdict == Postponed {
		return
	}
	written := min(max(0, o.Written), r.Count)
	t.results[sampleDelivered] += uint64(written)
	t.results[sampleRefused] += uint64(r.Count - written)
	if o.Verdict == Delivered {
		t.last = time.Now()
	}
}

// Dropped counts samples that are never sent.
func (t *Tally) Dropped(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results[sampleDropped] += uint64(n)
}

// Skipped counts samples that cannot be sent, by reason, as Words has them.
func (t *Tally) Skipped(n []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == nil {
		t.left = make([]uint64, len(n))
	}
	for i := range n {
		t.left[i] += n[i]
	}
}
