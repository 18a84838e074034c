package remotewrite

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
)

// The numbers of the fields of Histogram, in both versions.
const (
	histogramCount         protowire.Number = 1
	histogramCountFloat    protowire.Number = 2
	histogramSum           protowire.Number = 3
	histogramSchema        protowire.Number = 4
	histogramZeroThreshold protowire.Number = 5
	histogramZero          protowire.Number = 6
	histogramZeroFloat     protowire.Number = 7
	histogramNegative      protowire.Number = 8 // spans, deltas, counts
	histogramPositive      protowire.Number = 11
	histogramResetHint     protowire.Number = 14
	histogramTimestamp     protowire.Number = 15
	histogramCustom        protowire.Number = 16
	histogramStart         protowire.Number = 17 // of 2.0 alone

	spanOffset protowire.Number = 1
	spanLength protowire.Number = 2

	gaugeHint = 3 // of GAUGE
)

const (
	countParts = model.PartCount | model.PartGCount
	sumParts   = model.PartSum | model.PartGSum
)

// histogramParts returns the parts of a histogram that are series.
func (e *encoder) histogramParts(p *model.Point) model.Parts {
	h, parts := p.Histogram, p.Has&e.parts
	if h == nil {
		return 0
	}
	if parts&model.PartBucket != 0 && h.Bounds.Len() != len(h.Cumulative) {
		parts &^= model.PartBucket
	}
	return parts
}

// histogram writes the classic series of a histogram, and the native one.
func (e *encoder) histogram(en *entry, b *builder, p *model.Point, t stamp) {
	h, parts := p.Histogram, e.histogramParts(p)
	if h == nil {
		return
	}
	if parts&model.PartBucket != 0 {
		for i, v := range h.Cumulative {
			e.attach(en, i, b, h.Exemplar(i))
			e.series(b, model.PartBucket, h.Bounds.Spelling(i))
			b.sample(bitsOf(v), t)
		}
		if lacksInf(h.Bounds) {
			e.value(b, model.PartBucket, infinity, h.Count, t)
		}
	}
	if part := parts & countParts; part != 0 {
		e.value(b, part, "", h.Count, t)
	}
	if part := parts & sumParts; part != 0 {
		e.value(b, part, "", h.Sum, t)
	}
	if n := h.Native; n != nil && e.parts|model.PartCreated == e.family.Type.Parts()|model.PartCreated {
		e.native(en, b, n, h.Bounds.Len(), t)
	}
}

// native writes a native histogram, the i-th series of a point.
func (e *encoder) native(en *entry, b *builder, n *model.NativeHistogram, i int, t stamp) {
	if !sound(n) {
		e.skipped[skipInvalid]++
		return
	}
	b.tail = b.tail[:0]
	if len(n.Exemplars) > 0 {
		e.newest = e.newest[:0]
		for i := range n.Exemplars {
			e.newest = append(e.newest, &n.Exemplars[i])
		}
		e.exemplars(en, i, b)
	}
	e.series(b, model.PartValue, "")
	b.inner = appendHistogram(b.inner[:0], n, e.family.Type == model.GaugeHistogram, t)
	b.histogram(b.inner)
}

// sound reports whether receivers take a native histogram: buckets have spans, counts
// are not below zero, and those of a histogram of whole numbers add up.
func sound(n *model.NativeHistogram) bool {
	custom := n.Schema == model.CustomBucketsSchema
	switch {
	case !custom && (n.Schema < -4 || n.Schema > 8):
		return false
	case custom && (len(n.NegativeSpans) > 0 || n.ZeroCount != 0 || !increasing(n.CustomBounds)):
		return false
	case !(n.ZeroThreshold >= 0) || !(n.ZeroCount >= 0) || !(n.Count >= 0):
		return false
	}
	most := int64(math.MaxInt32)
	if custom {
		most = int64(len(n.CustomBounds))
	}
	positive, ok := total(n.PositiveSpans, n.Positive, custom, most)
	negative, ok2 := total(n.NegativeSpans, n.Negative, false, math.MaxInt32)
	if !ok || !ok2 {
		return false
	}
	if !wholeHistogram(n) {
		return true
	}
	sum := positive + negative + n.ZeroCount
	return sum == n.Count || math.IsNaN(n.Sum) && sum <= n.Count
}

// total returns the observations in the buckets of a side, and whether the spans fit
// them.
func total(spans []model.Span, counts []float64, fromZero bool, most int64) (sum float64, ok bool) {
	index, buckets := int64(0), uint64(0)
	for i, s := range spans {
		if s.Offset < 0 && (i > 0 || fromZero) {
			return 0, false
		}
		index += int64(s.Offset) + int64(s.Length)
		buckets += uint64(s.Length)
		if index > most+1 {
			return 0, false
		}
	}
	for _, v := range counts {
		if !(v >= 0) {
			return 0, false
		}
		sum += v
	}
	return sum, buckets == uint64(len(counts))
}

