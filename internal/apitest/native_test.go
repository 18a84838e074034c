package apitest

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

func newNative(t *testing.T, opts ...telltale.HistogramOption) *telltale.Histogram {
	t.Helper()
	h, err := telltale.NewHistogram("h", "", append(opts, telltale.Unregistered())...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// counted returns the counts of a native histogram by bucket index.
type counted struct {
	positive, negative map[int]float64
	zero               float64
}

func countsOf(n *model.NativeHistogram) counted {
	side := func(spans []model.Span, counts []float64) map[int]float64 {
		found := make(map[int]float64)
		index, next := 0, 0
		for _, s := range spans {
			index += int(s.Offset)
			for range s.Length {
				if counts[next] != 0 {
					found[index] = counts[next]
				}
				index, next = index+1, next+1
			}
		}
		return found
	}
	return counted{side(n.PositiveSpans, n.Positive), side(n.NegativeSpans, n.Negative), n.ZeroCount}
}

// exactCounts counts values in buckets by comparing powers of them, which are
// exact, with powers of two.
func exactCounts(values []float64, schema int, threshold float64) counted {
	c := counted{positive: make(map[int]float64), negative: make(map[int]float64)}
	for _, v := range values {
		side, abs := c.positive, v
		if v < 0 {
			side, abs = c.negative, -v
		}
		switch {
		case v != v:
		case abs <= threshold:
			c.zero++
		default:
			side[exactIndex(abs, schema)]++
		}
	}
	return c
}

// exactIndex returns the index i of the bucket 2^((i-1)/2^schema) < v <=
// 2^(i/2^schema), for schemas from 0 on.
func exactIndex(v float64, schema int) int {
	if math.IsInf(v, 1) {
		return 1024<<schema + 1
	}
	power := new(big.Float).SetPrec(1 << 15).SetFloat64(v)
	for range schema {
		power.Mul(power, power)
	}
	var mantissa big.Float
	exponent := power.MantExp(&mantissa) // from 0.5 to below 1
	if mantissa.Cmp(big.NewFloat(0.5)) == 0 {
		return exponent - 1
	}
	return exponent
}

func sameCounts(a, b counted) bool {
	return fmt.Sprint(a) == fmt.Sprint(b) // maps are printed in order
}

func TestNativeBucketsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	for _, schema := range []int{0, 3, 8} {
		h := newNative(t, telltale.WithNativeSchema(schema, telltale.WithNativeMaxBuckets(1<<16), telltale.WithNativeZeroThreshold(1e-3)))
		var values []float64
		sum := 0.0
		for range 2000 {
			v := math.Exp(3*random.NormFloat64()) * float64(1-2*random.IntN(2))
			values = append(values, v)
		}
		for _, bound := range []float64{1, 2, 0.5, -4, 1e-3, -1e-3, 0, math.Copysign(0, -1), 1e-4} {
			values = append(values, bound, math.Nextafter(bound, math.Inf(1)), math.Nextafter(bound, math.Inf(-1)))
		}
		for _, v := range values {
			h.Observe(v)
			sum += v
		}
		got := only(t, h).Histogram
		if want := exactCounts(values, schema, 1e-3); !sameCounts(countsOf(got.Native), want) {
			t.Errorf("schema %d: counts %v, want %v", schema, countsOf(got.Native), want)
		}
		if got.Native.Count != float64(len(values)) || got.Count != got.Native.Count || h.Count() != uint64(len(values)) {
			t.Errorf("schema %d: %v, %v and %d observations, want %d", schema, got.Native.Count, got.Count, h.Count(), len(values))
		}
		if math.Abs(got.Sum-sum) > 1e-9*math.Abs(sum) || got.Sum != got.Native.Sum || got.Sum != h.Sum() {
			t.Errorf("schema %d: sums %v, %v and %v, want %v", schema, got.Sum, got.Native.Sum, h.Sum(), sum)
		}
	}
}

func TestNativeBucketsOfUnusualValues(t *testing.T) {
	inf := math.Inf(1)
	h := newNative(t, telltale.WithNativeSchema(0))
	for _, v := range []float64{inf, inf, -inf, math.MaxFloat64, math.NaN()} {
		h.Observe(v)
	}
	got := only(t, h).Histogram
	want := counted{map[int]float64{1024: 1, 1025: 2}, map[int]float64{1025: 1}, 0}
	if !sameCounts(countsOf(got.Native), want) || got.Count != 5 || !math.IsNaN(got.Sum) {
		t.Errorf("%v, count %v, sum %v", countsOf(got.Native), got.Count, got.Sum)
	}
}

func TestNativePages(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []telltale.HistogramOption
		want string
	}{
		{"alone", nil, `# TYPE h histogram
h_bucket{le="+Inf"} 3.0
h_count 3.0
h_sum 6.5
`},
		{"beside classic ones", []telltale.HistogramOption{telltale.WithBuckets(1, 2)}, `# TYPE h histogram
h_bucket{le="1.0"} 1.0
h_bucket{le="2.0"} 2.0
h_bucket{le="+Inf"} 3.0
h_count 3.0
h_sum 6.5
`},
	} {
		h := newNative(t, append(tt.opts, telltale.WithNativeBuckets(1.1))...)
		for _, v := range []float64{1, 1.5, 4} {
			h.Observe(v)
		}
		wantPage(t, h, tt.want)
		if got := only(t, h).Histogram.Native; got.Schema != 3 || got.Count != 3 || got.ZeroThreshold != 0x1p-128 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	h := newNative(t, telltale.WithNativeBuckets(2))
	if got := only(t, h); got.Histogram.Native.Schema != 0 || got.Histogram.Native.Count != 0 || !got.Created.IsSet() {
		t.Errorf("before the first observation: %+v, created %v", got.Histogram.Native, got.Created)
	}
	negative := newNative(t, telltale.WithNativeBuckets(2), telltale.WithBuckets(-1))
	negative.Observe(-3)
	if got := only(t, negative); got.Has&model.PartSum != 0 || got.Histogram.Native.Sum != -3 {
		t.Errorf("with a negative bound: parts %b, sum %v", got.Has, got.Histogram.Native.Sum)
	}
}

func TestNativeVecs(t *testing.T) {
	reg := telltale.NewRegistry()
	by := telltale.Must(telltale.NewHistogramVec("h", "", []string{"queue"}, telltale.In(reg), telltale.WithNativeBuckets(1.5)))
	of := telltale.Must(telltale.NewHistogramOf[byQueue]("h", "", telltale.In(reg), telltale.WithNativeBuckets(1.5)))
	if by.With("a") != of.With(byQueue{"a"}) {
		t.Error("the same labels gave two series")
	}
	by.With("a").Observe(3)
	of.With(byQueue{"a"}).Time(func() {})
	if n := by.With("a").Count(); n != 2 {
		t.Errorf("%d observations, want 2", n)
	}
	by.Remove("a")
	if n := by.With("a").Count(); n != 0 {
		t.Errorf("made again: %d observations", n)
	}
}

func TestNativeOptions(t *testing.T) {
	native := func(opts ...telltale.NativeOption) telltale.HistogramOption {
		return telltale.WithNativeBuckets(1.1, opts...)
	}
	for _, tt := range []struct {
		name string
		opts []telltale.HistogramOption
		good bool
	}{
		{"factor 2", []telltale.HistogramOption{telltale.WithNativeBuckets(2)}, true},
		{"a factor finer than the finest", []telltale.HistogramOption{telltale.WithNativeBuckets(1.0001)}, true},
		{"factor 1", []telltale.HistogramOption{telltale.WithNativeBuckets(1)}, false},
		{"factor NaN", []telltale.HistogramOption{telltale.WithNativeBuckets(math.NaN())}, false},
		{"schema -4", []telltale.HistogramOption{telltale.WithNativeSchema(-4)}, true},
		{"schema -5", []telltale.HistogramOption{telltale.WithNativeSchema(-5)}, false},
		{"schema 9", []telltale.HistogramOption{telltale.WithNativeSchema(9)}, false},
		{"two buckets", []telltale.HistogramOption{native(telltale.WithNativeMaxBuckets(2))}, true},
		{"one bucket", []telltale.HistogramOption{native(telltale.WithNativeMaxBuckets(1))}, false},
		{"no buckets", []telltale.HistogramOption{native(telltale.WithNativeMaxBuckets(0))}, false},
		{"fewer than no buckets", []telltale.HistogramOption{native(telltale.WithNativeMaxBuckets(-3))}, false},
		{"far too many buckets", []telltale.HistogramOption{native(telltale.WithNativeMaxBuckets(math.MaxInt))}, false},
		{"a zero threshold of 0", []telltale.HistogramOption{native(telltale.WithNativeZeroThreshold(0))}, true},
		{"a negative zero threshold", []telltale.HistogramOption{native(telltale.WithNativeZeroThreshold(-1))}, false},
		{"a zero threshold of NaN", []telltale.HistogramOption{native(telltale.WithNativeZeroThreshold(math.NaN()))}, false},
		{"a highest zero threshold of +Inf", []telltale.HistogramOption{native(telltale.WithNativeMaxZeroThreshold(math.Inf(1)))}, false},
		{"a negative duration", []telltale.HistogramOption{native(telltale.WithNativeMinReset(-1))}, false},
		{"resets beside classic buckets", []telltale.HistogramOption{native(telltale.WithNativeMinReset(time.Hour)), telltale.WithBuckets(1)}, false},
		{"no exemplars", []telltale.HistogramOption{native(telltale.WithNativeExemplars(0, 0))}, true},
		{"fewer exemplars than none", []telltale.HistogramOption{native(telltale.WithNativeExemplars(-1, 0))}, false},
		{"exemplars of a negative age", []telltale.HistogramOption{native(telltale.WithNativeExemplars(1, -1))}, false},
	} {
		_, err := telltale.NewHistogram("h", "", append(tt.opts, telltale.Unregistered())...)
		switch {
		case (err == nil) != tt.good:
			t.Errorf("%s: %v", tt.name, err)
		case err != nil && !strings.Contains(err.Error(), `histogram "h"`):
			t.Errorf("%s: the error does not name the histogram: %v", tt.name, err)
		}
	}
}

func TestNativeIdentity(t *testing.T) {
	create := func(reg *telltale.Registry, opts ...telltale.HistogramOption) (*telltale.Histogram, error) {
		return telltale.NewHistogram("h", "", append(opts, telltale.In(reg))...)
	}
	first := telltale.WithNativeBuckets(1.1, telltale.WithNativeMaxBuckets(100))
	for name, tt := range map[string]struct {
		opts []telltale.HistogramOption
		same bool
	}{
		"the same":        {[]telltale.HistogramOption{first}, true},
		"the same schema": {[]telltale.HistogramOption{telltale.WithNativeSchema(3, telltale.WithNativeMaxBuckets(100))}, true},
		"another schema":  {[]telltale.HistogramOption{telltale.WithNativeSchema(4, telltale.WithNativeMaxBuckets(100))}, false},
		"another limit":   {[]telltale.HistogramOption{telltale.WithNativeBuckets(1.1)}, false},
		"classic too":     {[]telltale.HistogramOption{first, telltale.WithBuckets(1)}, false},
		"classic alone":   {[]telltale.HistogramOption{telltale.WithBuckets(1)}, false},
	} {
		reg := telltale.NewRegistry()
		a := telltale.Must(create(reg, first))
		b, err := create(reg, tt.opts...)
		if tt.same != (err == nil && a == b) {
			t.Errorf("%s: %p and %p, %v", name, a, b, err)
		}
		if err != nil && !strings.Contains(err.Error(), "native buckets of schema 3, at most 100") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNativeLimit(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []telltale.NativeOption
		want func(n *model.NativeHistogram) bool
	}{
		{"halves the resolution", nil, func(n *model.NativeHistogram) bool {
			return n.Schema < 3 && n.ZeroThreshold == 0x1p-128 && n.ZeroCount == 0 && n.Count == 400
		}},
		{"widens the zero bucket first", []telltale.NativeOption{telltale.WithNativeMaxZeroThreshold(1e6)}, func(n *model.NativeHistogram) bool {
			return n.Schema == 3 && n.ZeroThreshold > 1 && n.ZeroThreshold <= 1e6 && n.ZeroCount > 0 && n.Count == 400
		}},
		{"widens it as far as it may", []telltale.NativeOption{telltale.WithNativeMaxZeroThreshold(1e-3)}, func(n *model.NativeHistogram) bool {
			return n.Schema < 3 && n.ZeroThreshold <= 1e-3 && n.ZeroCount > 0 && n.Count == 400
		}},
		{"does not empty it too soon", []telltale.NativeOption{telltale.WithNativeMinReset(time.Hour)}, func(n *model.NativeHistogram) bool {
			return n.Schema < 3 && n.Count == 400
		}},
	} {
		h := newNative(t, telltale.WithNativeSchema(3, append(tt.opts, telltale.WithNativeMaxBuckets(20))...))
		for i := range 400 {
			h.Observe(math.Exp2(float64(i-200) / 10))
		}
		got := only(t, h).Histogram.Native
		c := countsOf(got)
		if !tt.want(got) || len(c.positive) > 20 {
			t.Errorf("%s: %d buckets of %+v", tt.name, len(c.positive), got)
		}
	}
}

func TestNativeReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newNative(t, telltale.WithNativeSchema(3, telltale.WithNativeMaxBuckets(4), telltale.WithNativeMinReset(time.Minute)))
		fill := func() {
			for i := range 5 {
				h.Observe(math.Exp2(float64(i)))
			}
		}
		fill()
		first := only(t, h)
		if first.Histogram.Native.Schema == 3 || first.Histogram.Count != 5 {
			t.Errorf("at first %+v", first.Histogram.Native)
		}
		time.Sleep(2 * time.Minute)
		fill()
		if last := only(t, h); last.Histogram.Count != 10 || last.Histogram.Sum != 62 {
			t.Errorf("what it was emptied of: %+v", last.Histogram.Native)
		}
		h.Observe(1)
		after := only(t, h)
		if after.Histogram.Native.Schema != 3 || after.Histogram.Count != 1 || after.Histogram.Sum != 1 {
			t.Errorf("afterwards %+v", after.Histogram.Native)
		}
		if after.Created.Compare(first.Created) <= 0 {
			t.Errorf("created %v, and after the reset %v", first.Created, after.Created)
		}
	})
}

