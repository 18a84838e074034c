package telltale

// Exchanging all series of an instrument in one step.

import (
	"telltale/internal/cell"
	"telltale/internal/series"
)

// clear takes out all series.
func (t *table[H]) clear() {
	if t != nil { // else it is of a zero Vec or Of
		t.exchange(t.core.newSet(), t.core.eras.Add(1), t.begin())
	}
}

// replace puts the series that fill creates in the place of all that are there,
// in one step. If fill panics nothing has changed.
func (t *table[H]) replace(fill func(next *table[H])) {
	if t == nil {
		return
	}
	next, from := newTable(t.core), t.begin()
	next.filling = &filling{from.rows, from.round}
	finished := false
	defer func() {
		filled := next.close()
		if finished {
			t.exchange(filled, next.era, from)
		} else {
			t.drop(filled, from)
		}
	}()
	fill(next)
	finished = true
}

// begin begins a round of the table's rows. What fills a table that is itself not
// seen yet is kept on the heap: the round of that table may end first.
func (t *table[H]) begin() filling {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.filling != nil {
		return filling{}
	}
	return t.roundOf(t.rows())
}

// close returns the series that were filled in. The table, which fill may have kept, is
// empty then, and on the heap.
func (t *table[H]) close() *series.Set[H] {
	t.mu.Lock()
	defer t.mu.Unlock()
	filled := t.core.newSet()
	filled.Take(t.series)
	*t.filling = filling{}
	return filled
}

// drop takes what was filled in out of its round, which ends.
func (t *table[H]) drop(filled *series.Set[H], from filling) {
	if from.rows != nil {
		t.withdrawAll(filled.Walk(), from.rows.Remove)
		from.rows.Drop(from.round)
	}
}

// exchange puts others, of an era of their own, in the place of all series, as one
// step for all readers.
func (t *table[H]) exchange(others *series.Set[H], era uint64, from filling) {
	change := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		before := t.limited()
		rows := t.rows()
		if rows != from.rows { // the instrument has come into a store or left it meanwhile, or t is itself being filled
			t.drop(others, from)
			from = t.roundOf(rows)
			t.settle(others, from.lay)
		}
		if confirm := t.core.kind.confirm; rows != nil && confirm != nil {
			for slot := range others.Walk().Living() {
				confirm(&slot.Handle)
			}
		}
		old := t.series.Take(others)
		t.restarted = true
		switch {
		case rows == nil:
		case t.filling != nil: // nobody sees any of them yet
			t.withdrawAll(old, rows.Remove)
		default:
			rows.Show(from.round)
			t.withdrawAll(old, rows.Retire)
		}
		t.overflow, t.era = t.findOverflow(), era
		t.quota.add(t.limited() - before)
	}
	if rows := t.rowsNow(); rows != nil && t.filling == nil {
		rows.Apart(change)
	} else {
		change()
	}
}

// roundOf returns a round of the rows: that which fills the table, or a new one. The
// caller holds the lock.
func (t *table[H]) roundOf(rows cell.Rows) filling {
	switch {
	case rows == nil:
		return filling{}
	case t.filling != nil:
		return *t.filling
	}
	return filling{rows, rows.Begin()}
}

// findOverflow returns the series whose values are all "overflow", nil if there is
// none. The caller holds the lock.
func (t *table[H]) findOverflow() *series.Slot[H] {
	values := t.core.overflowing()
	return t.series.Get(t.render(series.DigestOf(values), values))
}
