package protobuf

import (
	"math"

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

// appendDouble appends a field whose number is below 16, as those of all doubles
// are: its tag is one byte.
func appendDouble(dst []byte, n protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(append(dst, byte(protowire.EncodeTag(n, protowire.Fixed64Type))), math.Float64bits(v))
}

// open begins an embedded message whose length is expected to take width bytes,
// and returns where its content begins. seal ends it.
func open(dst []byte, n protowire.Number, width int) ([]byte, int) {
	dst = protowire.AppendTag(dst, n, protowire.BytesType)
	for range width {
		dst = append(dst, 0)
	}
	return dst, len(dst)
}

// seal puts the length before the content that begins at start, for which width
// bytes are left there; where it takes more or fewer, the content is moved. It
// returns how many it took.
func seal(dst []byte, start, width int) (sealed []byte, took int) {
	length := len(dst) - start
	took = protowire.SizeVarint(uint64(length))
	if took == width && took == 1 {
		dst[start-1] = byte(length)
		return dst, took
	}
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
