package telltale

// Moving the series of an instrument to the rows of a store and back.

import (
	"time"
	"unsafe"

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

// raise moves the time of a value to now, or, where the clock does not move forward, at
// least beyond what it was. The value has been stored before, so that a reader that
// sees it with its old time takes it as not stored yet.
func raise(when *cell.Word) {
	now := uint64(cell.Now())
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
	if d.expires {
		f.Expiry = d.idleExpiry
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

func (c *core[H]) untouched() bool {
	for slot := range c.table.series.Walk().Living() {
		if !c.kind.fresh(&slot.Handle) {
			return false
		}
	}
	return true
}

// finish ends an addition to an accumulator of a handle, see [cell.Accumulator.Finish].
// What is added late to words on the heap follows them to the row. What is added late to
// the row of a series that has left counts there.
func (c *core[H]) finish(h *H, a *cell.Accumulator, added cell.Addition, first, w *cell.Word) {
	a.Finish(added, first, w, c.words(), &c.moving, c.room())
	if c.shared() {
		a.Follow(added.I, first, w, &c.moving, func() bool {
			return !c.expires || unsafe.Pointer(w) == series.SlotOf(h).Track().Parked && a.First() != nil
		})
	}
}

// shareWords moves the words of an accumulator of a handle to a row, which may have lanes.
func (c *core[H]) shareWords(h *H, a *cell.Accumulator, row *cell.Word, over *cell.Lanes) {
	c.moving.Lock()
	defer c.moving.Unlock()
	if heap := a.ToRow(row, over, c.words()); c.expires && heap != nil {
		series.SlotOf(h).Track().Parked = unsafe.Pointer(heap)
	}
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

// enroll has a series count in a row of a store: in the one that it has left if it has not
// ended there, since others update it. The caller holds the lock.
func (t *table[H]) enroll(slot *series.Slot[H], rows cell.Rows, created time.Time) {
	h, kind := &slot.Handle, t.core.kind
	if t.core.expires {
		if in, ok := rows.Resume(slot.Labels()); ok && kind.life.resume != nil {
			kind.life.resume(h, in)
			return
		} else if ok {
			kind.share(h, in.Row)
			return
		}
	}
	kind.share(h, rows.Add(slot.Labels(), created))
}

// unpark gives back the row of a handle's series that this process has parked in a store.
func (c *core[H]) unpark(h *H) {
	if !c.expires {
		return
	}
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	slot := series.SlotOf(h)
	if _, there := slot.Created(); !there && !slot.Expired() {
		return // it was removed
	}
	if rows := c.table.rows(); rows != nil {
		rows.Unpark(slot.Labels())
	}
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

// withdraw takes a removed series out of the rows of a store, which is then to forget it.
// Its handle counts on the heap from then on. The caller holds the lock.
func (t *table[H]) withdraw(h *H, rows cell.Rows) (forget bool) {
	if row := t.core.kind.toHeap(h); row != nil {
		rows.Remove(row)
	}
	return true
}

// bury is withdraw of one series, which the store forgets at once if it can.
func (t *table[H]) bury(h *H, rows cell.Rows) (forget bool) {
	row := t.core.kind.toHeap(h)
	if row == nil {
		return true
	}
	if t.filling != nil { // nobody sees any of them yet
		rows.Remove(row)
		return false
	}
	return !rows.Bury(row)
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
