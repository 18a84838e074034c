package scan

import (
	"hash/maphash"
	"math/bits"

	"telltale/model"
)

// Distinct tells whether the series of a family are all different. It keeps a
// 64-bit hash of each series and no labels. The hashes are compared at the end,
// part by part, so that a part stays in the processor's cache.
type Distinct struct {
	seed   maphash.Seed
	hashes [][]uint64 // in pieces, of which all but the last are full
	count  int
	parts  []uint64 // the hashes, sorted by their first bits
	ends   []int    // of the parts
	table  []uint64 // open addressing, half full at most; 0 is a free slot
	timed  bool     // a series has a timestamp
	bare   bool     // a series has none
}

// NewDistinct returns a Distinct for one family after the other.
func NewDistinct() *Distinct { return &Distinct{seed: maphash.MakeSeed(), hashes: make([][]uint64, 1)} }

const (
	partSize  = 1024    // hashes of a part on average
	pieceSize = 4 << 10 // hashes of a piece; the first is kept from family to family
)

// Add adds the series of a sample.
func (d *Distinct) Add(l Labels, t model.Timestamp) {
	hash := l.Hash(d.seed)
	if t.IsSet() {
		d.timed = true
		hash = hashAt(hash, t)
	} else {
		d.bare = true
	}
	last := len(d.hashes) - 1
	if len(d.hashes[last]) == pieceSize {
		d.hashes = append(d.hashes, make([]uint64, 0, pieceSize))
		last++
	}
	d.hashes[last] = append(d.hashes[last], max(hash, 1))
	d.count++
}

// hashAt returns the hash of labels at a time. Different times give different
// hashes.
func hashAt(hash uint64, t model.Timestamp) uint64 {
	const odd = 0x9e3779b97f4a7c15
	sec, rest := t.Key()
	return hash + (sec*1e9+rest+1)*odd
}

// Unique reports whether all series are different, and all with a timestamp or
// all without. If it returns false, two series are almost certainly equal,
// unless the family has series of both kinds.
func (d *Distinct) Unique() bool {
	if d.timed && d.bare {
		return false
	}
	from := 0
	for _, end := range d.divide() {
		if !d.unique(d.parts[from:end]) {
			return false
		}
		from = end
	}
	return true
}

// divide groups the hashes into parts, by their first bits, and returns the end
// of each part.
func (d *Distinct) divide() []int {
	shift := 64 - bits.Len(uint(d.count/partSize))
	d.ends = append(d.ends[:0], make([]int, 1<<(64-shift))...)
	if shift == 64 {
		d.parts, d.ends[0] = d.hashes[0], d.count
		return d.ends
	}
	for _, piece := range d.hashes {
		for _, hash := range piece {
			d.ends[hash>>shift]++
		}
	}
	begin := 0
	for i, size := range d.ends {
		d.ends[i] = begin
		begin += size
	}
	d.parts = make([]uint64, d.count)
	for _, piece := range d.hashes {
		for _, hash := range piece {
			d.parts[d.ends[hash>>shift]] = hash
			d.ends[hash>>shift]++
		}
	}
	return d.ends
}

// unique reports whether hashes are all different.
func (d *Distinct) unique(hashes []uint64) bool {
	if len(hashes) < 2 {
		return true
	}
	size := 2 << bits.Len(uint(len(hashes)-1))
	if size > cap(d.table) {
		d.table = make([]uint64, size)
	}
	d.table = d.table[:size]
	clear(d.table)
	last := uint64(size - 1)
	for _, hash := range hashes {
		i := hash & last
		for ; d.table[i] != 0; i = (i + 1) & last {
			if d.table[i] == hash {
				return false
			}
		}
		d.table[i] = hash
	}
	return true
}

// Reset begins a new family.
func (d *Distinct) Reset() {
	if len(d.hashes) > 1 {
		clear(d.hashes[1:])
		d.hashes, d.ends, d.table = d.hashes[:1], nil, nil
	}
	d.hashes[0], d.count, d.parts, d.timed, d.bare = d.hashes[0][:0], 0, nil, false, false
}
