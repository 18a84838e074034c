package model_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"telltale/model"
)

func TestTimestampForms(t *testing.T) {
	for _, tt := range []struct {
		ts      model.Timestamp
		text    string
		seconds float64
		milli   int64
	}{
		{model.Unix(0, 0), "0", 0, 0},
		{model.Unix(123, 456e6), "123.456", 123.456, 123456},
		{model.Unix(123, 1), "123.000000001", 123.000000001, 123000},
		{model.Unix(123, 100), "123.0000001", 123.0000001, 123000},
		{model.Unix(-1, 5e8), "-0.5", -0.5, -500},
		{model.Unix(-1, 9e8), "-0.1", -0.1, -100},
		{model.Unix(-2, 5e8), "-1.5", -1.5, -1500}, // python prints -1.-500000000
		{model.Unix(-1, 0), "-1", -1, -1000},
		{model.Unix(-1, 1), "-0.999999999", -0.999999999, -1000},
		{model.Unix(-1, 999_999_999), "-0.000000001", -1e-9, -1},
		{model.Unix(0, -1), "-0.000000001", -1e-9, -1},
		{model.Unix(0, 2_500_000_000), "2.5", 2.5, 2500},
		{model.Unix(0, -2_500_000_000), "-2.5", -2.5, -2500},
		{model.UnixMilli(-1500), "-1.5", -1.5, -1500},
		{model.UnixMilli(1), "0.001", 0.001, 1},
		{model.UnixMilli(math.MaxInt64), "9223372036854775.807", 9223372036854775.807, math.MaxInt64},
		{model.UnixMilli(math.MinInt64), "-9223372036854775.808", -9223372036854775.808, math.MinInt64},
		{model.TimestampOf(time.Unix(1700000000, 7)), "1700000000.000000007", 1700000000, 1700000000000},
		{model.TimestampOf(time.Date(1969, 12, 31, 23, 59, 58, 250e6, time.UTC)), "-1.75", -1.75, -1750},
	} {
		if got := tt.ts.String(); got != tt.text {
			t.Errorf("%s is written %q", tt.text, got)
		}
		if got := string(tt.ts.AppendSeconds([]byte("@"))); got != "@"+tt.text {
			t.Errorf("%s is appended as %q", tt.text, got)
		}
		if got := tt.ts.Seconds(); got != tt.seconds {
			t.Errorf("%s is %v seconds, want %v", tt.text, got, tt.seconds)
		}
		if got := tt.ts.UnixMilli(); got != tt.milli {
			t.Errorf("%s is %d ms, want %d", tt.text, got, tt.milli)
		}
		if got, ok := model.ParseSeconds(tt.text); !ok || got != tt.ts {
			t.Errorf("ParseSeconds(%q) = %v, %v", tt.text, got, ok)
		}
		if sec, nsec := tt.ts.UnixParts(); nsec < 0 || nsec >= 1e9 || model.Unix(sec, int64(nsec)) != tt.ts {
			t.Errorf("%s has the parts %d and %d", tt.text, sec, nsec)
		}
		if got := model.TimestampOf(tt.ts.Time()); got != tt.ts {
			t.Errorf("%s comes back from time.Time as %s", tt.text, got)
		}
	}
}

func TestNoTimestamp(t *testing.T) {
	var none model.Timestamp
	if none.IsSet() || none.String() != "" || !none.Time().IsZero() || model.TimestampOf(time.Time{}) != none {
		t.Errorf("the zero Timestamp is not none: %q", none)
	}
	if zero := model.Unix(0, 0); !zero.IsSet() || zero == none {
		t.Error("the epoch is taken for none")
	}
}

