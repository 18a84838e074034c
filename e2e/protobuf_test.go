package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// readTextparseProtobuf reads a page in protobuf with the scanner of the
// Prometheus server, which lays it out as series.
func readTextparseProtobuf(page []byte, d dialect) (reading, error) {
	parser, err := textparse.New(page, d.format.ContentType(), labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	var found reading
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if entry == textparse.EntryHelp { // the first of each message
			name, help := parser.Help()
			found = append(found, readFamily{name: string(name), help: string(help)})
			continue
		}
		last := &found[len(found)-1]
		switch entry {
		case textparse.EntryType:
			_, typ := parser.Type()
			last.typ = string(typ)
		case textparse.EntryUnit:
			_, unit := parser.Unit()
			last.unit = string(unit)
		case textparse.EntrySeries:
			s := sampleOf(parser)
			last.samples = append(last.samples, s)
			first := s.name == last.name && last.typ == "counter" || // each series says when it was created, and this is its first
				s.name == last.name+"_count" && last.typ != "counter" && last.typ != "gauge" && last.typ != "unknown"
			if created := parser.StartTimestamp(); created != 0 && first {
				last.samples = append(last.samples, createdSample(last.name, s.labels, milliseconds(&created)))
			}
		default:
			return nil, fmt.Errorf("unexpected entry %d", entry)
		}
	}
}

// readExpfmtProtobuf reads a page in protobuf with the decoder of Go's client
// library.
func readExpfmtProtobuf(page []byte, d dialect) (reading, error) {
	decoder := expfmt.NewDecoder(bytes.NewReader(page), expfmt.Format(d.format.ContentType()))
	var found reading
	for {
		var f dto.MetricFamily
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		family := readFamily{name: f.GetName(), typ: typeNames[f.GetType()], help: f.GetHelp(), unit: f.GetUnit()}
		for _, m := range f.Metric {
			family.samples = append(family.samples, exemplified(f.GetName(), m)...)
		}
		found = append(found, family)
	}
}

var typeNames = map[dto.MetricType]string{
	dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_SUMMARY: "summary", dto.MetricType_UNTYPED: "unknown",
	dto.MetricType_HISTOGRAM: "histogram", dto.MetricType_GAUGE_HISTOGRAM: "gaugehistogram",
}

// exemplified lays a metric out as samples, with what text does not have.
func exemplified(name string, m *dto.Metric) []readSample {
	list := samplesOf(name, m)
	bare := map[string]string{}
	for _, l := range m.Label {
		bare[l.GetName()] = l.GetValue()
	}
	var created *timestamppb.Timestamp
	switch {
	case m.Counter != nil:
		list[0].exemplar = exemplarOf(m.Counter.Exemplar)
		created = m.Counter.CreatedTimestamp
	case m.Summary != nil:
		created = m.Summary.CreatedTimestamp
	case m.Histogram != nil:
		h := m.Histogram
		created = h.CreatedTimestamp
		for i, b := range h.Bucket {
			list[i].exemplar = exemplarOf(b.Exemplar)
		}
		// metrics.proto: the bucket +Inf is optional.
		if n := len(h.Bucket); (h.SampleCount != nil || h.SampleCountFloat != nil) && (n == 0 || !math.IsInf(h.Bucket[n-1].GetUpperBound(), 1)) {
			inf := readSample{name: name + "_bucket", labels: mapOf([]label{{"le", "+Inf"}}), at: milliseconds(m.TimestampMs)}
			inf.value = math.Max(float64(h.GetSampleCount()), h.GetSampleCountFloat())
			for name, value := range bare {
				inf.labels[name] = value
			}
			list = append(list, inf)
		}
	}
	if created != nil {
		list = append(list, createdSample(name, bare, &moment{ns: created.AsTime().UnixNano()}))
	}
	return list
}

func exemplarOf(e *dto.Exemplar) *readExemplar {
	if e == nil {
		return nil
	}
	found := &readExemplar{labels: map[string]string{}, value: e.GetValue()}
	for _, l := range e.Label {
		found.labels[l.GetName()] = l.GetValue()
	}
	if e.Timestamp != nil {
		found.at = &moment{ns: e.Timestamp.AsTime().UnixNano()}
	}
	return found
}

// withoutPart reports whether a histogram or summary lacks its count or sum.
func withoutPart(f *familyPlan) bool {
	if f.typ != "summary" && f.typ != "histogram" && f.typ != "gaugehistogram" {
		return false
	}
	for i := range f.series {
		if f.series[i].count == nil || f.series[i].sum == nil {
			return true
		}
	}
	return false
}

// What Prometheus's textparse v0.315.0 makes of protobuf.
var textparseProtobufRules = []*rule{
	{
		name:      "empty families",
		why:       "families without series are left out",
		keepsBack: func(f *familyPlan, _ dialect) bool { return len(f.series) == 0 },
	},
	{
		name:      "absent counts and sums",
		why:       "it does not know a count or sum that is not there from one of 0",
		keepsBack: func(f *familyPlan, _ dialect) bool { return withoutPart(f) },
	},
	{
		name: "the epoch",
		why:  "it takes a time of 0 ms for none",
		changes: func(page reading, _ dialect) {
			for i := range page {
				var kept []readSample
				for _, s := range page[i].samples {
					if s.at != nil && !s.at.recent && floorDiv(s.at.ns, 1e6) == 0 {
						if s.at = nil; strings.HasSuffix(s.name, " created") {
							continue
						}
					}
					kept = append(kept, s)
				}
				page[i].samples = kept
			}
		},
	},
	{
		name: "times in milliseconds",
		why:  "times of exemplars and created times are cut to milliseconds, towards the past",
		changes: func(page reading, _ dialect) {
			everyTime(page, func(ns int64) int64 { return floorDiv(ns, 1e6) * 1e6 })
		},
	},
}

func textparseProtobufReader() reader {
	return reader{
		name: "textparse, protobuf", read: readTextparseProtobuf, rules: textparseProtobufRules,
		takes: func(d dialect) bool { return d.protobuf },
	}
}

func expfmtProtobufReader() reader {
	return reader{
		name: "expfmt, protobuf", read: readExpfmtProtobuf,
		takes: func(d dialect) bool { return d.protobuf },
	}
}
