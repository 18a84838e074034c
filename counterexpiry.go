package telltale

import (
	"math"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/series"
)

// A counter whose series can expire has no word for Inc, which therefore goes the slow
// way: it adds, then looks whether the series is away (see cell.Accumulator.Leave). What
// a counter has counted late is in its own words, and is the beginning of the next life
// of the series.

// goOn has what was counted in a series that is away go on: in the series when it is
// back, or in another one.
func (c *Counter) goOn() {
	to := c.core.passesOn(c)
	if to == nil {
		c.core.counting(c)
		return
	}
	c.pour(nil, to)
}

// fractions calls do with each word of fractions in which the counter counts: on the
// heap, and in its row if it has one. wholes does so with the words of whole numbers.
func (c *Counter) fractions(do func(*cell.Word)) {
	if e := c.extra.Load(); e != nil {
		do(&e.fraction)
		for w := range e.lanes.Load().Each() {
			do(cell.At(w, 1))
		}
		if row := e.row.Load(); row != nil {
			do(cell.At(row, 1))
		}
		for w := range e.rowLanes.Load().Each() {
			do(cell.At(w, 1))
		}
	}
}

func (c *Counter) wholes(do func(*cell.Word)) {
	do(&c.cell)
	if e := c.extra.Load(); e != nil {
		for w := range e.lanes.Load().Each() {
			do(w)
		}
		if row := e.row.Load(); row != nil {
			do(row)
		}
		for w := range e.rowLanes.Load().Each() {
			do(w)
		}
	}
}

// seen returns what the words hold, as take reads them: the fractions first.
func (c *Counter) seen(take func(*cell.Word) uint64) (whole uint64, fraction float64) {
	c.fractions(func(w *cell.Word) { fraction += math.Float64frombits(take(w)) })
	c.wholes(func(w *cell.Word) { whole += take(w) })
	return whole, fraction
}

// drained returns what the words held, and sets them to 0.
func (c *Counter) drained() (whole uint64, fraction float64) {
	return c.seen(func(w *cell.Word) uint64 { return w.Swap(0) })
}

// updated reports whether the counter was updated since the last call.
func (c *Counter) updated(of *series.Track[Counter]) bool {
	whole, fraction := c.seen((*cell.Word).Load)
	bits := math.Float64bits(fraction)
	same := of.Count == whole && of.Sum == bits
	of.Count, of.Sum = whole, bits
	return !same
}

// leave empties a counter that is away, unless it was updated.
func (c *Counter) leave(of *series.Track[Counter]) (from departure, left bool) {
	c.core.moving.Lock()
	defer c.core.moving.Unlock()
	if e := c.extra.Load(); e != nil && e.row.Load() != nil {
		row := e.row.Load()
		if c.updated(of) {
			return from, false
		}
		e.open.Store(nil)
		e.row.Store(nil)
		e.current.Store(e.lanes.Load())
		return departure{row, unsafe.Pointer(e.rowLanes.Swap(nil))}, true
	}
	whole, fraction := c.drained()
	if of.Count == whole && of.Sum == math.Float64bits(fraction) {
		return from, true
	}
	c.putIn(whole, fraction)
	return from, false
}

// putIn adds to the counter's own words.
func (c *Counter) putIn(whole uint64, fraction float64) {
	if fraction += cell.AddWhole(&c.cell, whole); fraction != 0 {
		cell.AddFloat(&c.grow().fraction, fraction)
	}
}

// enter begins another life of a counter, with what was counted late.
func (c *Counter) enter(*series.Track[Counter]) {
	if e := c.extra.Load(); e != nil {
		e.exemplar.Store(nil)
		e.reset.Store(0)
	}
}

// pour adds what was counted late to another counter.
func (c *Counter) pour(_ *series.Track[Counter], to *Counter) {
	whole, fraction := c.drained()
	if whole > 0 {
		to.addWhole(whole)
	}
	if fraction > 0 {
		to.addFloat(fraction)
	}
}
