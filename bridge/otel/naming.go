package otelbridge

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/model"
)

// naming translates names by the compatibility specification of OpenTelemetry and
// Prometheus. It is safe for concurrent use.
type naming struct {
	metrics    otlptranslator.MetricNamer
	labels     otlptranslator.LabelNamer
	units      otlptranslator.UnitNamer
	valueLimit int

	mu    sync.RWMutex
	known map[attribute.Key]string // names of labels
}

// maxKnown is how many translated names of labels are kept.
const maxKnown = 1000

func newNaming(s settings) *naming {
	utf8Allowed := !s.strategy.ShouldEscape()
	n := &naming{
		metrics:    otlptranslator.NewMetricNamer("", s.strategy),
		labels:     otlptranslator.LabelNamer{UTF8Allowed: utf8Allowed},
		units:      otlptranslator.UnitNamer{UTF8Allowed: utf8Allowed},
		valueLimit: s.valueLimit,
		known:      make(map[attribute.Key]string),
	}
	if s.namespace != "" {
		n.metrics.Namespace = n.label(attribute.Key(s.namespace))
	}
	return n
}

// label returns the name of the label for an attribute, "" if the attribute has no
// name.
func (n *naming) label(key attribute.Key) string {
	n.mu.RLock()
	name, ok := n.known[key]
	n.mu.RUnlock()
	if ok {
		return name
	}
	if key != "" {
		name = n.translate(n.short(string(key)))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) < maxKnown {
		n.known[attribute.Key(strings.Clone(string(key)))] = name
	}
	return name
}

func (n *naming) translate(key string) string {
	if !utf8.ValidString(key) {
		key = strings.ToValidUTF8(key, "\uFFFD")
	}
	name, err := n.labels.Build(key)
	if err != nil { // of such a key nothing but underscores would be left
		return "key" + model.Values.LabelName(key)
	}
	if name == "__name__" {
		return exported + name
	}
	return name
}

// exported begins the names of labels that have the name of one that samples have,
// as in Prometheus.
const exported = "exported_"

// short cuts off what is longer than a label may be.
func (n *naming) short(s string) string {
	if len(s) <= n.valueLimit {
		return s
	}
	end := n.valueLimit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// pair is a label.
type pair struct{ name, value string }

// pairs appends the labels of attributes, the first of them if there are more than
// most, their names after the prefix. Attributes whose names become the same are one
// label with their values, in the order of the original names, between semicolons.
func (n *naming) pairs(to []pair, set *attribute.Set, prefix string, most int) []pair {
	own := len(to)
	for it := set.Iter(); it.Next() && len(to)-own < most; {
		kv := it.Attribute()
		name := n.label(kv.Key)
		if name == "" {
			continue
		}
		to = addPair(to, own, pair{prefix + name, n.short(kv.Value.String())})
	}
	return to
}

// addPair appends a label, or joins it with one of the same name that is there from
// index own on.
func addPair(to []pair, own int, p pair) []pair {
	for i := range to[own:] {
		if have := &to[own+i]; have.name == p.name {
			have.value += ";" + p.value
			return to
		}
	}
	return append(to, p)
}

func appendPairs(text []byte, pairs []pair) []byte {
	for _, p := range pairs {
		text = model.AppendLabel(text, p.name, p.value)
	}
	return text
}

// kind is what a metric is on the page, and how its name is made.
type kind struct {
	typ   model.Type
	namer otlptranslator.MetricType
}

var (
	counterKind   = kind{model.Counter, otlptranslator.MetricTypeMonotonicCounter}
	gaugeKind     = kind{model.Gauge, otlptranslator.MetricTypeGauge}
	levelKind     = kind{model.Gauge, otlptranslator.MetricTypeNonMonotonicCounter} // of a sum that may decrease
	histogramKind = kind{model.Histogram, otlptranslator.MetricTypeHistogram}
	summaryKind   = kind{model.Summary, otlptranslator.MetricTypeSummary}
)

// named is the header of a metric's family.
type named struct {
	kind
	name    string // of a counter's samples, and of other families
	unit    string
	literal bool // a counter whose name lacks "_total"
}

// metric returns the header of a metric's family.
func (n *naming) metric(m *metricdata.Metrics, k kind) (named, error) {
	from := otlptranslator.Metric{Name: n.short(strings.ToValidUTF8(m.Name, "\uFFFD")), Unit: n.short(strings.ToValidUTF8(m.Unit, "\uFFFD")), Type: k.namer}
	unit := n.units.Build(from.Unit)
	if k == gaugeKind && from.Unit == "1" {
		unit = "ratio"
	}
	if unit != "" && from.Unit != "1" && strings.HasSuffix(model.Underscores.MetricName(strings.TrimSuffix(from.Name, "_total")), "_"+unit) {
		from.Unit = "" // the namer adds "per_second" again
	}
	name, err := n.metrics.Build(from)
	if err != nil {
		return named{}, err
	}
	to := named{kind: k, name: name}
	base := name
	if k.typ == model.Counter {
		cut, ok := strings.CutSuffix(name, "_total")
		base, to.literal = cut, !ok || cut == ""
	}
	if unit != "" && strings.HasSuffix(base, "_"+unit) && model.CheckUnit(name, k.typ, unit) == nil {
		to.unit = unit
	}
	return to, nil
}
