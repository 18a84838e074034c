package protobuf

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/scan"
	"telltale/model"
)

// point holds the parts of an entry's point. It is reused for each series.
type point struct {
	labels    texts
	exemplars texts
	exemplar  []model.Exemplar // of counters and classic buckets
	summary   model.SummaryValue
	histogram model.HistogramValue
	native    model.NativeHistogram
	classic   classicBuckets
	positive  side
	negative  side
	float     bool // some count is a float
	bounds    scan.Bounds
}

// texts builds label text, for one list of labels after the other.
type texts struct {
	text  []byte
	names [][]byte        // of the labels being read
	many  map[string]bool // the same names, once there are more than fewLabels
}

// fewLabels is the number of names that are compared one by one; more are looked
// up in a map, so that a series takes linear time.
const fewLabels = 16

// begin begins a list of labels.
func (t *texts) begin() {
	t.names = t.names[:0]
	clear(t.many)
}

// enter adds the name of a label and reports whether it was there already.
func (t *texts) enter(name []byte) (again bool) {
	if len(t.names) < fewLabels {
		for _, other := range t.names {
			again = again || bytes.Equal(name, other)
		}
	} else {
		if len(t.many) == 0 {
			t.many = make(map[string]bool, 2*fewLabels)
			for _, other := range t.names {
				t.many[string(other)] = true
			}
		}
		again = t.many[string(name)]
		t.many[string(name)] = true
	}
	t.names = append(t.names, name)
	return again
}

// values holds the field of a Metric that has the value, by the type of the
// family.
var values = [...]struct {
	num            protowire.Number
	field, message string
}{
	model.Unknown:        {metricUntyped, "untyped", "Untyped"},
	model.Counter:        {metricCounter, "counter", "Counter"},
	model.Gauge:          {metricGauge, "gauge", "Gauge"},
	model.Summary:        {metricSummary, "summary", "Summary"},
	model.Histogram:      {metricHistogram, "histogram", "Histogram"},
	model.GaugeHistogram: {metricHistogram, "histogram", "Histogram"},
}

// readPoint reads a Metric.
func (s *Scanner) readPoint(m message) {
	p, wanted := &s.entry.Point, values[s.entry.Type]
	*p = model.Point{}
	s.point.labels.text, s.point.exemplars.text = s.point.labels.text[:0], s.point.exemplars.text[:0]
	s.point.exemplar = s.point.exemplar[:0]
	s.point.labels.begin()
	at, has, value := m.end-int64(len(m.rest)), false, message{}
	s.names.begin()
	for m.next() {
		switch m.num {
		case metricLabel:
			s.readSeriesLabel(&m)
		case metricTimestamp:
			p.Timestamp = model.UnixMilli(int64(m.uint("timestamp_ms")))
		case metricGauge, metricCounter, metricSummary, metricUntyped, metricHistogram:
			if has || m.num != wanted.num {
				m.fail("", "a second value, or one of another type", "the one value of a "+s.entry.Type.String())
			}
			has, value = true, m.message(wanted.field, wanted.message)
		default:
			m.skip()
		}
	}
	s.checkLabels(at)
	if !has {
		s.fail(at, "Metric", "no value", "the value of a "+s.entry.Type.String())
	}
	p.Labels = model.LabelsFromText(view(s.point.labels.text))
	switch s.entry.Type {
	case model.Summary:
		s.readSummary(value)
	case model.Histogram, model.GaugeHistogram:
		s.readHistogram(value)
	default:
		s.readSingle(value)
	}
}

// readLabel reads a LabelPair into a list.
func (s *Scanner) readLabel(to *texts, of *message) {
	var name, value []byte
	for m := of.message("label", "LabelPair"); m.next(); {
		switch m.num {
		case labelName:
			name = m.text("name")
		case labelValue:
			value = m.text("value")
		default:
			m.skip()
		}
	}
	switch {
	case len(name) == 0:
		of.fail("label", "a label without a name", "one")
	case len(to.names) == s.limits.Labels:
		if most := s.limits.Labels; s.err == nil {
			of.fail("label", fmt.Sprintf("more than %d labels", most), "fewer")
			s.err = &scan.LimitError{Limit: "Labels", Max: int64(most), Wrong: s.err}
		}
	case to.enter(name):
		of.fail("label", "the label name "+scan.Quote(name)+" again", "each name once")
	}
	to.text = model.AppendLabel(to.text, view(name), view(value))
}

