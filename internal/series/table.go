package series

import "sync/atomic"

const (
	slabBits = 3
	slabSize = 1 << slabBits
)

// slab is the slots of series that were created one after the other.
type slab[H any] [slabSize]Slot[H]

// table is one state of a set: series in slabs, and then series in single slots.
// A series has an id: its number among either, with single set for the latter.
// The index maps label values to ids. Readers take no lock. Published parts of a
// table do not change, except that series are removed; when the lists or the index
// must grow, shrink or move, another table replaces it.
type table[H any] struct {
	index   index
	slabs   []atomic.Pointer[slab[H]] // nil where all series of a full slab were removed
	singles []atomic.Pointer[Slot[H]] // nil where the series was removed

	dead        marks // slots of slabs whose series were removed
	deadSingles marks // singles that were removed; none in sets without labels

	// Written atomically once readers can see the table:
	laid uint32 // number of published slots in slabs; those below are complete
	lone uint32 // number of published singles

	gone int // nil slabs and singles among the published ones; not read by readers
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
	if len(t.index.entries) == 0 {
		return nil
	}
	x := &t.index
	tag := x.tag(d.hash)
	for i := x.home(d.hash); ; i = x.after(i) {
		entry := x.load(i)
		if entry == 0 {
			return nil
		}
		if entry&x.tags == tag {
			if s := t.at(x.id(entry)); s != nil && s.is(d, separators, values) {
				return s
			}
		}
	}
}

// search returns the index entry of the first series with the hash for which
// wanted returns true, or -1.
func (t *table[H]) search(hash uint32, wanted func(*Slot[H]) bool) int {
	x := &t.index
	if len(x.entries) == 0 {
		return -1
	}
	tag := x.tag(hash)
	for i := x.home(hash); ; i = x.after(i) {
		entry := x.entries[i]
		if entry == 0 {
			x.missed(hash, i)
			return -1
		}
		if entry&x.tags == tag {
			if s := t.at(x.id(entry)); s != nil && s.hash == hash && wanted(s) {
				return i
			}
		}
	}
}

// drop removes a series from the index and, if no other series needs it, its
// allocation from the list.
func (t *table[H]) drop(entry int) {
	id := t.index.id(t.index.entries[entry])
	t.index.drop(entry)
	if id >= single {
		t.singles[id&^single].Store(nil)
		t.deadSingles.mark(id &^ single)
		t.gone++
		return
	}
	t.dead.mark(id)
	if i := id >> slabBits; t.laid >= (i+1)<<slabBits && t.deadOf(i) == wholeSlab {
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
	laid := t.laid
	if at = int(laid % slabSize); at == 0 {
		return nil, 0
	}
	return t.slabs[laid>>slabBits].Load(), at
}

// entries returns the number of slabs and singles.
func (t *table[H]) entries() int { return t.slabsLaid() + int(t.lone) }

func (t *table[H]) slabsLaid() int { return (int(t.laid) + slabSize - 1) >> slabBits }

// resized returns the table with room for the given numbers of slabs and singles.
func (t *table[H]) resized(slabs, singles int) *table[H] {
	next := &table[H]{index: t.index, slabs: t.slabs, singles: t.singles, dead: t.dead, deadSingles: t.deadSingles, laid: t.laid, lone: t.lone, gone: t.gone}
	next.lengthen(slabs, singles)
	return next
}

// lengthen makes room in a table that is not published yet.
func (t *table[H]) lengthen(slabs, singles int) {
	if slabs > len(t.slabs) {
		longer := make([]atomic.Pointer[slab[H]], slabs)
		copy(longer, t.slabs)
		t.slabs, t.dead = longer, t.dead.longer(slabs*slabSize)
	}
	if singles > len(t.singles) {
		longer := make([]atomic.Pointer[Slot[H]], singles)
		copy(longer, t.singles)
		t.singles = longer
		if len(t.index.entries) > 0 {
			t.deadSingles = t.deadSingles.longer(singles)
		}
	}
}

// longer returns the new length of a list of n that is full.
func longer(n int) int {
	if n == 0 {
		return 1
	}
	return n + max(n/8, 4)
}

// take adds the i-th entry of another table, a slab or a single, to the end of this
// one, unless all of its series were removed. Readers do not see this one yet: nothing
// is stored atomically, since the processor would wait for each such store.
func (t *table[H]) take(from *table[H], i int) {
	if slabs := from.slabsLaid(); i >= slabs {
		t.takeSingle(from.singles[i-slabs:][:1])
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
	copy(t.slabs[to:], from.slabs[i:i+1])
	begin, dead := uint32(to)<<slabBits, from.deadOf(uint32(i))
	if dead != 0 {
		t.dead[begin/wordBits].Or(dead << (begin % wordBits))
	}
	used := min(slabSize, from.laid-uint32(i)<<slabBits)
	for at := range used {
		if dead>>at&1 == 0 {
			t.index.fill(s[at].hash, begin|at)
		}
	}
	t.laid = begin + used
}

// takeSingle adds a single, unless it was removed.
func (t *table[H]) takeSingle(from []atomic.Pointer[Slot[H]]) {
	s := from[0].Load()
	if s == nil {
		return
	}
	to := int(t.lone)
	if to == len(t.singles) {
		t.lengthen(0, longer(to))
	}
	copy(t.singles[to:], from)
	t.index.fill(s.hash, single|t.lone)
	t.lone++
}

// addSingle publishes a single slot, for which the list has room, and returns its id,
// which is not in the index yet.
func (t *table[H]) addSingle(s *Slot[H]) (id uint32) {
	i := t.lone
	t.singles[i].Store(s)
	atomic.StoreUint32(&t.lone, i+1)
	return single | i
}