func increasing(bounds []float64) bool {
	for i, v := range bounds {
		if math.IsNaN(v) || math.IsInf(v, 1) || i > 0 && v <= bounds[i-1] {
			return false
		}
	}
	return true
}

// mostWhole is the first number from which on not all whole numbers are float64s.
const mostWhole = 1 << 53

func whole(v float64) bool { return v >= 0 && v < mostWhole && v == math.Trunc(v) }

// wholeHistogram reports whether a histogram is sent as one of whole numbers.
func wholeHistogram(n *model.NativeHistogram) bool {
	if n.IsFloat || !whole(n.Count) || !whole(n.ZeroCount) {
		return false
	}
	for _, counts := range [][]float64{n.Positive, n.Negative} {
		for _, v := range counts {
			if !whole(v) {
				return false
			}
		}
	}
	return true
}

func appendDouble(dst []byte, n protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(dst, n, protowire.Fixed64Type), math.Float64bits(v))
}

func appendVarint(dst []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.VarintType), v)
}

// appendHistogram appends a Histogram.
func appendHistogram(dst []byte, n *model.NativeHistogram, gauge bool, t stamp) []byte {
	float := !wholeHistogram(n)
	if float {
		dst = appendDouble(dst, histogramCountFloat, n.Count)
	} else {
		dst = appendVarint(dst, histogramCount, uint64(n.Count))
	}
	dst = protowire.AppendTag(dst, histogramSum, protowire.Fixed64Type)
	dst = protowire.AppendFixed64(dst, bitsOf(n.Sum))
	dst = appendVarint(dst, histogramSchema, protowire.EncodeZigZag(int64(n.Schema)))
	if n.Schema != model.CustomBucketsSchema {
		dst = appendDouble(dst, histogramZeroThreshold, n.ZeroThreshold)
		if float {
			dst = appendDouble(dst, histogramZeroFloat, n.ZeroCount)
		} else {
			dst = appendVarint(dst, histogramZero, uint64(n.ZeroCount))
		}
	}
	dst = appendSide(dst, histogramNegative, n.NegativeSpans, n.Negative, float)
	dst = appendSide(dst, histogramPositive, n.PositiveSpans, n.Positive, float)
	if gauge {
		dst = appendVarint(dst, histogramResetHint, gaugeHint)
	}
	dst = appendVarint(dst, histogramTimestamp, uint64(t.at))
	if n.Schema == model.CustomBucketsSchema && len(n.CustomBounds) > 0 {
		dst = appendDoubles(dst, histogramCustom, n.CustomBounds)
	}
	if t.start != 0 {
		dst = appendVarint(dst, histogramStart, uint64(t.start))
	}
	return dst
}

// appendSide appends the spans of one side, the field first, and its buckets in one of
// the two fields after it.
func appendSide(dst []byte, first protowire.Number, spans []model.Span, counts []float64, float bool) []byte {
	for _, s := range spans {
		offset, length := protowire.EncodeZigZag(int64(s.Offset)), uint64(s.Length)
		dst = protowire.AppendTag(dst, first, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(2+protowire.SizeVarint(offset)+protowire.SizeVarint(length)))
		dst = appendVarint(appendVarint(dst, spanOffset, offset), spanLength, length)
	}
	switch {
	case len(counts) == 0:
		return dst
	case float:
		return appendDoubles(dst, first+2, counts)
	}
	size, before := 0, int64(0)
	for _, v := range counts {
		size += protowire.SizeVarint(protowire.EncodeZigZag(int64(v) - before))
		before = int64(v)
	}
	dst = protowire.AppendVarint(protowire.AppendTag(dst, first+1, protowire.BytesType), uint64(size))
	before = 0
	for _, v := range counts {
		dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(v)-before))
		before = int64(v)
	}
	return dst
}

// appendDoubles appends a packed field.
func appendDoubles(dst []byte, n protowire.Number, values []float64) []byte {
	dst = protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.BytesType), uint64(8*len(values)))
	for _, v := range values {
		dst = protowire.AppendFixed64(dst, math.Float64bits(v))
	}
	return dst
}

// staleHistogram appends the Histogram that ends a series of native ones.
func staleHistogram(dst []byte, at int64) []byte {
	dst = appendVarint(dst, histogramCount, 0)
	dst = protowire.AppendFixed64(protowire.AppendTag(dst, histogramSum, protowire.Fixed64Type), staleMarker)
	return appendVarint(dst, histogramTimestamp, uint64(at))
}
