package telltale

// Moving the series of an instrument to the rows of a store and back.

import (
	"time"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// rows returns the instrument's rows in a store, nil if its cells are on the
// heap.
func (c *core[H]) rows() cell.Rows {
	if c == nil {
		return nil // of a zero handle
	}
	if s := c.sharing.Load(); s != nil {
		return s.Rows
	}
	return nil
}

// room returns where lanes of the instrument's words come from.
func (c *core[H]) room() cell.Room {
	if rows := c.rows(); rows != nil {
		return rows
	}
	return cell.Heap{}
}

// raise moves the time of a value to now, or, where the clock does not move
// forward, at least beyond what it was. The value has been stored before, so
// whoever reads it with its old time reads it as not stored yet.
func raise(when *cell.Word) {
	now := uint64(time.Now().UnixNano())
	for {
		last := when.Load()
		if when.CompareAndSwap(last, max(now, last+1)) {
			return
		}
	}
}

// stored describes the definition to a store.
func (d *definition) stored() cell.Family {
	f := cell.Family{Header: d.newFamily(), Labels: d.labels, Mode: uint8(d.mode), Bounds: d.bounds, States: d.states}
	if d.native != nil {
		f.NativeBuckets, f.NativeExemplars = d.native.MaxBuckets, d.native.exemplars
	}
	return f
}

func (c *core[H]) shared() bool { return c.rows() != nil }

// share moves the series to a store, and has later ones made there.
func (c *core[H]) share(s cell.Store) {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := s.Rows(c.stored())
	c.sharing.Store(&sharing{rows})
	t.settle(t.series, rows.Add)
}

// unshare moves the series back to the heap.
func (c *core[H]) unshare() {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.shared() {
		rows := c.rows()
		t.withdrawAll(t.series.Walk(), rows.Remove)
		c.sharing.Store(nil)
		rows.Release()
	}
}

// tend does for all series what a walk does beside reading them.
func (c *core[H]) tend() {
	if c.kind.tend == nil {
		return
	}
	room := scratches.Get().(*scratch)
	defer scratches.Put(room)
	room.now = time.Time{}
	for slot := range c.table.series.Walk().Living() {
		if created, there := slot.Created(); there {
			c.kind.tend(&slot.Handle, created, room)
		}
	}
}

func (c *core[H]) untouched() bool {
	for slot := range c.table.series.Walk().Living() {
		if !c.kind.fresh(&slot.Handle) {
			return false
		}
	}
	return true
}

// finish ends an addition to an accumulator, see [cell.Accumulator.Finish].
func (c *core[H]) finish(a *cell.Accumulator, added cell.Addition, first, w *cell.Word) {
	a.Finish(added, first, w, c.words(), &c.moving, c.room())
}

// sum returns what an accumulator holds in its first word, before a move or after.
func (c *core[H]) sum(a *cell.Accumulator) float64 {
	for {
		version := c.moving.Began()
		if v := a.Sum(); c.moving.Whole(version) {
			return v
		}
	}
}

// rows returns the rows in which the table's series count, nil if they do on the
// heap. The caller holds the lock.
func (t *table[H]) rows() cell.Rows {
	if t.filling != nil {
		return t.filling.rows
	}
	return t.core.rows()
}

// rowsNow is rows for callers who do not hold the lock.
func (t *table[H]) rowsNow() cell.Rows {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows()
}

// settle moves series that are on the heap to rows. If row returns nil they stay. The
// caller holds the lock.
func (t *table[H]) settle(all *series.Set[H], row func(model.Labels, time.Time) *cell.Word) {
	t.core.moving.Begin()
	for slot := range all.Walk().Living() {
		created, _ := slot.Created()
		if row := row(slot.Labels(), created.Time()); row != nil {
			t.core.kind.share(&slot.Handle, row)
		}
	}
}

// withdraw takes a series out of the rows of a store, unless they are nil. Its
// handle counts on the heap from then on. The caller holds the lock.
func (t *table[H]) withdraw(h *H, rows cell.Rows) (stored bool) {
	if rows == nil {
		return false
	}
	if row := t.core.kind.toHeap(h); row != nil {
		rows.Remove(row)
	}
	return true
}

// withdrawAll has all series of a walk count on the heap, and gives their rows to leave.
// The caller holds the lock.
func (t *table[H]) withdrawAll(walk series.Walk[H], leave func(row *cell.Word)) {
	for slot := range walk.Living() {
		if row := t.core.kind.toHeap(&slot.Handle); row != nil {
			leave(row)
		}
	}
}

// forget takes out of the store what processes that ended have left of series. It
// is called without the lock.
func (t *table[H]) forget(series []model.Labels) {
	if rows := t.core.rows(); rows != nil && len(series) > 0 && t.filling == nil {
		rows.Forget(series)
	}
}

// forgetAll does so for all that they have left of the family.
func (t *table[H]) forgetAll() {
	if rows := t.core.rows(); rows != nil && t.filling == nil {
		rows.ForgetAll()
	}
}
