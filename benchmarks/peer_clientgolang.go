package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// clientGolangPeer is github.com/prometheus/client_golang.
type clientGolangPeer struct{}

func (clientGolangPeer) name() string { return clientGolangName }

func (p clientGolangPeer) prepare(t task) (*subject, error) {
	reg := prometheus.NewRegistry()
	s := gathererSubject(reg)
	var err error
	switch t.kind {
	case counterInc:
		s.repeat, err = p.inc(reg)
	case counterAdd:
		s.repeat, err = p.add(reg)
	case gaugeSet:
		s.repeat, err = p.set(reg)
	case gaugeAdd:
		s.repeat, err = p.gaugeAdd(reg)
	case labelledInc, labelledTypedInc:
		s.repeat, err = p.labelled(reg, t.series)
	case newSeries:
		s.repeat, err = p.labelledFresh(reg, labelSets(t.series))
	case histogramObserve:
		s.repeat, err = p.observe(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: histogramName, Help: histogramHelp, Buckets: bucketBounds}))
	case summaryObserve:
		s.repeat, err = p.observe(reg, prometheus.NewSummary(prometheus.SummaryOpts{
			Name: summaryName, Help: counterHelp}))
	case nativeObserve:
		s.repeat, err = p.observe(reg, prometheus.NewHistogram(nativeOpts))
	case quantileObserve:
		s.repeat, err = p.observe(reg, prometheus.NewSummary(prometheus.SummaryOpts{
			Name: summaryName, Help: counterHelp, Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.99: 0.001}}))
	case registration:
		s.repeat, err = p.register(reg, t)
	case requestServed:
		s.repeat, err = p.served(reg)
	case counters, bridged:
		err = p.fillCounters(reg, t)
	case gauges:
		err = p.fillGauges(reg, t)
	case histograms:
		err = p.fillHistograms(reg, t)
	case natives:
		err = p.fillNatives(reg, t)
	case textPage, protobufPage, histogramsPage:
		s, err = p.parsing(t)
	default:
		err = errNotOffered
	}
	return s, err
}

// nativeOpts ask for native buckets alone.
var nativeOpts = prometheus.HistogramOpts{
	Name: nativeName, Help: histogramHelp, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets}

func (clientGolangPeer) fillNatives(reg *prometheus.Registry, t task) error {
	vec := prometheus.NewHistogramVec(nativeOpts, labelNames)
	for i := range t.series {
		values := labelsOf(i)
		h := vec.WithLabelValues(values[:]...)
		for j := range usedBuckets {
			h.Observe(nativeObservationOf(j))
		}
	}
	return reg.Register(vec)
}

func (clientGolangPeer) counter(name string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: counterHelp})
}

func (clientGolangPeer) counterVec(name string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: counterHelp}, labelNames)
}

func (clientGolangPeer) gauge() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: gaugeName, Help: counterHelp})
}

func (p clientGolangPeer) inc(reg *prometheus.Registry) (func(worker, n int) error, error) {
	c := p.counter(counterName(0))
	return func(_, n int) error {
		for range n {
			c.Inc()
		}
		return nil
	}, reg.Register(c)
}

func (p clientGolangPeer) add(reg *prometheus.Registry) (func(worker, n int) error, error) {
	c := p.counter(counterName(0))
	return func(_, n int) error {
		for range n {
			c.Add(0.5)
		}
		return nil
	}, reg.Register(c)
}

func (p clientGolangPeer) set(reg *prometheus.Registry) (func(worker, n int) error, error) {
	g := p.gauge()
	return func(_, n int) error {
		for i := range n {
			g.Set(float64(i))
		}
		return nil
	}, reg.Register(g)
}

func (p clientGolangPeer) gaugeAdd(reg *prometheus.Registry) (func(worker, n int) error, error) {
	g := p.gauge()
	return func(_, n int) error {
		for range n {
			g.Add(1.5)
		}
		return nil
	}, reg.Register(g)
}

func (p clientGolangPeer) labelled(reg *prometheus.Registry, series int) (func(worker, n int) error, error) {
	vec := p.counterVec(counterName(0))
	for _, values := range labelSets(series) {
		vec.WithLabelValues(values[:]...)
	}
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			values := &sets[at]
			vec.WithLabelValues(values[0], values[1], values[2]).Inc()
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}, reg.Register(vec)
}

func (p clientGolangPeer) labelledFresh(reg *prometheus.Registry, sets []labelValues) (func(worker, n int) error, error) {
	vec := p.counterVec(counterName(0))
	return func(_, n int) error {
		for i := range n {
			values := &sets[i]
			vec.WithLabelValues(values[0], values[1], values[2]).Inc()
		}
		return nil
	}, reg.Register(vec)
}

// observer is what histograms and summaries have in common.
type observer interface {
	prometheus.Collector
	Observe(float64)
}

func (clientGolangPeer) observe(reg *prometheus.Registry, o observer) (func(worker, n int) error, error) {
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			o.Observe(observations[i&mask])
		}
		return nil
	}, reg.Register(o)
}

