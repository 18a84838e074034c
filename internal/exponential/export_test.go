package exponential

var (
	IndexOf    = indexOf
	UpperBound = upperBound
)

// Bucket returns the count of the bucket of an index.
func (s *Snapshot) Bucket(index int, negative bool) uint64 {
	for _, b := range s.buckets {
		if b.key == keyOf(index, negative) {
			return b.n
		}
	}
	return 0
}

// Buckets returns how many buckets there are beside the zero bucket.
func (s *Snapshot) Buckets() int { return len(s.buckets) }

// Lanes returns how many lanes are in use.
func (h *Histogram) Lanes() int { return int(h.current.Load().lanes) }

// Freeze stops counting as the making of another generation does at first.
func (h *Histogram) Freeze() {
	var s Snapshot
	h.stop(h.current.Load(), &s)
}

// Take empties the histogram and makes s the last of it.
func (h *Histogram) Take(s *Snapshot) {
	for g := h.current.Load(); ; g = h.current.Load() {
		if s.Reset(); g == nil || h.reset(g, g.since, s) {
			return
		}
	}
}

// LeastLanes returns how many lanes are in use in the age of a window that counts and
// has fewest.
func (w *Window) LeastLanes() int {
	least := mostLanes
	for i := range w.ages {
		if g := w.ages[i].current.Load(); g != nil {
			least = min(least, int(g.lanes))
		}
	}
	return least
}
