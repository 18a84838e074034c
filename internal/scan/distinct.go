package scan

import (
	"hash/maphash"

	"telltale/model"
)

// Distinct finds series of a family that come again. It keeps a 64-bit hash of
// each, eight to sixteen bytes, and no labels: whoever is told of a repetition
// looks for the series itself, since two may have the same hash.
type Distinct struct {
	seed  maphash.Seed
	first uint64   // the only hash while count is 1: most families need no table
	count int      // of hashes
	table []uint64 // open addressing; a power of two long, half full at most; 0 is a free slot
}

// NewDistinct returns a Distinct for one family after the other.
func NewDistinct() *Distinct { return &Distinct{seed: maphash.MakeSeed()} }

const (
	firstSlots = 32
	keptSlots  = 1024 // a larger table is let go with its family
)

// Repetition is what the hashes say of a series.
type Repetition uint8

// The repetitions.
const (
	Unique    Repetition = iota
	Again                // the same labels at the same time
	HalfTimed            // the same labels, once with a timestamp and once without
)

// timed marks the hash of labels that have come with a timestamp.
const timed = 0x5bf0_3635_ca6f_3a91

// Add adds the series of a sample.
func (d *Distinct) Add(l Labels, t model.Timestamp) Repetition {
	hash := l.Hash(d.seed)
	switch {
	case !t.IsSet() && d.has(hash^timed), t.IsSet() && d.has(hash):
		return HalfTimed
	case t.IsSet():
		d.enter(hash ^ timed)
		hash = hashAt(hash, t)
	}
	if !d.enter(hash) {
		return Again
	}
	return Unique
}

// hashAt returns the hash of labels at a time. No two times make the same of one.
func hashAt(hash uint64, t model.Timestamp) uint64 {
	const odd = 0x9e3779b97f4a7c15
	sec, nsec := t.UnixParts()
	return hash + (uint64(sec)*1e9+uint64(nsec)+1)*odd
}

// Reset begins a new family.
func (d *Distinct) Reset() {
	switch {
	case d.count < 2: // the table is clear
	case len(d.table) > keptSlots:
		d.table = nil
	default:
		clear(d.table)
	}
	d.count = 0
}

// has reports whether a hash was entered.
func (d *Distinct) has(hash uint64) bool {
	hash = max(hash, 1) // 0 is a free slot
	if d.count < 2 {
		return d.count == 1 && d.first == hash
	}
	return d.table[d.slot(hash)] == hash
}

// enter adds a hash, and reports whether it is new.
func (d *Distinct) enter(hash uint64) bool {
	hash = max(hash, 1)
	switch {
	case d.count == 0:
		d.first, d.count = hash, 1
		return true
	case d.count == 1:
		if d.first == hash {
			return false
		}
		if d.table == nil {
			d.table = make([]uint64, firstSlots)
		}
		d.table[d.slot(d.first)] = d.first
	case 2*d.count >= len(d.table):
		d.grow()
	}
	slot := d.slot(hash)
	if d.table[slot] == hash {
		return false
	}
	d.table[slot] = hash
	d.count++
	return true
}

// slot returns where a hash is, or is to be.
func (d *Distinct) slot(hash uint64) uint64 {
	last := uint64(len(d.table) - 1)
	i := hash & last
	for d.table[i] != 0 && d.table[i] != hash {
		i = (i + 1) & last
	}
	return i
}

func (d *Distinct) grow() {
	old := d.table
	d.table = make([]uint64, 4*len(old))
	for _, hash := range old {
		if hash != 0 {
			d.table[d.slot(hash)] = hash
		}
	}
}
