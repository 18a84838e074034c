package collector

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/auto"
	"telltale/model"
)

var spoken = time.Date(2026, 5, 4, 3, 2, 1, 987654321, time.UTC)

// target is what the registry's target_info says.
var target = map[string]string{"service.name": "shop", "service.instance.id": "7", "zone": `ümlaut "quoted" \ and` + "\nnew line"}

// newRegistry returns a registry that has everything that a telltale registry can have
// and OpenTelemetry too. more counts on in its series.
func newRegistry(t *testing.T) (reg *telltale.Registry, more func()) {
	t.Helper()
	reg = telltale.NewRegistry(telltale.WithTargetInfo(target), telltale.WithErrorHook(func(err error) { t.Error(err) }))
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := auto.In(reg, telltale.WithConstLabels(map[string]string{"shard": "3"}))
	orders := m.CounterVec("orders", "Orders placed.", []string{"route", "code"})
	traced := map[string]string{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "user": "u7"}
	sold := m.Counter("sold", "Energy sold.", telltale.WithUnit("joules"))
	free := m.GaugeVec("free", "Free.", []string{"of"}, telltale.WithUnit("bytes"))
	for of, v := range map[string]float64{"a": -3, "b": 1e300, "c": 5e-324, "not a number": nan, "infinite": inf, "less": -inf, "zero": 0} {
		free.With(of).Set(v)
	}
	classic := m.HistogramVec("latency", "Time to answer.", []string{"route"}, telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1, 10))
	alone := m.Histogram("size", "Sizes.", telltale.WithUnit("bytes"), telltale.WithNativeSchema(0, telltale.WithNativeZeroThreshold(0.25)))
	both := m.HistogramVec("wait", "Waits.", []string{"queue"}, telltale.WithUnit("seconds"), telltale.WithBuckets(1, 2), telltale.WithNativeBuckets(1.1))
	_ = m.Histogram("unused", "Never observed.", telltale.WithBuckets(1))
	quantiles := m.Summary("age", "Ages.", telltale.WithQuantiles(0.5, 0.99))
	check(m.Info("build", "Build.").Set(map[string]string{"version": "v1.2.3", "dirty": "no"}))
	state := m.Enum("state", "State.", []string{"starting", "running"})
	check(reg.Register(telltale.CollectorFunc(foreign)))
	more = func() {
		check(orders.With("/orders/{id}", "200").AddWithExemplar(2, traced))
		orders.With("say \"hi\"\\\n\x00 ü", "").Inc()
		sold.Add(0.1)
		for _, v := range []float64{0.05, 0.5, 1, 100} {
			check(classic.With("/").ObserveWithExemplar(v, traced))
		}
		classic.With("/slow").Observe(1e9)
		for _, v := range []float64{0, 0.2, -0.2, 1.5, 2, 3, -3, 1 << 20} {
			alone.Observe(v)
		}
		check(alone.ObserveWithExemplar(7, map[string]string{"user": "u8"}))
		for i := range 1000 {
			both.With("mail").Observe(float64(i) / 100)
		}
		quantiles.Observe(3)
		check(state.Set("running"))
	}
	more()
	return reg, more
}

// foreign emits what no instrument has: families of another scope, with timestamps and
// created times of their own, and gauge histograms.
func foreign(_ context.Context, emit func(*model.Family) error) error {
	requests, err := model.NewCounterFamily("lib_requests", "Requests.", model.WithLabelNames("otel_scope_name", "otel_scope_version", "otel_scope_team", "code"))
	untimed, err2 := model.NewCounterFamily("lib_untimed", "Without a start.")
	unknown, err3 := model.NewUnknownFamily("lib_unknown", "Something.")
	held, err4 := model.NewGaugeHistogramFamily("lib_held", "Held.")
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	err = errors.Join(
		requests.Add([]string{"lib", "v2", "x", "200"}, 12, model.WithTimestamp(spoken), model.WithCreated(spoken.Add(-time.Hour)),
			model.WithExemplar(model.Exemplar{Labels: model.LabelsOf(map[string]string{"k": "v"}), Value: 0.5, Timestamp: model.TimestampOf(spoken)})),
		untimed.Add(nil, 3), unknown.Add(nil, 4),
		held.Add(nil, []model.Bucket{{Upper: 1, Cumulative: 2}, {Upper: inf, Cumulative: 3}}, model.WithSum(4)),
		emit(requests.Family()), emit(untimed.Family()), emit(unknown.Family()), emit(held.Family()))
	return err
}

// contentOf returns what a registry has, but for target_info.
func contentOf(t *testing.T, reg *telltale.Registry) *content {
	t.Helper()
	c := newContent()
	for f, err := range reg.Families(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.SampleName() == "target_info" {
			continue
		}
		var scratch model.Point
		if err := f.Visit(&scratch, func(p *model.Point) error { c.addSeries(f, p); return nil }); err != nil {
			t.Fatal(err)
		}
		for s := range f.Samples() {
			labels := s.Labels.Map()
			delete(labels, "le")
			_, isNative := c.natives[key(f.Name, labels)]
			elsewhere := s.NativeHistogram != nil || strings.HasSuffix(s.Name, "_created") || isNative && strings.HasSuffix(s.Name, "_bucket")
			if !elsewhere {
				c.values[key(s.Name, s.Labels.Map())] = s.Value
			}
		}
	}
	return c
}

// addSeries adds what a series has beside its samples.
func (c *content) addSeries(f *model.Family, p *model.Point) {
	series := key(f.SampleName(), p.Labels.Map())
	if p.Created.IsSet() {
		for _, series := range seriesOf(f, p) {
			c.starts[series] = p.Created.Time().UnixNano()
		}
	}
	add := func(x *model.Exemplar) {
		for x := range x.All() {
			c.exemplars[series] = append(c.exemplars[series], exemplarText(x.Value, x.Timestamp.Time().UnixNano(), x.Labels.Map()))
		}
	}
	add(p.Exemplar)
	if h := p.Histogram; h != nil && h.Native != nil {
		n := h.Native
		c.natives[series] = native(n.Schema, n.ZeroCount, n.ZeroThreshold, counts(n.PositiveSpans, n.Positive), counts(n.NegativeSpans, n.Negative))
		for i := range n.Exemplars {
			add(&n.Exemplars[i])
		}
	} else if h != nil {
		for _, x := range h.Exemplars {
			add(x)
		}
	}
	slices.Sort(c.exemplars[series])
}

// seriesOf returns the series that a point is in OpenTelemetry.
func seriesOf(f *model.Family, p *model.Point) (all []string) {
	labels := p.Labels.Map()
	switch f.Type {
	case model.Info:
		maps.Copy(labels, p.Info.Map())
	case model.StateSet:
		for _, s := range p.States {
			all = append(all, key(f.Name, with(labels, f.Name, s.Name)))
		}
		return all
	}
	return []string{key(f.SampleName(), labels)}
}

// counts returns the native buckets that are not empty, by index.
func counts(spans []model.Span, values []float64) map[int]float64 {
	all := make(map[int]float64)
	index := 0
	for _, s := range spans {
		index += int(s.Offset)
		for range s.Length {
			if values[0] != 0 {
				all[index] = values[0]
			}
			index, values = index+1, values[1:]
		}
	}
	return all
}
