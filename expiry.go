package telltale

// Series that were not updated for long leave. Nothing watches them: collections look
// at all, and each creation of a series at a few others.

import (
	"time"

	"telltale/internal/series"
	"telltale/model"
)

const (
	looksInExpiry = 8  // how often at most, in the time after which series expire, all are looked at
	lookedAtOnce  = 64 // series that are looked at while the lock is held
	looksAtOthers = 4  // series that the creation of one looks at: so many that looks catch up with creations
)

// age returns how long ago the instrument was made.
func (c *core[H]) age(now time.Time) time.Duration { return now.Sub(c.began) }

// begun begins to track a series. The caller holds the lock.
func (t *table[H]) begun(slot *series.Slot[H], now time.Time) {
	track := slot.Track()
	track.Since, track.Era, track.Fresh = int64(t.core.age(now)), t.era, true
	track.Target.Store(nil)
}

// due reports whether all series should be looked at, and then notes that the caller
// looks at them now. The caller holds the lock.
func (t *table[H]) due(now time.Time) bool {
	age := t.core.age(now)
	if !t.core.expires || t.filling != nil || age-t.looked < t.core.idleExpiry/looksInExpiry {
		return false
	}
	t.looked = age
	return true
}

// sweep looks at all series for a collection, if that is due.
func (t *table[H]) sweep() {
	if !t.core.expires {
		return
	}
	now := time.Now()
	t.mu.Lock()
	due := t.due(now)
	t.mu.Unlock()
	if !due {
		return
	}
	batch := make([]*series.Slot[H], 0, lookedAtOnce)
	look := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.look(now, batch...)
		batch = batch[:0]
	}
	for slot := range t.series.Walk().Living() {
		if batch = append(batch, slot); len(batch) == cap(batch) {
			look()
		}
	}
	look()
}

// lookDue looks at all series, if that is due, and reports whether some have left. The
// caller holds the lock.
func (t *table[H]) lookDue() bool {
	if !t.core.expires {
		return false
	}
	now := time.Now()
	if !t.due(now) {
		return false
	}
	before := t.series.Len()
	for slot := range t.series.Walk().Living() {
		t.look(now, slot)
	}
	return t.series.Len() < before
}

// lookAtSome looks at a few series, at others each time. The caller holds the lock.
func (t *table[H]) lookAtSome(now time.Time) {
	if t.filling != nil {
		return
	}
	for range looksAtOthers {
		slot, ok := t.series.At(t.next)
		if t.next++; !ok {
			t.next = 0
		} else if slot != nil {
			t.look(now, slot)
		}
	}
}

// look lets those of the series leave that were not updated for too long. The caller
// holds the lock.
func (t *table[H]) look(now time.Time, slots ...*series.Slot[H]) {
	before, age := t.limited(), t.core.age(now)
	for _, slot := range slots {
		if _, there := slot.Created(); !there {
			continue
		}
		track := slot.Track()
		if track.Kept || track.Era != t.era { // or it is another table's by now
			continue
		}
		switch updated := t.core.kind.life.updated(&slot.Handle, track); {
		case updated || track.Fresh: // each life is seen by a collection, with all that it has
			track.Since, track.Fresh = int64(age), false
		case age-time.Duration(track.Since) >= t.core.idleExpiry:
			t.expire(slot, age)
		}
	}
	t.quota.add(t.limited() - before)
}

// expire lets a series leave, unless it is updated just now. The caller holds the lock.
func (t *table[H]) expire(slot *series.Slot[H], age time.Duration) {
	slot.Leave()
	track := slot.Track()
	from, left := t.core.kind.life.leave(&slot.Handle, track)
	if !left {
		track.Since = int64(age)
		slot.Stay()
		return
	}
	if from.row != nil {
		t.rows().Park(from.row, slot.Labels(), from.kept)
	}
	t.series.Expire(slot)
	t.restarted = true
}

// readWhole reads a series that may leave and come back meanwhile into a point, either
// as it was before or after, and reports whether it is there.
func (t *table[H]) readWhole(slot *series.Slot[H], p *model.Point, room *scratch) bool {
	for {
		created, there, settled := slot.Life()
		if !there {
			return false
		}
		p.Labels, p.Created = slot.Labels(), created
		t.core.kind.read(&slot.Handle, p, room)
		again, _, still := slot.Life()
		if settled && still && again == created {
			return true
		}
		t.wait()
	}
}

// wait waits until a series that is about to leave has left or stays.
func (t *table[H]) wait() {
	t.mu.Lock()
	defer t.mu.Unlock()
}
