package model_test

import (
	"math"
	"math/big"
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
		"007": model.Unix(7, 0), "1.0000000019": model.Unix(1, 1), "-1.0000000019": model.Unix(-2, 999_999_999),
		"9223372036854775807.999999999": model.Unix(math.MaxInt64, 999_999_999), "-9223372036854775808": model.Unix(math.MinInt64, 0),
	} {
		if got, ok := model.ParseSeconds(text); !ok || got != want {
			t.Errorf("ParseSeconds(%q) = %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{
		"", ".", "-", "+", "-.", "1e3", "1.2.3", "1.2e3", " 1", "1 ", "0x1", "1_0", "NaN", "+Inf", "--1", "-+1", "1.-5", "1.x",
		"1.000000000x", "9223372036854775808", "-9223372036854775809", "-9223372036854775808.5",
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
	if got, ok := model.UnixSeconds(1e-300); !ok || got != model.Unix(0, 0) {
		t.Errorf("UnixSeconds(1e-300) = %s, %v", got, ok)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e19, -1e19, math.MaxInt64, math.MinInt64, math.MaxFloat64} {
		if got, ok := model.UnixSeconds(bad); ok {
			t.Errorf("UnixSeconds(%v) = %s, want false", bad, got)
		}
	}
}

func TestTimestampOrder(t *testing.T) {
	ordered := []model.Timestamp{
		{}, model.Unix(math.MinInt64, 0), model.Unix(-2, 0), model.Unix(-2, 5), model.Unix(-1, 999_999_999),
		model.Unix(0, 0), model.Unix(0, 1), model.Unix(1, 0), model.Unix(math.MaxInt64, 999_999_999),
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
		want, err := strconv.ParseInt(strconv.FormatFloat(math.Trunc(v), 'f', -1, 64), 10, 64)
		if ok != (err == nil) {
			t.Fatalf("UnixSeconds(%v) = %s, %v; as a whole number of seconds: %d, %v", v, got, ok, want, err)
		}
		if ok && math.Abs(got.Seconds()-v) > 1e-9 {
			t.Errorf("UnixSeconds(%v) = %s", v, got)
		}
	})
}
