package series

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
)

// index maps hashes to ids by open addressing: a search looks at the entries one after
// the other, from the home of the hash to the first entry that is free. An entry is an
// id plus one, zero if it is free. The bits that ids of this index do not need are the
// entry's tag, which is bits of the hash: a search reads no series with another tag.
// Readers take no lock; an entry of an index that they can see does not move.
type index struct {
	entries []uint32 // written atomically once readers can see them
	tags    uint32   // the bits of an entry that are its tag: those between single and the number of the id
	idBits  uint8    // how many bits the number has

	// Not read by readers:
	dropped bool   // there are entries of removed series
	sought  uint32 // the hash of the last search in vain
	spot    int    // the free entry at which it ended
	taken   int    // number of entries in use, those of removed series among them
}

const (
	single   = 1 << 31        // set in the ids of series with a slot of their own
	noSeries = math.MaxUint32 // an entry whose series was removed

	pageOfEntries = 8 << 10 / 4        // what Go's allocator rounds large allocations up to
	wholePages    = 16 * pageOfEntries // entries from which on an index is a whole number of pages
)

// newIndex returns an index with at least size entries, for ids whose numbers are below
// the limit.
func newIndex(size int, limit uint32) index {
	var entries []uint32
	if size < wholePages {
		entries = slices.Grow([]uint32(nil), size)
		entries = entries[:cap(entries)] // all that was allocated
		clear(entries)
	} else {
		// Memory that comes zeroed from the system is not touched here, where others wait
		// for the lock, but as series move in.
		entries = make([]uint32, (size+pageOfEntries-1)&^(pageOfEntries-1))
	}
	idBits := uint8(bits.Len32(limit + 1))
	return index{entries: entries, tags: single - 1<<idBits, idBits: idBits}
}

// home returns the entry at which the search for a hash begins. It comes from the upper
// bits of the hash, tags from the lower ones.
func (x *index) home(hash uint32) int { return int(uint64(hash) * uint64(len(x.entries)) >> 32) }

// after returns the entry at which a search goes on.
func (x *index) after(i int) int {
	if i++; i == len(x.entries) {
		return 0
	}
	return i
}

// tag returns the tag of a hash.
func (x *index) tag(hash uint32) uint32 { return hash << (x.idBits & 31) & x.tags }

// load returns an entry.
func (x *index) load(i int) uint32 { return atomic.LoadUint32(&x.entries[i]) }

// id returns the id of an entry that is not free. No slot has that of noSeries.
func (x *index) id(entry uint32) uint32 { return entry&^x.tags - 1 }

// entry returns the entry of an id.
func (x *index) entry(hash, id uint32) uint32 { return id + 1 | x.tag(hash) }

// missed remembers at which free entry a search in vain ended, where the next series is
// placed if it has that hash. A new index seems to remember the home of hash 0.
func (x *index) missed(hash uint32, at int) { x.sought, x.spot = hash, at }

// place adds an id, for which there is room.
func (x *index) place(hash, id uint32) {
	at := x.spot
	if hash != x.sought || x.entries[at] != 0 || x.dropped {
		at = x.vacant(hash)
	}
	if x.entries[at] == 0 {
		x.taken++
	}
	atomic.StoreUint32(&x.entries[at], x.entry(hash, id))
}

// fill is place for an index that readers do not see yet.
func (x *index) fill(hash, id uint32) {
	at := x.vacant(hash)
	if x.entries[at] == 0 {
		x.taken++
	}
	x.entries[at] = x.entry(hash, id)
}

// vacant returns the first entry from the home of a hash on that is free or of a removed
// series.
func (x *index) vacant(hash uint32) int {
	i := x.home(hash)
	for x.entries[i] != 0 && x.entries[i] != noSeries {
		i = x.after(i)
	}
	return i
}

// drop removes the id of an entry, over which searches still go on.
func (x *index) drop(i int) {
	atomic.StoreUint32(&x.entries[i], noSeries)
	x.dropped = true
}
