package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/exposition/protobuf"
	"telltale/model"
)

// awkward returns values at, beside and between powers of two, and unusual ones.
func awkward(random *rand.Rand, n int) []float64 {
	values := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-200, 0x1p-128}
	for range n {
		v := math.Ldexp(1, random.IntN(24)-12)
		switch random.IntN(4) {
		case 0:
			v = math.Nextafter(v, math.Inf(1))
		case 1:
			v = math.Nextafter(v, 0)
		case 2:
			v *= 1 + random.Float64()
		}
		if random.IntN(4) == 0 {
			v = -v
		}
		values = append(values, v)
	}
	random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values
}

// Rendered classic buckets have what counted ones have, whatever happened to the native
// buckets.
func TestRenderedClassicBucketsAreExact(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		schema := random.IntN(9)
		upper := telltale.Must(telltale.ExponentialBuckets(math.Ldexp(1, random.IntN(12)-8), 2, 1+random.IntN(12)))
		upper = slices.DeleteFunc(upper, func(v float64) bool { return v > upper[0] && random.IntN(4) == 0 })
		opts := []telltale.NativeOption{telltale.WithNativeMaxBuckets(2 + random.IntN(40))}
		if random.IntN(2) == 0 {
			opts = append(opts, telltale.WithNativeMaxZeroThreshold(upper[0]/2))
		}
		counted := newNative(t, telltale.WithBuckets(upper...), telltale.WithNativeSchema(schema, opts...))
		rendered := newNative(t, telltale.WithNativeSchema(schema, append(opts, telltale.WithNativeClassicBuckets(upper...))...))
		for i, v := range awkward(random, 300) {
			counted.Observe(v)
			rendered.Observe(v)
			if i%50 != 0 {
				continue
			}
			got, want := histogramOf(t, rendered), histogramOf(t, counted)
			if got.Count != want.Count || !got.Bounds.Equal(want.Bounds) || !slices.Equal(got.Cumulative, want.Cumulative) {
				t.Fatalf("seed %d, schema %d, after %d values: rendered\n%v %v, counted\n%v %v", seed, schema, i+1, got.Bounds.Upper(), got.Cumulative, want.Bounds.Upper(), want.Cumulative)
			}
			if got.Native.Schema < 0 || got.Native.ZeroThreshold > upper[0] {
				t.Fatalf("seed %d: schema %d, zero threshold %v with a first bound of %v", seed, got.Native.Schema, got.Native.ZeroThreshold, upper[0])
			}
		}
		counted.Observe(math.NaN())
		rendered.Observe(math.NaN())
		wantText(t, page(t, rendered), page(t, counted))
	}
}

// histogramOf returns the only histogram of a collector.
func histogramOf(t *testing.T, c telltale.Collector) *model.HistogramValue {
	t.Helper()
	var scratch model.Point
	var found *model.HistogramValue
	if err := c.Collect(t.Context(), func(f *model.Family) error {
		return f.Visit(&scratch, func(p *model.Point) error {
			kept := p.Clone()
			found = kept.Histogram
			return nil
		})
	}); err != nil || found == nil {
		t.Fatalf("no histogram: %v", err)
	}
	return found
}

// Observations of all magnitudes make as many buckets as there are powers of two, no
// more, and those under the limit of one that renders none.
func TestRenderedClassicBucketsBoundMemory(t *testing.T) {
	h := newNative(t, telltale.WithNativeSchema(8, telltale.WithNativeMaxBuckets(10), telltale.WithNativeClassicBuckets(0x1p-100, 1)))
	for exponent := -1074; exponent < 1024; exponent++ {
		for _, v := range []float64{1, 1.3, 1.7} {
			h.Observe(math.Ldexp(v, exponent))
			h.Observe(math.Ldexp(-v, exponent))
		}
	}
	n := histogramOf(t, h).Native
	if buckets := len(n.Positive) + len(n.Negative); n.Schema != 0 || buckets > 2*(1024+101) {
		t.Errorf("schema %d with %d buckets", n.Schema, buckets)
	}
}

