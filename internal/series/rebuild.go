package series

import "unsafe"

const (
	leastSpare = 16 // free entries that a new index has at least
	fewGone    = 16 // entries that are not worth another table
	stride     = 64 // slabs and singles that one change moves to the next table
)

// advance begins to move to another table if the present one is due, or goes on
// with that. No text is read, since series keep their hash.
func (s *Set[H]) advance() {
	if !s.labelled {
		return
	}
	t := s.table.Load()
	if s.next == nil {
		if !s.due(t) {
			return
		}
		s.begin(t)
	}
	for {
		end := min(s.moved+stride, t.entries())
		for ; s.moved < end; s.moved++ {
			if i := s.moved + slabsAhead; i < len(t.slabs) {
				prefetchSlab(unsafe.Pointer(t.slabs[i].Load()))
			}
			s.next.take(t, s.moved)
		}
		if s.moved == t.entries() { // including the open slab, to which nothing may be added in between
			s.table.Store(s.next)
			s.next = nil
			return
		}
		if t.index.taken+1 < len(t.index.entries) {
			return
		}
	}
}

// due reports whether a table is almost full, or mostly empty. An index in which one
// entry of eight is free is full: tags spare searches from reading the series of the
// others.
func (s *Set[H]) due(t *table[H]) bool {
	live, size := s.Len(), len(t.index.entries)
	return 8*(t.index.taken+1) > 7*size ||
		size > 4*(live+leastSpare) ||
		t.gone > fewGone && 2*t.gone > t.entries()
}

// begin makes the next table. Its index has three entries for two series, and is full
// with 21 for 16: that is 4.6 to 6.9 bytes a series.
func (s *Set[H]) begin(t *table[H]) {
	live, left := s.Len(), t.entries()-t.gone
	size := live + max(live/2, leastSpare)
	// The table after the next is due before more series were added to slabs than the index
	// has entries, and before there are more singles than three times as many.
	limit := min(slabSize*left+4*size, single-2)
	s.next, s.moved = &table[H]{index: newIndex(size, uint32(limit))}, 0
	if left > stride {
		slabs := min(left, t.slabsLaid())
		if !s.alone {
			slabs = longer(slabs)
		}
		s.next.lengthen(slabs, longer(min(left, int(t.lone))))
	}
}
