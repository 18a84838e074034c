package estate

import (
	"math"
	"slices"

	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// Term is what belongs to the sum that a word of a [Remnant] is part of: what a lane
// holds, or what the word lacks in an archive.
type Term struct {
	Value int  // which of the words; of native histograms that behind the last is the sum
	Whole bool // the bits are a whole number, else a float64's
	Bits  uint64
}

// lack adds what a word of an archive lacks to the terms.
func (s *Remnant) lack(rest *segment.Rest) {
	for _, v := range rest.Pieces {
		s.Terms = append(s.Terms, Term{Value: rest.Value, Bits: math.Float64bits(v)})
	}
}

// summed is how many values of each series of the family are added up.
func summed(f *segment.Family) int {
	if f.IsOfMachine() {
		return 0
	}
	switch f.Layout {
	case segment.LayoutCounter, segment.LayoutSummary:
		return 2
	case segment.LayoutHistogram, segment.LayoutFloats:
		return 1 + len(f.Bounds)
	case segment.LayoutNative:
		return f.Classic() + 1
	case segment.LayoutValue:
		if catalog.Modes[f.Mode].Operation() == catalog.OpAdd {
			return 1
		}
	}
	return 0
}

// sum adds what a writer left of a series to the sums, which begin at a slot.
func (f *remainingFamily) sum(slot uint32, s *Remnant) {
	for i := range f.summed {
		switch {
		case i == len(s.Words):
			s.native.SumParts(func(v float64) { f.sums.Add(slot+uint32(i), v) })
		case f.Layout.Float(i):
			f.sums.Add(slot+uint32(i), math.Float64frombits(s.Words[i]))
		default:
			f.sums.AddWhole(slot+uint32(i), s.Words[i])
		}
	}
	for _, t := range s.Terms {
		switch {
		case t.Value >= f.summed:
		case t.Whole:
			f.sums.AddWhole(slot+uint32(t.Value), t.Bits)
		default:
			f.sums.Add(slot+uint32(t.Value), math.Float64frombits(t.Bits))
		}
	}
}

// settle makes the words of a series, which gets a row, those of its sums, as near as
// a word can be, and appends what they lack.
func (f *remainingFamily) settle(s *Remnant, row uint32, rests []segment.Rest) []segment.Rest {
	for i := range f.summed {
		f.pieces = f.sums.Pieces(s.slot+uint32(i), f.pieces[:0])
		pieces := f.pieces
		switch {
		case i == len(s.Words):
			s.native.Sum, pieces = first(pieces)
		case f.Layout.Float(i):
			var v float64
			v, pieces = first(pieces)
			s.Words[i] = math.Float64bits(v)
		default:
			s.Words[i], pieces = firstWhole(pieces)
		}
		if len(pieces) > 0 {
			rests = append(rests, segment.Rest{Row: row, Value: i, Pieces: slices.Clone(pieces)})
		}
	}
	return rests
}

func first(pieces []float64) (v float64, rest []float64) {
	if len(pieces) == 0 {
		return 0, nil
	}
	return pieces[0], pieces[1:]
}

// firstWhole returns the sum of the pieces, if it is a whole number that fits a word,
// else 0 and all of them. Such a sum has no more than two: the first, of 53 bits, and
// what it lacks, which may be negative.
func firstWhole(pieces []float64) (n uint64, rest []float64) {
	v, lacks := first(pieces)
	less := 0.0
	if len(lacks) > 0 {
		less = lacks[0]
	}
	const words = 1 << 64
	if len(pieces) > 2 || !(v >= 0 && v <= words) || v == words && less >= 0 || v != math.Trunc(v) || less != math.Trunc(less) {
		return 0, pieces
	}
	if v >= words/2 {
		v -= words / 2
		n = words / 2
	}
	return n + uint64(v) + uint64(int64(less)), nil
}
