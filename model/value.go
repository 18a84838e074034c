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
		if digits, decimals, ok := shortest(abs); ok {
			return appendDecimal(dst, v, digits, decimals)
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

// shortest returns the shortest digits that are read as v, except for zeros at the end, and
// the number of them after the decimal point. It is not ok for powers of two below 1 and
// for numbers below 1/1024 that have more than nine decimals or fifteen digits. v is in
// [leastPlain, mostExact), or 0.
func shortest(v float64) (digits uint64, decimals int, ok bool) {
	if whole := int64(v); float64(whole) == v { // signed numbers are converted in fewer steps
		return uint64(whole), 0, true
	}
	if digits, ok = scale(v, 1e3); ok {
		return digits, 3, true
	}
	if digits, ok = scale(v, 1e9); ok {
		return digits, 9, true
	}
	fields := math.Float64bits(v)
	mantissa, shift := fields&(1<<52-1)|1<<52, 1075-fields>>52
	if mantissa == 1<<52 || shift > 62 {
		return 0, 0, false
	}
	return closest(mantissa, shift)
}

// closest returns the shortest digits that are read as mantissa / 2^shift, and the number
// of them after the decimal point. The shift is from 1 to 62, the mantissa has 53 bits.
//
// The number is written as units of a power of ten, fewer than 4.5e17, and a part of a
// unit, counted in 1 / 2^shift. Numbers that are read as it are less than half the distance
// of two floats away, which is less than 50 units. So at most one multiple of 100 units is
// among them, and then that one is the shortest; otherwise it is the closest multiple of
// 10, or of 1. It is not ok if not even that is close enough, as below 1/64 where power
// would have to be larger.
func closest(mantissa, shift uint64) (digits uint64, decimals int, ok bool) {
	// The logarithm of 2 is 1233 / 2^12, that of 4.5e17 / 2^53 is 6945 / 2^12.
	decimals = min(len(powers)-1, int(6945+1233*shift)>>12)
	power := powers[decimals]
	high, low := bits.Mul64(mantissa, power)
	units, part := high<<(64-shift)|low>>shift, low&(1<<shift-1)
	digits, ok = multiple(100, units, part, shift, power/2)
	if !ok {
		digits, ok = multiple(10, units, part, shift, power/2)
	}
	if !ok {
		digits, ok = multiple(1, units, part, shift, power/2)
	}
	return digits, decimals, ok
}

// multiple returns the multiple of step that is closest to the units and their part, the
// even one of two, and reports whether it is less than limit / 2^shift units away.
func multiple(step, units, part, shift, limit uint64) (digits uint64, ok bool) {
	over := units % step
	down, up := uint64(math.MaxUint64), uint64(math.MaxUint64)
	if over <= limit>>shift {
		down = over<<shift + part
	}
	if step-over <= limit>>shift+1 {
		up = (step-over)<<shift - part
	}
	digits = units - over
	if up < down || up == down && digits/step&1 == 1 {
		digits += step
	}
	return digits, min(down, up) < limit
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

// appendDecimal appends a number, of whose digits, at most eighteen, the given number are
// decimals.
func appendDecimal(dst []byte, v float64, digits uint64, decimals int) []byte {
	if math.Signbit(v) {
		dst = append(dst, '-')
	}
	whole := uint64(int64(math.Abs(v)))
	if whole >= exponentFrom {
		return appendExponent(dst, digits, decimals)
	}
	dst = appendSmall(dst, whole)
	if decimals == 0 {
		return dst
	}
	fraction := digits - whole*powers[decimals]
	n := len(dst) - 1 // over the zero behind the point
	if decimals > 9 {
		dst = append(dst, room[:spreadSize]...)
		_, end := spread(dst[n:], fraction*powers[18-decimals])
		return dst[:n+end]
	}
	fraction *= powers[9-decimals]
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
	first, end := spread(buf[:], digits)
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

// spreadSize is the number of bytes that spread writes: eighteen digits and two more.
const spreadSize = 20

// spread writes eighteen digits and returns the index of the first that is not
// zero, and the end of the last.
func spread(b []byte, u uint64) (first, end int) {
	b = b[:spreadSize]
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
var powers = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

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
