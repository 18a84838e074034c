package telltale

import (
	"time"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// sharing is where the cells of an instrument are that other processes see too.
type sharing struct{ cell.Rows }

// rows returns the instrument's rows in a store, nil if its cells are on the
// heap.
func (d *definition) rows() cell.Rows {
	if d == nil {
		return nil // of a zero handle
	}
	if s := d.sharing.Load(); s != nil {
		return s.Rows
	}
	return nil
}

// room returns where lanes of the instrument's words come from.
func (d *definition) room() cell.Room {
	if rows := d.rows(); rows != nil {
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

// rows returns the instrument's rows in a store, nil if its cells are on the
// heap.
func (c *core[H]) rows() cell.Rows {
	if c.filling != nil {
		return c.filling.rows
	}
	return c.definition.rows()
}

// rowsNow is rows for callers who do not hold the lock.
func (c *core[H]) rowsNow() cell.Rows {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows()
}

// share moves the series to a store, and has later ones made there.
func (c *core[H]) share(s cell.Store) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows := s.Rows(c.stored())
	c.sharing.Store(&sharing{rows})
	c.settle(rows)
}

// settle moves the series that are on the heap to rows. The caller holds the
// lock.
func (c *core[H]) settle(rows cell.Rows) {
	c.moving.Begin()
	for slot := range c.series.Walk().Living() {
		created, _ := slot.Created()
		c.kind.share(&slot.Handle, rows.Add(slot.Labels(), created.Time()))
	}
}

// unshare moves the series back to the heap.
func (c *core[H]) unshare() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared() {
		c.withdrawAll(c.series.Walk(), c.rows())
		c.sharing.Store(nil)
	}
}

// withdraw takes a series out of the rows of a store, unless they are nil. Its
// handle counts on the heap from then on. The caller holds the lock.
func (c *core[H]) withdraw(h *H, rows cell.Rows) (stored bool) {
	if rows == nil {
		return false
	}
	if row := c.kind.part(h); row != nil {
		rows.Remove(row)
	}
	return true
}

// withdrawAll takes all series of a walk out of the rows and returns which they
// were.
func (c *core[H]) withdrawAll(walk series.Walk[H], rows cell.Rows) (gone []model.Labels) {
	if rows == nil {
		return nil
	}
	for slot := range walk.Living() {
		c.withdraw(&slot.Handle, rows)
		gone = append(gone, slot.Labels())
	}
	return gone
}

// tend does for all series what a walk does beside reading them.
func (c *core[H]) tend() {
	if c.kind.tend == nil {
		return
	}
	room := scratches.Get().(*scratch)
	defer scratches.Put(room)
	room.now = time.Time{}
	for slot := range c.series.Walk().Living() {
		if created, there := slot.Created(); there {
			c.kind.tend(&slot.Handle, created, room)
		}
	}
}

// forget takes out of the store what processes that ended have left of series. It
// is called without the lock, because it reads files.
func (c *core[H]) forget(series []model.Labels) {
	if rows := c.definition.rows(); rows != nil && len(series) > 0 && c.filling == nil {
		rows.Forget(series)
	}
}

func (c *core[H]) untouched() bool {
	for slot := range c.series.Walk().Living() {
		if !c.kind.fresh(&slot.Handle) {
			return false
		}
	}
	return true
}
