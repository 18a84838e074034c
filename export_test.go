package telltale

import "telltale/internal/cell"

// What only a fight brings about, and then only sometimes, tests bring about
// themselves.

// SpreadCounter gives the counter's fractions lanes.
func SpreadCounter(c *Counter) { c.grow().lanes.CompareAndSwap(nil, cell.NewLanes(1)) }

// SpreadGauge gives the gauge lanes.
func SpreadGauge(g *Gauge) { g.grow().level.Spread(&g.cell) }

// SpreadHistogram gives the histogram lanes.
func SpreadHistogram(h *Histogram) {
	h.lanes.CompareAndSwap(nil, cell.NewLanes(1+h.family.bounds.Len()))
}

// SpreadSummary gives the summary lanes.
func SpreadSummary(m *Summary) { m.lanes.CompareAndSwap(nil, cell.NewLanes(2)) }

// Held returns how many bytes of a custom collector's families are kept for
// scrapes, and whether anything of its runs is left at all.
func Held(c Collector) (bytes int64, left bool) {
	runs.mu.Lock()
	defer runs.mu.Unlock()
	of, left := runs.slots[innermost(c)]
	if !left {
		return 0, false
	}
	return of.held.Load(), true
}

// Collecting returns how many custom collectors run or have families that scrapes
// still read.
func Collecting() int {
	runs.mu.Lock()
	defer runs.mu.Unlock()
	return len(runs.slots)
}

// Kept returns how many bytes of families are kept of a registry's collectors.
func Kept(r *Registry) int64 { return r.kept.Load() }