func (p clientGolangPeer) register(reg *prometheus.Registry, t task) (func(worker, n int) error, error) {
	for _, name := range counterNames(t) {
		if err := reg.Register(p.counter(name)); err != nil {
			return nil, err
		}
	}
	c := p.counter("another_total")
	return func(_, n int) error {
		for range n {
			if err := reg.Register(c); err != nil {
				return err
			}
			if !reg.Unregister(c) {
				return fmt.Errorf("%s was not registered", "another_total")
			}
		}
		return nil
	}, nil
}

func (p clientGolangPeer) fillCounters(reg *prometheus.Registry, t task) error {
	if t.lifetimes != "" {
		return p.fillChurned(reg, t)
	}
	vecs := make([]*prometheus.CounterVec, t.families)
	for i, name := range counterNames(t) {
		vecs[i] = p.counterVec(name)
		if err := reg.Register(vecs[i]); err != nil {
			return err
		}
	}
	return eachCounter(t, func(family int, values labelValues, value uint64) error {
		vecs[family].WithLabelValues(values[:]...).Add(float64(value))
		return nil
	})
}

// fillChurned has series come and go.
func (p clientGolangPeer) fillChurned(reg *prometheus.Registry, t task) error {
	vec := p.counterVec(counterName(0))
	err := t.lifetimes.play(t.series, churned{
		create: func(values labelValues) { vec.WithLabelValues(values[:]...).Inc() },
		remove: func(values labelValues) bool { return vec.DeleteLabelValues(values[:]...) },
	})
	return errors.Join(err, reg.Register(vec))
}

func (clientGolangPeer) fillGauges(reg *prometheus.Registry, t task) error {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: gaugeName, Help: counterHelp}, labelNames)
	for i := range t.series {
		values := labelsOf(i)
		vec.WithLabelValues(values[:]...).Set(gaugeValue(i))
	}
	return reg.Register(vec)
}

func (clientGolangPeer) fillHistograms(reg *prometheus.Registry, t task) error {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: histogramName, Help: histogramHelp, Buckets: bucketBounds}, labelNames)
	for i := range t.series {
		values := labelsOf(i)
		h := vec.WithLabelValues(values[:]...)
		for j := range observationsPerHistogram {
			h.Observe(observationOf(i, j))
		}
	}
	return reg.Register(vec)
}

// gathererSubject scrapes a gatherer the way promhttp does, without HTTP.
func gathererSubject(gatherer prometheus.Gatherer) *subject {
	all := func(string) bool { return true }
	text := expfmt.NewFormat(expfmt.TypeTextPlain)
	openMetrics := expfmt.NewFormat(expfmt.TypeOpenMetrics)
	protobuf := expfmt.NewFormat(expfmt.TypeProtoDelim)
	return &subject{
		text:        func(w io.Writer) error { return encodeGathered(w, gatherer, text, all) },
		openMetrics: func(w io.Writer) error { return encodeGathered(w, gatherer, openMetrics, all) },
		protobuf:    func(w io.Writer) error { return encodeGathered(w, gatherer, protobuf, all) },
		oneName: func(w io.Writer, family string) error {
			return encodeGathered(w, gatherer, text, func(name string) bool { return name == family })
		},
		handler: gathererHandler(gatherer),
	}
}

func gathererHandler(gatherer prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// encodeGathered gathers everything and then encodes the families wanted, as
// promhttp does for name[].
func encodeGathered(w io.Writer, gatherer prometheus.Gatherer, format expfmt.Format, wanted func(string) bool) error {
	families, err := gatherer.Gather()
	if err != nil {
		return err
	}
	enc := expfmt.NewEncoder(w, format)
	for _, family := range families {
		if !wanted(family.GetName()) {
			continue
		}
		if err := enc.Encode(family); err != nil {
			return err
		}
	}
	if closer, ok := enc.(expfmt.Closer); ok {
		return closer.Close()
	}
	return nil
}

// parsing parses the task's page with prometheus/common, which is client_golang's
// for tests.
func (clientGolangPeer) parsing(t task) (*subject, error) {
	page, err := pageOf(t)
	if t.kind != textPage {
		return &subject{families: func() (int, error) {
			return decoded(expfmt.NewDecoder(bytes.NewReader(page), expfmt.NewFormat(expfmt.TypeProtoDelim)))
		}}, err
	}
	return &subject{families: func() (series int, err error) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
		for _, f := range families {
			series += len(f.GetMetric())
		}
		return series, err
	}}, err
}

// decoded reads families to the end and counts their series.
func decoded(decoder expfmt.Decoder) (series int, err error) {
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			return series, nil
		}
		if err != nil {
			return series, err
		}
		series += len(family.GetMetric())
	}
}

// protobufPageOf returns a registry's page in protobuf.
func protobufPageOf(t task, fill func(*prometheus.Registry, task) error) ([]byte, error) {
	reg := prometheus.NewRegistry()
	if err := fill(reg, t); err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err := gathererSubject(reg).protobuf(&page)
	return page.Bytes(), err
}
