package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// victoriaPeer is github.com/VictoriaMetrics/metrics. Its series are named by
// one string that holds name and labels; where the work starts from label
// values, putting that string together is part of the work.
type victoriaPeer struct{}

func (victoriaPeer) name() string { return victoriaName }

func (p victoriaPeer) prepare(t task) (*subject, error) {
	metrics.ExposeMetadata(true) // HELP and TYPE, as the others write
	set := metrics.NewSet()
	s := setSubject(set)
	switch t.kind {
	case counterInc:
		s.repeat = p.inc(set)
	case counterAdd:
		s.repeat = p.add(set)
	case gaugeSet:
		s.repeat = p.set(set)
	case gaugeAdd:
		s.repeat = p.gaugeAdd(set)
	case labelledInc, labelledTypedInc:
		s.repeat = p.labelled(set, t.series)
	case newSeries:
		s.repeat = p.labelledFresh(set, labelSets(t.series))
	case histogramObserve:
		s.repeat = p.observe(set)
	case summaryObserve:
		s.repeat = p.summarize(set, nil)
		// vm also holds summaries in a global list. Other metrics are left
		// alone: unregistering them takes quadratic time.
		s.close = func() error {
			set.UnregisterAllMetrics()
			return nil
		}
	case quantileObserve:
		s.repeat = p.summarize(set, quantiles)
		s.close = func() error {
			set.UnregisterAllMetrics()
			return nil
		}
	case registration:
		s.repeat = p.register(set, t)
	case counters:
		if t.lifetimes != "" {
			return nil, errNotOffered // unregistering one takes time for each of the others
		}
		return s, p.fillCounters(set, t)
	case gauges:
		p.fillGauges(set, t)
	case histograms:
		p.fillHistograms(set, t)
	default:
		return nil, errNotOffered
	}
	return s, nil
}

func (victoriaPeer) inc(set *metrics.Set) func(worker, n int) error {
	c := set.NewCounter(counterName(0))
	return func(_, n int) error {
		for range n {
			c.Inc()
		}
		return nil
	}
}

func (victoriaPeer) add(set *metrics.Set) func(worker, n int) error {
	c := set.NewFloatCounter(counterName(0))
	return func(_, n int) error {
		for range n {
			c.Add(0.5)
		}
		return nil
	}
}

func (victoriaPeer) set(set *metrics.Set) func(worker, n int) error {
	g := set.NewGauge(gaugeName, nil)
	return func(_, n int) error {
		for i := range n {
			g.Set(float64(i))
		}
		return nil
	}
}

func (victoriaPeer) gaugeAdd(set *metrics.Set) func(worker, n int) error {
	g := set.NewGauge(gaugeName, nil)
	return func(_, n int) error {
		for range n {
			g.Add(1.5)
		}
		return nil
	}
}

func (victoriaPeer) labelled(set *metrics.Set, series int) func(worker, n int) error {
	for _, values := range labelSets(series) {
		set.NewCounter(seriesName(counterName(0), values))
	}
	sets := lookups(series)
	return func(worker, n int) error {
		name, at := counterName(0), startOf(worker, len(sets))
		var buf []byte
		for range n {
			buf = append(appendSeries(buf[:0], name, sets[at]), '}')
			set.GetOrCreateCounter(string(buf)).Inc()
			if at++; at == len(sets) {
				at = 0
			}
		}
		return nil
	}
}

func (victoriaPeer) labelledFresh(set *metrics.Set, sets []labelValues) func(worker, n int) error {
	return func(_, n int) error {
		name := counterName(0)
		var buf []byte
		for i := range n {
			buf = append(appendSeries(buf[:0], name, sets[i]), '}')
			set.GetOrCreateCounter(string(buf)).Inc()
		}
		return nil
	}
}

func (victoriaPeer) observe(set *metrics.Set) func(worker, n int) error {
	h := set.NewPrometheusHistogramExt(histogramName, bucketBounds)
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			h.Update(observations[i&mask])
		}
		return nil
	}
}

// summarize without quantiles is as near as vm comes to a plain count and sum: it
// still samples the values.
func (victoriaPeer) summarize(set *metrics.Set, quantiles []float64) func(worker, n int) error {
	s := set.NewSummaryExt(summaryName, 10*time.Minute, quantiles)
	return func(worker, n int) error {
		mask := len(observations) - 1
		for i := startOf(worker, len(observations)); n > 0; i, n = i+1, n-1 {
			s.Update(observations[i&mask])
		}
		return nil
	}
}

func (victoriaPeer) register(set *metrics.Set, t task) func(worker, n int) error {
	for _, name := range counterNames(t) {
		set.NewCounter(name)
	}
	return func(_, n int) error {
		const name = "another_total"
		for range n {
			set.NewCounter(name)
			if !set.UnregisterMetric(name) {
				return fmt.Errorf("%s was not registered", name)
			}
		}
		return nil
	}
}

func (victoriaPeer) fillCounters(set *metrics.Set, t task) error {
	names := counterNames(t)
	return eachCounter(t, func(family int, values labelValues, value uint64) error {
		set.NewCounter(seriesName(names[family], values)).AddInt64(int64(value))
		return nil
	})
}

func (victoriaPeer) fillGauges(set *metrics.Set, t task) {
	for i := range t.series {
		set.NewGauge(seriesName(gaugeName, labelsOf(i)), nil).Set(gaugeValue(i))
	}
}

func (victoriaPeer) fillHistograms(set *metrics.Set, t task) {
	for i := range t.series {
		h := set.NewPrometheusHistogramExt(seriesName(histogramName, labelsOf(i)), bucketBounds)
		for j := range observationsPerHistogram {
			h.Update(observationOf(i, j))
		}
	}
}

func setSubject(set *metrics.Set) *subject {
	return &subject{
		text: func(w io.Writer) error {
			set.WritePrometheus(w)
			return nil
		},
		handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			set.WritePrometheus(w)
		}),
	}
}

// prebuiltPeer is vm at its best: the whole name of the series is at hand.
type prebuiltPeer struct{}

func (prebuiltPeer) name() string { return prebuiltName }

func (prebuiltPeer) prepare(t task) (*subject, error) {
	if t.kind != labelledInc {
		return nil, errNotOffered
	}
	set := metrics.NewSet()
	for _, values := range labelSets(t.series) {
		set.NewCounter(seriesName(counterName(0), values))
	}
	names := make([]string, t.series)
	for i, values := range lookups(t.series) {
		names[i] = seriesName(counterName(0), values)
	}
	s := setSubject(set)
	s.repeat = func(worker, n int) error {
		at := startOf(worker, len(names))
		for range n {
			set.GetOrCreateCounter(names[at]).Inc()
			if at++; at == len(names) {
				at = 0
			}
		}
		return nil
	}
	return s, nil
}