func TestUnixMilliIsCut(t *testing.T) {
	for _, tt := range []struct {
		ts   model.Timestamp
		want int64
	}{
		{model.Unix(math.MaxInt64, 0), math.MaxInt64},
		{model.Unix(math.MinInt64, 0), math.MinInt64},
		{model.Unix(9223372036854775, 806_999_999), math.MaxInt64 - 1},
		{model.Unix(9223372036854775, 807_000_000), math.MaxInt64},
		{model.Unix(9223372036854775, 808_000_000), math.MaxInt64},
		{model.Unix(9223372036854776, 0), math.MaxInt64},
		{model.Unix(-9223372036854776, 192_000_000), math.MinInt64},
		{model.Unix(-9223372036854776, 193_000_000), math.MinInt64 + 1},
		{model.Unix(-9223372036854776, 191_000_000), math.MinInt64},
		{model.Unix(-9223372036854777, 0), math.MinInt64},
		{model.Unix(-9223372036854775, 0), -9223372036854775000},
	} {
		if got := tt.ts.UnixMilli(); got != tt.want {
			t.Errorf("%s is %d ms, want %d", tt.ts, got, tt.want)
		}
	}
}

func TestParseSeconds(t *testing.T) {
	for text, want := range map[string]model.Timestamp{
		"5.": model.Unix(5, 0), ".5": model.Unix(0, 5e8), "-.5": model.Unix(-1, 5e8), "+5": model.Unix(5, 0), "-0": model.Unix(0, 0),
		"007": model.Unix(7, 0), "1.0000000010": model.Unix(1, 1), "-1.00000000100": model.Unix(-2, 999_999_999),
		"1.5e9": model.Unix(15e8, 0), "-25e-1": model.Unix(-3, 5e8), "1e-9": model.Unix(0, 1), "0e300": model.Unix(0, 0), "1795894158.0552187000000001": model.Unix(1795894158, 55218700), "1700000000.1234567899": model.Unix(1700000000, 123456789),
		"9223372036854775807.999999999": model.Unix(math.MaxInt64, 999_999_999), "-9223372036854775808": model.Unix(math.MinInt64, 0),
	} {
		if got, ok := model.ParseSeconds(text); !ok || got != want {
			t.Errorf("ParseSeconds(%q) = %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{
		"", ".", "-", "+", "-.", "1e", "e1", "1e1.5", "1.2.3", " 1", "1 ", "0x1", "0x1p3", "1_0", "NaN", "+Inf", "--1", "-+1", "1.-5", "1.x",
		"1.000000000x", "1e309", "-1e400",
	} {
		if got, ok := model.ParseSeconds(bad); ok {
			t.Errorf("ParseSeconds(%q) = %s, want false", bad, got)
		}
	}
}

func TestUnixSeconds(t *testing.T) {
	for text, v := range map[string]float64{
		"0": 0, "0.1": 0.1, "-0.1": -0.1, "1700000000.123": 1700000000.123, "1": 1, "1000000000000000000": 1e18,
		"0.00001": 1e-5, "-9223372036854774000": -9223372036854774000,
	} {
		if got, ok := model.UnixSeconds(v); !ok || got.String() != text {
			t.Errorf("UnixSeconds(%v) = %s, %v; want %s", v, got, ok, text)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, ok := model.UnixSeconds(bad); ok {
			t.Errorf("UnixSeconds(%v) = %s, want false", bad, got)
		}
	}
}

// A timestamp may be any float64 (OpenMetrics 1.0 and 2.0, section "ABNF":
// timestamp = realnumber), beyond what nanoseconds of an int64 of seconds hold.
func TestTimestampsInFloat(t *testing.T) {
	for _, tt := range []struct {
		read, text string
		seconds    float64
		milli      int64
	}{
		{"1e300", "1e+300", 1e300, math.MaxInt64},
		{"-1e300", "-1e+300", -1e300, math.MinInt64},
		{"9223372036854775808", "9.223372036854775808e+18", 1 << 63, math.MaxInt64},
		{"-9223372036854775809.5", "", -1 << 63, math.MinInt64},
		{"1.0000000019", "1.0000000019", 1.0000000019, 1000},
		{"-1.0000000019", "-1.0000000019", -1.0000000019, -1001},
		{"1e-10", "1e-10", 1e-10, 0},
		{"-1e-300", "-1e-300", -1e-300, -1},
		{"5e-324", "5e-324", 5e-324, 0},
	} {
		got, ok := model.ParseSeconds(tt.read)
		if !ok || got.Seconds() != tt.seconds || got.UnixMilli() != tt.milli {
			t.Errorf("ParseSeconds(%q) = %s, %v, of %v s and %d ms", tt.read, got, ok, got.Seconds(), got.UnixMilli())
		}
		if again, ok := model.UnixSeconds(tt.seconds); !ok || again != got {
			t.Errorf("UnixSeconds(%v) = %s, want %s", tt.seconds, again, got)
		}
		if again, ok := model.ParseSeconds(got.String()); !ok || again != got {
			t.Errorf("%s, written %q, reads back as %s", tt.read, got, again)
		}
		if tt.text != "" && tt.text != "9.223372036854775808e+18" && got.String() != tt.text {
			t.Errorf("%s is written %q", tt.read, got)
		}
	}
}

// The seconds of a timestamp are rounded once, to the float64 that its decimal
// reads as.
func TestSecondsAreRoundedOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		sec, nsec := random.Int64()>>random.IntN(63), random.Int64N(1e9)
		if random.IntN(2) == 0 {
			sec = -sec
		}
		if random.IntN(2) == 0 {
			nsec -= nsec % 1000
		}
		ts := model.Unix(sec, nsec)
		if want, err := strconv.ParseFloat(ts.String(), 64); err != nil || ts.Seconds() != want {
			t.Fatalf("%s is %v seconds, want %v", ts, ts.Seconds(), want)
		}
	}
	if got, _ := model.ParseSeconds("3.847116"); got.Seconds() != 3.847116 {
		t.Errorf("3.847116 is %v", got.Seconds())
	}
}

func TestTimestampOrder(t *testing.T) {
	inFloat := func(v float64) model.Timestamp {
		ts, _ := model.UnixSeconds(v)
		return ts
	}
	ordered := []model.Timestamp{
		{}, inFloat(-1e300), inFloat(-1e19), model.Unix(math.MinInt64, 0), model.Unix(-2, 0), model.Unix(-2, 5), model.Unix(-1, 999_999_999),
		inFloat(-1e-10), model.Unix(0, 0), inFloat(5e-324), inFloat(1e-10), model.Unix(0, 1), model.Unix(1, 0), inFloat(1.0000000019), model.Unix(1, 2),
		model.Unix(math.MaxInt64, 999_999_999), inFloat(1 << 63), inFloat(1e300),
	}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%q.Compare(%q) = %d, want %d", a, b, got, want)
			}
		}
	}
	if !slices.IsSortedFunc(ordered, model.Timestamp.Compare) {
		t.Error("Compare does not sort")
	}
}

