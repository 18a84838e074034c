package telltale

// Exchanging all series of an instrument in one step.

import "telltale/internal/series"

// clear takes out all series.
func (t *table[H]) clear() {
	if t != nil { // else it is of a zero Vec or Of
		t.exchange(series.New[H](true), filling{rows: t.rowsNow()})
	}
}

// replace puts the series that fill creates in the place of all that are there,
// in one step. If fill panics nothing has changed.
func (t *table[H]) replace(fill func(next *table[H])) {
	if t == nil {
		return
	}
	next := newTable(t.core)
	next.filling = &filling{rows: t.rowsNow()}
	finished := false
	defer func() {
		filled, from := next.close()
		if finished {
			t.exchange(filled, from)
		} else {
			t.withdrawAll(filled.Walk(), from.rows)
		}
	}()
	fill(next)
	finished = true
}

// close returns what was filled in. Whoever kept the table has an empty one, on
// the heap.
func (t *table[H]) close() (*series.Set[H], filling) {
	t.mu.Lock()
	defer t.mu.Unlock()
	filled, from := series.New[H](true), *t.filling
	filled.Take(t.series)
	*t.filling = filling{}
	return filled, from
}

// exchange puts others in the place of all series, as one step for all readers
// of this process.
func (t *table[H]) exchange(others *series.Set[H], from filling) {
	change := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		before := t.limited()
		t.withdrawAll(t.series.Take(others), t.rows())
		t.overflow = t.findOverflow()
		t.quota.add(t.limited() - before)
		t.show(from)
	}
	if rows := t.rowsNow(); rows != nil && t.filling == nil {
		rows.Apart(change)
	} else {
		change()
	}
	t.forgetAll()
}

// show shows the rows of the series that have just been put in. The caller holds
// the lock.
func (t *table[H]) show(from filling) {
	rows := t.rows()
	if rows != from.rows { // the instrument has come into a store or left it meanwhile
		t.withdrawAll(t.series.Walk(), from.rows)
		if rows != nil {
			t.settle(rows)
		}
		return
	}
	if t.filling != nil { // it is itself not seen yet
		t.filling.reserved = append(t.filling.reserved, from.reserved...)
		return
	}
	for _, r := range from.reserved {
		if created, ok := r.series.Created(); ok {
			rows.Show(r.row, created.Time())
		}
	}
	if rows != nil && t.core.kind.confirm != nil {
		for slot := range t.series.Walk().Living() {
			t.core.kind.confirm(&slot.Handle)
		}
	}
}

// findOverflow returns the series whose values are all "overflow", nil if there is
// none. The caller holds the lock.
func (t *table[H]) findOverflow() *series.Slot[H] {
	values := t.core.overflowing()
	return t.series.Get(t.render(series.DigestOf(values), values))
}
