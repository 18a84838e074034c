package protobuf

import (
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/scan"
	"telltale/model"
)

// SyntaxError is an error of a page, with its offset.
type SyntaxError struct {
	Offset   int64  // of the byte where the field or message begins, from 0
	Family   string // "" if it is not known
	Field    string // as in metrics.proto, "Bucket.upper_bound"; "" outside of fields
	Found    string // what is there
	Expected string // what should be there
}

// Error returns the offset, the family, the field, what was found and what was
// expected.
func (e *SyntaxError) Error() string {
	where := fmt.Sprintf("offset %d", e.Offset)
	if e.Family != "" {
		where += ", family " + scan.Quote([]byte(e.Family))
	}
	if e.Field != "" {
		where += ", " + e.Field
	}
	return fmt.Sprintf("%s: found %s, expected %s", where, e.Found, e.Expected)
}

// message walks the fields of one message. The first error is stored in the
// scanner and ends the walk of all messages.
type message struct {
	in   *Scanner
	name string // as in metrics.proto
	rest []byte
	end  int64 // where the message ends in the input
	at   int64 // where the field begins
	num  protowire.Number
	typ  protowire.Type
}

// next goes to the next field, which must be read by the method of its type.
func (m *message) next() bool {
	if len(m.rest) == 0 || m.in.err != nil {
		return false
	}
	m.at = m.end - int64(len(m.rest))
	if c := m.rest[0]; c < 0x80 && c >= 8 {
		m.num, m.typ, m.rest = protowire.Number(c>>3), protowire.Type(c&7), m.rest[1:]
		return true
	}
	var n int
	if m.num, m.typ, n = protowire.ConsumeTag(m.rest); n < 0 {
		m.fail("", "no tag of a field", "one")
		return false
	}
	m.rest = m.rest[n:]
	return true
}

func (m *message) fail(field, found, expected string) {
	if field != "" {
		field = m.name + "." + field
	}
	m.in.fail(m.at, field, found, expected)
}

// take moves past n bytes of the value; an n below zero is an error of the
// value.
func (m *message) take(field string, n int) bool {
	if n < 0 {
		m.fail(field, "no whole value", "one")
		return false
	}
	m.rest = m.rest[n:]
	return true
}

// has reports whether the field is of the type.
func (m *message) has(field string, t protowire.Type) bool {
	if m.typ != t {
		m.fail(field, "the wire type "+wireType(m.typ), wireType(t))
	}
	return m.typ == t
}

func wireType(t protowire.Type) string {
	switch t {
	case protowire.VarintType:
		return "varint"
	case protowire.Fixed32Type:
		return "32 bits"
	case protowire.Fixed64Type:
		return "64 bits"
	case protowire.BytesType:
		return "length and bytes"
	}
	return fmt.Sprint(int(t))
}

// skip skips an unknown field.
func (m *message) skip() {
	m.take("", protowire.ConsumeFieldValue(m.num, m.typ, m.rest))
}

func (m *message) uint(field string) uint64 {
	if !m.has(field, protowire.VarintType) {
		return 0
	}
	v, n := protowire.ConsumeVarint(m.rest)
	m.take(field, n)
	return v
}

func (m *message) signed(field string) int64 { return protowire.DecodeZigZag(m.uint(field)) }

// int32 returns a number that fits 32 bits.
func (m *message) int32(field string, v int64) int32 {
	if v < math.MinInt32 || v > math.MaxInt32 {
		m.fail(field, fmt.Sprint(v), "a number of 32 bits")
	}
	return int32(v)
}

func (m *message) double(field string) float64 {
	if !m.has(field, protowire.Fixed64Type) {
		return 0
	}
	v, n := protowire.ConsumeFixed64(m.rest)
	m.take(field, n)
	return math.Float64frombits(v)
}

// count returns a number of observations.
func (m *message) count(field string) float64 {
	v := m.double(field)
	m.checkCount(field, v)
	return v
}

// checkCount refuses a number of observations that is negative or not a number.
// In a gauge histogram it may be any number, since gauge histograms may be
// differences (OpenMetrics 2.0, section "GaugeHistogram").
func (m *message) checkCount(field string, v float64) {
	if !(v >= 0) && m.in.entry.Type != model.GaugeHistogram {
		m.fail(field, model.FormatValue(v), "a number not below zero: it counts")
	}
}

func (m *message) bytes(field string) []byte {
	if !m.has(field, protowire.BytesType) {
		return nil
	}
	v, n := cutBytes(m.rest)
	m.take(field, n)
	return v
}

// cutBytes returns the bytes that follow their length, and where they end, or an
// end below zero if the length is wrong.
func cutBytes(b []byte) (cut []byte, end int) {
	if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) { // the usual case
		end = 1 + int(b[0])
		return b[1:end:end], end
	}
	return protowire.ConsumeBytes(b)
}

func (m *message) text(field string) []byte {
	v := m.bytes(field)
	if !utf8.Valid(v) {
		m.fail(field, scan.Quote(v), "UTF-8")
	}
	return v
}

// message returns the message in the field.
func (m *message) message(field, name string) message {
	v := m.bytes(field)
	return message{in: m.in, name: name, rest: v, end: m.end - int64(len(m.rest))}
}

// signeds appends the numbers of the field, one or, packed, several.
func (m *message) signeds(field string, dst []int64) []int64 {
	if m.typ != protowire.BytesType {
		return append(dst, m.signed(field))
	}
	for packed := m.bytes(field); len(packed) > 0; {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			m.fail(field, "no whole number among packed ones", "varints")
			break
		}
		dst, packed = append(dst, protowire.DecodeZigZag(v)), packed[n:]
	}
	return dst
}

// counts is signeds for doubles.
func (m *message) counts(field string, dst []float64) []float64 {
	if m.typ != protowire.BytesType {
		return append(dst, m.count(field))
	}
	for packed := m.bytes(field); len(packed) > 0; {
		v, n := protowire.ConsumeFixed64(packed)
		if n < 0 {
			m.fail(field, "a part of a number among packed ones", "numbers of 64 bits")
			break
		}
		f := math.Float64frombits(v)
		m.checkCount(field, f)
		dst, packed = append(dst, f), packed[n:]
	}
	return dst
}
