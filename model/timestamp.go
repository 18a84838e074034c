package model

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Timestamp is a moment in nanoseconds since the Unix epoch, or, as its zero
// value, none. It holds any second an int64 can count, before 1970 too.
// Timestamps are comparable with ==.
type Timestamp struct {
	sec  int64
	nsec int32 // 0 to 999,999,999, counting forward also before 1970
	set  bool
}

// Unix returns the moment sec seconds and nsec nanoseconds after the epoch, as
// [time.Unix] does; nsec may lie outside [0, 1e9).
func Unix(sec, nsec int64) Timestamp {
	if uint64(nsec) < 1e9 { // as nearly always, and without a division
		return Timestamp{sec: sec, nsec: int32(nsec), set: true}
	}
	sec += nsec / 1e9
	if nsec %= 1e9; nsec < 0 {
		nsec += 1e9
		sec--
	}
	return Timestamp{sec: sec, nsec: int32(nsec), set: true}
}

// UnixMilli returns the moment ms milliseconds after the epoch.
func UnixMilli(ms int64) Timestamp {
	sec := ms / 1000
	return Unix(sec, (ms-sec*1000)*1e6)
}

// TimestampOf returns t as a Timestamp. The zero time gives none.
func TimestampOf(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	return Timestamp{sec: t.Unix(), nsec: int32(t.Nanosecond()), set: true}
}

// IsSet reports whether there is a timestamp.
func (t Timestamp) IsSet() bool { return t.set }

// Time returns the moment as a [time.Time] in UTC, or the zero time.
func (t Timestamp) Time() time.Time {
	if !t.set {
		return time.Time{}
	}
	return time.Unix(t.sec, int64(t.nsec)).UTC()
}

// Seconds returns the seconds since the epoch, rounded to a float64.
func (t Timestamp) Seconds() float64 {
	if t.sec < 0 && t.nsec > 0 { // -0.1 s is kept as -1 s and 0.9 s, whose sum as floats is another
		return float64(t.sec+1) - float64(1e9-t.nsec)/1e9
	}
	return float64(t.sec) + float64(t.nsec)/1e9
}

// UnixParts returns whole seconds, rounded down, and the nanoseconds after them.
func (t Timestamp) UnixParts() (sec int64, nsec int32) { return t.sec, t.nsec }

// UnixMilli returns the milliseconds since the epoch, rounded towards the past,
// and cut to what an int64 holds.
func (t Timestamp) UnixMilli() int64 {
	const last = math.MaxInt64 / 1000 // seconds that fit, both ways, but for a remainder of 807 ms
	sec, ms := t.sec, int64(t.nsec)/1e6
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

// Compare orders timestamps by time; none comes before all.
func (t Timestamp) Compare(u Timestamp) int {
	switch {
	case t == u:
		return 0
	case !t.set || u.set && (t.sec < u.sec || t.sec == u.sec && t.nsec < u.nsec):
		return -1
	}
	return 1
}

// AppendSeconds appends the seconds since the epoch in decimal, exactly and
// without trailing zeros: "123", "123.456", "-0.5".
func (t Timestamp) AppendSeconds(dst []byte) []byte {
	sec, nsec := t.sec, t.nsec
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

// String returns the seconds since the epoch in decimal, or "" for none.
func (t Timestamp) String() string {
	if !t.set {
		return ""
	}
	return string(t.AppendSeconds(nil))
}

// UnixSeconds returns the moment that v seconds after the epoch is written as:
// the shortest decimal that reads back as v, cut to nanoseconds. It reports
// false for NaN, infinities and what an int64 of seconds cannot hold.
func UnixSeconds(v float64) (Timestamp, bool) {
	var buf [400]byte
	return ParseSeconds(string(strconv.AppendFloat(buf[:0], v, 'f', -1, 64)))
}

// ParseSeconds reads seconds since the epoch in plain decimal ("123", "-0.5",
// "1.25"). Digits after the ninth decimal are cut off. It reports false for
// anything else; numbers with exponents go through [UnixSeconds].
func ParseSeconds(s string) (Timestamp, bool) {
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
	nsec := int64(0)
	for i, scale := 0, int64(1e8); i < len(fraction); i, scale = i+1, scale/10 {
		digit := fraction[i]
		if digit < '0' || digit > '9' {
			return Timestamp{}, false
		}
		nsec += int64(digit-'0') * scale
	}
	if negative {
		nsec = -nsec
	}
	if nsec < 0 && sec == math.MinInt64 {
		return Timestamp{}, false
	}
	return Unix(sec, nsec), true
}