func TestNativeExemplars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newNative(t, telltale.WithNativeBuckets(2, telltale.WithNativeExemplars(3, time.Minute)))
		observe := func(v float64) {
			t.Helper()
			if err := h.ObserveWithExemplar(v, map[string]string{"id": fmt.Sprint(v)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		values := func() (found []float64) {
			for _, e := range only(t, h).Histogram.Native.Exemplars {
				found = append(found, e.Value)
			}
			return found
		}
		for _, v := range []float64{1, 100, 10_000, 110} {
			observe(v)
		}
		if got := values(); !slices.Equal(got, []float64{1, 10_000, 110}) {
			t.Errorf("the closest of too many did not go: %v", got)
		}
		time.Sleep(time.Minute)
		observe(1e6)
		if got := values(); !slices.Equal(got, []float64{10_000, 110, 1e6}) {
			t.Errorf("the oldest did not go: %v", got)
		}
		if n := h.Count(); n != 5 {
			t.Errorf("%d observations", n)
		}
	})
	none := newNative(t, telltale.WithNativeBuckets(2, telltale.WithNativeExemplars(0, 0)), telltale.WithBuckets(1, 2))
	if err := none.ObserveWithExemplar(1.5, map[string]string{"id": "x"}); err != nil {
		t.Fatal(err)
	}
	if got := only(t, none).Histogram; len(got.Native.Exemplars) != 0 || got.Exemplar(1) == nil {
		t.Errorf("native exemplars %v, classic %v", got.Native.Exemplars, got.Exemplars)
	}
	if err := none.ObserveWithExemplar(1, map[string]string{"": "x"}); err == nil || none.Count() != 1 {
		t.Errorf("bad labels: %v, and %d observations", err, none.Count())
	}
}

