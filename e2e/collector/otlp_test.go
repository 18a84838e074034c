package collector

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	otelbridge "telltale/bridge/otel"
	"telltale/model"
	"telltale/push/otlp"
)

// What the file exporter writes, one a line: JSON as OTLP defines it
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
type (
	request struct {
		ResourceMetrics []struct {
			Resource     struct{ Attributes []keyValue }
			ScopeMetrics []struct {
				Scope struct {
					Name, Version string
					Attributes    []keyValue
				}
				Metrics []metric
			}
		}
	}
	metric struct {
		Name, Description, Unit string
		Gauge, Sum, Summary     *data
		Histogram               *data
		ExponentialHistogram    *data
	}
	data struct {
		AggregationTemporality int
		IsMonotonic            bool
		DataPoints             []point
	}
	point struct {
		Attributes        []keyValue
		StartTimeUnixNano text
		TimeUnixNano      text
		AsDouble          text
		AsInt             text
		Count, Sum        text
		BucketCounts      []text
		ExplicitBounds    []text
		QuantileValues    []struct{ Quantile, Value text }
		Scale             int32
		ZeroCount         text
		ZeroThreshold     text
		Positive          buckets
		Negative          buckets
		Exemplars         []exemplar
	}
	buckets struct {
		Offset       int32
		BucketCounts []text
	}
	exemplar struct {
		TimeUnixNano       text
		AsDouble           text
		TraceID            string
		SpanID             string
		FilteredAttributes []keyValue
	}
	keyValue struct {
		Key   string
		Value struct{ StringValue string }
	}
)

// text is a number as it is written: 64-bit integers, and what is not finite, are
// strings.
type text string

func (x *text) UnmarshalJSON(written []byte) error {
	*x = text(strings.Trim(string(written), `"`))
	return nil
}

var _ json.Unmarshaler = (*text)(nil)

// number returns the number, 0 for one that is left out as protobuf does with zeros.
func (x text) number(t *testing.T) float64 {
	t.Helper()
	if x == "" {
		return 0
	}
	v, err := strconv.ParseFloat(string(x), 64)
	if err != nil {
		t.Errorf("a number: %v", err)
	}
	return v
}

// nanoseconds returns a time, 0 for none.
func (x text) nanoseconds(t *testing.T) int64 {
	t.Helper()
	if x == "" {
		return 0
	}
	n, err := strconv.ParseInt(string(x), 10, 64)
	if err != nil {
		t.Errorf("a time: %v", err)
	}
	return n
}

// content is what there is to compare: flat samples, native histograms, and what
// series have, by name and labels.
type content struct {
	values    map[string]float64
	natives   map[string]string
	starts    map[string]int64    // nanoseconds
	exemplars map[string][]string // sorted
	times     []int64             // of values without a timestamp of their own
}

func newContent() *content {
	return &content{map[string]float64{}, map[string]string{}, map[string]int64{}, map[string][]string{}, nil}
}

// key names a sample or a series. Labels with empty values are none.
func key(name string, labels map[string]string) string {
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	return name + model.LabelsOf(labels).Sorted().String()
}

// with returns the labels and one more.
func with(labels map[string]string, name, value string) map[string]string {
	more := maps.Clone(labels)
	more[name] = value
	return more
}

func native(scale int32, zero, threshold float64, positive, negative map[int]float64) string {
	return fmt.Sprintf("scale %d, %v within %v, positive %v, negative %v", scale, zero, threshold, positive, negative)
}

func exemplarText(value float64, at int64, labels map[string]string) string {
	return fmt.Sprint(value, at, labels)
}

// attributes returns the labels of attributes.
func attributes(all []keyValue) map[string]string {
	labels := make(map[string]string)
	for _, kv := range all {
		labels[kv.Key] = kv.Value.StringValue
	}
	return labels
}

