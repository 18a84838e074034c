package remotewrite

import (
	"math"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/outbox"
	"telltale/model"
)

// The numbers of the fields of io.prometheus.write.v2.
const (
	requestTimeseries protowire.Number = 5

	seriesLabels     protowire.Number = 1
	seriesSamples    protowire.Number = 2
	seriesHistograms protowire.Number = 3
	seriesExemplars  protowire.Number = 4
	seriesMetadata   protowire.Number = 5

	sampleValue     protowire.Number = 1
	sampleTimestamp protowire.Number = 2
	sampleStart     protowire.Number = 3

	exemplarLabels    protowire.Number = 1
	exemplarValue     protowire.Number = 2
	exemplarTimestamp protowire.Number = 3

	metadataType protowire.Number = 1
	metadataHelp protowire.Number = 3
	metadataUnit protowire.Number = 4
)

// counts says how much is in a request, or in several.
type counts struct{ samples, histograms, exemplars int }

// all returns the number of samples and histograms.
func (c counts) all() int { return c.samples + c.histograms }

// builder writes the series of one shard into requests, one after the other.
type builder struct {
	counts
	tables  []*symbols // of the requests of a collection, in their order
	request int        // the place of the present one
	epochs  uint32
	symbols *symbols // of the present one
	series  []byte   // the fields timeseries
	frame   frame
	labels  []byte // of the present series: refs, or those of an entry
	refs    []byte
	tail    []byte // its exemplars
	inner   []byte // a message inside it
	pack    *pack
}

// pack is what take works with. The builders of an encoder, which end their requests one
// after the other, share it.
type pack struct{ raw, packed []byte }

// frame is what the series of a family share in one request.
type frame struct {
	layout   uint64 // the number of the layout that it was made for, 0 for none
	names    []uint32
	values   []uint32 // of labels that all series have, and for others of the series before
	parts    [partCount]uint32
	metadata []byte
}

const partCount = 9 // the kinds of samples, see model.Parts

func newBuilder(p *pack) *builder {
	b := &builder{pack: p}
	b.begin()
	return b
}

// begin begins the first request of a collection.
func (b *builder) begin() {
	b.request = -1
	b.next()
}

// next begins the next request.
func (b *builder) next() {
	b.request++
	if b.request == len(b.tables) {
		b.epochs++
		b.tables = append(b.tables, newSymbols(b.epochs))
	}
	b.symbols, b.frame.layout = b.tables[b.request], 0
}

// end forgets the symbols of requests that the collection did not have.
func (b *builder) end() {
	keep := max(b.request, 1)
	if keep < len(b.tables) {
		clear(b.tables[keep:])
		b.tables = b.tables[:keep]
	}
}

// size returns how many bytes the request has so far.
func (b *builder) size() int { return len(b.symbols.encoded) + len(b.series) }

// take returns the request, of remote write 2.0 and compressed, and begins another.
func (b *builder) take(now int64) *outbox.Request {
	p := b.pack
	p.raw = append(append(p.raw[:0], b.symbols.encoded...), b.series...)
	if most := snappy.MaxEncodedLen(len(p.raw)); cap(p.packed) < most {
		p.packed = make([]byte, most)
	}
	packed := snappy.Encode(p.packed[:cap(p.packed)], p.raw)
	r := &outbox.Request{Body: append(make([]byte, 0, len(packed)), packed...), Count: b.all(), Time: now}
	if b.symbols.worn(b.all()) {
		b.epochs++
		b.symbols.reset()
		b.symbols.epoch = b.epochs
	}
	b.counts, b.series = counts{}, b.series[:0]
	b.next()
	return r
}

// fit makes the frame fit a layout and a family.
func (b *builder) fit(l *layout, f *model.Family) {
	n := &b.frame
	n.layout, n.names, n.values, n.parts = l.number, n.names[:0], n.values[:0], [partCount]uint32{}
	for i := range l.slots {
		s := &l.slots[i]
		n.names = append(n.names, b.symbols.number(s.name))
		n.values = append(n.values, b.symbols.number(s.value))
	}
	m := append(b.inner[:0], byte(metadataType<<3))
	m = protowire.AppendVarint(m, uint64(metadataTypes[f.Type]))
	if help := b.symbols.number(model.ValidHelp(f.Help)); help != 0 {
		m = appendNumber(append(m, byte(metadataHelp<<3)), help)
	}
	if unit := b.symbols.number(model.ValidHelp(f.Unit)); unit != 0 {
		m = appendNumber(append(m, byte(metadataUnit<<3)), unit)
	}
	n.metadata = protowire.AppendBytes(append(n.metadata[:0], byte(seriesMetadata<<3|2)), m)
	b.inner = m
}

// value returns the number of the value of a slot. The text of the series before may be
// gone; its value is the one among the symbols.
func (n *frame) value(s *symbols, slot int, value string) uint32 {
	if last := n.values[slot]; last != 0 && s.is(last, value) {
		return last
	}
	n.values[slot] = s.number(value)
	return n.values[slot]
}

