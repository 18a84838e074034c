package cell

import "math"

// A series that nobody updates may leave its page, and comes back when somebody does.
// No lock keeps an update and the leaving apart. What is counted in an Accumulator, or
// in the words of a counter, does without by this order:
//
//   - The goroutine that takes the series out marks it first (here: no first word),
//     then drains the words, and then compares: if they held more than at the last
//     look, all of it is put back and the series stays.
//   - A writer adds to the words first and then looks for the mark. If it finds it, the
//     series is brought back, with what the words have by then.
//
// So either the drain found the addition, or the writer finds the mark. An observation
// of two additions counts in the first; drains go the other way round, so that a drain
// that has the second has the first, too.

// Seen is what an accumulator held when it was looked at. One that was added to since
// differs from it.
type Seen struct {
	Count uint64 // in all words but the first
	Sum   uint64 // the bits of word 0
}

// Look returns what the given number of words hold.
func (a *Accumulator) Look(words int) Seen {
	s := Seen{Sum: math.Float64bits(a.Sum())}
	for i := 1; i < words; i++ {
		s.Count += a.Count(i)
	}
	return s
}

// Leave takes the first word away and empties the words and the lanes. If they held
// anything else than what was seen it puts it all back and returns nil; else the words,
// for [Accumulator.Return]. Additions that come late stay in them. The caller holds the
// Moving.
func (a *Accumulator) Leave(seen Seen, words int) *Word {
	first := a.first.Swap(nil)
	held := make([]uint64, words)
	found := Seen{Sum: math.Float64bits(a.drain(first, held))}
	for _, n := range held[1:] {
		found.Count += n
	}
	if found == seen {
		return first
	}
	AddFloat(first, math.Float64frombits(found.Sum))
	for i := 1; i < words; i++ {
		At(first, i).Add(held[i])
	}
	a.first.Store(first)
	return nil
}

// Part takes the words of a row away, and the lanes, and returns them, for
// [Accumulator.ToRow]: they keep what they hold. If that is anything else than what was
// seen, the words stay and row is nil. Additions that come late end there, too. The caller
// holds the Moving.
func (a *Accumulator) Part(seen Seen, words int) (row *Word, lanes *Lanes) {
	var parted Accumulator
	row, lanes = a.first.Swap(nil), a.lanes.Load()
	parted.first.Store(row)
	parted.lanes.Store(lanes)
	if parted.Look(words) != seen { // not before the swap: a writer that still sees the words need not come back
		a.first.Store(row)
		return nil, nil
	}
	a.lanes.Store(nil)
	return row, lanes
}

// drain empties the words from first on and those of the lanes, the sums before the
// counts. It adds the counts to held and returns the sum.
func (a *Accumulator) drain(first *Word, held []uint64) (sum float64) {
	lanes := a.lanes.Load()
	sum = math.Float64frombits(first.Swap(0))
	spread := 0.0
	for w := range lanes.Each() {
		spread += math.Float64frombits(w.Swap(0))
	}
	if lanes != nil {
		sum += spread
	}
	for i := 1; i < len(held); i++ {
		held[i] += At(first, i).Swap(0)
		for w := range lanes.Each() {
			held[i] += At(w, i).Swap(0)
		}
	}
	return sum
}

// Return lets the accumulator count in words that Leave returned, with what came late.
func (a *Accumulator) Return(first *Word) { a.first.Store(first) }

// Pour moves what came late in the given number of words that Leave returned to
// another accumulator, which does not leave meanwhile. First is nil if there are none.
func (a *Accumulator) Pour(first *Word, words int, to *Accumulator) {
	if first == nil {
		return
	}
	held := make([]uint64, words)
	sum, into := a.drain(first, held), to.first.Load()
	for i := 1; i < words; i++ {
		if held[i] > 0 {
			At(into, i).Add(held[i])
		}
	}
	if sum != 0 {
		AddFloat(into, sum)
	}
}
