package series

import (
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/model"
)

// Track is what is kept of a series in a set of [NewTracked], whose series may leave
// and come back. Fields that are not atomic are read and written only by callers that
// may change the set.
type Track[H any] struct {
	Count, Sum uint64                  // what the series had counted at the last look
	Since      int64                   // when a look first saw that, as the caller counts time
	Era        uint64                  // of the table in which the series was made
	Target     atomic.Pointer[Slot[H]] // where updates of a series that has left go; nil if it comes back by itself
	Parked     unsafe.Pointer          // what the handle of a series that has left takes up again
	Marks      atomic.Uint32           // Touched and Added
	Kept       bool                    // it never leaves
	Fresh      bool                    // no look has seen it since it was created or came back
}

// Marks of a [Track].
const (
	Touched = 1 << iota // updated since the last look, where the values do not tell
	Added               // a gauge that was ever added to
)

// Mark sets marks, unless they are set.
func (t *Track[H]) Mark(marks uint32) {
	if t.Marks.Load()&marks != marks {
		t.Marks.Or(marks)
	}
}

// Marked reports whether a mark is set.
func (t *Track[H]) Marked(mark uint32) bool { return t.Marks.Load()&mark != 0 }

// Look takes the mark Touched away and reports whether it was set.
func (t *Track[H]) Look() bool { return t.Marks.And(^uint32(Touched))&Touched != 0 }

// tracked is the allocation of a series in such a set: for a handle of 32 bytes two
// cache lines, which neighbours do not share.
type tracked[H any] struct {
	Slot[H]
	track Track[H]
}

// NewTracked returns an empty set with labels whose series have a Track each. Each
// series has an allocation of its own, so that one that has left is freed once nobody
// holds its handle.
func NewTracked[H any]() *Set[H] {
	s := New[H](true)
	s.tracked, s.alone = true, true
	return s
}

// single returns a slot that has an allocation of its own.
func (s *Set[H]) single() *Slot[H] {
	if s.tracked {
		return &new(tracked[H]).Slot
	}
	return new(Slot[H])
}

// SlotOf returns the slot in which a handle lies.
func SlotOf[H any](h *H) *Slot[H] {
	return (*Slot[H])(unsafe.Add(unsafe.Pointer(h), -int(unsafe.Offsetof(new(Slot[H]).Handle)))) // nothing is allocated for its type
}

// Track returns what is kept of a series of a tracked set.
func (s *Slot[H]) Track() *Track[H] { return &(*tracked[H])(unsafe.Pointer(s)).track }

// Created times of series that are tracked are even numbers. While the series is about
// to leave one is added, which expired has, too: one comparison tells both.
const away = 1

// Away reports whether a series of a tracked set has left or is about to. A writer that
// asks after it wrote and sees false has written to a series that is there; a goroutine
// that calls [Series.Leave] and then reads the values has read what every other writer
// wrote.
func (s *Series) Away() bool { return s.created.Load()&away != 0 }

// Expired reports whether a series has left by [Set.Expire] and is not back.
func (s *Series) Expired() bool { return s.created.Load() == expired }

// Leave begins to take a series that is there out of its set. It ends in
// [Set.Expire] or Stay.
func (s *Series) Leave() { s.created.Or(away) }

// Stay ends Leave. The series has been there all the time.
func (s *Series) Stay() { s.created.And(^away) }

// Lose makes a series that has left one that was removed.
func (s *Series) Lose() { s.created.Store(removed) }

// Life returns when a series of a tracked set was created, or came back, and whether
// it is there. Settled is false while it is about to leave.
func (s *Series) Life() (created model.Timestamp, there, settled bool) {
	moment := s.created.Load()
	return unpack(moment &^ away), moment > expired, moment > expired && moment&away == 0
}

// Expire removes a series as [Set.Remove] does, except that it keeps its labels and
// can return.
func (s *Set[H]) Expire(slot *Slot[H]) bool { return s.takeOut(slot, (*Series).expire) }

func (s *Series) expire() { s.created.Store(expired) }

// Twin returns the series that has the labels of one that has left, or nil.
func (s *Set[H]) Twin(slot *Slot[H]) *Slot[H] {
	return s.Get(Digest{hash: slot.hash}, []byte(slot.text()))
}

// Return adds a series that has left to the set again, at the end. Its handle must be
// ready, and its labels nobody else's.
func (s *Set[H]) Return(slot *Slot[H], created time.Time) {
	s.advance()
	s.roomForSingle()
	s.Publish(slot, created)
}

// At returns the i-th of the series with allocations of their own, nil if it was
// removed, and whether there are more than i. Changes to the set may move them.
func (s *Set[H]) At(i int) (slot *Slot[H], ok bool) {
	t := s.table.Load()
	if i >= int(t.lone) {
		return nil, false
	}
	return t.singles[i].Load(), true
}
