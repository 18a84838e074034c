package otelbridge

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/otelform"
	"telltale/internal/unfit"
	"telltale/model"
)

// production is what a collection produces.
type production struct {
	classic bool
	wrong   *unfit.List
	now     time.Time
	list    []metricdata.ScopeMetrics
	scopes  map[instrumentation.Scope]int // their places in the list
	names   map[string]string             // copies of the names of labels, which many series share
	from    *model.Family
	metrics map[metricPlace]int // of the present family: places in the scope's metrics
}

// metricPlace tells the metrics of one family.
type metricPlace struct {
	scope int
	name  string
	kind  dataKind
}

// dataKind is a type of data. A family of histograms may have two.
type dataKind int

const (
	gaugeData dataKind = iota
	sumData
	levelData
	histogramData
	exponentialData
	summaryData
)

func newProduction(classic bool, wrong *unfit.List) *production {
	return &production{
		classic: classic, wrong: wrong, now: time.Now(), scopes: make(map[instrumentation.Scope]int),
		names: make(map[string]string), metrics: make(map[metricPlace]int),
	}
}

// add takes over a family. What it refers to is copied.
func (p *production) add(f *model.Family) error {
	if f.SampleName() == "target_info" {
		return nil // it is the resource
	}
	p.from = f
	clear(p.metrics)
	structured := f.Mask() == model.AllParts && f.Type != model.GaugeHistogram
	var scratch model.Point
	if structured {
		if err := f.Visit(&scratch, func(point *model.Point) error {
			if err := p.addPoint(point); err != nil {
				p.wrong.LeaveOut(f.Name, err)
			}
			return nil
		}); err != nil {
			return err
		}
		f = f.WithPoints(nil) // the loose samples are left
	}
	for s := range f.Samples() {
		p.addSample(&s)
	}
	return nil
}

// addSample takes over a sample by itself as a gauge.
func (p *production) addSample(s *model.Sample) {
	if n := s.NativeHistogram; n != nil {
		if p.from.Type == model.GaugeHistogram {
			p.wrong.LeaveOut(s.Name, errNativeGauge)
		}
		return // elsewhere it is hidden by a restriction, or loose
	}
	if strings.HasSuffix(s.Name, model.PartCreated.Suffix()) {
		return
	}
	scope, set := p.attributes(s.Labels)
	at := p.place(scope, s.Name, gaugeData)
	g := at.Data.(metricdata.Gauge[float64])
	g.DataPoints = append(g.DataPoints, metricdata.DataPoint[float64]{Attributes: set, Time: p.time(s.Timestamp), Value: s.Value})
	at.Data = g
}

// place returns the metric of the present family to which a point belongs.
func (p *production) place(scope int, name string, kind dataKind) *metricdata.Metrics {
	key := metricPlace{scope, name, kind}
	metrics := &p.list[scope].Metrics
	at, ok := p.metrics[key]
	if !ok {
		at = len(*metrics)
		name = strings.Clone(name)
		p.metrics[metricPlace{scope, name, kind}] = at
		m := metricdata.Metrics{Name: name, Description: strings.Clone(model.ValidHelp(p.from.Help)), Unit: otelform.Unit(p.from.Unit)}
		switch kind {
		case gaugeData:
			m.Data = metricdata.Gauge[float64]{}
		case sumData, levelData:
			m.Data = metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: kind == sumData}
		case histogramData:
			m.Data = metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
		case exponentialData:
			m.Data = metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality}
		case summaryData:
			m.Data = metricdata.Summary{}
		}
		*metrics = append(*metrics, m)
	}
	return &(*metrics)[at]
}

// time returns when a value was taken.
func (p *production) time(t model.Timestamp) time.Time {
	if t.IsSet() {
		return t.Time()
	}
	return p.now
}

// attributes returns labels as attributes, and the place of the scope that they
// name. Labels with empty values are none.
func (p *production) attributes(all ...model.Labels) (scope int, set attribute.Set) {
	own := ownScope()
	var of []attribute.KeyValue // attributes of the scope
	var kvs []attribute.KeyValue
	named := false
	for _, labels := range all {
		for name, value := range labels.All() {
			if value == "" {
				continue
			}
			key, scoped := strings.CutPrefix(name, otelform.ScopePrefix)
			switch value = strings.Clone(value); {
			case !scoped || key == "":
				kvs = append(kvs, attribute.String(p.name(name), value))
			case key == "name":
				own.Name, named = value, true
			case key == "version":
				own.Version = value
			case key == "schema_url":
				own.SchemaURL = value
			default:
				of = append(of, attribute.String(p.name(key), value))
			}
		}
	}
	if !named && (own.Version != "" || own.SchemaURL != "" || of != nil) {
		own.Name = "" // theirs, without a name
	}
	if len(of) > 0 { // a set of none differs from no set
		own.Attributes = attribute.NewSet(of...)
	}
	scope, ok := p.scopes[own]
	if !ok {
		scope = len(p.list)
		p.scopes[own] = scope
		p.list = append(p.list, metricdata.ScopeMetrics{Scope: own})
	}
	return scope, attribute.NewSet(kvs...)
}

// name returns a copy of a name, the same for all labels.
func (p *production) name(name string) string {
	if have, ok := p.names[name]; ok {
		return have
	}
	name = strings.Clone(name)
	p.names[name] = name
	return name
}
