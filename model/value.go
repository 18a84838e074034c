package model

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// AppendValue appends a sample's value in the form of every text format: always
// recognisable as a float ("42.0", "0.5"), with the shortest exact digits, an
// exponent from 1e6 on and below 1e-4 ("1e+06", "1e-05"), "+Inf", "-Inf", "NaN".
func AppendValue(dst []byte, v float64) []byte {
	if u := uint32(int64(v)); u < exponentFrom && float64(u) == v && (u != 0 || math.Float64bits(v) == 0) {
		return appendSmall(dst, uint64(u)) // the usual case
	}
	return appendOther(dst, v)
}

// FormatValue returns the spelling of [AppendValue].
func FormatValue(v float64) string { return string(AppendValue(nil, v)) }

// appendOther is AppendValue for all but small whole numbers.
func appendOther(dst []byte, v float64) []byte {
	if abs := math.Abs(v); abs >= leastPlain && abs < mostExact || v == 0 {
		if digits, decimals, ok := fixedPoint(abs); ok {
			return appendDecimal(dst, math.Signbit(v), digits, decimals)
		}
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

const (
	exponentFrom = 1e6     // the least number spelled with an exponent
	leastPlain   = 1e-4    // the least spelled without
	mostExact    = 1 << 53 // below which whole numbers have a float64 each

	fifteenDigits = 1e15 // no two numbers with up to fifteen digits are the same float64
)

// fixedPoint returns v as digits and the number of them after the decimal point,
// if it is whole or has at most nine decimals and fifteen digits. These are its
// shortest digits, except for zeros at the end: shorter ones would be another
// number of at most fifteen digits and the same float64. v is in [leastPlain,
// mostExact), or 0.
func fixedPoint(v float64) (digits uint64, decimals int, ok bool) {
	if whole := int64(v); float64(whole) == v { // signed numbers are converted in fewer steps
		return uint64(whole), 0, true
	}
	if digits, ok = scale(v, 1e3); ok {
		return digits, 3, true
	}
	digits, ok = scale(v, 1e9)
	return digits, 9, ok
}

// scale returns v times a power of ten, if that is a whole number of at most
// fifteen digits. Dividing it again rounds once, as reading v from its digits
// does; that is checked only for numbers close to whole ones, since it takes
// long.
func scale(v, power float64) (digits uint64, ok bool) {
	product := v * power
	if !(product < fifteenDigits) {
		return 0, false
	}
	nearest := int64(product + 0.5)
	whole := float64(nearest)
	return uint64(nearest), math.Abs(whole-product) <= product*0x1p-51 && whole/power == v
}

// room is appended and then overwritten, so that a number takes one check of the
// capacity.
const room = "                                "

// appendSmall appends a whole number below exponentFrom, of which zeros in front are
// shifted away.
func appendSmall(dst []byte, u uint64) []byte {
	const point = ('0' ^ '.') << 48 // makes ".0" of the two zeros behind six digits
	digits := sixDigits(u)
	inFront := bits.TrailingZeros64(digits|1<<40) &^ 7 // bits; the last digit stays
	n := len(dst)
	dst = append(dst, "        "...)
	binary.LittleEndian.PutUint64(dst[n:], (digits^zeros^point)>>(inFront&63))
	return dst[:n+8-inFront/8]
}

// appendDecimal appends a number of at most sixteen digits, of which the given
// number, at most nine, are decimals.
func appendDecimal(dst []byte, negative bool, digits uint64, decimals int) []byte {
	if negative {
		dst = append(dst, '-')
	}
	unit := powers[decimals]
	if digits >= exponentFrom*unit {
		return appendExponent(dst, digits, decimals)
	}
	dst = appendSmall(dst, digits/unit)
	if decimals == 0 {
		return dst
	}
	fraction := digits % unit * powers[9-decimals]
	n := len(dst) - 1 // over the zero behind the point
	dst = append(dst, room[:14]...)
	b := dst[n : n+14]
	high, low := sixDigits(fraction/1000), uint64(threeDigits[fraction%1000])
	binary.LittleEndian.PutUint64(b, high|zeros)
	binary.LittleEndian.PutUint64(b[6:], low|zeros)
	last := 6 + endOf(low)
	if low == 0 {
		last = endOf(high)
	}
	return dst[:n+last]
}

// appendExponent appends a number from exponentFrom on in its scientific form.
func appendExponent(dst []byte, digits uint64, decimals int) []byte {
	var buf [40]byte // eighteen digits, and room to copy from
	first, end := spread(&buf, digits)
	exponent := 17 - first - decimals
	n := len(dst)
	dst = append(dst, room...)
	b := dst[n : n+len(room)]
	b[0], b[1] = buf[first], '.'
	copy(b[2:18], buf[first+1:][:16])
	n += 1 + end - first
	if end == first+1 {
		n-- // no point
	}
	dst = dst[:n+4]
	dst[n], dst[n+1], dst[n+2], dst[n+3] = 'e', '+', byte('0'+exponent/10), byte('0'+exponent%10)
	return dst
}

// spread writes eighteen digits and returns the index of the first that is not
// zero, and the end of the last.
func spread(b *[40]byte, u uint64) (first, end int) {
	millions := u / 1e6
	high, middle, low := sixDigits(u/1e12), sixDigits(millions%1e6), sixDigits(u-1e6*millions)
	binary.LittleEndian.PutUint64(b[0:], high|zeros)
	binary.LittleEndian.PutUint64(b[6:], middle|zeros)
	binary.LittleEndian.PutUint64(b[12:], low|zeros)
	switch {
	case high != 0:
		first = bits.TrailingZeros64(high) / 8
	case middle != 0:
		first = 6 + bits.TrailingZeros64(middle)/8
	default:
		first = 12 + bits.TrailingZeros64(low)/8
	}
	switch {
	case low != 0:
		end = 12 + endOf(low)
	case middle != 0:
		end = 6 + endOf(middle)
	default:
		end = endOf(high)
	}
	return first, end
}

// zeros are eight digits.
const zeros = 0x3030303030303030

// powers are the powers of ten.
var powers = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// threeDigits holds the digits of each number below 1000, one in each byte, the
// first in the lowest.
var threeDigits = func() (all [1024]uint32) {
	for u := range uint32(1000) {
		all[u] = u/100 | u/10%10<<8 | u%10<<16
	}
	return all
}()

// sixDigits returns the digits of a number below 1e6 in the form of threeDigits.
func sixDigits(u uint64) uint64 {
	thousands := u / 1000
	return uint64(threeDigits[thousands&1023]) | uint64(threeDigits[(u-1000*thousands)&1023])<<24
}

// endOf returns the end of the last digit that is not zero.
func endOf(digits uint64) int { return 8 - bits.LeadingZeros64(digits)/8 }