// received returns what a request has, and the labels of its resource.
func received(t *testing.T, r *request) (c *content, resource map[string]string) {
	t.Helper()
	c = newContent()
	for _, rm := range r.ResourceMetrics {
		resource = attributes(rm.Resource.Attributes)
		for _, sm := range rm.ScopeMetrics {
			scope := make(map[string]string)
			if sm.Scope.Name != otelbridge.ScopeName && sm.Scope.Name != otlp.ScopeName {
				scope["otel_scope_name"], scope["otel_scope_version"] = sm.Scope.Name, sm.Scope.Version
				for name, value := range attributes(sm.Scope.Attributes) {
					scope["otel_scope_"+name] = value
				}
			}
			for i := range sm.Metrics {
				c.addMetric(t, &sm.Metrics[i], scope)
			}
		}
	}
	if len(r.ResourceMetrics) != 1 {
		t.Errorf("%d resources, want 1", len(r.ResourceMetrics))
	}
	return c, resource
}

func (c *content) addMetric(t *testing.T, m *metric, scope map[string]string) {
	t.Helper()
	const cumulative = 2
	for kind, d := range map[string]*data{"gauge": m.Gauge, "sum": m.Sum, "summary": m.Summary, "histogram": m.Histogram, "exponential": m.ExponentialHistogram} {
		if d == nil {
			continue
		}
		if kind != "gauge" && kind != "summary" && d.AggregationTemporality != cumulative || kind == "sum" && d.IsMonotonic != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s: temporality %d, monotonic %t", m.Name, d.AggregationTemporality, d.IsMonotonic)
		}
		for i := range d.DataPoints {
			p := &d.DataPoints[i]
			labels := attributes(p.Attributes)
			maps.Copy(labels, scope)
			c.addPoint(t, kind, m.Name, labels, p)
		}
	}
}

func (c *content) addPoint(t *testing.T, kind, name string, labels map[string]string, p *point) {
	t.Helper()
	series := key(name, labels)
	set := func(name string, labels map[string]string, v float64) {
		k := key(name, labels)
		if _, ok := c.values[k]; ok {
			t.Errorf("%s is there twice", k)
		}
		c.values[k] = v
	}
	switch kind {
	case "gauge", "sum":
		set(name, labels, p.AsDouble.number(t))
	case "summary":
		for _, q := range p.QuantileValues {
			set(name, with(labels, "quantile", model.FormatValue(q.Quantile.number(t))), q.Value.number(t))
		}
	case "histogram":
		below := 0.0
		for i, n := range p.BucketCounts {
			below += n.number(t)
			upper := math.Inf(1)
			if i < len(p.ExplicitBounds) {
				upper = p.ExplicitBounds[i].number(t)
			}
			set(name+"_bucket", with(labels, "le", model.FormatValue(upper)), below)
		}
	case "exponential":
		c.natives[series] = native(p.Scale, p.ZeroCount.number(t), p.ZeroThreshold.number(t), p.Positive.counts(t), p.Negative.counts(t))
	}
	if kind == "summary" || kind == "histogram" || kind == "exponential" {
		set(name+"_count", labels, p.Count.number(t))
		set(name+"_sum", labels, p.Sum.number(t))
	}
	if start := p.StartTimeUnixNano.nanoseconds(t); start != 0 {
		c.starts[series] = start
	}
	c.times = append(c.times, p.TimeUnixNano.nanoseconds(t))
	for _, x := range p.Exemplars {
		labels := attributes(x.FilteredAttributes)
		if x.TraceID != "" {
			labels["trace_id"], labels["span_id"] = x.TraceID, x.SpanID
		}
		c.exemplars[series] = append(c.exemplars[series], exemplarText(x.AsDouble.number(t), x.TimeUnixNano.nanoseconds(t), labels))
	}
	slices.Sort(c.exemplars[series])
}

// counts returns the buckets that are not empty, by the index that Prometheus gives
// them: OpenTelemetry counts by lower bounds.
func (b *buckets) counts(t *testing.T) map[int]float64 {
	t.Helper()
	all := make(map[int]float64)
	for i, n := range b.BucketCounts {
		if v := n.number(t); v != 0 {
			all[int(b.Offset)+i+1] = v
		}
	}
	return all
}
