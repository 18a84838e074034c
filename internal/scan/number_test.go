package scan_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"telltale/internal/scan"
)

// FuzzNumber compares with Go's own reading, of which the formats leave out
// hexadecimal.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"", "0", "-0", "+1", "1.", ".5", ".", "-", "1e5", "1E-05", "1e", "e1", "Inf", "-infinity", "+NaN", "nan",
		"999999999999999", "9999999999999999", "0.123456789012345", "12345678.1234567", "1e999", "4.9e-324", "0x1", "1_0", "1 ", "ıNF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := scan.Number([]byte(s))
		want, err := strconv.ParseFloat(s, 64)
		if strings.ContainsAny(s, "xX_pP") {
			if ok {
				t.Fatalf("%q is read as %v", s, got)
			}
			return
		}
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q is %v, %v, not %v, %v", s, got, ok, want, err)
		}
	})
}

func TestTimestamps(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0.5": "-0.5", "+1.25": "1.25", "1e3": "1000", ".5": "0.5", "5.": "5", "-1.5E-1": "-0.15",
		"1.1234567899": "1.1234567899", "1e19": "1e+19", "9223372036854775808": "9.223372036854776e+18", "-1e300": "-1e+300", "1e-400": "0", "1604676851.123456789": "1604676851.123456789",
	} {
		if got, ok := scan.Seconds([]byte(in)); !ok || got.String() != want {
			t.Errorf("%q is %s, %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "-", ".", "1e", "Inf", "NaN", "1e309", "0x1", "1_0", "1 "} {
		if got, ok := scan.Seconds([]byte(in)); ok {
			t.Errorf("%q is %s", in, got)
		}
	}
}