// Pages written while many goroutines observe are consistent, and no observation
// is lost.
func TestNativeUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 20_000
	for _, classic := range []bool{false, true} {
		opts := []telltale.HistogramOption{telltale.WithNativeSchema(5, telltale.WithNativeMaxBuckets(40))}
		if classic {
			opts = append(opts, telltale.WithBuckets(1, 10, 100))
		}
		h := newNative(t, opts...)
		together(goroutines, func(i int) {
			for n := range rounds {
				h.Observe(math.Exp2(float64(n % 256 / 8)))
				if i == 0 && n%500 == 0 {
					checkNative(t, only(t, h).Histogram)
				}
			}
		})
		got := only(t, h).Histogram
		checkNative(t, got)
		if got.Count != goroutines*rounds {
			t.Errorf("%v observations, want %d", got.Count, goroutines*rounds)
		}
	}
}

// checkNative checks that the parts of a histogram fit each other.
func checkNative(t *testing.T, h *model.HistogramValue) {
	t.Helper()
	inBuckets := h.Native.ZeroCount
	for _, n := range slices.Concat(h.Native.Positive, h.Native.Negative) {
		inBuckets += n
	}
	if inBuckets != h.Native.Count || h.Count != h.Native.Count || !slices.IsSorted(h.Cumulative) {
		t.Errorf("%v in buckets, %v and %v counted, cumulative %v", inBuckets, h.Native.Count, h.Count, h.Cumulative)
	}
	if n := len(h.Cumulative); n > 0 && h.Cumulative[n-1] != h.Count {
		t.Errorf("%v up to +Inf, %v counted", h.Cumulative[n-1], h.Count)
	}
}
