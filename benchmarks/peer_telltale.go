package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"telltale"
	"telltale/exposition"
	"telltale/exposition/openmetrics"
	"telltale/exposition/protobuf"
	"telltale/exposition/text"
	"telltale/model"
	"telltale/scrapehttp"
)

// telltalePeer is this library.
type telltalePeer struct{}

func (telltalePeer) name() string { return telltaleName }

func (p telltalePeer) prepare(t task) (*subject, error) {
	if t.kind.shared() {
		return p.shared(t)
	}
	return p.prepareOn(telltale.NewRegistry(telltale.WithFamilySeriesLimit(0)), t)
}

// prepareOn sets up what works on a registry.
func (p telltalePeer) prepareOn(reg *telltale.Registry, t task) (*subject, error) {
	s := registrySubject(reg)
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
	case labelledInc:
		s.repeat, err = p.labelled(reg, t.series)
	case labelledLimitedInc:
		s.repeat, err = p.labelled(reg, t.series, telltale.WithSeriesLimit(t.series), telltale.WithLabelValues("method", methods...))
	case labelledTypedInc:
		s.repeat, err = p.labelledTyped(reg, t.series)
	case expiringInc:
		s.repeat, err = p.incExpiring(reg)
	case expiringSet:
		s.repeat, err = p.setExpiring(reg)
	case newSeries:
		s.repeat, err = p.labelledFresh(reg, labelSets(t.series))
	case histogramObserve:
		s.repeat, err = p.observe(reg, telltale.WithBuckets(bucketBounds...))
	case nativeObserve:
		s.repeat, err = p.observe(reg, telltale.WithNativeBuckets(nativeFactor, telltale.WithNativeMaxBuckets(nativeBuckets)))
	case summaryObserve:
		s.repeat, err = p.summarize(reg)
	case quantileObserve:
		s.repeat, err = p.summarize(reg, telltale.WithQuantiles(quantiles...))
	case registration:
		s.repeat, err = p.register(reg, t)
	case counters:
		err = p.fillCounters(reg, t)
	case joined, separate:
		s, err = p.pools(t)
	case ruled, ruledByLabels:
		s, err = p.ruled(reg, t)
	case gauges:
		err = p.fillGauges(reg, t)
	case histograms:
		err = p.fillHistograms(reg, t)
	case natives:
		err = p.fillNatives(reg, t)
	case sentCounters, sentHistograms:
		s, err = p.sent(reg, t)
	case writtenCounters, writtenInShards:
		s, err = p.written(reg, t)
	case requestServed:
		s.repeat, err = p.served(reg)
	case bridged:
		err = p.fillBridged(reg, t)
	case textPage, openMetricsPage, protobufPage, histogramsPage:
		s, err = p.parsing(t)
	default:
		err = errNotOffered
	}
	return s, err
}

func (telltalePeer) counterVec(reg *telltale.Registry, name string, opts ...telltale.CounterOption) (*telltale.CounterVec, error) {
	return telltale.NewCounterVec(name, counterHelp, labelNames, append(opts, telltale.In(reg))...)
}

func (telltalePeer) inc(reg *telltale.Registry) (func(worker, n int) error, error) {
	c, err := telltale.NewCounter(counterName(0), counterHelp, telltale.In(reg))
	return func(_, n int) error {
		for range n {
			c.Inc()
		}
		return nil
	}, err
}

// idle is far longer than a measurement.
const idle = 24 * time.Hour

func (p telltalePeer) incExpiring(reg *telltale.Registry) (func(worker, n int) error, error) {
	v, err := p.counterVec(reg, counterName(0), telltale.WithIdleExpiry(idle))
	if err != nil {
		return nil, err
	}
	first := labelSets(1)[0]
	c := v.With(first[:]...)
	return func(_, n int) error {
		for range n {
			c.Inc()
		}
		return nil
	}, nil
}

func (telltalePeer) setExpiring(reg *telltale.Registry) (func(worker, n int) error, error) {
	v, err := telltale.NewGaugeVec(gaugeName, counterHelp, labelNames, telltale.In(reg), telltale.WithIdleExpiry(idle))
	if err != nil {
		return nil, err
	}
	first := labelSets(1)[0]
	g := v.With(first[:]...)
	return func(_, n int) error {
		for i := range n {
			g.Set(float64(i))
		}
		return nil
	}, nil
}

