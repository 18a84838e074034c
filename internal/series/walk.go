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
	slab, single uint32   // the next ones that were not looked at
	rest         *slab[H] // a slab of which some series are left
	living       uint32   // a bit for each of them
	singles      uint32   // a bit for each single that is left of the wordBits before the next
}

// Next returns slots of the next series, or none at the end. Some series may
// have been removed meanwhile; [Series.Created] reports that.
func (w *Walk[H]) Next() []Slot[H] {
	for w.living == 0 && w.slab<<slabBits < w.laid {
		w.fetchSlabs()
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
	for w.singles != 0 || w.nextSingles() {
		i := w.single - wordBits + uint32(bits.TrailingZeros32(w.singles))
		w.singles &= w.singles - 1
		if slot := w.table.singles[i].Load(); slot != nil {
			return unsafe.Slice(slot, 1)
		}
	}
	return nil
}

// nextSingles goes on to the next singles and reports whether any are left.
func (w *Walk[H]) nextSingles() bool {
	for w.singles == 0 && w.single < w.lone {
		w.fetchSingles()
		w.singles = w.livingSingles(w.single)
		w.single += wordBits
	}
	return w.singles != 0
}

// livingOf returns a bit for each series of a slab that the walk should visit.
func (w *Walk[H]) livingOf(slab uint32) uint32 {
	return ^w.table.deadOf(slab) & (1<<min(slabSize, w.laid-slab<<slabBits) - 1)
}

// livingSingles returns a bit for each of the wordBits singles from a multiple of
// wordBits on that the walk should visit.
func (w *Walk[H]) livingSingles(from uint32) uint32 {
	if from >= w.lone {
		return 0
	}
	return ^w.table.deadSingles.word(from) & (1<<min(wordBits, w.lone-from) - 1)
}

// Series and texts are fetched ahead while others are encoded, texts half as far ahead
// as the series that point to them. Slabs and the blocks of texts are too small, and too
// scattered, for processors to follow from one to the next by themselves.
const slabsAhead = 16

// fetchSlabs fetches a slab, and the texts of another that was fetched before. In a slab
// of which no series was removed these mostly lie one after the other.
func (w *Walk[H]) fetchSlabs() {
	if i := w.slab + slabsAhead; i<<slabBits < w.laid {
		prefetchSlab(unsafe.Pointer(w.table.slabs[i].Load()))
	}
	i := w.slab + slabsAhead/2
	if i<<slabBits >= w.laid {
		return
	}
	slab, living := w.table.slabs[i].Load(), w.livingOf(i)
	if slab == nil {
		return
	}
	if living == wholeSlab {
		prefetchSlab(unsafe.Pointer(slab[0].start.Load()))
		return
	}
	var texts [slabSize]unsafe.Pointer
	n := 0
	for ; living != 0; living &= living - 1 {
		texts[n] = unsafe.Pointer(slab[bits.TrailingZeros32(living)].start.Load())
		n++
	}
	prefetchLines(&texts[0], n)
}

// fetchSingles fetches singles, and the texts of others that were fetched before.
func (w *Walk[H]) fetchSingles() {
	var lines [2 * wordBits]unsafe.Pointer
	n, from := 0, w.single+wordBits
	for living := w.livingSingles(from); living != 0; living &= living - 1 {
		if slot := w.table.singles[from+uint32(bits.TrailingZeros32(living))].Load(); slot != nil {
			lines[n] = unsafe.Pointer(slot.start.Load())
			n++
		}
	}
	from += wordBits
	for living := w.livingSingles(from); living != 0; living &= living - 1 {
		lines[n] = unsafe.Pointer(w.table.singles[from+uint32(bits.TrailingZeros32(living))].Load())
		n++
	}
	prefetchLines(&lines[0], n)
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
