package exact

// Sums are exact sums of float64s, by slot. The zero Sums has no slots. Methods
// are not safe for concurrent use.
//
// A slot is two float64s whose exact sum it stands for, which is enough for what
// services add up: numbers whose bits lie within some hundred of each other. A
// value that would leave more than that goes to an accumulator of that slot, which
// takes 0.6 KB. Beside them there is the sum of its whole numbers, modulo 2^64: the
// pair has the rest.
type Sums struct {
	pairs   Pairs
	wholes  Wholes
	spilled map[uint32]*accumulator
	spare   []*accumulator // of an earlier use
}

// pair stands for hi + lo, which need not be a float64.
type pair struct{ hi, lo float64 }

// Pairs is what [Sums.Add] mostly changes, by slot, for loops over many values: its method
// makes no call.
type Pairs []pair

// Wholes is what [Sums.AddWhole] mostly changes, likewise.
type Wholes []uint64

// Pairs returns the pairs of all slots, which are theirs until the next call of Reset or
// Grow.
func (s *Sums) Pairs() Pairs { return s.pairs }

// Wholes returns the sums of whole numbers of all slots, likewise.
func (s *Sums) Wholes() Wholes { return s.wholes }

// TryAdd adds v to the sum of a slot, which must be there, and reports true, or false if
// that takes [Sums.Add]: then nothing was added.
func (p Pairs) TryAdd(slot uint32, v float64) bool {
	to := &p[slot]
	hi := to.hi + v // twoSum, written out so that this method can be inlined
	of := hi - to.hi
	v = (to.hi - (hi - of)) + (v - of)
	lo := to.lo + v
	of = lo - to.lo
	if (to.lo-(lo-of))+(v-of) != 0 { // as in add
		return false
	}
	to.hi, to.lo = hi, lo
	return true
}

// TryAdd adds n to the sum of a slot, which must be there, and reports true, or false if
// that takes [Sums.AddWhole]: then nothing was added.
func (w Wholes) TryAdd(slot uint32, n uint64) bool {
	sum := w[slot] + n
	if sum < n {
		return false
	}
	w[slot] = sum
	return true
}

// Reset makes n slots, each with the sum 0.
func (s *Sums) Reset(n int) {
	if n > cap(s.pairs) || n > cap(s.wholes) {
		s.pairs, s.wholes = make(Pairs, n), make(Wholes, n)
	} else {
		s.pairs, s.wholes = s.pairs[:n], s.wholes[:n]
		clear(s.pairs)
		clear(s.wholes)
	}
	for _, a := range s.spilled {
		s.spare = append(s.spare, a)
	}
	clear(s.spilled)
}

// Grow makes n more slots, each with the sum 0.
func (s *Sums) Grow(n int) {
	s.pairs = append(s.pairs, make([]pair, n)...)
	s.wholes = append(s.wholes, make([]uint64, n)...)
}

// Len returns how many slots there are.
func (s *Sums) Len() int { return len(s.pairs) }

// Add adds v to the sum of a slot, which must be there.
func (s *Sums) Add(slot uint32, v float64) {
	if v != 0 { // so that zeros, which there are most, cost no call
		s.add(slot, v)
	}
}

// AddWhole adds n to the sum of a slot, which must be there.
func (s *Sums) AddWhole(slot uint32, n uint64) {
	w := &s.wholes[slot]
	if *w += n; *w < n { // a word has room for what is left
		s.add(slot, 1<<64)
	}
}

// settle adds the whole numbers of a slot to the others, in two parts that are
// float64s.
func (s *Sums) settle(slot uint32) {
	const low = 1<<32 - 1
	n := s.wholes[slot]
	s.wholes[slot] = 0
	s.Add(slot, float64(n&^low))
	s.Add(slot, float64(n&low))
}

func (s *Sums) add(slot uint32, v float64) {
	p := &s.pairs[slot]
	hi, lost := twoSum(p.hi, v)
	if lost == 0 {
		p.hi = hi
		return
	}
	lo, more := twoSum(p.lo, lost)
	if more != 0 { // or is NaN, because v is not finite or an addition was out of range
		s.spill(slot).add(v)
		return
	}
	p.hi, p.lo = hi, lo
}

// spill returns the accumulator of a slot, which it makes at the first call.
func (s *Sums) spill(slot uint32) *accumulator {
	a := s.spilled[slot]
	if a != nil {
		return a
	}
	if n := len(s.spare); n > 0 {
		a, s.spare = s.spare[n-1], s.spare[:n-1]
		*a = accumulator{}
	} else {
		a = new(accumulator)
	}
	if s.spilled == nil {
		s.spilled = make(map[uint32]*accumulator)
	}
	s.spilled[slot] = a
	return a
}

// Value returns the sum of a slot, rounded to the nearest float64, of two that are
// equally near to the even one, and beyond the largest to an infinity. If NaN or
// infinities were added, it is their sum alone: one infinity stays, both give NaN.
func (s *Sums) Value(slot uint32) float64 {
	s.settle(slot)
	p := s.pairs[slot]
	if a := s.spilled[slot]; a != nil {
		whole := *a
		whole.add(p.hi)
		whole.add(p.lo)
		return whole.value()
	}
	return p.hi + p.lo
}

// Sum returns the sum of values, as the Value of a slot to which they were added.
func Sum(values []float64) float64 {
	var s Sums
	s.Grow(1)
	for _, v := range values {
		s.Add(0, v)
	}
	return s.Value(0)
}

// Store stores the Value of each slot whose sum is not 0 in values, which has an
// element for each slot.
func (s *Sums) Store(values []float64) {
	for slot, p := range s.pairs {
		switch n := s.wholes[slot]; {
		case p != (pair{}):
			if n != 0 {
				s.settle(uint32(slot))
				p = s.pairs[slot]
			}
			values[slot] = p.hi + p.lo
		case n != 0:
			values[slot] = float64(n)
		}
	}
	for slot := range s.spilled {
		values[slot] = s.Value(slot)
	}
}

// Pieces appends float64s that add up to exactly the sum of a slot: first what
// Value returns, then what it lacks of the sum, rounded likewise, and so on until
// nothing is missing; of the sum 0 there are none. A sum beyond the largest float64
// begins with as many of the largest as it takes. If NaN or infinities were added,
// there is one piece, their sum.
func (s *Sums) Pieces(slot uint32, pieces []float64) []float64 {
	s.settle(slot)
	p := s.pairs[slot]
	var whole accumulator
	if a := s.spilled[slot]; a != nil {
		whole = *a
	} else if value, rest := twoSum(p.hi, p.lo); rest == rest { // no overflow
		for _, v := range [...]float64{value, rest} {
			if v != 0 {
				pieces = append(pieces, v)
			}
		}
		return pieces
	}
	whole.add(p.hi)
	whole.add(p.lo)
	return whole.pieces(pieces)
}

// twoSum returns a + b, rounded, and what was lost in rounding, exactly: NaN if
// the sum is not finite. There are no products in it, which some machines would
// fuse with an addition and round differently.
func twoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	of := sum - a
	return sum, (a - (sum - of)) + (b - of)
}