// checkLabels refuses the labels of buckets and quantiles.
func (s *Scanner) checkLabels(at int64) {
	var own string
	switch s.entry.Type {
	case model.Summary:
		own = "quantile"
	case model.Histogram, model.GaugeHistogram:
		own = "le"
	default:
		return
	}
	for _, name := range s.point.labels.names {
		if string(name) == own {
			s.fail(at, "Metric.label", "the label "+scan.Quote(name), "it on buckets or quantiles alone")
		}
	}
}

// readSingle reads a Counter, a Gauge or an Untyped.
func (s *Scanner) readSingle(m message) {
	p := &s.entry.Point
	counter := s.entry.Type == model.Counter
	p.Has = model.PartValue
	if counter {
		p.Has = model.PartTotal
	}
	for m.next() {
		switch {
		case m.num == singleValue:
			p.Value = m.double("value")
		case m.num == counterExemplar && counter:
			p.Exemplar = s.keepExemplar(m.message("exemplar", "Exemplar"))
		case m.num == counterCreated && counter:
			p.Created = readTime(m.message("created_timestamp", "Timestamp"))
		default:
			m.skip()
		}
	}
}

// keepExemplar reads an exemplar, which stays valid as long as the point.
func (s *Scanner) keepExemplar(m message) *model.Exemplar {
	s.point.exemplar = append(s.point.exemplar, s.readExemplar(m))
	return &s.point.exemplar[len(s.point.exemplar)-1]
}

func (s *Scanner) readExemplar(m message) model.Exemplar {
	var x model.Exemplar
	t := &s.point.exemplars
	t.begin()
	all := t.text
	t.text = all[len(all):] // after the labels of other exemplars
	for m.next() {
		switch m.num {
		case exemplarLabel:
			s.readLabel(t, &m)
		case exemplarValue:
			x.Value = m.double("value")
		case exemplarTimestamp:
			x.Timestamp = readTime(m.message("timestamp", "Timestamp"))
		default:
			m.skip()
		}
	}
	x.Labels = model.LabelsFromText(view(t.text))
	if n := len(all) + len(t.text); n <= cap(all) {
		t.text = all[:n]
	} else { // it was reallocated; make room for the next ones
		t.text = make([]byte, 0, 2*n)
	}
	return x
}

func readTime(m message) model.Timestamp {
	var sec, nsec int64
	for m.next() {
		switch m.num {
		case timestampSeconds:
			sec = int64(m.uint("seconds"))
		case timestampNanos:
			if nsec = int64(m.uint("nanos")); nsec < 0 || nsec > 999_999_999 {
				m.fail("nanos", "nanoseconds out of range", "0 to 999999999")
			}
		default:
			m.skip()
		}
	}
	return model.Unix(sec, nsec)
}

func (s *Scanner) readSummary(m message) {
	p, v := &s.entry.Point, &s.point.summary
	*v = model.SummaryValue{Quantiles: v.Quantiles[:0]}
	p.Summary = v
	at := m.end - int64(len(m.rest))
	for m.next() {
		switch m.num {
		case summaryCount:
			p.Has |= model.PartCount
			v.Count = float64(m.uint("sample_count"))
		case summarySum:
			p.Has |= model.PartSum
			v.Sum = m.double("sample_sum")
		case summaryQuantile:
			p.Has |= model.PartValue
			v.Quantiles = append(v.Quantiles, readQuantile(m.message("quantile", "Quantile")))
		case summaryCreated:
			p.Created = readTime(m.message("created_timestamp", "Timestamp"))
		default:
			m.skip()
		}
	}
	slices.SortFunc(v.Quantiles, func(a, b model.Quantile) int { return cmp.Compare(a.Q, b.Q) })
	for i := 1; i < len(v.Quantiles); i++ {
		if v.Quantiles[i].Q == v.Quantiles[i-1].Q {
			s.fail(at, "Summary.quantile", "the quantile "+model.FormatValue(v.Quantiles[i].Q)+" twice", "each once")
		}
	}
}

func readQuantile(m message) model.Quantile {
	var q model.Quantile
	for m.next() {
		switch m.num {
		case quantileQuantile:
			if q.Q = m.double("quantile"); math.IsNaN(q.Q) {
				m.fail("quantile", "NaN", "a number")
			}
		case quantileValue:
			q.V = m.double("value")
		default:
			m.skip()
		}
	}
	return q
}
