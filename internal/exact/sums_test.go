package exact_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"telltale/internal/exact"
)

// oracle adds values with more bits than any sum of them has.
func oracle(values []float64) float64 {
	sum, special := new(big.Float).SetPrec(2400), 0.0
	for _, v := range values {
		if v-v != 0 {
			special += v
			continue
		}
		sum.Add(sum, new(big.Float).SetFloat64(v))
	}
	if special != 0 {
		return special
	}
	v, _ := sum.Float64()
	return v + 0 // no negative zero
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

func sum(values []float64) *exact.Sums {
	s := new(exact.Sums)
	s.Reset(1)
	for _, v := range values {
		s.Add(0, v)
	}
	return s
}

// kinds are what values of which kinds a test may draw.
var kinds = map[string]func(r *rand.Rand) float64{
	"whole numbers": func(r *rand.Rand) float64 { return float64(r.IntN(1000)) },
	"seconds":       func(r *rand.Rand) float64 { return r.ExpFloat64() },
	"tenths":        func(r *rand.Rand) float64 { return 0.1 },
	"both signs":    func(r *rand.Rand) float64 { return r.NormFloat64() * math.Ldexp(1, r.IntN(120)-60) },
	"any exponent":  func(r *rand.Rand) float64 { return finite(r.Uint64()) },
	"few exponents": func(r *rand.Rand) float64 { return math.Ldexp(r.NormFloat64(), 200*r.IntN(5)-400) },
	"powers of two": func(r *rand.Rand) float64 { return math.Copysign(math.Ldexp(1, r.IntN(130)-65), r.Float64()-0.5) },
	"subnormal":     func(r *rand.Rand) float64 { return finite(r.Uint64()&^(0x7fe<<52) | uint64(r.IntN(2))<<52) },
	"near the largest": func(r *rand.Rand) float64 {
		return math.Copysign(math.MaxFloat64*(1-r.Float64()/4), r.Float64()-0.5)
	},
	"with infinities": func(r *rand.Rand) float64 {
		return []float64{1, math.Inf(1), 0.1, math.MaxFloat64}[r.IntN(4)]
	},
	"with NaN": func(r *rand.Rand) float64 {
		return []float64{1, math.Inf(1), math.Inf(-1), math.NaN(), 0.1, 1e300}[r.IntN(6)]
	},
}

// finite makes a float64 of any bits, which is not NaN or infinite.
func finite(b uint64) float64 {
	if b>>52&0x7ff == 0x7ff {
		b ^= 1 << 52
	}
	return math.Float64frombits(b)
}

func seeded(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func draw(r *rand.Rand, kind func(*rand.Rand) float64) []float64 {
	values := make([]float64, r.IntN(60))
	for i := range values {
		values[i] = kind(r)
		if i > 0 && r.IntN(8) == 0 {
			values[i] = -values[r.IntN(i)] // so that much cancels out
		}
	}
	return values
}

func TestSumsAreThoseOfUnboundedPrecisionInAnyOrder(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			r := seeded(t)
			for range 500 {
				values := draw(r, kind)
				want := oracle(values)
				for range 3 {
					if got := sum(values).Value(0); !same(got, want) {
						t.Fatalf("the sum of %v is %v (%#x), want %v (%#x)", values, got, math.Float64bits(got), want, math.Float64bits(want))
					}
					r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
				}
			}
		})
	}
}

func TestRoundingIsToTheNearestAndToEven(t *testing.T) {
	const ulp = 1.0 / (1 << 52) // of 1
	for name, c := range map[string]struct {
		values []float64
		want   float64
	}{
		"nothing":                       {nil, 0},
		"negative zero":                 {[]float64{math.Copysign(0, -1)}, 0},
		"tie, to even below":            {[]float64{1, ulp / 2}, 1},
		"tie, to even above":            {[]float64{1 + ulp, ulp / 2}, 1 + 2*ulp},
		"tie, broken far below":         {[]float64{1, ulp / 2, 5e-324}, 1 + ulp},
		"tie, broken downwards":         {[]float64{1 + ulp, ulp / 2, -5e-324}, 1 + ulp},
		"negative tie":                  {[]float64{-1, -ulp / 2, -5e-324}, -1 - ulp},
		"what cancels leaves the low":   {[]float64{1e300, 1, 5e-324, -1e300, -1}, 5e-324},
		"subnormals add up":             {[]float64{0x1p-1023, 0x1p-1023, 1e300, -1e300, 5e-324}, 0x1p-1022 + 5e-324},
		"half of an ulp below too much": {[]float64{math.MaxFloat64, 0x1p969}, math.MaxFloat64},
		"too much":                      {[]float64{math.MaxFloat64, 0x1p970}, math.Inf(1)},
		"too much for a while":          {[]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, math.MaxFloat64},
		"too little":                    {[]float64{-math.MaxFloat64, -0x1p970}, math.Inf(-1)},
		"one infinity stays":            {[]float64{1, math.Inf(-1), math.MaxFloat64}, math.Inf(-1)},
		"both infinities":               {[]float64{math.Inf(1), math.Inf(-1)}, math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sum(c.values).Value(0); !same(got, c.want) {
				t.Errorf("the sum of %v is %v, want %v", c.values, got, c.want)
			}
		})
	}
}

