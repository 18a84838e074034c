package series

import (
	"iter"
	"math/bits"
	"unsafe"
)

// Walk visits the series that a set had when the walk began, in the order of
// their creation. Series created later are not visited, so no label set is
// visited twice, even if its series is removed and created again meanwhile;
// series that stay in the set are all visited.
type Walk[H any] struct {
	table        *table[H]
	laid, lone   uint32
	slab, single uint32   // the next ones
	rest         *slab[H] // a slab of which some series are left
	living       uint32   // a bit for each of them
	sum          byte     // of bytes that were read only to fetch them into the processor's cache
}

// Next returns slots of the next series, or none at the end. Some series may
// have been removed meanwhile; [Series.Created] reports that.
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

// livingOf returns a bit for each series of a slab that the walk should visit.
func (w *Walk[H]) livingOf(slab uint32) uint32 {
	return ^w.table.deadOf(slab) & (1<<min(slabSize, w.laid-slab<<slabBits) - 1)
}

// atOnce is the number of series that are fetched from memory before they are
// read. If they are not adjacent, that takes little longer than fetching one.
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

// Living returns the rest of a walk, without the series that were removed.
func (w Walk[H]) Living() iter.Seq[*Slot[H]] {
	return func(yield func(*Slot[H]) bool) {
		w := w // each iteration visits all of it
		for run := w.Next(); len(run) > 0; run = w.Next() {
			for i := range run {
				if run[i].alive() && !yield(&run[i]) {
					return
				}
			}
		}
	}
}