// appendNumber appends the number of a symbol.
func appendNumber(dst []byte, number uint32) []byte {
	switch {
	case number < 1<<7:
		return append(dst, byte(number))
	case number < 1<<14:
		return append(dst, byte(number)|0x80, byte(number>>7))
	}
	return protowire.AppendVarint(dst, uint64(number))
}

// metadataTypes are the types as Metadata has them.
var metadataTypes = [...]byte{
	model.Unknown: 0, model.Counter: 1, model.Gauge: 2, model.Histogram: 3, model.GaugeHistogram: 4, model.Summary: 5, model.Info: 6, model.StateSet: 7,
}

// staleMarker is the value that ends a series.
const staleMarker = 0x7ff0000000000002

// normalNaN is the NaN of measured values, all of whose bits differ from staleMarker's.
const normalNaN = 0x7ff8000000000001

func bitsOf(v float64) uint64 {
	if math.IsNaN(v) {
		return normalNaN
	}
	return math.Float64bits(v)
}

// stamp is the time of a sample, and when its series began.
type stamp struct{ at, start int64 }

// sample appends the series in labels and tail with one sample.
func (b *builder) sample(bits uint64, t stamp) {
	// The sample, whose length is at most two tags, a double and two varints.
	size := 1 + 8 + 1 + protowire.SizeVarint(uint64(t.at))
	if t.start != 0 {
		size += 1 + protowire.SizeVarint(uint64(t.start))
	}
	dst := b.open(2 + size)
	dst = append(dst, byte(seriesSamples<<3|2), byte(size), byte(sampleValue<<3|1))
	dst = protowire.AppendFixed64(dst, bits)
	dst = appendTime(append(dst, byte(sampleTimestamp<<3)), t.at)
	if t.start != 0 {
		dst = appendTime(append(dst, byte(sampleStart<<3)), t.start)
	}
	b.series = b.closed(dst)
	b.samples++
}

// appendTime appends a time, which takes six bytes from 2004 to 2109.
func appendTime(dst []byte, ms int64) []byte {
	v := uint64(ms)
	if first := v >> 35; first == 0 || first >= 0x80 {
		return protowire.AppendVarint(dst, v)
	}
	return append(dst, byte(v)|0x80, byte(v>>7)|0x80, byte(v>>14)|0x80, byte(v>>21)|0x80, byte(v>>28)|0x80, byte(v>>35))
}

// histogram appends the series in labels and tail with one histogram.
func (b *builder) histogram(message []byte) {
	dst := b.open(1 + protowire.SizeBytes(len(message)))
	dst = protowire.AppendBytes(append(dst, byte(seriesHistograms<<3|2)), message)
	b.series = b.closed(dst)
	b.histograms++
}

// open appends the beginning of a series: its length, with a value of the given number
// of bytes, and its labels.
func (b *builder) open(value int) []byte {
	size := 1 + protowire.SizeBytes(len(b.labels)) + value + len(b.tail) + len(b.frame.metadata)
	dst := append(b.series, byte(requestTimeseries<<3|2))
	if size < 0x80 {
		dst = append(dst, byte(size))
	} else {
		dst = protowire.AppendVarint(dst, uint64(size))
	}
	if len(b.labels) < 0x80 {
		return append(append(dst, byte(seriesLabels<<3|2), byte(len(b.labels))), b.labels...)
	}
	return protowire.AppendBytes(append(dst, byte(seriesLabels<<3|2)), b.labels)
}

// closed appends the exemplars and the metadata of a series.
func (b *builder) closed(dst []byte) []byte {
	return append(append(dst, b.tail...), b.frame.metadata...)
}

// exemplar appends an exemplar to tail.
func (b *builder) exemplar(x *model.Exemplar) {
	b.inner = b.inner[:0]
	labels := b.inner
	for name, value := range x.Labels.Sorted().All() {
		if value != "" {
			labels = protowire.AppendVarint(labels, uint64(b.symbols.number(name)))
			labels = protowire.AppendVarint(labels, uint64(b.symbols.number(value)))
		}
	}
	b.inner = labels
	at := uint64(x.Timestamp.UnixMilli())
	size := 1 + 8 + 1 + protowire.SizeVarint(at)
	if len(labels) > 0 {
		size += 1 + protowire.SizeBytes(len(labels))
	}
	dst := protowire.AppendVarint(append(b.tail, byte(seriesExemplars<<3|2)), uint64(size))
	if len(labels) > 0 {
		dst = protowire.AppendBytes(append(dst, byte(exemplarLabels<<3|2)), labels)
	}
	dst = protowire.AppendFixed64(append(dst, byte(exemplarValue<<3|1)), math.Float64bits(x.Value))
	b.tail = protowire.AppendVarint(append(dst, byte(exemplarTimestamp<<3)), at)
	b.exemplars++
}
