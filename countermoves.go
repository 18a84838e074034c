package telltale

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/cell"
)

// A counter moves from the heap to a row of a store and back. What it has counted in
// either moves along, so that its value stays the sum of both.

// row returns the row that the counter counts in, nil if it does on the heap.
func (c *Counter) row() *cell.Word {
	if w := c.whole(); w != nil {
		return c.rowOf(w)
	}
	if e := c.extra.Load(); e != nil {
		return e.row.Load()
	}
	return nil
}

// rowOf returns a word of whole numbers if it is in a row, nil if it is on the heap.
func (c *Counter) rowOf(w *cell.Word) *cell.Word {
	if w == &c.cell {
		return nil
	}
	return w
}

// share moves the counter into a row.
func (c *Counter) share(row *cell.Word) { c.shareOver(row, nil) }

// resume goes on in the row that the series has left, and in its lanes.
func (c *Counter) resume(in cell.Parked) { c.shareOver(in.Row, (*cell.Lanes)(in.Kept)) }

// shareOver moves the counter into a row and its lanes, if it has any.
func (c *Counter) shareOver(row *cell.Word, lanes *cell.Lanes) {
	if e := c.extra.Load(); e != nil {
		if x := e.exemplar.Load(); x != nil {
			c.core.rows().SetExemplar(row, 0, x)
		}
		if at := e.reset.Load(); at != 0 {
			c.core.rows().Touch(row, time.Unix(0, at))
		}
	}
	if c.core.expires {
		c.grow()
	}
	c.core.moving.Lock()
	defer c.core.moving.Unlock()
	if e := c.extra.Load(); e != nil {
		e.row.Store(row)
		e.rowLanes.Store(lanes)
		e.current.Store(lanes)
	}
	switch {
	case !c.core.expires:
		atomic.StorePointer(&c.word, unsafe.Pointer(row))
	case lanes == nil:
		c.extra.Load().open.Store(row)
	default:
		c.extra.Load().open.Store(nil)
	}
	c.drainInto(row)
}

// follow moves what was counted late on the heap to the row in which the counter is.
func (c *Counter) follow() {
	if c.core.away(c) {
		c.goOn()
	}
	if !c.left() {
		return
	}
	c.core.moving.Lock()
	defer c.core.moving.Unlock()
	if row := c.row(); row != nil {
		c.drainInto(row)
	}
}

// left reports whether the counter is in a row and something was counted on the heap.
func (c *Counter) left() bool {
	if w := c.whole(); w == &c.cell {
		return false
	}
	e := c.extra.Load()
	if c.row() == nil {
		return false
	}
	if c.cell.Load() != 0 || e != nil && e.fraction.Load() != 0 {
		return true
	}
	lanes := (*cell.Lanes)(nil)
	if e != nil {
		lanes = e.lanes.Load()
	}
	return lanes != nil && (lanes.Sum(0) != 0 || lanes.SumFloat(1) != 0)
}

// drainInto moves what is counted on the heap to a row. The caller holds the
// family's Moving.
func (c *Counter) drainInto(row *cell.Word) {
	drain := func(whole, fraction *cell.Word) {
		rest := cell.AddWhole(row, whole.Swap(0))
		if fraction != nil {
			rest += math.Float64frombits(fraction.Swap(0))
		}
		if rest != 0 {
			cell.AddFloat(cell.At(row, 1), rest)
		}
	}
	e := c.extra.Load()
	if e == nil {
		drain(&c.cell, nil)
		return
	}
	drain(&c.cell, &e.fraction)
	for w := range e.lanes.Load().Each() {
		drain(w, cell.At(w, 1))
	}
}

// toHeap moves the counter to the heap and returns the row that it leaves, or nil if
// it had none. What is counted late in the row stays there.
func (c *Counter) toHeap() *cell.Word {
	c.core.moving.Lock()
	defer c.core.moving.Unlock()
	row, e := c.row(), c.extra.Load()
	if row == nil {
		return nil
	}
	if e != nil {
		e.open.Store(nil)
		e.current.Store(e.lanes.Load())
	}
	switch {
	case !c.core.expires:
		atomic.StorePointer(&c.word, unsafe.Pointer(&c.cell))
	case e.lanes.Load() == nil: // it has an extra since it was in a row
		e.open.Store(&c.cell)
	}
	fractions := cell.LoadFloat(cell.At(row, 1)) + cell.AddWhole(&c.cell, row.Load())
	if e != nil {
		e.row.Store(nil)
		for w := range e.rowLanes.Swap(nil).Each() {
			fractions += cell.LoadFloat(cell.At(w, 1)) + cell.AddWhole(&c.cell, w.Load())
		}
	}
	if fractions != 0 {
		cell.AddFloat(&c.grow().fraction, fractions)
	}
	return row
}
