package series

import "sync/atomic"

const (
	leastIndex = 16
	fewGone    = 16 // entries that are not worth another table
	stride     = 64 // slabs and singles that one change moves to the next table
)

// advance begins to move to another table if the present one is due, or goes on
// with that. The next table has a place for each live series, so that its size
// is exact; no text is read, since series keep their hash.
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
			s.next.take(t, s.moved)
		}
		if s.moved == t.entries() { // including the open slab, to which nothing may be added in between
			s.table.Store(s.next)
			s.next = nil
			return
		}
		if t.taken+1 < len(t.index) {
			return
		}
	}
}

// due reports whether a table is almost full, or mostly empty.
func (s *Set[H]) due(t *table[H]) bool {
	live, size := s.Len(), len(t.index)
	return 8*(t.taken+1) > 5*size ||
		size > leastIndex && size > 8*(live+1) ||
		t.gone > fewGone && 2*t.gone > t.entries()
}

func (s *Set[H]) begin(t *table[H]) {
	size := leastIndex
	for size < 2*(s.Len()+1) {
		size *= 2
	}
	s.next, s.moved = &table[H]{index: make([]atomic.Uint32, size)}, 0
	if left := t.entries() - t.gone; left > stride {
		s.next.lengthen(min(left, t.slabsLaid()), min(left, int(t.lone.Load())))
	}
}
