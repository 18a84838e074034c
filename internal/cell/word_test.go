package cell

import (
	"math"
	"math/big"
	"testing"
)

func TestAddWhole(t *testing.T) {
	for _, test := range []struct {
		name string
		from uint64
		n    uint64
		word uint64 // afterwards
		rest float64
	}{
		{"nothing", 5, 0, 5, 0},
		{"little", 5, 7, 12, 0},
		{"much", 5, 1 << 40, 5 + 1<<40, 0},
		{"up to the limit", 1, MostWhole - 2, MostWhole - 1, 0},
		{"beyond the limit", 1, MostWhole, 1, MostWhole},
		{"little, below the limit", MostWhole - 1, 1<<32 - 1, MostWhole + 1<<32 - 2, 0},
		{"much, below the limit", MostWhole - 1, 1<<32 + 3, MostWhole + 2, 1 << 32},
		{"little, at the limit", MostWhole, 7, MostWhole + 7, 0},
		{"more, at the limit", MostWhole, coarse + 7, MostWhole + 7, coarse},
		{"the most", MostWhole, 1<<63 - 1024, MostWhole + coarse - 1024, 1<<63 - coarse},
		{"at twice the limit", 2 * MostWhole, 7, 2 * MostWhole, 7},
		{"at the very end", math.MaxUint64, 1 << 62, math.MaxUint64, 1 << 62},
	} {
		var w Word
		w.Store(test.from)
		rest := AddWhole(&w, test.n)
		if w.Load() != test.word || rest != test.rest {
			t.Errorf("%s: the word is %d and %v is left, want %d and %v", test.name, w.Load(), rest, test.word, test.rest)
		}
	}
}

// Additions of all sizes are in a word and a float64 without loss, far beyond
// 2^64.
func TestAddWholeLosesNothing(t *testing.T) {
	var w, f Word
	want := new(big.Int)
	for i := range uint64(20_000) {
		n := (i*0x9E3779B97F4A7C15 | 1) >> (i % 56) & (1<<53 - 1)
		AddFloat(&f, AddWhole(&w, n))
		want.Add(want, new(big.Int).SetUint64(n))
	}
	got, _ := big.NewFloat(LoadFloat(&f)).Int(nil)
	if got.Add(got, new(big.Int).SetUint64(w.Load())); got.Cmp(want) != 0 || got.BitLen() <= 64 {
		t.Errorf("%d, want %d, above 2^64", got, want)
	}
}
