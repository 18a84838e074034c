package telltale

import (
	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// filling is what a core has that replace fills. In a store its series have rows
// from the beginning, which nobody sees before they take the place of the others.
// Their handles need not move then, so that nothing is lost of what they count
// meanwhile. It is read and changed under the core's lock.
type filling struct {
	rows     cell.Rows // nil on the heap
	reserved []reserved
}

// reserved is the row of a series that is to be shown.
type reserved struct {
	series *series.Series
	row    *cell.Word
}

// reserve returns a row for a series.
func (f *filling) reserve(s *series.Series) *cell.Word {
	row := f.rows.Reserve(s.Labels())
	f.reserved = append(f.reserved, reserved{s, row})
	return row
}

// clear takes out all series of an instrument with labels.
func (c *core[H]) clear() {
	if c != nil {
		c.exchange(series.New[H](true), filling{rows: c.rowsNow()})
	}
}

// replace puts the series that fill creates in the place of all that are there,
// in one step. If fill panics nothing has changed.
func (c *core[H]) replace(fill func(next *core[H])) {
	if c == nil {
		return
	}
	next := &core[H]{definition: c.definition, kind: c.kind, series: series.New[H](true)}
	next.filling = &filling{rows: c.rowsNow()}
	next.family = c.family.WithPoints(next)
	finished := false
	defer func() {
		filled, from := next.close()
		if finished {
			c.exchange(filled, from)
		} else {
			c.withdrawAll(filled.Walk(), from.rows)
		}
	}()
	fill(next)
	finished = true
}

// close returns what was filled in. Whoever kept the core has an empty one, on
// the heap.
func (c *core[H]) close() (*series.Set[H], filling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	filled, from := series.New[H](true), *c.filling
	filled.Take(c.series)
	*c.filling = filling{}
	return filled, from
}

// exchange puts others in the place of all series, as one step for all readers
// of this process.
func (c *core[H]) exchange(others *series.Set[H], from filling) {
	var gone []model.Labels
	change := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		gone = c.withdrawAll(c.series.Take(others), c.rows())
		c.show(from)
	}
	if rows := c.rowsNow(); rows != nil && c.filling == nil {
		rows.Apart(change)
	} else {
		change()
	}
	c.forget(gone)
}

// show shows the rows of the series that have just been put in. The caller holds
// the lock.
func (c *core[H]) show(from filling) {
	rows := c.rows()
	if rows != from.rows { // the instrument has come into a store or left it meanwhile
		c.withdrawAll(c.series.Walk(), from.rows)
		if rows != nil {
			c.settle(rows)
		}
		return
	}
	if c.filling != nil { // it is itself not seen yet
		c.filling.reserved = append(c.filling.reserved, from.reserved...)
		return
	}
	for _, r := range from.reserved {
		if created, ok := r.series.Created(); ok {
			rows.Show(r.row, created.Time())
		}
	}
	if rows != nil && c.kind.confirm != nil {
		for slot := range c.series.Walk().Living() {
			c.kind.confirm(&slot.Handle)
		}
	}
}