func FuzzTimestamp(f *testing.F) {
	f.Add(int64(0), int64(0), uint64(0))
	f.Add(int64(-1), int64(5e8), math.Float64bits(-0.5))
	f.Add(int64(math.MinInt64), int64(999_999_999), math.Float64bits(1e300))
	f.Fuzz(func(t *testing.T, sec, nsec int64, bits uint64) {
		nsec = (nsec%1e9 + 1e9) % 1e9
		ts := model.Unix(sec, nsec)
		if got, ok := model.ParseSeconds(ts.String()); !ok || got != ts {
			t.Errorf("%d s and %d ns, written %q, read back as %s, %v", sec, nsec, ts, got, ok)
		}
		exact := new(big.Int).Mul(big.NewInt(sec), big.NewInt(1000))
		exact.Add(exact, big.NewInt(nsec/1e6))
		if got := ts.UnixMilli(); exact.IsInt64() && got != exact.Int64() ||
			!exact.IsInt64() && (got != math.MaxInt64 || sec < 0) && (got != math.MinInt64 || sec > 0) {
			t.Errorf("%s is %d ms, want %s cut to an int64", ts, got, exact)
		}
		v := math.Float64frombits(bits)
		got, ok := model.UnixSeconds(v)
		if ok != !(math.IsNaN(v) || math.IsInf(v, 0)) || ok && got.Seconds() != v {
			t.Errorf("UnixSeconds(%v) = %s, %v", v, got, ok)
		}
	})
}