func TestRenderedClassicBucketsAreRefused(t *testing.T) {
	classic := telltale.WithNativeClassicBuckets
	for name, opts := range map[string][]telltale.HistogramOption{
		"none":                          {telltale.WithNativeBuckets(2, classic())},
		"+Inf alone":                    {telltale.WithNativeBuckets(2, classic(math.Inf(1)))},
		"not a power of two":            {telltale.WithNativeBuckets(2, classic(1, 2.5))},
		"0":                             {telltale.WithNativeBuckets(2, classic(0, 1))},
		"negative":                      {telltale.WithNativeBuckets(2, classic(-2, 1))},
		"NaN":                           {telltale.WithNativeBuckets(2, classic(1, math.NaN()))},
		"-Inf":                          {telltale.WithNativeBuckets(2, classic(math.Inf(-1), 1))},
		"falling":                       {telltale.WithNativeBuckets(2, classic(4, 2))},
		"twice the same":                {telltale.WithNativeBuckets(2, classic(4, 4))},
		"+Inf in the middle":            {telltale.WithNativeBuckets(2, classic(1, math.Inf(1), 2))},
		"schema -1":                     {telltale.WithNativeSchema(-1, classic(1))},
		"beside counted ones":           {telltale.WithBuckets(1), telltale.WithNativeBuckets(2, classic(1))},
		"below the zero threshold":      {telltale.WithNativeBuckets(2, classic(0x1p-10), telltale.WithNativeZeroThreshold(0x1p-9))},
		"below the default one":         {telltale.WithNativeBuckets(2, classic(0x1p-129))},
		"below the highest threshold":   {telltale.WithNativeBuckets(2, classic(1), telltale.WithNativeMaxZeroThreshold(2))},
		"beside resets":                 {telltale.WithNativeBuckets(2, classic(1), telltale.WithNativeMinReset(time.Hour))},
		"in the order of other options": {telltale.WithNativeBuckets(2, classic(3)), telltale.WithBuckets(1)},
	} {
		if _, err := telltale.NewHistogram("h", "", append(opts, telltale.Unregistered())...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	reg := telltale.NewRegistry()
	first := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithNativeBuckets(2, classic(1, 2))))
	if again := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithNativeBuckets(2, classic(1, 2, math.Inf(1))))); again != first {
		t.Error("the same definition makes another instrument")
	}
	for _, other := range []telltale.HistogramOption{telltale.WithNativeBuckets(2, classic(1, 4)), telltale.WithNativeBuckets(2)} {
		var duplicate *telltale.DuplicateError
		if _, err := telltale.NewHistogram("h", "", telltale.In(reg), other); !errors.As(err, &duplicate) {
			t.Errorf("another definition: %v", err)
		}
	}
	if _, err := telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithBuckets(1, 2), telltale.WithNativeBuckets(2)); err == nil {
		t.Error("counted buckets pass for rendered ones")
	}
}

// Both kinds of buckets are on a page of protobuf, the classic ones on one of text, and
// views and parsers have them.
func TestRenderedClassicBucketsOnPages(t *testing.T) {
	reg := telltale.NewRegistry()
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(reg),
		telltale.WithNativeBuckets(1.1, telltale.WithNativeClassicBuckets(0.5, 1, 4))))
	for _, v := range []float64{0.5, 0.6, 1, 1.0001, 4, 5} {
		h.With("a").Observe(v)
	}
	if err := h.With("a").ObserveWithExemplar(0.75, labelMap{"trace_id": "x"}); err != nil {
		t.Fatal(err)
	}
	wantText(t, page(t, telltale.Must(telltale.Labelled(reg.Restricted("h_bucket", "h_count"), labelMap{"pool": "p"}))), `# TYPE h histogram
h_bucket{l="a",pool="p",le="0.5"} 1.0
h_bucket{l="a",pool="p",le="1.0"} 4.0
h_bucket{l="a",pool="p",le="4.0"} 6.0
h_bucket{l="a",pool="p",le="+Inf"} 7.0
h_count{l="a",pool="p"} 7.0
`)
	var b bytes.Buffer
	enc := protobuf.NewEncoder(&b)
	if err := errors.Join(reg.Collect(t.Context(), enc.Encode), enc.Close()); err != nil {
		t.Fatal(err)
	}
	parser := protobuf.NewParser(&b)
	f, err := parser.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := histogramOf(t, reg)
	got := histogramOf(t, nameless(f))
	if got.Native == nil || fmt.Sprint(got.Native.Positive, got.Native.PositiveSpans, got.Native.Schema) != fmt.Sprint(want.Native.Positive, want.Native.PositiveSpans, want.Native.Schema) ||
		!got.Bounds.Equal(want.Bounds) || !slices.Equal(got.Cumulative, want.Cumulative) || got.Exemplars[1] == nil || got.Exemplars[1].Value != 0.75 {
		t.Errorf("parsed %+v, want %+v", got, want)
	}
	if f, err := parser.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("then %v, %v", f, err)
	}
	wantText(t, page(t, nameless(f0(t, reg))), page(t, reg))
}

// f0 returns a copy of a collector's only family.
func f0(t *testing.T, c telltale.Collector) (family *model.Family) {
	t.Helper()
	if err := c.Collect(t.Context(), func(f *model.Family) error { family = f.Clone(); return nil }); err != nil {
		t.Fatal(err)
	}
	return family
}

// A series that expires and comes back, and one that is replaced, begin from nothing.
func TestRenderedClassicBucketsOfLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.Unregistered(), telltale.WithIdleExpiry(idle),
			telltale.WithNativeBuckets(2, telltale.WithNativeClassicBuckets(1, 2))))
		held := v.With("a")
		held.Observe(1)
		held.Observe(3)
		lines := func(one, two, all, sum string) string {
			return "# TYPE h histogram\nh_bucket{l=\"a\",le=\"1.0\"} " + one + "\nh_bucket{l=\"a\",le=\"2.0\"} " + two +
				"\nh_bucket{l=\"a\",le=\"+Inf\"} " + all + "\nh_count{l=\"a\"} " + all + "\nh_sum{l=\"a\"} " + sum + "\n"
		}
		wantPage(t, v, lines("1.0", "1.0", "2.0", "4.0"))
		for range 3 {
			time.Sleep(idle)
			page(t, v)
		}
		wantPage(t, v, "# TYPE h histogram\n")
		held.Observe(2)
		wantPage(t, v, lines("0.0", "1.0", "1.0", "2.0"))
		v.Replace(func(next *telltale.HistogramVec) { next.With("a").Observe(1) })
		wantPage(t, v, lines("1.0", "1.0", "1.0", "1.0"))
		if held.Observe(1); held.Count() != 2 {
			t.Errorf("a replaced handle has %d observations", held.Count())
		}
	})
}
