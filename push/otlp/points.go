package otlp

import (
	"encoding/hex"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/otelform"
	"telltale/model"
)

// The numbers of the fields of data points in opentelemetry.proto.metrics.v1. Those of
// times, counts and sums are the same in all that have them.
const (
	pointStart protowire.Number = 2
	pointTime  protowire.Number = 3
	pointCount protowire.Number = 4
	pointSum   protowire.Number = 5

	numberValue      protowire.Number = 4
	numberExemplars  protowire.Number = 5
	numberAttributes protowire.Number = 7

	histogramCounts     protowire.Number = 6
	histogramBounds     protowire.Number = 7
	histogramExemplars  protowire.Number = 8
	histogramAttributes protowire.Number = 9

	exponentialAttributes protowire.Number = 1
	exponentialScale      protowire.Number = 6
	exponentialZeros      protowire.Number = 7
	exponentialPositive   protowire.Number = 8
	exponentialNegative   protowire.Number = 9
	exponentialExemplars  protowire.Number = 11
	exponentialThreshold  protowire.Number = 14

	bucketsOffset protowire.Number = 1
	bucketsCounts protowire.Number = 2

	summaryQuantiles  protowire.Number = 6
	summaryAttributes protowire.Number = 7
	quantileQuantile  protowire.Number = 1
	quantileValue     protowire.Number = 2

	exemplarTime       protowire.Number = 2
	exemplarValue      protowire.Number = 3
	exemplarSpan       protowire.Number = 4
	exemplarTrace      protowire.Number = 5
	exemplarAttributes protowire.Number = 7
)

// stamp is the time of a value, and when its series began, 0 if that is not known; in
// nanoseconds.
type stamp struct{ at, start uint64 }

// normalNaN is the NaN of measured values. Others may be a marker of staleness to the
// receiver.
const normalNaN = 0x7ff8000000000001

func bitsOf(v float64) uint64 {
	if math.IsNaN(v) {
		return normalNaN
	}
	return math.Float64bits(v)
}

// appendFixed appends a field of 64 bits, whose number is below 16.
func appendFixed(dst []byte, n protowire.Number, bits uint64) []byte {
	return append(dst, byte(n<<3|1), byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24), byte(bits>>32), byte(bits>>40), byte(bits>>48), byte(bits>>56))
}

// appendMessage appends a field with a length, whose number is below 16.
func appendMessage(dst []byte, n protowire.Number, message []byte) []byte {
	if len(message) < 0x80 {
		return append(append(dst, byte(n<<3|2), byte(len(message))), message...)
	}
	return protowire.AppendBytes(append(dst, byte(n<<3|2)), message)
}

func appendString(dst []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(append(dst, byte(n<<3|2)), s)
}

func appendStamp(dst []byte, t stamp) []byte {
	if t.start != 0 {
		dst = appendFixed(dst, pointStart, t.start)
	}
	return appendFixed(dst, pointTime, t.at)
}

// appendNumber appends the fields of a NumberDataPoint but for its attributes.
func appendNumber(dst []byte, t stamp, v float64) []byte {
	return appendFixed(appendStamp(dst, t), numberValue, bitsOf(v))
}

// states writes a state set: a one or a zero for each state.
func (e *encoder) states(p *model.Point, t stamp) error {
	if p.Has&model.PartValue == 0 {
		return nil
	}
	if err := e.attributes.lacks(e.family.Name); err != nil {
		return err
	}
	t.start = 0
	for _, s := range p.States {
		v := 0.0
		if s.On {
			v = 1
		}
		dst := e.attributes.append(e.point[:0], numberAttributes)
		if name := valid(s.Name); name != "" {
			dst = appendAttribute(dst, numberAttributes, e.header.name, name)
		}
		e.point = appendNumber(dst, t, v)
		e.put(&e.header)
	}
	return nil
}

// summary writes a summary.
func (e *encoder) summary(p *model.Point, t stamp) error {
	s := p.Summary
	if s == nil || p.Has&model.PartCount == 0 {
		return errNoCount
	}
	count, err := otelform.Whole(s.Count)
	if err != nil {
		return err
	}
	dst := appendStamp(e.attributes.append(e.point[:0], summaryAttributes), t)
	dst = appendFixed(dst, pointCount, count)
	if p.Has&model.PartSum != 0 {
		dst = appendFixed(dst, pointSum, bitsOf(s.Sum))
	}
	for _, q := range s.Quantiles {
		e.inner = appendFixed(e.inner[:0], quantileQuantile, math.Float64bits(q.Q))
		e.inner = appendFixed(e.inner, quantileValue, bitsOf(q.V))
		dst = appendMessage(dst, summaryQuantiles, e.inner)
	}
	e.point = dst
	h := e.header
	h.kind = summaryKind
	e.put(&h)
	return nil
}

// histogram writes a histogram: the native one, if there is one.
func (e *encoder) histogram(p *model.Point, t stamp) (err error) {
	h := p.Histogram
	switch {
	case h == nil:
		return errNoCount
	case h.Native != nil && (!e.classic || h.Bounds.Len() == 0):
		if h.Native.Schema != model.CustomBucketsSchema {
			return e.exponential(h.Native, t)
		}
		if e.counts, err = otelform.Custom(e.counts, h.Native); err != nil {
			return err
		}
		e.explicit(h.Native.CustomBounds, &h.Native.Sum, t)
		if len(h.Native.Exemplars) > 0 {
			e.appendNativeExemplars(histogramExemplars, h.Native)
		}
	case p.Has&(model.PartBucket|model.PartCount) == 0:
		return errNoCount
	default:
		counts, bounds, err := otelform.Classic(e.counts, h)
		if err != nil {
			return err
		}
		e.counts = counts
		var sum *float64
		if p.Has&model.PartSum != 0 {
			sum = &h.Sum
		}
		e.explicit(h.Bounds.Upper()[:bounds], sum, t)
		for _, x := range h.Exemplars {
			if x != nil {
				e.appendExemplars(histogramExemplars, x)
			}
		}
	}
	to := e.header
	to.kind = histogramKind
	e.put(&to)
	return nil
}

