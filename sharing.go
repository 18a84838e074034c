package telltale

import (
	"sync/atomic"
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

// lanes returns lanes for the words behind first, nil if it is a store's and
// that has no room.
func (d *definition) lanes(first *cell.Word, words int) *cell.Lanes {
	if rows := d.rows(); rows != nil {
		return rows.Lanes(first, words)
	}
	return cell.NewLanes(words)
}

// addFought adds v to w, the i-th word from first on, at which another writer
// was: to the word itself if the fight is soon over, else to lanes made for all
// the words, which it returns if it has just put them there.
func (d *definition) addFought(w, first *cell.Word, i, words int, lanes *atomic.Pointer[cell.Lanes], v float64) *cell.Lanes {
	if cell.FightFloat(w, v) {
		return nil
	}
	fresh := d.lanes(first, words)
	if fresh == nil {
		cell.AddFloat(w, v)
		return nil
	}
	if lanes.CompareAndSwap(nil, fresh) {
		fresh.AddFloat(i, v)
		return fresh
	}
	if others := lanes.Load(); others != nil {
		others.AddFloat(i, v)
	} else { // the words have moved, and the lanes with them
		cell.AddFloat(w, v)
	}
	return nil
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

// move adds to the words from to on what those from from on hold, with their
// lanes: a float64 sum, then counts. From and lanes may be nil.
func move(to, from *cell.Word, lanes *cell.Lanes, words int) {
	if from != nil {
		cell.AddFloat(to, cell.LoadFloat(from))
		for i := 1; i < words; i++ {
			cell.At(to, i).Add(cell.At(from, i).Load())
		}
	}
	if lanes != nil {
		cell.AddFloat(to, lanes.SumFloat(0))
		for i := 1; i < words; i++ {
			cell.At(to, i).Add(lanes.Sum(i))
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
