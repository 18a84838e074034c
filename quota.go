package telltale

// How many series the instruments of a registry may have together.

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultSeriesLimit is how many series the family of an instrument with labels may
// have without [WithSeriesLimit] and [WithFamilySeriesLimit].
const DefaultSeriesLimit = 10_000

// quota is how many series the instruments of a registry may have together.
type quota struct {
	limit int64 // 0: any number
	used  atomic.Int64

	mu       sync.Mutex
	expiring map[sweeper]struct{} // what has series that may leave
	swept    time.Time            // when they were last looked at for want of room
}

// sweeper is a table whose series leave when they are idle.
type sweeper interface{ sweep() }

// sweepsApart is the least time between two looks at all instruments for want of room.
const sweepsApart = time.Second

// reclaim has idle series of all instruments leave, if that is due, and reports whether
// there is room then. The caller holds no table's lock.
func (q *quota) reclaim() bool {
	for _, t := range q.due(time.Now()) {
		t.sweep()
	}
	return q.used.Load() < q.limit
}

// due returns what reclaim has to look at, nil if it did so a moment ago.
func (q *quota) due(now time.Time) []sweeper {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.expiring) == 0 || now.Sub(q.swept) < sweepsApart {
		return nil
	}
	q.swept = now
	return slices.Collect(maps.Keys(q.expiring))
}

// enlist notes that a table's series may leave, until dismiss.
func (q *quota) enlist(t sweeper) {
	if q == nil || q.limit <= 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.expiring == nil {
		q.expiring = make(map[sweeper]struct{})
	}
	q.expiring[t] = struct{}{}
}

func (q *quota) dismiss(t sweeper) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.expiring, t)
}

// take counts a new series, unless there is no room for it.
func (q *quota) take() bool {
	if q == nil || q.limit <= 0 {
		return true
	}
	for {
		n := q.used.Load()
		if n >= q.limit {
			return false
		}
		if q.used.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// add counts n series that came without asking, or -n that went.
func (q *quota) add(n int) {
	if q != nil && q.limit > 0 {
		q.used.Add(int64(n))
	}
}
