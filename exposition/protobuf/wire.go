package protobuf

import (
	"encoding/binary"
	"math"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
)

// The numbers of the fields in client_model's metrics.proto, and in
// google.protobuf.Timestamp.
const (
	familyName   protowire.Number = 1
	familyHelp   protowire.Number = 2
	familyType   protowire.Number = 3
	familyMetric protowire.Number = 4
	familyUnit   protowire.Number = 5

	metricLabel     protowire.Number = 1
	metricGauge     protowire.Number = 2
	metricCounter   protowire.Number = 3
	metricSummary   protowire.Number = 4
	metricUntyped   protowire.Number = 5
	metricTimestamp protowire.Number = 6
	metricHistogram protowire.Number = 7

	labelName  protowire.Number = 1
	labelValue protowire.Number = 2

	singleValue     protowire.Number = 1 // of Gauge, Untyped and Counter
	counterExemplar protowire.Number = 2
	counterCreated  protowire.Number = 3

	summaryCount    protowire.Number = 1
	summarySum      protowire.Number = 2
	summaryQuantile protowire.Number = 3
	summaryCreated  protowire.Number = 4

	quantileQuantile protowire.Number = 1
	quantileValue    protowire.Number = 2

	histogramCount          protowire.Number = 1
	histogramSum            protowire.Number = 2
	histogramBucket         protowire.Number = 3
	histogramCountFloat     protowire.Number = 4
	histogramSchema         protowire.Number = 5
	histogramZeroThreshold  protowire.Number = 6
	histogramZeroCount      protowire.Number = 7
	histogramZeroCountFloat protowire.Number = 8
	histogramNegativeSpan   protowire.Number = 9
	histogramNegativeDelta  protowire.Number = 10
	histogramNegativeCount  protowire.Number = 11
	histogramPositiveSpan   protowire.Number = 12
	histogramPositiveDelta  protowire.Number = 13
	histogramPositiveCount  protowire.Number = 14
	histogramCreated        protowire.Number = 15
	histogramExemplars      protowire.Number = 16

	bucketCount      protowire.Number = 1
	bucketUpper      protowire.Number = 2
	bucketExemplar   protowire.Number = 3
	bucketCountFloat protowire.Number = 4

	spanOffset protowire.Number = 1
	spanLength protowire.Number = 2

	exemplarLabel     protowire.Number = 1
	exemplarValue     protowire.Number = 2
	exemplarTimestamp protowire.Number = 3

	timestampSeconds protowire.Number = 1
	timestampNanos   protowire.Number = 2
)

// kind is a MetricType of metrics.proto.
type kind uint64

const (
	counterKind kind = iota
	gaugeKind
	summaryKind
	untypedKind
	histogramKind
	gaugeHistogramKind
)

func appendString(dst []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, n, protowire.BytesType), s)
}

func appendUint(dst []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.VarintType), v)
}

func appendInt(dst []byte, n protowire.Number, v int64) []byte { return appendUint(dst, n, uint64(v)) }

func appendSigned(dst []byte, n protowire.Number, v int64) []byte {
	return appendUint(dst, n, protowire.EncodeZigZag(v))
}

// appendDouble appends a field with a number below 16, so that its tag is one
// byte. The fields of all doubles are.
func appendDouble(dst []byte, n protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(append(dst, byte(protowire.EncodeTag(n, protowire.Fixed64Type))), math.Float64bits(v))
}

// open begins an embedded message whose length is expected to take width bytes,
// and returns where its content begins. seal ends it. It is small, to be inlined.
func open(dst []byte, n protowire.Number, width int) ([]byte, int) {
	if tag := protowire.EncodeTag(n, protowire.BytesType); tag < 0x80 && width == 1 {
		dst = append(dst, byte(tag), 0)
	} else {
		dst = append(protowire.AppendVarint(dst, tag), "\x00\x00\x00\x00\x00"[:width]...)
	}
	return dst, len(dst)
}

// seal writes the length of the content that begins at start into the width
// bytes before it; if the length takes more or fewer bytes, the content is
// moved. It returns how many bytes the length took.
func seal(dst []byte, start, width int) (sealed []byte, took int) {
	if length := len(dst) - start; length < 0x80 && width == 1 {
		dst[start-1] = byte(length)
		return dst, 1
	}
	return sealWide(dst, start, width)
}

func sealWide(dst []byte, start, width int) (sealed []byte, took int) {
	length := len(dst) - start
	took = protowire.SizeVarint(uint64(length))
	if took != width {
		dst = append(dst, "\x00\x00\x00\x00\x00"[:max(took-width, 0)]...)
		copy(dst[start-width+took:], dst[start:start+length])
		dst = dst[:start-width+took+length]
	}
	protowire.AppendVarint(dst[:start-width], uint64(length))
	return dst, took
}

// appendTime appends a google.protobuf.Timestamp.
func appendTime(dst []byte, n protowire.Number, t model.Timestamp) []byte {
	sec, nsec := t.UnixParts()
	if sec > 0 && sec < 1<<35 && nsec > 0 {
		return appendRecent(dst, n, uint64(sec), uint64(nsec))
	}
	dst, start := open(dst, n, 1)
	if sec != 0 {
		dst = appendInt(dst, timestampSeconds, sec)
	}
	if nsec != 0 {
		dst = appendInt(dst, timestampNanos, int64(nsec))
	}
	dst, _ = seal(dst, start, 1)
	return dst
}

// appendRecent is appendTime for times from 1970 to 3058.
func appendRecent(dst []byte, n protowire.Number, sec, nsec uint64) []byte {
	start := len(dst)
	dst = append(dst, "                        "...) // overwritten below
	b := (*[24]byte)(dst[start:])
	seconds, width := shortVarint(sec)
	nanos, nanosWidth := shortVarint(nsec)
	b[0], b[2] = byte(protowire.EncodeTag(n, protowire.BytesType)), byte(protowire.EncodeTag(timestampSeconds, protowire.VarintType))
	binary.LittleEndian.PutUint64(b[3:], seconds)
	b[(3+width)&15] = byte(protowire.EncodeTag(timestampNanos, protowire.VarintType))
	binary.LittleEndian.PutUint64(b[(4+width)&15:], nanos)
	size := 4 + width + nanosWidth
	b[1] = byte(size - 2)
	return dst[:start+size]
}

// shortVarint returns the varint of a number of at most 35 bits, the first byte as
// the lowest, and how many bytes it takes.
func shortVarint(v uint64) (varint uint64, width int) {
	const more = 0x80_8080_8080
	width = (bits.Len64(v|1) + 6) / 7
	varint = v&0x7f | v<<1&0x7f00 | v<<2&0x7f_0000 | v<<3&0x7f00_0000 | v<<4&0x7f_0000_0000
	return varint | more&(1<<(8*(width-1)&63)-1), width
}
