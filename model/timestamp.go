package model

import (
	"cmp"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Timestamp is a time in seconds since the Unix epoch; the zero value means no
// timestamp. It holds nanoseconds of any second that an int64 can count, also
// before 1970, and beyond that every finite float64, as OpenMetrics allows.
// Timestamps are comparable with ==.
type Timestamp struct {
	sec  int64 // or, where nsec is inFloat, the bits of a float64
	nsec int32 // 0 to 999,999,999, counting forward also before 1970, or inFloat
	set  bool
}

// inFloat marks a timestamp that is kept as a float64, because its seconds are
// too many for an int64, or it has digits after the ninth decimal. A time that
// nanoseconds can hold is never kept so: each time has one form.
const inFloat = -1

// floating returns the float64 of a timestamp that is kept as one.
func (t Timestamp) floating() float64 { return math.Float64frombits(uint64(t.sec)) }

// Unix returns the time sec seconds and nsec nanoseconds after the epoch, as
// [time.Unix] does; nsec may lie outside [0, 1e9).
func Unix(sec, nsec int64) Timestamp {
	if uint64(nsec) < 1e9 { // the usual case, without a division
		return Timestamp{sec: sec, nsec: int32(nsec), set: true}
	}
	sec += nsec / 1e9
	if nsec %= 1e9; nsec < 0 {
		nsec += 1e9
		sec--
	}
	return Timestamp{sec: sec, nsec: int32(nsec), set: true}
}

// UnixMilli returns the time ms milliseconds after the epoch.
func UnixMilli(ms int64) Timestamp {
	sec := ms / 1000
	return Unix(sec, (ms-sec*1000)*1e6)
}

// TimestampOf returns t as a Timestamp. The zero time gives an unset one.
func TimestampOf(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	return Timestamp{sec: t.Unix(), nsec: int32(t.Nanosecond()), set: true}
}

// IsSet reports whether the timestamp is set.
func (t Timestamp) IsSet() bool { return t.set }

// Time returns the timestamp as a [time.Time] in UTC, or the zero time if it is
// not set.
func (t Timestamp) Time() time.Time {
	if !t.set {
		return time.Time{}
	}
	sec, nsec := t.UnixParts()
	return time.Unix(sec, int64(nsec)).UTC()
}

// Seconds returns the seconds since the epoch, rounded once to the nearest
// float64.
func (t Timestamp) Seconds() float64 {
	const fast = 1 << 33 // seconds whose nanoseconds fit 63 bits
	switch {
	case t.nsec == inFloat:
		return t.floating()
	case t.nsec == 0:
		return float64(t.sec)
	case t.sec >= 0 && t.sec < fast:
		return nanoseconds(uint64(t.sec)*1e9 + uint64(t.nsec))
	case t.sec < 0 && t.sec >= -fast:
		return -nanoseconds(uint64(-t.sec)*1e9 - uint64(t.nsec))
	}
	var buf [32]byte
	v, _ := strconv.ParseFloat(string(t.AppendSeconds(buf[:0])), 64)
	return v
}

// nanoseconds returns n nanoseconds in seconds, rounded once to the nearest
// float64. Adding seconds and the fraction as floats would round twice.
func nanoseconds(n uint64) float64 {
	if n < 1<<53 {
		return float64(n) / 1e9
	}
	const shift = 29 // which leaves the divisor larger than the upper word
	zeros := bits.LeadingZeros64(n)
	n <<= zeros
	quotient, rest := bits.Div64(n>>(64-shift), n<<shift, 1e9)
	if rest != 0 {
		quotient |= 1 // below the digits of a float64: it only breaks ties
	}
	return math.Ldexp(float64(quotient), -shift-zeros)
}

// UnixParts returns whole seconds, rounded down, and the nanoseconds after them,
// limited to the seconds that an int64 holds.
func (t Timestamp) UnixParts() (sec int64, nsec int32) {
	if t.nsec != inFloat {
		return t.sec, t.nsec
	}
	v := t.floating()
	switch {
	case v >= 1<<63:
		return math.MaxInt64, 999_999_999
	case v < -1<<63:
		return math.MinInt64, 0
	}
	whole := math.Floor(v)
	return int64(whole), int32(min((v-whole)*1e9, 999_999_999))
}

// UnixMilli returns the milliseconds since the epoch, rounded down, and limited
// to those that an int64 holds.
func (t Timestamp) UnixMilli() int64 {
	const last = math.MaxInt64 / 1000 // seconds that fit, both ways, but for a remainder of 807 ms
	sec, nsec := t.UnixParts()
	ms := int64(nsec) / 1e6
	if sec < 0 { // counted back from the next second, the remainder keeps the sign of the whole
		sec, ms = sec+1, ms-1000
	}
	switch {
	case sec > last, sec == last && ms > 807:
		return math.MaxInt64
	case sec < -last, sec == -last && ms < -808:
		return math.MinInt64
	}
	return sec*1000 + ms
}

// Compare orders timestamps by time; an unset timestamp comes first.
func (t Timestamp) Compare(u Timestamp) int {
	switch {
	case t == u:
		return 0
	case !t.set:
		return -1
	case !u.set:
		return 1
	case t.nsec == inFloat || u.nsec == inFloat:
		return t.compareFloats(u)
	case t.sec < u.sec || t.sec == u.sec && t.nsec < u.nsec:
		return -1
	}
	return 1
}

// compareFloats compares two times of which at least one is kept as a float64.
// Different times differ as float64 too, except at 2^63 seconds, to which the
// last nanoseconds before it are rounded.
func (t Timestamp) compareFloats(u Timestamp) int {
	if c := cmp.Compare(t.Seconds(), u.Seconds()); c != 0 {
		return c
	}
	return cmp.Compare(u.nsec, t.nsec)
}

// Key returns two words that are equal only for equal timestamps.
func (t Timestamp) Key() (seconds, rest uint64) {
	rest = uint64(uint32(t.nsec))
	if t.set {
		rest |= 1 << 32
	}
	return uint64(t.sec), rest
}

// AppendSeconds appends the seconds since the epoch: exactly and without
// trailing zeros ("123", "123.456", "-0.5"), or, for a time that nanoseconds
// cannot hold, in the shortest digits that read back as the same float64
// ("1e+300", "1e-10").
func (t Timestamp) AppendSeconds(dst []byte) []byte {
	sec, nsec := t.sec, t.nsec
	if nsec == inFloat {
		return strconv.AppendFloat(dst, t.floating(), 'g', -1, 64)
	}
	if sec < 0 && nsec > 0 { // -0.5 s is kept as -1 s and 0.5 s
		sec, nsec = sec+1, 1e9-nsec
		if sec == 0 {
			dst = append(dst, '-')
		}
	}
	dst = strconv.AppendInt(dst, sec, 10)
	if nsec == 0 {
		return dst
	}
	digits := [10]byte{0: '.'}
	for i := 9; i > 0; i-- {
		digits[i] = byte('0' + nsec%10)
		nsec /= 10
	}
	end := 10
	for digits[end-1] == '0' {
		end--
	}
	return append(dst, digits[:end]...)
}

// String returns the seconds since the epoch as [Timestamp.AppendSeconds] writes
// them, or "" if it is not set.
func (t Timestamp) String() string {
	if !t.set {
		return ""
	}
	return string(t.AppendSeconds(nil))
}

// UnixSeconds returns the time v seconds after the epoch, where v means the
// shortest decimal that reads back as v. It returns false for NaN and
// infinities.
func UnixSeconds(v float64) (Timestamp, bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Timestamp{}, false
	}
	if a := math.Abs(v); v >= -1<<63 && v < 1<<63 && (a >= 1e-9 || a == 0) {
		var buf [400]byte
		if t, ok := parseDecimal(string(strconv.AppendFloat(buf[:0], v, 'f', -1, 64))); ok {
			return t, true
		}
	}
	return Timestamp{sec: int64(math.Float64bits(v)), nsec: inFloat, set: true}, true
}

