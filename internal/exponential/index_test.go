package exponential_test

import (
	"math"
	"math/big"
	"testing"

	"telltale/internal/exponential"
)

// exactIndex computes the index of v > 0 under a schema in whole numbers: with
// v = m * 2^e, the least i for which m^(2^schema) * 2^(e*2^schema) <= 2^i.
func exactIndex(v float64, schema int) int {
	if math.IsInf(v, 1) {
		return exactIndex(math.MaxFloat64, schema) + 1
	}
	fraction, e := math.Frexp(v)
	m, e := big.NewInt(int64(math.Ldexp(fraction, 53))), e-53
	fine := max(schema, 0)
	m.Exp(m, big.NewInt(1<<fine), nil)
	i := m.Sub(m, big.NewInt(1)).BitLen() + e<<fine
	if schema < 0 {
		width := 1 << -schema
		i = int(math.Ceil(float64(i) / float64(width)))
	}
	return i
}

func checkIndex(t *testing.T, v float64, schema int) {
	t.Helper()
	want := exactIndex(v, schema)
	if got := exponential.IndexOf(v, schema); got != want {
		t.Fatalf("schema %d: %b is in bucket %d, want %d", schema, v, got, want)
	}
	if got := exponential.IndexOf(-v, schema); got != want {
		t.Fatalf("schema %d: %b is in bucket %d, want %d", schema, -v, got, want)
	}
}

func TestIndexAtEveryBound(t *testing.T) {
	for schema := exponential.MinSchema; schema <= exponential.MaxSchema; schema++ {
		lowest := exactIndex(math.SmallestNonzeroFloat64, schema)
		highest := exactIndex(math.MaxFloat64, schema)
		step := 1
		if schema > 0 {
			step = 1<<schema*64 + 1 // every bound of an octave, from octave to octave
		}
		for index := lowest; index <= highest; index += step {
			bound := exponential.UpperBound(index, schema)
			if bound < math.SmallestNonzeroFloat64 {
				t.Fatalf("schema %d: bucket %d ends at %v", schema, index, bound)
			}
			for _, v := range []float64{math.Nextafter(bound, 0), bound, math.Nextafter(bound, math.Inf(1))} {
				if v > 0 {
					checkIndex(t, v, schema)
				}
			}
			// Several buckets below the normal numbers may hold no float64.
			if bound > 0x1p-1000 && exponential.IndexOf(bound, schema) != index {
				t.Fatalf("schema %d: bucket %d ends at %v, which is not in it", schema, index, bound)
			}
		}
		for octave := 0; octave < 2; octave++ {
			for k := range 256 {
				bound := exponential.UpperBound(octave*256+k, exponential.MaxSchema)
				checkIndex(t, math.Nextafter(bound, 0), schema)
				checkIndex(t, bound, schema)
				checkIndex(t, math.Nextafter(bound, 4), schema)
			}
		}
		for _, v := range []float64{math.Inf(1), math.MaxFloat64, 1, 0x1p-1022, math.Nextafter(0x1p-1022, 0), 0x1.8p-1070, math.SmallestNonzeroFloat64} {
			checkIndex(t, v, schema)
		}
	}
}

func TestUpperBound(t *testing.T) {
	for schema := exponential.MinSchema; schema <= exponential.MaxSchema; schema++ {
		last := exactIndex(math.MaxFloat64, schema)
		for index, want := range map[int]float64{0: 1, last: math.MaxFloat64, last + 1: math.Inf(1)} {
			if got := exponential.UpperBound(index, schema); got != want {
				t.Errorf("schema %d: bucket %d ends at %v, want %v", schema, index, got, want)
			}
		}
	}
}

func TestSchemas(t *testing.T) {
	// The table of the specification, section "Instrumentation libraries".
	for factor, want := range map[float64]int{
		1e6: -4, 65536: -4, 256: -3, 16: -2, 4: -1, 2: 0, 1.5: 1, 1.2: 2, 1.1: 3, 1.05: 4, 1.03: 5, 1.02: 6, 1.01: 7, 1.005: 8, 1.0001: 8,
	} {
		if got := exponential.SchemaFor(factor); got != want {
			t.Errorf("factor %v: schema %d, want %d", factor, got, want)
		}
	}
	for relative, want := range map[float64]int{0.5: -0, 0.05: 3, 0.01: 6, 0.0001: 8} {
		if got := exponential.SchemaWithin(relative); got != want {
			t.Errorf("relative error %v: schema %d, want %d", relative, got, want)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(1.0, 3)
	f.Add(0.1, 8)
	f.Add(math.SmallestNonzeroFloat64, -4)
	f.Fuzz(func(t *testing.T, v float64, schema int) {
		v = math.Abs(v)
		if v == 0 || v != v || schema < exponential.MinSchema || schema > exponential.MaxSchema {
			return
		}
		checkIndex(t, v, schema)
	})
}
