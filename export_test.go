package telltale

import "telltale/internal/cell"

// What only a fight brings about, and then only sometimes, tests bring about
// themselves.

// SpreadCounter spreads the counter, as it does once a collection has it look for
// other writers and it meets some.
func SpreadCounter(c *Counter) {
	c.beLooked()
	for range looks {
		MeetOther(c)
		c.Add(0)
	}
}

// MeetOther makes the counter, which looks for others, meet one.
func MeetOther(c *Counter) { c.extra.Load().met.Add(1) }

// LooksForOthers reports whether calls look for other writers.
func LooksForOthers(c *Counter) bool { return c.whole() == nil && !IsSpread(c) }

// IsSpread reports whether Inc goes to lanes.
func IsSpread(c *Counter) bool {
	e := c.extra.Load()
	return e != nil && c.whole() == nil && e.current.Load() != nil
}

// IncLate is an Inc that found its word before the counter moved into a row.
func IncLate(c *Counter) { c.cell.Add(1) }

// AddLate is likewise two Adds of a half, to lanes.
func AddLate(c *Counter) { c.extra.Load().lanes.Load().AddFloat(1, 1) }

// SpreadGauge gives the gauge lanes.
func SpreadGauge(g *Gauge) {
	g.grow()
	g.spread(g.settled())
}

// DamageGauge lets the gauge's word say that the value is where nothing is.
func DamageGauge(g *Gauge) { (*cell.Word)(g.word).Store(cell.Mark(5)) }

// SpreadHistogram gives the histogram lanes.
func SpreadHistogram(h *Histogram) {
	if h.core.native != nil {
		h.extra.Load().native.Spread()
		return
	}
	h.cells.Spread(h.cells.First(), h.core.words(), &h.core.moving, h.core.room())
}

// SpreadSummary gives the summary lanes.
func SpreadSummary(m *Summary) {
	m.cells.Spread(m.cells.First(), m.core.words(), &m.core.moving, m.core.room())
}

// The functions Across are updates that find their words before move is called and
// write to them after it.

// IncAcross is an Inc.
func IncAcross(c *Counter, move func()) {
	w := c.whole()
	move()
	w.Add(1)
}

// SetAcross is a Set to 7.
func SetAcross(g *Gauge, move func()) {
	w := (*cell.Word)(g.word)
	move()
	cell.SetLevel(w, 7)
	if g.core.moving.Moved() && (*cell.Word)(g.word) != w {
		g.setSlow(7)
	}
}

// AddAcross is an Add of 1.
func AddAcross(g *Gauge, move func()) {
	w := (*cell.Word)(g.word)
	move()
	if !cell.TryAddLevel(w, 1) {
		g.addSlow(1)
	}
}

// ObserveAcross is an Observe of 2.
func ObserveAcross(h *Histogram, move func()) {
	if h.core.native != nil {
		e := h.extra.Load()
		move()
		e.observe(2, h.core.upper)
		h.follow(e)
		return
	}
	first := h.cells.First()
	w := h.cells.Mine(first)
	move()
	bucket := 1 + bucketOf(h.core.upper, 2)
	cell.At(w, bucket).Add(1)
	h.finish(cell.Addition{I: bucket, V: 2, Added: cell.TryAddFloat(w, 2)}, first, w)
}

// IncInLanesAcross is an Inc of a spread counter that found its lanes before leave is
// called.
func IncInLanesAcross(c *Counter, leave func()) {
	lanes := c.extra.Load().current.Load()
	leave()
	lanes.Mine().Add(1)
	if c.core.away(c) {
		c.goOn()
	}
}
