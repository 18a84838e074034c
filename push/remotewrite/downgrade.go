package remotewrite

import (
	"errors"
	"strings"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields of version 1.0 that differ from those of 2.0.
const (
	writeTimeseries protowire.Number = 1 // of WriteRequest
	writeMetadata   protowire.Number = 3

	series1Exemplars  protowire.Number = 3
	series1Histograms protowire.Number = 4

	labelName  protowire.Number = 1
	labelValue protowire.Number = 2

	family1Name protowire.Number = 2 // of MetricMetadata
	family1Help protowire.Number = 4
	family1Unit protowire.Number = 5
)

var errDamaged = errors.New("push/remotewrite: a queued request is damaged")

// downgrade returns a request of version 2.0 as one of 1.0: with labels written out,
// without start timestamps, and with the metadata of each family once. What the two
// share is copied as it is.
func downgrade(packed []byte) ([]byte, error) {
	body, err := snappy.Decode(nil, packed)
	if err != nil {
		return nil, errDamaged
	}
	d := downgrading{described: make(map[string]bool)}
	all := fields{rest: body}
	for all.next() {
		if all.num == requestSymbols {
			d.symbols = append(d.symbols, string(all.value))
		}
	}
	for all := (fields{rest: body}); all.next(); {
		if all.num == requestTimeseries {
			d.series(all.value)
		}
	}
	if all.failed || d.failed {
		return nil, errDamaged
	}
	return snappy.Encode(nil, append(d.out, d.metadata...)), nil
}

// fields walks those of a message.
type fields struct {
	rest   []byte
	num    protowire.Number
	typ    protowire.Type
	whole  []byte // with its tag
	value  []byte // of a field with a length
	number uint64 // of a varint
	failed bool
}

func (f *fields) next() bool {
	if len(f.rest) == 0 || f.failed {
		return false
	}
	num, typ, n := protowire.ConsumeTag(f.rest)
	m := -1
	if n > 0 {
		m = protowire.ConsumeFieldValue(num, typ, f.rest[n:])
	}
	if m < 0 {
		f.failed = true
		return false
	}
	f.num, f.typ, f.whole, f.value, f.number = num, typ, f.rest[:n+m], nil, 0
	switch typ {
	case protowire.BytesType:
		f.value, _ = protowire.ConsumeBytes(f.rest[n:])
	case protowire.VarintType:
		f.number, _ = protowire.ConsumeVarint(f.rest[n:])
	}
	f.rest = f.rest[n+m:]
	return true
}

// downgrading writes a request of version 1.0.
type downgrading struct {
	symbols   []string
	out       []byte
	metadata  []byte
	described map[string]bool // the families whose metadata is there
	buf       []byte
	inner     []byte
	failed    bool
}

func (d *downgrading) symbol(n uint64) string {
	if n >= uint64(len(d.symbols)) {
		d.failed = true
		return ""
	}
	return d.symbols[n]
}

// labels appends the labels that are references in version 2.0, and returns the value
// of the name's and whether there is a label "quantile".
func (d *downgrading) labels(dst, refs []byte) (out []byte, metric string, quantile bool) {
	for len(refs) > 0 && !d.failed {
		name, n := protowire.ConsumeVarint(refs)
		if n < 0 {
			d.failed = true
			break
		}
		value, m := protowire.ConsumeVarint(refs[n:])
		if m < 0 {
			d.failed = true
			break
		}
		refs = refs[n+m:]
		key, text := d.symbol(name), d.symbol(value)
		dst = protowire.AppendTag(dst, seriesLabels, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(2+protowire.SizeBytes(len(key))+protowire.SizeBytes(len(text))))
		dst = appendString(appendString(dst, labelName, key), labelValue, text)
		if key == nameLabel {
			metric = text
		}
		quantile = quantile || key == "quantile"
	}
	return dst, metric, quantile
}

func appendString(dst []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, n, protowire.BytesType), s)
}

// series writes a TimeSeries.
func (d *downgrading) series(message []byte) {
	buf := d.buf[:0]
	var metric string
	var quantile, native bool
	var metadata []byte
	f := fields{rest: message}
	for f.next() {
		switch f.num {
		case seriesLabels:
			buf, metric, quantile = d.labels(buf, f.value)
		case seriesSamples:
			buf = d.copied(buf, seriesSamples, f.value, sampleStart)
		case seriesHistograms:
			native = true
			buf = d.copied(buf, series1Histograms, f.value, histogramStart)
		case seriesExemplars:
			buf = d.exemplar(buf, f.value)
		case seriesMetadata:
			metadata = f.value
		}
	}
	d.failed = d.failed || f.failed
	d.buf = buf
	d.out = protowire.AppendBytes(protowire.AppendTag(d.out, writeTimeseries, protowire.BytesType), buf)
	d.describe(metric, metadata, quantile || native)
}

// copied appends a message without one of its fields.
func (d *downgrading) copied(dst []byte, n protowire.Number, message []byte, without protowire.Number) []byte {
	inner := d.inner[:0]
	f := fields{rest: message}
	for f.next() {
		if f.num != without {
			inner = append(inner, f.whole...)
		}
	}
	d.failed = d.failed || f.failed
	d.inner = inner
	return protowire.AppendBytes(protowire.AppendTag(dst, n, protowire.BytesType), inner)
}

func (d *downgrading) exemplar(dst, message []byte) []byte {
	inner := d.inner[:0]
	f := fields{rest: message}
	for f.next() {
		if f.num == exemplarLabels {
			inner, _, _ = d.labels(inner, f.value)
		} else {
			inner = append(inner, f.whole...)
		}
	}
	d.failed = d.failed || f.failed
	d.inner = inner
	return protowire.AppendBytes(protowire.AppendTag(dst, series1Exemplars, protowire.BytesType), inner)
}

// suffixes are those of samples that are not the family's name, by type as Metadata
// has it.
var suffixes = map[uint64][]string{
	3: {"_bucket", "_count", "_sum"},
	4: {"_bucket", "_gcount", "_gsum"},
	5: {"_count", "_sum"},
}

// describe writes the metadata of a series under the name of its family, unless it is
// there. Plain says that the series itself has the family's name.
func (d *downgrading) describe(metric string, metadata []byte, plain bool) {
	var typ uint64
	var help, unit string
	f := fields{rest: metadata}
	for f.next() {
		switch f.num {
		case metadataType:
			typ = f.number
		case metadataHelp:
			help = d.symbol(f.number)
		case metadataUnit:
			unit = d.symbol(f.number)
		}
	}
	d.failed = d.failed || f.failed
	if !plain {
		for _, suffix := range suffixes[typ] {
			if cut, ok := strings.CutSuffix(metric, suffix); ok && cut != "" {
				metric = cut
				break
			}
		}
	}
	if d.described[metric] {
		return
	}
	d.described[metric] = true
	inner := appendVarint(d.inner[:0], metadataType, typ)
	inner = appendString(inner, family1Name, metric)
	if help != "" {
		inner = appendString(inner, family1Help, help)
	}
	if unit != "" {
		inner = appendString(inner, family1Unit, unit)
	}
	d.inner = inner
	d.metadata = protowire.AppendBytes(protowire.AppendTag(d.metadata, writeMetadata, protowire.BytesType), inner)
}
