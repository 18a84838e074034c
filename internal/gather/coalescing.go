package gather

import "time"

// Runs that have ended and are kept, so that scrapes read them which begin a little
// later than those that overlapped.

// share makes a scrape read a kept run. It reports false if there is none, if it began
// too long ago for the scrape or leaves out what the scrape wants, or if a run of the
// scrape's own might do better. The caller holds the table's lock.
func (r *run) share(s *Subscription) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.started) >= s.Coalesce || !r.wanted.cover(s.Wanted) || len(r.counted) > 0 && r.hurried(s) {
		return false
	}
	r.show(s)
	return true
}

// hurried reports whether the collector had less than half the time that a scrape has,
// so that it may have failed for lack of it: else a client with a short deadline could
// spoil the pages of others. The caller holds the lock.
func (r *run) hurried(s *Subscription) bool {
	if r.deadline.IsZero() {
		return false
	}
	deadline, bounded := s.ctx.Deadline()
	return !bounded || time.Until(deadline) > 2*r.deadline.Sub(r.started)
}
