package series

import (
	"math/bits"
	"strings"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
	"telltale/model"
)

// Set holds the series of one family. [New] makes one.
type Set[H any] struct {
	table atomic.Pointer[table[H]]
	live  atomic.Int64

	edition  atomic.Pointer[model.Edition] // see Edition; nil while nobody has asked for it
	labelled bool
	alone    bool // whether each new series gets its own allocation
	tracked  bool // whether each series has a Track
	arena    arena
	cells    []cell.Word // of the open slab

	next  *table[H] // the table that will replace table; nil if there is none
	moved int       // number of entries of table that were moved to next
}

// New returns an empty set. A set that is not labelled holds at most one series.
func New[H any](labelled bool) *Set[H] {
	s := &Set[H]{labelled: labelled, alone: !labelled}
	s.table.Store(&table[H]{})
	return s
}

// Len returns the number of series.
func (s *Set[H]) Len() int { return int(s.live.Load()) }

// Find returns the handle of the series with the label values, or nil. It does
// not find series whose values need escapes; [Set.Get] does. The separators are
// the text before each value.
func (s *Set[H]) Find(d Digest, separators, values []string) *H {
	if slot := s.table.Load().find(d, separators, values); slot != nil {
		return &slot.Handle
	}
	return nil
}

// Only returns the handle of the one series of a set without labels.
func (s *Set[H]) Only() *H { return &s.table.Load().singles[0].Load().Handle }

// Get returns the series with the text, or nil. Callers lock as for a change.
func (s *Set[H]) Get(d Digest, text []byte) *Slot[H] {
	t := s.table.Load()
	entry := t.search(d.hash, func(slot *Slot[H]) bool { return slot.text() == string(text) })
	if entry < 0 {
		return nil
	}
	return t.at(t.index.id(t.index.entries[entry]))
}

// Edition returns the edition of the set's series, which is another one after a series
// was removed. It returns nil while one is removed. A walk that finds the same edition
// at its beginning and after it has read some series has read those, in that order,
// that every such walk reads first.
func (s *Set[H]) Edition() *model.Edition {
	if s.edition.Load() == nil {
		s.edition.CompareAndSwap(nil, model.NewEdition())
	}
	if e := s.edition.Load(); e != changing {
		return e
	}
	return nil
}

// changing is the edition of a set while readers may or may not see a change.
var changing = model.NewEdition()

// change ends the edition before readers can see a change. The next one begins after the
// function that it returns was called.
func (s *Set[H]) change() (done func()) {
	s.edition.Store(changing)
	return func() { s.edition.Store(nil) }
}

// Walk begins a walk.
func (s *Set[H]) Walk() Walk[H] {
	t := s.table.Load()
	return Walk[H]{table: t, laid: atomic.LoadUint32(&t.laid), lone: atomic.LoadUint32(&t.lone)}
}

// Reserve returns the slot and the given number of words for a new series, which
// becomes part of the set by [Set.Publish]. Until then the next Reserve may
// return the same slot.
func (s *Set[H]) Reserve(d Digest, text []byte, words int) (*Slot[H], *cell.Word) {
	s.advance()
	slot, first := s.place(words)
	slot.hash, slot.widths, slot.length = d.hash, d.widths, uint32(len(text))
	if s.alone {
		slot.label(string(text))
	} else {
		slot.label(s.arena.keep(text))
	}
	return slot, first
}

// place returns a slot and words: in the open slab, in a new slab, or in an
// allocation of their own.
func (s *Set[H]) place(words int) (*Slot[H], *cell.Word) {
	t := s.table.Load()
	slab, at := t.open()
	switch {
	case slab == nil && s.alone:
		s.roomForSingle()
		return s.single(), wordsOf(words)
	case slab == nil:
		slab = s.addSlab(t, words)
	}
	switch {
	case words == 0:
		return &slab[at], nil
	case s.cells == nil: // a store provided the words when the slab was made
		return &slab[at], wordsOf(words)
	}
	return &slab[at], &s.cells[at*words]
}

// roomForSingle makes the list long enough for another slot with an allocation of its
// own.
func (s *Set[H]) roomForSingle() {
	if t := s.table.Load(); int(t.lone) == len(t.singles) {
		s.table.Store(t.resized(0, longer(len(t.singles))))
	}
}

func wordsOf(n int) *cell.Word {
	if n == 0 {
		return nil
	}
	return &make([]cell.Word, n)[0]
}

// addSlab adds a slab, with words for each of its series.
func (s *Set[H]) addSlab(t *table[H], words int) *slab[H] {
	if t.slabsLaid() == len(t.slabs) {
		t = t.resized(longer(len(t.slabs)), 0)
		s.table.Store(t)
	}
	fresh := new(slab[H])
	t.slabs[t.slabsLaid()].Store(fresh)
	if s.cells = nil; words > 0 {
		s.cells = make([]cell.Word, slabSize*words)
	}
	return fresh
}

// Publish adds a reserved series, whose handle must be ready.
func (s *Set[H]) Publish(slot *Slot[H], created time.Time) {
	if s.tracked {
		slot.created.Store(moment(created) &^ away) // read by writers that hold a series that returns
	} else {
		slot.date(moment(created))
	}
	s.live.Add(1)
	t := s.table.Load()
	if laid := t.laid; int(laid>>slabBits) < len(t.slabs) {
		if slab := t.slabs[laid>>slabBits].Load(); slab != nil && slot == &slab[laid%slabSize] {
			atomic.StoreUint32(&t.laid, laid+1)
			t.index.place(slot.hash, laid)
			return
		}
	}
	if id := t.addSingle(slot); s.labelled {
		t.index.place(slot.hash, id)
	}
}

// Remove removes a series and reports whether it was in the set.
func (s *Set[H]) Remove(slot *Slot[H]) bool { return s.takeOut(slot, (*Series).retire) }

// takeOut removes a series, which end marks as gone.
func (s *Set[H]) takeOut(slot *Slot[H], end func(*Series)) bool {
	same := func(other *Slot[H]) bool { return other == slot }
	t := s.table.Load()
	entry := t.search(slot.hash, same)
	if entry < 0 {
		return false
	}
	id := t.index.id(t.index.entries[entry])
	defer s.change()()
	end(&slot.Series)
	slab := t.slabOf(id)
	t.drop(entry)
	if slab != nil && bits.OnesCount32(t.deadOf(id>>slabBits)) == slabSize/2 {
		slab.scatter()
	}
	if s.next != nil {
		if entry := s.next.search(slot.hash, same); entry >= 0 {
			s.next.drop(entry)
		}
	}
	s.live.Add(-1)
	s.alone, s.arena = true, arena{}
	s.advance()
	return true
}

// scatter moves the texts of a slab out of the blocks that they share with
// others.
func (s *slab[H]) scatter() {
	for i := range s {
		if text := s[i].text(); text != "" {
			s[i].keep(strings.Clone(text))
		}
	}
}

// Take moves the series of another set to this one, in one step for readers, and
// returns the series that this set had, which do not change. The other set is
// empty then.
func (s *Set[H]) Take(from *Set[H]) Walk[H] {
	before := s.Walk()
	defer s.change()()
	s.alone, s.arena, s.cells, s.next, s.moved = from.alone, from.arena, from.cells, from.next, from.moved
	s.live.Store(from.live.Load())
	s.table.Store(from.table.Load())
	from.alone, from.arena, from.cells, from.next, from.moved = from.tracked || !from.labelled, arena{}, nil, nil, 0
	from.live.Store(0)
	from.table.Store(&table[H]{})
	return before
}