// explicit begins a histogram with the bounds and the present counts, whose sum is the
// count of all.
func (e *encoder) explicit(bounds []float64, sum *float64, t stamp) {
	all := uint64(0)
	for _, n := range e.counts {
		all += n
	}
	dst := appendStamp(e.attributes.append(e.point[:0], histogramAttributes), t)
	dst = appendFixed(dst, pointCount, all)
	if sum != nil {
		dst = appendFixed(dst, pointSum, bitsOf(*sum))
	}
	dst = protowire.AppendVarint(append(dst, byte(histogramCounts<<3|2)), uint64(8*len(e.counts)))
	for _, n := range e.counts {
		dst = protowire.AppendFixed64(dst, n)
	}
	if len(bounds) > 0 {
		dst = protowire.AppendVarint(append(dst, byte(histogramBounds<<3|2)), uint64(8*len(bounds)))
		for _, v := range bounds {
			dst = protowire.AppendFixed64(dst, math.Float64bits(v))
		}
	}
	e.point = dst
}

// exponential writes a native histogram with exponential buckets.
func (e *encoder) exponential(n *model.NativeHistogram, t stamp) error {
	if err := e.native.Set(n); err != nil {
		return err
	}
	dst := appendStamp(e.attributes.append(e.point[:0], exponentialAttributes), t)
	dst = appendFixed(dst, pointCount, e.native.Count)
	dst = appendFixed(dst, pointSum, bitsOf(n.Sum))
	dst = protowire.AppendVarint(append(dst, byte(exponentialScale<<3)), protowire.EncodeZigZag(int64(e.native.Scale)))
	dst = appendFixed(dst, exponentialZeros, e.native.ZeroCount)
	dst = e.appendBuckets(dst, exponentialPositive, &e.native.Positive)
	dst = e.appendBuckets(dst, exponentialNegative, &e.native.Negative)
	e.point = appendFixed(dst, exponentialThreshold, math.Float64bits(n.ZeroThreshold))
	if len(n.Exemplars) > 0 {
		e.appendNativeExemplars(exponentialExemplars, n)
	}
	h := e.header
	h.kind = exponentialKind
	e.put(&h)
	return nil
}

func (e *encoder) appendBuckets(dst []byte, n protowire.Number, b *otelform.Buckets) []byte {
	if len(b.Counts) == 0 {
		return dst
	}
	size := 0
	for _, c := range b.Counts {
		size += protowire.SizeVarint(c)
	}
	inner := protowire.AppendVarint(append(e.inner[:0], byte(bucketsOffset<<3)), protowire.EncodeZigZag(int64(b.Offset)))
	inner = protowire.AppendVarint(append(inner, byte(bucketsCounts<<3|2)), uint64(size))
	for _, c := range b.Counts {
		inner = protowire.AppendVarint(inner, c)
	}
	e.inner = inner
	return appendMessage(dst, n, inner)
}

// appendExemplars appends an exemplar and the older ones of its sample to the data point,
// the oldest first.
func (e *encoder) appendExemplars(n protowire.Number, first *model.Exemplar) {
	e.newest = e.newest[:0]
	for x := range first.All() {
		e.newest = append(e.newest, x)
	}
	slices.Reverse(e.newest)
	for _, x := range e.newest {
		e.appendExemplar(n, x)
	}
	clear(e.newest)
}

func (e *encoder) appendNativeExemplars(n protowire.Number, h *model.NativeHistogram) {
	for i := range h.Exemplars {
		e.appendExemplar(n, &h.Exemplars[i])
	}
}

func (e *encoder) appendExemplar(n protowire.Number, x *model.Exemplar) {
	var id [otelform.TraceLength]byte
	dst := e.exemplars[:0]
	for name, value := range x.Labels.All() {
		switch {
		case name == otelform.TraceLabel && isID(id[:otelform.TraceLength], value):
			dst = appendMessage(dst, exemplarTrace, id[:otelform.TraceLength])
		case name == otelform.SpanLabel && isID(id[:otelform.SpanLength], value):
			dst = appendMessage(dst, exemplarSpan, id[:otelform.SpanLength])
		case value != "":
			dst = appendAttribute(dst, exemplarAttributes, name, value)
		}
	}
	if at, ok := nanoseconds(x.Timestamp); ok && x.Timestamp.IsSet() {
		dst = appendFixed(dst, exemplarTime, at)
	}
	e.exemplars = appendFixed(dst, exemplarValue, bitsOf(x.Value))
	e.point = appendMessage(e.point, n, e.exemplars)
}

// isID reads the hexadecimal digits of an identifier of the length of id. One of zeros is
// none.
func isID(id []byte, text string) bool {
	if len(text) != 2*len(id) {
		return false
	}
	if _, err := hex.Decode(id, []byte(text)); err != nil {
		return false
	}
	return slices.ContainsFunc(id, func(b byte) bool { return b != 0 })
}
