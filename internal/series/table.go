package series

import (
	"math"
	"sync/atomic"
)

const (
	slabBits = 3
	slabSize = 1 << slabBits

	single   = 1 << 31        // set in the ids of series with a slot of their own
	noSeries = math.MaxUint32 // an index entry whose series was removed
)

// slab is the slots of series that were created one after the other.
type slab[H any] [slabSize]Slot[H]

// table is one state of a set: series in slabs, and then series in single slots.
// A series has an id: its index among either, with single set for the latter.
// The hash index maps label values to ids by open addressing: an entry is an id
// plus one; zero is free. Readers take no lock. Published parts of a table do
// not change, except that series are removed; when the lists or the index must
// grow, shrink or move, another table replaces it.
type table[H any] struct {
	index   []atomic.Uint32
	slabs   []atomic.Pointer[slab[H]] // nil where all series of a full slab were removed
	singles []atomic.Pointer[Slot[H]] // nil where the series was removed

	dead        marks // slots of slabs whose series were removed
	deadSingles marks // singles that were removed; none in sets without labels

	laid atomic.Uint32 // number of published slots in slabs; those below are complete
	lone atomic.Uint32 // number of published singles

	// Not read by readers:
	taken int // index entries in use, those of removed series among them
	gone  int // nil slabs and singles among the published ones
}

// at returns the slot of an id, or nil if there is none, as for noSeries - 1.
func (t *table[H]) at(id uint32) *Slot[H] {
	if id < single {
		if i := int(id >> slabBits); i < len(t.slabs) {
			if s := t.slabs[i].Load(); s != nil {
				return &s[id%slabSize]
			}
		}
		return nil
	}
	if i := int(id &^ single); i < len(t.singles) {
		return t.singles[i].Load()
	}
	return nil
}

// slabOf returns the slab with the slot of an id, or nil if it is a single.
func (t *table[H]) slabOf(id uint32) *slab[H] {
	if id >= single {
		return nil
	}
	return t.slabs[id>>slabBits].Load()
}

// find returns the slot of the series with the label values, or nil. It does not
// find series whose values need escapes.
func (t *table[H]) find(d Digest, separators, values []string) *Slot[H] {
	mask := len(t.index) - 1
	for i := int(d.hash) & mask; mask >= 0; i = (i + 1) & mask {
		entry := t.index[i].Load()
		if entry == 0 {
			return nil
		}
		if s := t.at(entry - 1); s != nil && s.is(d, separators, values) {
			return s
		}
	}
	return nil
}

// search returns the index entry of the first series with the hash for which
// wanted returns true, or -1.
func (t *table[H]) search(hash uint32, wanted func(*Slot[H]) bool) int {
	mask := len(t.index) - 1
	for i := int(hash) & mask; mask >= 0; i = (i + 1) & mask {
		entry := t.index[i].Load()
		if entry == 0 {
			return -1
		}
		if s := t.at(entry - 1); s != nil && s.hash == hash && wanted(s) {
			return i
		}
	}
	return -1
}

// place adds an id to the index, which has room.
func (t *table[H]) place(hash, id uint32) {
	mask := len(t.index) - 1
	i := int(hash) & mask
	for ; ; i = (i + 1) & mask {
		switch t.index[i].Load() {
		case 0:
			t.taken++
		case noSeries:
		default:
			continue
		}
		break
	}
	t.index[i].Store(id + 1)
}

// drop removes a series from the index and, if no other series needs it, its
// allocation from the list.
func (t *table[H]) drop(entry int) {
	id := t.index[entry].Load() - 1
	t.index[entry].Store(noSeries)
	if id >= single {
		t.singles[id&^single].Store(nil)
		t.deadSingles.mark(id &^ single)
		t.gone++
		return
	}
	t.dead.mark(id)
	if i := id >> slabBits; t.laid.Load() >= (i+1)<<slabBits && t.deadOf(i) == wholeSlab {
		t.slabs[i].Store(nil)
		t.gone++
	}
}

const wholeSlab = 1<<slabSize - 1

// deadOf returns a bit for each series of a slab that was removed.
func (t *table[H]) deadOf(slab uint32) uint32 {
	id := slab << slabBits
	return t.dead.word(id) >> (id % wordBits) & wholeSlab
}

// open returns the slab that has room, or nil if there is none, and the index of
// its first free slot.
func (t *table[H]) open() (s *slab[H], at int) {
	laid := t.laid.Load()
	if at = int(laid % slabSize); at == 0 {
		return nil, 0
	}
	return t.slabs[laid>>slabBits].Load(), at
}

// entries returns the number of slabs and singles.
func (t *table[H]) entries() int { return t.slabsLaid() + int(t.lone.Load()) }

func (t *table[H]) slabsLaid() int { return (int(t.laid.Load()) + slabSize - 1) >> slabBits }

// resized returns the table with room for as many slabs and singles.
func (t *table[H]) resized(slabs, singles int) *table[H] {
	next := &table[H]{index: t.index, slabs: t.slabs, singles: t.singles, dead: t.dead, deadSingles: t.deadSingles, taken: t.taken, gone: t.gone}
	next.laid.Store(t.laid.Load())
	next.lone.Store(t.lone.Load())
	next.lengthen(slabs, singles)
	return next
}

// lengthen makes room in a table that is not published yet.
func (t *table[H]) lengthen(slabs, singles int) {
	if slabs > len(t.slabs) {
		longer := make([]atomic.Pointer[slab[H]], slabs)
		for i := range t.slabs {
			longer[i].Store(t.slabs[i].Load())
		}
		t.slabs, t.dead = longer, t.dead.longer(slabs*slabSize)
	}
	if singles > len(t.singles) {
		longer := make([]atomic.Pointer[Slot[H]], singles)
		for i := range t.singles {
			longer[i].Store(t.singles[i].Load())
		}
		t.singles = longer
		if len(t.index) > 0 {
			t.deadSingles = t.deadSingles.longer(singles)
		}
	}
}

// longer returns the new length of a list of n that is full.
func longer(n int) int {
	if n == 0 {
		return 1
	}
	return n + max(n/4, 4)
}

// take moves the i-th entry of another table, a slab or a single, to the end of
// this one, which is not published yet, unless all of its series were removed.
func (t *table[H]) take(from *table[H], i int) {
	if slabs := from.slabsLaid(); i >= slabs {
		if s := from.singles[i-slabs].Load(); s != nil {
			t.addSingle(s)
		}
		return
	}
	s := from.slabs[i].Load()
	if s == nil {
		return
	}
	to := t.slabsLaid()
	if to == len(t.slabs) {
		t.lengthen(longer(to), 0)
	}
	t.slabs[to].Store(s)
	begin, dead := uint32(to)<<slabBits, from.deadOf(uint32(i))
	t.dead[begin/wordBits].Or(dead << (begin % wordBits))
	used := min(slabSize, from.laid.Load()-uint32(i)<<slabBits)
	for at := range used {
		if dead>>at&1 == 0 {
			t.place(s[at].hash, begin|at)
		}
	}
	t.laid.Store(begin + used)
}

// addSingle publishes a single slot. There is room in the index, and in the list
// unless the table is not published yet.
func (t *table[H]) addSingle(s *Slot[H]) {
	i := t.lone.Load()
	if int(i) == len(t.singles) {
		t.lengthen(0, longer(len(t.singles)))
	}
	t.singles[i].Store(s)
	t.lone.Store(i + 1)
	if len(t.index) > 0 {
		t.place(s.hash, single|i)
	}
}
