package telltale

// Series that have left come back when their handles are used.

import (
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/series"
)

// away reports whether a handle's series is about to leave, or has left. A writer that
// sees false after it wrote need do nothing more.
func (c *core[H]) away(h *H) bool { return c.expires && series.SlotOf(h).Away() }

// counting returns the handle in which updates of one that is away count: the same one,
// whose series is back then or stays, or another one. What was counted late goes with
// them.
func (c *core[H]) counting(h *H) *H {
	slot := series.SlotOf(h)
	c.table.mu.Lock()
	to, full := c.table.bringBack(slot)
	c.table.mu.Unlock()
	if full != hasRoom {
		c.refuse(full, c.valuesOf(slot))
	}
	return to
}

// shown returns the handle whose series shows what a handle has counted: itself or,
// once its series has left, the one in which its updates go on.
func (c *core[H]) shown(h *H) *H {
	if !c.away(h) {
		return h
	}
	if to := series.SlotOf(h).Track().Target.Load(); to != nil && series.SlotOf(h).Expired() {
		return &to.Handle
	}
	return h
}

// passesOn is counting for a series that has left and whose updates go to another one
// that is there, nil for others. It takes no lock, and moves nothing.
func (c *core[H]) passesOn(h *H) *H {
	slot := series.SlotOf(h)
	if to := slot.Track().Target.Load(); to != nil && slot.Expired() && !to.Away() {
		return &to.Handle
	}
	return nil
}

// bringBack is counting for callers who hold the lock. It also returns whether there
// was room for the series.
func (t *table[H]) bringBack(slot *series.Slot[H]) (*H, fullness) {
	if !slot.Expired() { // it stays, or somebody else has brought it back
		return &slot.Handle, hasRoom
	}
	track, life, text := slot.Track(), &t.core.kind.life, []byte(slot.Labels().Text())
	if track.Era != t.era { // others have taken its place
		life.enter(&slot.Handle, track)
		slot.Lose()
		return &slot.Handle, hasRoom
	}
	to, full := t.series.Twin(slot), hasRoom
	if target := track.Target.Load(); to == nil && target != nil && !target.Away() {
		to = target // over the limit, or removed
	}
	if to == nil {
		if full = t.room(text); full == hasRoom {
			t.restore(slot, text)
			return &slot.Handle, hasRoom
		}
		to = series.SlotOf(t.instead())
	}
	life.pour(&slot.Handle, track, &to.Handle)
	if full == hasRoom || t.core.kind.sums { // else it is tried again each time
		track.Target.Store(to)
	}
	return &to.Handle, full
}

// entersStore reports whether a series that comes back gets a row of a store: unless others
// have taken its place. The caller holds the table's lock.
func (c *core[H]) entersStore(of *series.Track[H]) bool {
	return of.Era == c.table.era && c.table.rows() != nil
}

// instead returns the handle for a series for which there is no room. The caller holds
// the lock.
func (t *table[H]) instead() *H {
	if t.core.kind.sums {
		return t.beyond()
	}
	return t.apart()
}

// restore puts a series that has left back. The caller holds the lock.
func (t *table[H]) restore(slot *series.Slot[H], text []byte) {
	now := time.Now()
	t.core.kind.life.enter(&slot.Handle, slot.Track())
	if rows := t.rows(); rows != nil {
		t.enroll(slot, rows, now)
	}
	t.begun(slot, now)
	t.series.Return(slot, now)
	if t.core.isOverflow(text) {
		t.overflow = slot
	}
}

// valuesOf returns the values of the declared labels of a series.
func (c *core[H]) valuesOf(slot *series.Slot[H]) []string {
	values := make([]string, len(c.labels))
	for i, name := range c.labels {
		values[i], _ = slot.Labels().Get(name)
	}
	return values
}

// accumulated is life.updated of series that count in an accumulator.
func accumulated[H any](a *cell.Accumulator, c *core[H], of *series.Track[H]) bool {
	seen := a.Look(c.words())
	same := of.Count == seen.Count && of.Sum == seen.Sum
	of.Count, of.Sum = seen.Count, seen.Sum
	return !same
}

// parted is life.leave of such series.
func parted[H any](a *cell.Accumulator, c *core[H], of *series.Track[H]) (from departure, left bool) {
	c.moving.Lock()
	defer c.moving.Unlock()
	seen := cell.Seen{Count: of.Count, Sum: of.Sum}
	if c.shared() {
		row, lanes := a.Part(seen, c.words())
		return departure{row, unsafe.Pointer(lanes)}, row != nil
	}
	first := a.Leave(seen, c.words())
	of.Parked = unsafe.Pointer(first)
	return from, first != nil
}

// entered is life.enter of such series.
func entered[H any](a *cell.Accumulator, c *core[H], of *series.Track[H]) {
	c.moving.Lock()
	defer c.moving.Unlock()
	if of.Parked == nil { // it was in a store
		of.Parked = unsafe.Pointer(&make([]cell.Word, c.words())[0])
	}
	a.Return((*cell.Word)(of.Parked))
}
