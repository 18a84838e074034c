package telltale

// How many series there may be.

import (
	"sync/atomic"
)

// DefaultSeriesLimit is how many series the family of an instrument with labels may
// have without [WithSeriesLimit] and [WithFamilySeriesLimit].
const DefaultSeriesLimit = 10_000

// quota is how many series the instruments of a registry may have together.
type quota struct {
	limit int64 // 0: any number
	used  atomic.Int64
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
