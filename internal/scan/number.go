package scan

import (
	"math"
	"strconv"

	"telltale/model"
)

// powers are the powers of ten that a float64 holds exactly and that divide a
// number of 15 digits with a single, right rounding.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// Number reads a sample's value: decimal digits with an optional sign, point and
// exponent, or an infinity or "nan" in letters of any case (OpenMetrics 1.0,
// section "ABNF"). Text defines values by Go's ParseFloat, which accepts the
// same and hexadecimal numbers. It reports false for any other text and for
// numbers too large for a float64.
func Number(b []byte) (float64, bool) {
	if v, n := plain(b); n > 0 && n == len(b) {
		return v, true
	}
	if !decimal(b) {
		return special(b)
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}

// plain reads the usual form of number at the beginning of b, of at most 15
// digits and without an exponent, and returns its length, or 0 if the number
// must be read in another way. The text after it may still make it another
// number.
func plain(b []byte) (v float64, n int) {
	first := sign(b)
	mantissa, point := uint64(0), -1
	for n = first; n < len(b); n++ {
		if c := b[n]; '0' <= c && c <= '9' {
			mantissa = mantissa*10 + uint64(c-'0')
		} else if c == '.' && point < 0 {
			point = n
		} else {
			break
		}
	}
	digits := n - first
	if point >= 0 {
		digits--
	}
	if digits == 0 || digits > 15 {
		return 0, 0
	}
	v = float64(mantissa)
	if point >= 0 {
		v /= powers[n-1-point]
	}
	if b[0] == '-' {
		v = math.Copysign(v, -1)
	}
	return v, n
}

// decimal reports whether b is a number in decimal.
func decimal(b []byte) bool {
	whole := sign(b)
	i := digitsFrom(b, whole)
	count := i - whole
	if i < len(b) && b[i] == '.' {
		end := digitsFrom(b, i+1)
		count += end - i - 1
		i = end
	}
	if count == 0 {
		return false
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		first := i + 1 + sign(b[i+1:])
		if i = digitsFrom(b, first); i == first {
			return false
		}
	}
	return i == len(b)
}

// sign returns the length of the sign that b begins with.
func sign(b []byte) int {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		return 1
	}
	return 0
}

// digitsFrom returns the end of the digits that begin at i.
func digitsFrom(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// special reads infinities and NaN.
func special(b []byte) (float64, bool) {
	if equalFold(b, "nan") {
		return math.NaN(), true
	}
	word := b[sign(b):]
	switch {
	case !equalFold(word, "inf") && !equalFold(word, "infinity"):
		return 0, false
	case b[0] == '-':
		return math.Inf(-1), true
	}
	return math.Inf(1), true
}

// equalFold compares with a word in lower case, by ASCII alone: other scripts
// have letters that fold to ASCII ones.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// Seconds reads a timestamp of OpenMetrics: seconds since the epoch, as any
// decimal number (OpenMetrics 1.0 and 2.0, section "ABNF", "realnumber").
func Seconds(b []byte) (model.Timestamp, bool) { return model.ParseSeconds(string(b)) }

// Milliseconds reads a timestamp of the text format: whole milliseconds since
// the epoch.
func Milliseconds(b []byte) (model.Timestamp, bool) {
	ms, err := strconv.ParseInt(string(b), 10, 64)
	return model.UnixMilli(ms), err == nil
}