func TestPiecesAddUpToTheSum(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			r := seeded(t)
			for range 500 {
				values := draw(r, kind)
				s := sum(values)
				pieces := s.Pieces(0, nil)
				if len(pieces) > 0 && !same(pieces[0], s.Value(0)) && !math.IsInf(s.Value(0), 0) {
					t.Fatalf("the first piece of %v is %v, the sum %v", values, pieces[0], s.Value(0))
				}
				if again := sum(pieces).Pieces(0, nil); !slices.EqualFunc(pieces, again, same) {
					t.Fatalf("pieces of %v are %v, and theirs %v", values, pieces, again)
				}
				for _, p := range pieces {
					if p == 0 {
						t.Fatalf("a piece of %v is 0: %v", values, pieces)
					}
				}
				if special := oracle(values); special-special == 0 {
					for _, p := range pieces {
						values = append(values, -p)
					}
					if rest := sum(values).Pieces(0, nil); len(rest) > 0 {
						t.Fatalf("%v is missing in the pieces", rest)
					}
				}
			}
		})
	}
}

// Contributions lie in files at first. Folds take some files and what an earlier
// fold has left, add that up and leave the pieces. What all add up to is the same
// at every moment.
func TestFoldingChangesNoBit(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			r := seeded(t)
			for range 500 {
				values := draw(r, kind)
				want := oracle(values)
				var parts [][]float64
				for _, v := range values {
					parts = append(parts, []float64{v})
				}
				for len(parts) > 1 {
					r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
					n := 1 + r.IntN(len(parts))
					folded := sum(slices.Concat(parts[:n]...)).Pieces(0, nil)
					if parts = append(parts[n:], folded); n == 1 && r.IntN(4) == 0 {
						parts = append(parts[:len(parts)-1], folded, nil)
					}
					if got := sum(slices.Concat(parts...)).Value(0); !same(got, want) {
						t.Fatalf("after a fold of %v to %v the sum is %v, want %v", values, parts, got, want)
					}
					if r.IntN(20) == 0 {
						break
					}
				}
			}
		})
	}
}

func TestWholeNumbersAreNotRounded(t *testing.T) {
	r := seeded(t)
	for range 2000 {
		s := new(exact.Sums)
		s.Reset(1)
		want := new(big.Float).SetPrec(2400)
		for range r.IntN(20) {
			n := r.Uint64() >> r.IntN(64)
			s.AddWhole(0, n)
			want.Add(want, new(big.Float).SetPrec(64).SetUint64(n))
			if r.IntN(2) == 0 {
				v := r.Float64()
				s.Add(0, v)
				want.Add(want, new(big.Float).SetFloat64(v))
			}
		}
		if f, _ := want.Float64(); s.Value(0) != f {
			t.Fatalf("the sum is %v, want %v", s.Value(0), f)
		}
	}
}

// Whole numbers and others that come to a slot in turn, their sum beyond 64 bits at
// times, are stored as they are given one by one.
func TestStoredIsTheValue(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			r := seeded(t)
			for range 200 {
				const slots = 8
				s, want, stored := new(exact.Sums), make([][]float64, slots), make([]float64, slots)
				s.Reset(slots)
				for range r.IntN(60) {
					slot := r.IntN(slots)
					if r.IntN(2) == 0 {
						n := r.Uint64() >> r.IntN(64)
						s.AddWhole(uint32(slot), n)
						want[slot] = append(want[slot], float64(n>>32<<32), float64(n&(1<<32-1)))
					} else {
						v := kind(r)
						s.Add(uint32(slot), v)
						want[slot] = append(want[slot], v)
					}
				}
				s.Store(stored)
				for slot, v := range stored {
					if exactly := oracle(want[slot]); !same(v, exactly) || !same(s.Value(uint32(slot)), exactly) {
						t.Fatalf("slot %d has %v, and %v once it is stored; the sum of %v is %v", slot, s.Value(uint32(slot)), v, want[slot], exactly)
					}
				}
			}
		})
	}
}

// What TryAdd adds is in the sum, and what it does not is not.
func TestTryAddAddsAllOrNothing(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			r := seeded(t)
			for range 500 {
				s := new(exact.Sums)
				s.Reset(1)
				var want []float64
				for _, v := range draw(r, kind) {
					if !s.Pairs().TryAdd(0, v) {
						if r.IntN(2) == 0 {
							continue
						}
						s.Add(0, v)
					}
					want = append(want, v)
					n := r.Uint64() >> r.IntN(64)
					if !s.Wholes().TryAdd(0, n) {
						if r.IntN(2) == 0 {
							continue
						}
						s.AddWhole(0, n)
					}
					want = append(want, float64(n>>32<<32), float64(n&(1<<32-1)))
				}
				if got, exactly := s.Value(0), oracle(want); !same(got, exactly) {
					t.Fatalf("the sum of %v is %v, want %v", want, got, exactly)
				}
			}
		})
	}
}

