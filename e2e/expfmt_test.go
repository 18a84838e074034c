package e2e

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"
)

// readExpfmt reads a text page with the parser of Go's client library, which
// gathers summaries and histograms: they are laid out as lines again.
func readExpfmt(page []byte, _ dialect) (reading, error) {
	parser := expfmt.NewTextParser(prometheus.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	var found reading
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		family := readFamily{name: name, typ: strings.ToLower(f.GetType().String()), help: f.GetHelp()}
		if family.typ == "untyped" {
			family.typ = "unknown"
		}
		for _, m := range f.Metric {
			family.samples = append(family.samples, samplesOf(name, m)...)
		}
		found = append(found, family)
	}
	return found, nil
}

func samplesOf(name string, m *dto.Metric) []readSample {
	var list []readSample
	add := func(suffix string, value float64, more ...label) {
		s := readSample{name: name + suffix, labels: mapOf(more), value: value, at: milliseconds(m.TimestampMs)}
		for _, l := range m.Label {
			s.labels[l.GetName()] = l.GetValue()
		}
		list = append(list, s)
	}
	switch {
	case m.Counter != nil:
		add("", m.Counter.GetValue())
	case m.Gauge != nil:
		add("", m.Gauge.GetValue())
	case m.Untyped != nil:
		add("", m.Untyped.GetValue())
	case m.Summary != nil:
		for _, q := range m.Summary.Quantile {
			add("", q.GetValue(), label{"quantile", spelled(q.GetQuantile())})
		}
		if m.Summary.SampleCount != nil {
			add("_count", float64(m.Summary.GetSampleCount()))
		}
		if m.Summary.SampleSum != nil {
			add("_sum", m.Summary.GetSampleSum())
		}
	case m.Histogram != nil:
		h := m.Histogram
		for _, b := range h.Bucket {
			add("_bucket", math.Max(float64(b.GetCumulativeCount()), b.GetCumulativeCountFloat()), label{"le", spelled(b.GetUpperBound())})
		}
		if h.SampleCount != nil || h.SampleCountFloat != nil {
			add("_count", math.Max(float64(h.GetSampleCount()), h.GetSampleCountFloat()))
		}
		if h.SampleSum != nil {
			add("_sum", h.GetSampleSum())
		}
	}
	return list
}