func (telltalePeer) add(reg *telltale.Registry) (func(worker, n int) error, error) {
	c, err := telltale.NewCounter(counterName(0), counterHelp, telltale.In(reg))
	return func(_, n int) error {
		for range n {
			c.Add(0.5)
		}
		return nil
	}, err
}

func (telltalePeer) set(reg *telltale.Registry) (func(worker, n int) error, error) {
	g, err := telltale.NewGauge(gaugeName, counterHelp, telltale.In(reg))
	return func(_, n int) error {
		for i := range n {
			g.Set(float64(i))
		}
		return nil
	}, err
}

func (telltalePeer) gaugeAdd(reg *telltale.Registry) (func(worker, n int) error, error) {
	g, err := telltale.NewGauge(gaugeName, counterHelp, telltale.In(reg))
	return func(_, n int) error {
		for range n {
			g.Add(1.5)
		}
		return nil
	}, err
}

func (p telltalePeer) labelled(reg *telltale.Registry, series int, opts ...telltale.CounterOption) (func(worker, n int) error, error) {
	vec, err := p.counterVec(reg, counterName(0), opts...)
	if err != nil {
		return nil, err
	}
	for _, values := range labelSets(series) {
		vec.With(values[:]...)
	}
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			values := &sets[at]
			vec.With(values[0], values[1], values[2]).Inc()
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}, nil
}

// requestLabels are the corpus's labels as a program would type them.
type requestLabels struct {
	Method  string `label:"method"`
	Handler string `label:"handler"`
	Status  string `label:"status"`
}

func (telltalePeer) labelledTyped(reg *telltale.Registry, series int) (func(worker, n int) error, error) {
	vec, err := telltale.NewCounterOf[requestLabels](counterName(0), counterHelp, telltale.In(reg))
	if err != nil {
		return nil, err
	}
	for _, values := range labelSets(series) {
		vec.With(requestLabels{values[0], values[1], values[2]})
	}
	sets := lookups(series)
	return func(worker, n int) error {
		at := startOf(worker, len(sets))
		for range n {
			values := &sets[at]
			vec.With(requestLabels{values[0], values[1], values[2]}).Inc()
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}, nil
}

func (p telltalePeer) labelledFresh(reg *telltale.Registry, sets []labelValues) (func(worker, n int) error, error) {
	vec, err := p.counterVec(reg, counterName(0))
	return func(_, n int) error {
		for i := range n {
			values := &sets[i]
			vec.With(values[0], values[1], values[2]).Inc()
		}
		return nil
	}, err
}

func (telltalePeer) observe(reg *telltale.Registry, buckets telltale.HistogramOption) (func(worker, n int) error, error) {
	h, err := telltale.NewHistogram(histogramName, histogramHelp, buckets, telltale.In(reg))
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			h.Observe(observations[i&mask])
		}
		return nil
	}, err
}

func (telltalePeer) summarize(reg *telltale.Registry, more ...telltale.SummaryOption) (func(worker, n int) error, error) {
	s, err := telltale.NewSummary(summaryName, counterHelp, append(more, telltale.SummaryOption(telltale.In(reg)))...)
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			s.Observe(observations[i&mask])
		}
		return nil
	}, err
}

func (telltalePeer) register(reg *telltale.Registry, t task) (func(worker, n int) error, error) {
	for _, name := range counterNames(t) {
		if _, err := telltale.NewCounter(name, counterHelp, telltale.In(reg)); err != nil {
			return nil, err
		}
	}
	c, err := telltale.NewCounter("another_total", counterHelp, telltale.Unregistered())
	return func(_, n int) error {
		for range n {
			if err := reg.Register(c); err != nil {
				return err
			}
			if err := reg.Unregister(c); err != nil {
				return err
			}
		}
		return nil
	}, err
}

func (p telltalePeer) fillCounters(reg *telltale.Registry, t task) error {
	if t.lifetimes != "" {
		return p.fillChurned(reg, t)
	}
	vecs := make([]*telltale.CounterVec, t.families)
	for i, name := range counterNames(t) {
		var err error
		if vecs[i], err = p.counterVec(reg, name); err != nil {
			return err
		}
	}
	return eachCounter(t, func(family int, values labelValues, value uint64) error {
		vecs[family].With(values[:]...).Add(float64(value))
		return nil
	})
}

// fillChurned has series come and go.
func (p telltalePeer) fillChurned(reg *telltale.Registry, t task) error {
	vec, err := p.counterVec(reg, counterName(0))
	if err != nil {
		return err
	}
	return t.lifetimes.play(t.series, churned{
		create: func(values labelValues) { vec.With(values[:]...).Inc() },
		remove: func(values labelValues) bool { return vec.Remove(values[:]...) },
	})
}