func TestSlotsAreApart(t *testing.T) {
	s := new(exact.Sums)
	for range 3 { // later on with accumulators that were used before
		s.Reset(4)
		for _, v := range []float64{1e300, 1, 1e-300, -1e300} {
			s.Add(1, v)
			s.Add(3, -v)
		}
		s.Add(2, 7)
		for slot, want := range []float64{0, 1, 7, -1} {
			if got := s.Value(uint32(slot)); got != want {
				t.Errorf("slot %d has %v, want %v", slot, got, want)
			}
		}
	}
	if s.Reset(2); s.Len() != 2 || s.Value(1) != 0 {
		t.Errorf("%d slots after a Reset, the second with %v", s.Len(), s.Value(1))
	}
}

func TestLimbsHoldMoreThanASettlingOfValues(t *testing.T) {
	s := sum([]float64{5e-324, 1e300, 1})
	const n = 3 << 20 // limbs are made digits again three times
	for range n {
		s.Add(0, 1e300)
	}
	want, _ := new(big.Float).Mul(big.NewFloat(1e300), big.NewFloat(n+1)).Float64()
	if got := s.Value(0); got != want {
		t.Errorf("the sum is %v, want %v", got, want)
	}
}

func TestAddingAllocatesNothing(t *testing.T) {
	s := new(exact.Sums)
	values := []float64{1e200, 1, 0.1, 1e-200, math.Inf(1)}
	pieces := make([]float64, 0, 100)
	if n := testing.AllocsPerRun(100, func() {
		s.Reset(100)
		for slot := range uint32(100) {
			for _, v := range values {
				s.Add(slot, v)
			}
			s.AddWhole(slot, 1<<60+1)
			s.Value(slot)
			pieces = s.Pieces(slot, pieces[:0])
		}
	}); n != 0 {
		t.Errorf("%v allocations in a run like the one before", n)
	}
}

func FuzzSums(f *testing.F) {
	for _, values := range [][]float64{{1, 0.1, 1e300}, {math.MaxFloat64, math.MaxFloat64}, {5e-324, -1, math.NaN()}} {
		var b []byte
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var values []float64
		for ; len(b) >= 8; b = b[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		want := oracle(values)
		s := sum(values)
		if got := s.Value(0); !same(got, want) {
			t.Errorf("the sum of %v is %v, want %v", values, got, want)
		}
		if got := sum(s.Pieces(0, nil)).Value(0); !same(got, want) {
			t.Errorf("pieces of %v add up to %v, want %v", values, got, want)
		}
		slices.Reverse(values)
		if got := sum(values).Value(0); !same(got, want) {
			t.Errorf("the sum of %v from the end is %v, want %v", values, got, want)
		}
	})
}

// 2000 files of 512 series each: what adding a value costs.
func BenchmarkAdd(b *testing.B) {
	const slots, files = 512, 2000
	for _, c := range []struct {
		name string
		draw func(r *rand.Rand) float64
	}{
		{"zeros", func(*rand.Rand) float64 { return 0 }},
		{"whole", func(r *rand.Rand) float64 { return float64(r.IntN(1000)) }},
		{"seconds", func(r *rand.Rand) float64 { return r.ExpFloat64() }},
		{"apart", func(r *rand.Rand) float64 { return math.Ldexp(r.Float64(), 200*r.IntN(3)) }},
	} {
		values := make([]float64, 2*slots) // of which each file has another window
		for i := range values {
			values[i] = c.draw(rand.New(rand.NewPCG(uint64(i), 1)))
		}
		b.Run(c.name+"/plain", func(b *testing.B) {
			sums := make([]float64, slots)
			for range b.N {
				for file := range files {
					for slot, v := range values[file%slots:][:slots] {
						sums[slot] += v
					}
				}
			}
			perValue(b, slots*files)
		})
		b.Run(c.name+"/exact", func(b *testing.B) {
			var s exact.Sums
			for range b.N {
				s.Reset(slots)
				for file := range files {
					for slot, v := range values[file%slots:][:slots] {
						s.Add(uint32(slot), v)
					}
				}
			}
			perValue(b, slots*files)
		})
	}
}

func perValue(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
}

func ExampleSums_Pieces() {
	var writers, archive exact.Sums
	writers.Reset(1)
	for range 10 {
		writers.Add(0, 0.1)
	}
	pieces := writers.Pieces(0, nil)
	archive.Reset(1)
	for _, p := range pieces {
		archive.Add(0, p)
	}
	fmt.Println(len(pieces), writers.Value(0) == archive.Value(0), archive.Value(0))
	// Output: 2 true 1
}
