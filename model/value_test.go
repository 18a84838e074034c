package model_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"telltale/model"
)

// spell is AppendValue by the book: Go's shortest 'g' form, which is that of
// python's floatToGoString, made recognisable as a float.
func spell(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if math.IsInf(v, 0) || math.IsNaN(v) || strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}

func checkValue(t *testing.T, v float64) {
	t.Helper()
	got := model.FormatValue(v)
	if want := spell(v); got != want {
		t.Errorf("%b is spelled %q, want %q", v, got, want)
	}
	back, err := strconv.ParseFloat(got, 64)
	if err != nil || math.Float64bits(back) != math.Float64bits(v) && !math.IsNaN(v) {
		t.Errorf("%q reads back as %b (%v), want %b", got, back, err, v)
	}
}

func TestValueSpelling(t *testing.T) {
	for want, v := range map[string]float64{
		"42.0": 42, "0.0": 0, "-0.0": math.Copysign(0, -1), "1.0": 1, "-1.0": -1, "0.5": 0.5,
		"9.0": 9, "10.0": 10, "99.0": 99, "100.0": 100, "9999.0": 9999, "10000.0": 10000, "99999.0": 99999,
		"100000.0": 100000, "999999.0": 999999, "1e+06": 1e6, "-1e+06": -1e6, "1.000001e+06": 1000001,
		"1.234567e+06": 1234567, "1.2345678e+06": 1234567.8, "123456.7": 123456.7, "-999999.0": -999999,
		"1e-05": 1e-5, "0.0001": 1e-4, "1e+100": 1e100, "5e-324": 5e-324, "1.7976931348623157e+308": math.MaxFloat64,
		"9.007199254740991e+15": 1<<53 - 1, "9.007199254740992e+15": 1 << 53, "-9.007199254740991e+15": -(1<<53 - 1),
		"1.7e+09": 1700000000, "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "NaN": math.NaN(),
	} {
		if got := model.FormatValue(v); got != want {
			t.Errorf("%v is spelled %q, want %q", v, got, want)
		}
		checkValue(t, v)
	}
	if got := string(model.AppendValue([]byte("x "), 1)); got != "x 1.0" {
		t.Errorf("AppendValue does not append: %q", got)
	}
}

// Whole numbers have paths of their own, by their size; so look around every
// border between them.
func TestWholeValues(t *testing.T) {
	for i := range 3_000_000 {
		if got := model.FormatValue(float64(i)); got != spell(float64(i)) {
			t.Fatalf("%d is spelled %q", i, got)
		}
	}
	for power := 1.0; power < 1e19; power *= 10 {
		for _, d := range []float64{-2, -1, 0, 1, 2, 0.5, -0.5} {
			checkValue(t, power+d)
			checkValue(t, -(power + d))
		}
	}
	for bit := range 64 {
		v := math.Ldexp(1, bit)
		for _, d := range []float64{-1, 0, 1} {
			checkValue(t, v+d)
			checkValue(t, -(v + d))
		}
		checkValue(t, v+float64(uint32(7))) // low 32 bits that look like a small number
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		checkValue(t, float64(random.Int64()>>random.IntN(63)))
		checkValue(t, math.Float64frombits(random.Uint64()))
	}
}

// So have numbers of few decimals. Neighbours of theirs, which have many, must not be
// taken for them.
func TestDecimalValues(t *testing.T) {
	const seed = 3
	random := rand.New(rand.NewPCG(seed, seed))
	for decimals := range 17 {
		unit := math.Pow(10, float64(decimals))
		for range 30_000 {
			v := float64(random.Int64N(1<<random.IntN(54)+1)) / unit
			checkValue(t, v)
			checkValue(t, -v)
			checkValue(t, math.Nextafter(v, 0))
			checkValue(t, math.Nextafter(v, math.Inf(1)))
		}
		for _, border := range []float64{1e-5, 1e-4, 1, 1e6, 1e9, 1e12, 1e15, 1 << 53} {
			for _, v := range []float64{border, border + 1/unit, border - 1/unit} {
				checkValue(t, v)
				checkValue(t, math.Nextafter(v, 0))
				checkValue(t, math.Nextafter(v, math.Inf(1)))
			}
		}
		if t.Failed() {
			t.Fatalf("with %d decimals, seed %d", decimals, seed)
		}
	}
	sum := 0.0
	for range 200_000 { // sums are near numbers of few decimals
		sum += float64(random.IntN(10_000)) / 1000
		checkValue(t, sum)
	}
}

// Most numbers have sixteen or seventeen digits. Those with few bits behind the point may be
// as far from one number of sixteen digits as from another.
func TestLongValues(t *testing.T) {
	const seed = 4
	random := rand.New(rand.NewPCG(seed, seed))
	for shift := range 70 {
		for _, mantissa := range []int64{1 << 52, 1<<52 + 1, 1<<53 - 1} {
			checkValue(t, math.Ldexp(float64(mantissa), -shift))
		}
		for range 3000 {
			mantissa := 1<<52 | random.Int64N(1<<52)
			checkValue(t, math.Ldexp(float64(mantissa), -shift))
			checkValue(t, math.Ldexp(float64(mantissa>>random.IntN(12)), -shift))
		}
		if t.Failed() {
			t.Fatalf("divided by 2^%d, seed %d", shift, seed)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, v := range []float64{0, 1, -1, 1e6, 1e-5, 1 << 53, 4294967301, math.Inf(1), math.NaN(), math.MaxFloat64,
		0.005, 1234.56, 0.1 + 0.2, 1700000000.125, 123456.123456789, 1e-4, 9.9999999e-5, math.Copysign(0, -1), math.SmallestNonzeroFloat64} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		checkValue(t, math.Float64frombits(bits))
		checkValue(t, float64(int64(bits)>>10)/math.Pow(10, float64(bits&15)))
	})
}

func TestAppendValueDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 64)
	values := []float64{0, 42, 1e6, 1 << 52, 0.1, math.Pi, math.MaxFloat64, math.Inf(1), math.NaN()}
	if n := testing.AllocsPerRun(100, func() {
		for _, v := range values {
			buf = model.AppendValue(buf[:0], v)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
