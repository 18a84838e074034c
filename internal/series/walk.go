package series

import (
	"iter"
	"math/bits"
	"unsafe"
)

// Walk goes through the series that a set had when it began, in the order of
// their creation. Those that came later are not met, so no label set is met
// twice, however often its series is removed and made anew meanwhile; those that
// stay are all met.
type Walk[H any] struct {
	table        *table[H]
	laid, lone   uint32
	slab, single uint32   // which come next
	rest         *slab[H] // of which some are left
	living       uint32   // which these are
	sum          byte     // of what was read only to have it in the processor's cache
}

// Walk begins a walk.
func (s *Set[H]) Walk() Walk[H] {
	t := s.table.Load()
	return Walk[H]{table: t, laid: t.laid.Load(), lone: t.lone.Load()}
}

// Next returns slots of the next series, none behind the last. Some may have been
// removed meanwhile, as [Series.Created] tells.
func (w *Walk[H]) Next() []Slot[H] {
	for w.living == 0 && w.slab<<slabBits < w.laid {
		if w.slab%atOnce == 0 {
			w.fetchSlabs()
		}
		if w.rest = w.table.slabs[w.slab].Load(); w.rest != nil {
			w.living = w.livingOf(w.slab)
		}
		w.slab++
	}
	if w.living != 0 {
		first := bits.TrailingZeros32(w.living)
		n := bits.TrailingZeros32(^(w.living >> first))
		w.living &^= (1<<n - 1) << first
		return w.rest[first : first+n]
	}
	for w.single < w.lone {
		if w.single%atOnce == 0 {
			w.fetchSingles()
		}
		slot := w.table.singles[w.single].Load()
		if w.single++; slot != nil {
			return unsafe.Slice(slot, 1)
		}
	}
	return nil
}

// livingOf returns a bit for each series of a slab that the walk should meet.
func (w *Walk[H]) livingOf(slab uint32) uint32 {
	return ^w.table.deadOf(slab) & (1<<min(slabSize, w.laid-slab<<slabBits) - 1)
}

// atOnce is how many series are fetched from memory before they are looked at.
// Where they do not lie side by side, that takes little longer than to fetch one.
const atOnce = 16

// fetchSlabs fetches the first series of each of the next slabs, unless they are
// full.
func (w *Walk[H]) fetchSlabs() {
	if w.full() {
		return
	}
	var slots [atOnce]*Slot[H]
	n := 0
	for i := w.slab; i < w.slab+atOnce && i<<slabBits < w.laid; i++ {
		slab, living := w.table.slabs[i].Load(), w.livingOf(i)
		if slab != nil && living != 0 && living != wholeSlab {
			slots[n] = &slab[bits.TrailingZeros32(living)]
			n++
		}
	}
	w.fetch(slots[:n])
}

// full reports whether no series of the next slabs was removed.
func (w *Walk[H]) full() bool {
	first := int(w.slab) * slabSize / wordBits
	for i := first; i < min(first+atOnce*slabSize/wordBits, len(w.table.dead)); i++ {
		if w.table.dead[i].Load() != 0 {
			return false
		}
	}
	return true
}

func (w *Walk[H]) fetchSingles() {
	var slots [atOnce]*Slot[H]
	n := 0
	for i := w.single; i < min(w.single+atOnce, w.lone); i++ {
		if slot := w.table.singles[i].Load(); slot != nil {
			slots[n] = slot
			n++
		}
	}
	w.fetch(slots[:n])
}

func (w *Walk[H]) fetch(slots []*Slot[H]) {
	var texts [atOnce]*byte
	for i, slot := range slots {
		texts[i] = slot.start.Load()
	}
	for _, text := range texts[:len(slots)] {
		if text != nil {
			w.sum += *text
		}
	}
}

// Living goes through what is left of a walk, without the series that were
// removed.
func (w Walk[H]) Living() iter.Seq[*Slot[H]] {
	return func(yield func(*Slot[H]) bool) {
		w := w // each use goes through all of it
		for run := w.Next(); len(run) > 0; run = w.Next() {
			for i := range run {
				if run[i].alive() && !yield(&run[i]) {
					return
				}
			}
		}
	}
}