// ParseSeconds reads seconds since the epoch in decimal, with or without an
// exponent ("123", "-0.5", "1.25", "1e+300"). A number that an int64 of seconds
// with nanoseconds cannot hold is rounded to a float64. It returns false for
// other text and for numbers too large for a float64.
func ParseSeconds(s string) (Timestamp, bool) {
	if t, ok := parseDecimal(s); ok {
		return t, true
	}
	if !decimal(s) {
		return Timestamp{}, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Timestamp{}, false
	}
	return UnixSeconds(v)
}

// decimal reports whether s consists of characters of decimal numbers:
// ParseFloat also accepts hexadecimal, underscores and words.
func decimal(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return false
		}
	}
	return true
}

// parseDecimal reads a number without exponent that fits a Timestamp's seconds and
// nanoseconds. Digits after the ninth decimal are cut off, unless a float64 has
// them.
func parseDecimal(s string) (Timestamp, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	negative := strings.HasPrefix(whole, "-")
	sec := int64(0)
	if whole != "" && whole != "-" && whole != "+" {
		var err error
		if sec, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return Timestamp{}, false
		}
	} else if fraction == "" {
		return Timestamp{}, false
	}
	nsec, finer := int64(0), false
	for i, scale := 0, int64(1e8); i < len(fraction); i, scale = i+1, scale/10 {
		digit := fraction[i]
		switch {
		case digit < '0' || digit > '9':
			return Timestamp{}, false
		case digit > '0' && scale == 0:
			finer = true
		}
		nsec += int64(digit-'0') * scale
	}
	const coarse = 1 << 24 // seconds from which a float64 has no digits after nanoseconds
	if finer && sec > -coarse && sec < coarse {
		return Timestamp{}, false
	}
	if negative {
		nsec = -nsec
	}
	if nsec < 0 && sec == math.MinInt64 {
		return Timestamp{}, false
	}
	return Unix(sec, nsec), true
}
