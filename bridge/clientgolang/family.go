package clientgolang

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"telltale/internal/unfit"
	"telltale/model"
)

// types are the types of families, by those of client_golang.
var types = map[dto.MetricType]model.Type{
	dto.MetricType_COUNTER:         model.Counter,
	dto.MetricType_GAUGE:           model.Gauge,
	dto.MetricType_SUMMARY:         model.Summary,
	dto.MetricType_UNTYPED:         model.Unknown,
	dto.MetricType_HISTOGRAM:       model.Histogram,
	dto.MetricType_GAUGE_HISTOGRAM: model.GaugeHistogram,
}

// convert returns a family that reads its points from the metrics of another, nil
// if it has none. Metrics that do not fit are left out.
func convert(from *dto.MetricFamily, wrong *unfit.List) *model.Family {
	name := from.GetName()
	typ, ok := types[from.GetType()]
	if !ok {
		wrong.LeaveOut(name, fmt.Errorf("the family has the unknown type %d", from.GetType()))
		return nil
	}
	check := checking{typ: typ, legacy: true}
	metrics := check.fit(from.GetMetric(), func(err error) { wrong.LeaveOut(name, err) })
	if len(metrics) == 0 {
		return nil
	}
	f := &model.Family{Name: name, Help: from.GetHelp(), Unit: from.GetUnit(), Type: typ}
	f = f.WithPoints(&source{typ: typ, metrics: metrics, legacy: check.legacy})
	if typ == model.Counter && !strings.HasSuffix(name, "_total") {
		f = f.Literal()
		f.Name = name // Literal has added a suffix, which the samples lack
	}
	return f
}

// checking decides which metrics of a family fit its type.
type checking struct {
	typ    model.Type
	legacy bool     // all label names so far are legacy names
	names  []string // of the labels of the metric before, which are valid
}

// fit returns the metrics that fit, without a copy if all do, and tells of the
// others.
func (c *checking) fit(metrics []*dto.Metric, unfit func(error)) []*dto.Metric {
	for i, m := range metrics {
		err := c.metric(m)
		if err == nil {
			continue
		}
		unfit(err)
		kept := slices.Clone(metrics[:i])
		for _, m := range metrics[i+1:] {
			if err := c.metric(m); err != nil {
				unfit(err)
				continue
			}
			kept = append(kept, m)
		}
		return kept
	}
	return metrics
}

func (c *checking) metric(m *dto.Metric) error {
	if m == nil {
		return errors.New("it is nil")
	}
	if err := c.labels(m.Label); err != nil {
		return err
	}
	var has bool
	switch c.typ {
	case model.Counter:
		has = m.Counter != nil
	case model.Gauge:
		has = m.Gauge != nil
	case model.Unknown:
		has = m.Untyped != nil
	case model.Summary:
		if has = m.Summary != nil; has {
			return checkSummary(m.Summary)
		}
	case model.Histogram, model.GaugeHistogram:
		if has = m.Histogram != nil; has {
			return checkHistogram(m.Histogram)
		}
	}
	if !has {
		return fmt.Errorf("it does not have the value of a %s", c.typ)
	}
	return nil
}

// labels checks the names of labels; most metrics have those of the metric before.
func (c *checking) labels(labels []*dto.LabelPair) error {
	if c.same(labels) {
		return nil
	}
	c.names = c.names[:0]
	for _, l := range labels {
		c.names = append(c.names, l.GetName())
	}
	names := c.names
	if len(names) > manyLabels {
		names = slices.Sorted(slices.Values(names))
	}
	for i, name := range names {
		var err error
		switch {
		case !model.ValidName(name):
			err = fmt.Errorf("the label name %q is empty or not UTF-8", name)
		case len(names) > manyLabels && i > 0 && names[i-1] == name, len(names) <= manyLabels && slices.Contains(names[:i], name):
			err = fmt.Errorf("it has the label %q twice", name)
		case name == "le" && (c.typ == model.Histogram || c.typ == model.GaugeHistogram), name == "quantile" && c.typ == model.Summary:
			err = fmt.Errorf("the label %q belongs to its samples", name)
		}
		if err != nil {
			c.names = c.names[:0]
			return err
		}
		c.legacy = c.legacy && model.LegacyLabelName(name)
	}
	return nil
}

// manyLabels is the number of label names from which they are sorted, to find one
// that is there twice, rather than compared one with the other.
const manyLabels = 16

func (c *checking) same(labels []*dto.LabelPair) bool {
	if len(labels) != len(c.names) {
		return false
	}
	for i, l := range labels {
		if l.GetName() != c.names[i] {
			return false
		}
	}
	return true
}

// source reads points from metrics that fit the type.
type source struct {
	typ     model.Type
	metrics []*dto.Metric
	legacy  bool
}

// LegacyLabels reports whether all label names are legacy names.
func (s *source) LegacyLabels() bool { return s.legacy }

// VisitPoints visits a point for each metric.
func (s *source) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	for _, m := range s.metrics {
		r.read(scratch, m, s.typ)
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// reader holds the parts of the point that is being read. It is used again for the
// next one.
type reader struct {
	text      []byte // labels
	summary   model.SummaryValue
	histogram histogramReader
}

func (r *reader) read(p *model.Point, m *dto.Metric, typ model.Type) {
	*p = model.Point{Labels: r.labels(m.Label)}
	if m.TimestampMs != nil {
		p.Timestamp = model.UnixMilli(*m.TimestampMs)
	}
	switch typ {
	case model.Counter:
		p.Has, p.Value = model.PartTotal, m.Counter.GetValue()
		p.Created, p.Exemplar = timeOf(m.Counter.CreatedTimestamp), exemplarOf(m.Counter.Exemplar)
	case model.Gauge:
		p.Has, p.Value = model.PartValue, m.Gauge.GetValue()
	case model.Unknown:
		p.Has, p.Value = model.PartValue, m.Untyped.GetValue()
	case model.Summary:
		r.readSummary(p, m.Summary)
	case model.Histogram, model.GaugeHistogram:
		r.histogram.read(p, m.Histogram, typ)
	}
}

// labels returns labels that are valid until the next call.
func (r *reader) labels(labels []*dto.LabelPair) model.Labels {
	r.text = r.text[:0]
	for _, l := range labels {
		r.text = model.AppendLabel(r.text, l.GetName(), l.GetValue())
	}
	return model.LabelsFromText(unsafe.String(unsafe.SliceData(r.text), len(r.text)))
}

func timeOf(t *timestamppb.Timestamp) model.Timestamp {
	if t == nil {
		return model.Timestamp{}
	}
	return model.Unix(t.GetSeconds(), int64(t.GetNanos()))
}

func exemplarOf(x *dto.Exemplar) *model.Exemplar {
	if x == nil {
		return nil
	}
	var text []byte
	for _, l := range x.GetLabel() {
		text = model.AppendLabel(text, l.GetName(), l.GetValue())
	}
	return &model.Exemplar{Labels: model.LabelsFromText(string(text)), Value: x.GetValue(), Timestamp: timeOf(x.GetTimestamp())}
}
