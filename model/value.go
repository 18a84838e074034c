package model

import (
	"math"
	"strconv"
)

// AppendValue appends a sample's value as telltale spells numbers in every text
// format: always recognisable as a float ("42.0", "0.5"), shortest exact
// digits, an exponent from 1e6 on and below 1e-4 ("1e+06", "1e-05"), "+Inf",
// "-Inf", "NaN".
func AppendValue(dst []byte, v float64) []byte {
	if u := uint32(int64(v)); u < 1e6 && float64(u) == v && (u != 0 || !math.Signbit(v)) {
		return appendSmall(dst, u)
	}
	if i := int64(v); float64(i) == v && i > -1<<53 && i < 1<<53 && (i != 0 || !math.Signbit(v)) {
		return appendWhole(dst, i)
	}
	switch {
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

// FormatValue returns the spelling of [AppendValue].
func FormatValue(v float64) string { return string(AppendValue(nil, v)) }

const pairs = "00010203040506070809" + "10111213141516171819" + "20212223242526272829" + "30313233343536373839" + "40414243444546474849" +
	"50515253545556575859" + "60616263646566676869" + "70717273747576777879" + "80818283848586878889" + "90919293949596979899"

// appendSmall writes a whole number below a million, two digits at a time and
// in one append. It is the common case of a scrape.
func appendSmall(dst []byte, u uint32) []byte {
	switch {
	case u < 10:
		return append(dst, byte('0'+u), '.', '0')
	case u < 100:
		return append(dst, pairs[u*2], pairs[u*2+1], '.', '0')
	case u < 10_000:
		a, b := u/100, u%100
		if a < 10 {
			return append(dst, byte('0'+a), pairs[b*2], pairs[b*2+1], '.', '0')
		}
		return append(dst, pairs[a*2], pairs[a*2+1], pairs[b*2], pairs[b*2+1], '.', '0')
	}
	a, b, c := u/10_000, u/100%100, u%100
	if a < 10 {
		return append(dst, byte('0'+a), pairs[b*2], pairs[b*2+1], pairs[c*2], pairs[c*2+1], '.', '0')
	}
	return append(dst, pairs[a*2], pairs[a*2+1], pairs[b*2], pairs[b*2+1], pairs[c*2], pairs[c*2+1], '.', '0')
}

// appendWhole writes a whole number of less than 2^53, whose shortest digits
// are its decimal digits without trailing zeros. It is several times faster
// than strconv's general way.
func appendWhole(dst []byte, i int64) []byte {
	u := uint64(i)
	if i < 0 {
		dst = append(dst, '-')
		u = uint64(-i)
	}
	if u < 10 {
		return append(dst, byte('0'+u), '.', '0')
	}
	var buf [24]byte
	pos := len(buf)
	whole := u
	for whole >= 100 {
		q := whole / 100
		r := (whole - q*100) * 2
		whole = q
		pos -= 2
		buf[pos], buf[pos+1] = pairs[r], pairs[r+1]
	}
	if whole >= 10 {
		pos -= 2
		buf[pos], buf[pos+1] = pairs[whole*2], pairs[whole*2+1]
	} else {
		pos--
		buf[pos] = byte('0' + whole)
	}
	if u < 1e6 {
		dst = append(dst, buf[pos:]...)
		return append(dst, '.', '0')
	}
	digits := buf[pos:]
	exp := len(digits) - 1
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	return append(dst, 'e', '+', pairs[exp*2], pairs[exp*2+1])
}