func (telltalePeer) fillGauges(reg *telltale.Registry, t task) error {
	vec, err := telltale.NewGaugeVec(gaugeName, counterHelp, labelNames, telltale.In(reg))
	if err != nil {
		return err
	}
	for i := range t.series {
		values := labelsOf(i)
		vec.With(values[:]...).Set(gaugeValue(i))
	}
	return nil
}

func (telltalePeer) fillHistograms(reg *telltale.Registry, t task) error {
	vec, err := telltale.NewHistogramVec(histogramName, histogramHelp, labelNames,
		telltale.WithBuckets(bucketBounds...), telltale.In(reg))
	if err != nil {
		return err
	}
	for i := range t.series {
		values := labelsOf(i)
		h := vec.With(values[:]...)
		for j := range observationsPerHistogram {
			h.Observe(observationOf(i, j))
		}
	}
	return nil
}

func (telltalePeer) fillNatives(reg *telltale.Registry, t task) error {
	vec, err := telltale.NewHistogramVec(nativeName, histogramHelp, labelNames, telltale.In(reg),
		telltale.WithNativeBuckets(nativeFactor, telltale.WithNativeMaxBuckets(nativeBuckets)))
	if err != nil {
		return err
	}
	for i := range t.series {
		values := labelsOf(i)
		h := vec.With(values[:]...)
		for j := range usedBuckets {
			h.Observe(nativeObservationOf(j))
		}
	}
	return nil
}

// registrySubject scrapes a registry in all ways.
func registrySubject(reg *telltale.Registry) *subject {
	ctx := context.Background()
	return &subject{
		text:        func(w io.Writer) error { return telltale.WriteLatest(ctx, w, reg) },
		openMetrics: func(w io.Writer) error { return encodeCollected(ctx, w, reg, exposition.OpenMetrics1) },
		protobuf:    func(w io.Writer) error { return encodeCollected(ctx, w, reg, exposition.Protobuf) },
		oneName: func(w io.Writer, family string) error {
			return telltale.WriteLatest(ctx, w, reg.Restricted(family))
		},
		handler: scrapehttp.Handler(reg),
	}
}

// encodeCollected scrapes a registry in the format.
func encodeCollected(ctx context.Context, w io.Writer, reg *telltale.Registry, format exposition.Format) error {
	enc := exposition.NewEncoder(w, format)
	if err := reg.Collect(ctx, enc.Encode); err != nil {
		return err
	}
	return enc.Close()
}

// parsing parses the task's page.
func (telltalePeer) parsing(t task) (*subject, error) {
	page, err := pageOf(t)
	parse := func(f exposition.Format, series func() (int, error)) *subject {
		return &subject{
			families: func() (int, error) { return seriesOf(exposition.NewParser(bytes.NewReader(page), f)) },
			series:   series,
		}
	}
	ofText := func(e *text.Entry) bool { return e.Kind == text.KindSample }
	switch t.kind {
	case openMetricsPage:
		return parse(exposition.OpenMetrics1, func() (int, error) {
			return seriesAmong(openmetrics.NewScanner(bytes.NewReader(page)).Next, ofText)
		}), err
	case protobufPage, histogramsPage:
		return parse(exposition.Protobuf, func() (int, error) {
			return seriesAmong(protobuf.NewScanner(bytes.NewReader(page)).Next,
				func(e *protobuf.Entry) bool { return e.Kind == protobuf.KindSeries })
		}), err
	default:
		return parse(exposition.Text004, func() (int, error) {
			return seriesAmong(text.NewScanner(bytes.NewReader(page)).Next, ofText)
		}), err
	}
}

// seriesOf parses whole families and counts their series.
func seriesOf(parser exposition.Parser) (series int, err error) {
	var scratch model.Point
	for {
		f, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return series, nil
		}
		if err != nil {
			return series, err
		}
		_ = f.Visit(&scratch, func(*model.Point) error { // the visitor has no error
			series++
			return nil
		})
	}
}

// seriesAmong counts those of a scanner's entries that are series.
func seriesAmong[E any](next func() (E, error), isSeries func(E) bool) (series int, err error) {
	for {
		e, err := next()
		if errors.Is(err, io.EOF) {
			return series, nil
		}
		if err != nil {
			return series, err
		}
		if isSeries(e) {
			series++
		}
	}
}
