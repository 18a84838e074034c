package modeltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"telltale"
	"telltale/model"
)

// library does with package telltale what world does with the model.
type library struct {
	objects map[string]any // *telltale.Registry, instrument or telltale.Collector
	handles map[string]handle
	next    []instrument

	mu    sync.Mutex
	heard map[string]map[string]uint64 // faults heard by hooks, by registry and reason
}

func newLibrary() *library {
	return &library{objects: make(map[string]any), handles: make(map[string]handle), heard: make(map[string]map[string]uint64)}
}

// hook is the error hook of a registry, which counts.
func (l *library) hook(registry string) func(error) {
	heard := make(map[string]uint64)
	l.heard[registry] = heard
	return func(err error) {
		var fault *telltale.Fault
		reason := "not a fault"
		if errors.As(err, &fault) {
			reason = string(fault.Reason)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		heard[reason]++
	}
}

// collector returns the collector of an object.
func (l *library) collector(name string) telltale.Collector {
	switch c := l.objects[name].(type) {
	case instrument:
		return c.collector()
	case telltale.Collector:
		return c
	}
	return nil
}

func answer(err error) string {
	var d *telltale.DuplicateError
	switch {
	case err == nil:
		return fine
	case errors.As(err, &d):
		return duplicate
	}
	return refused
}

// do does an operation of world, and returns the library's answer.
func (l *library) do(o op) string {
	switch o.verb {
	case "registry":
		opts := []telltale.RegistryOption{telltale.WithErrorHook(l.hook(o.on()))}
		if o.has("retention") {
			opts = append(opts, telltale.WithRetention(int(o.number("retention"))))
		}
		if o.has("total") {
			opts = append(opts, telltale.WithTotalSeriesLimit(int(o.number("total"))))
		}
		l.objects[o.on()] = telltale.NewRegistry(opts...)
	case "make":
		in := telltale.Unregistered()
		if o.arg(2) != "-" {
			in = telltale.In(l.objects[o.arg(2)].(*telltale.Registry))
		}
		made, err := build(o, in)
		if err != nil {
			return answer(err)
		}
		l.objects[o.on()] = made
	case "collector":
		l.objects[o.on()] = collectorOf(o)
	case "callback":
		return l.callback(o)
	case "view":
		return l.view(o)
	case "register":
		return answer(l.objects[o.on()].(*telltale.Registry).Register(l.collector(o.arg(1))))
	case "unregister":
		err := l.objects[o.on()].(*telltale.Registry).Unregister(l.collector(o.arg(1)))
		if err != nil && !errors.Is(err, telltale.ErrNotRegistered) {
			return err.Error()
		}
		return answer(err)
	case "target":
		return answer(l.objects[o.on()].(*telltale.Registry).SetTargetInfo(o.pairs("set")))
	case "hold":
		if h := l.instrument(o.arg(1)).with(o.opt("via"), o.plain(2)); h != nil {
			l.handles[o.on()] = h
		}
	case "up":
		h := l.handles[o.on()]
		if h == nil {
			h = l.instrument(o.on()).with(o.opt("via"), o.plain(1))
		}
		return h.update(o)
	default:
		return l.instrument(o.on()).change(o)
	}
	return fine
}

func (l *library) instrument(name string) instrument {
	if name == "next" {
		return l.next[len(l.next)-1]
	}
	return l.objects[name].(instrument)
}

// collectorOf returns a custom collector as a script describes it.
func collectorOf(o op) telltale.Collector {
	var families, headers []*model.Family
	for _, spec := range o.plain(1) {
		l := parseLine(spec)
		typ, _ := model.ParseType(l.kind)
		f := telltale.Must(model.NewFamily(l.name, "", typ))
		if o.has("described") {
			headers = append(headers, f.Header())
		}
		for _, s := range l.samples {
			labels := make(map[string]string)
			if s.label != "" {
				labels["b"] = s.label
			}
			f.AddSample(sampleName(l.name, l.kind), labels, s.value)
		}
		families = append(families, f)
	}
	fails, after := o.opt("fails"), int(o.number("after"))
	fail := func(i int) error {
		if i == after && fails == "panic" {
			panic("at the disco")
		}
		if i == after && fails == "error" {
			return errors.New("no connection")
		}
		return nil
	}
	collect := func(_ context.Context, emit func(*model.Family) error) error {
		if fails == "nil" {
			if err := emit(nil); err != nil {
				return err
			}
		}
		for i, f := range families {
			if err := fail(i); err != nil {
				return err
			}
			if err := emit(f); err != nil {
				return err
			}
		}
		if after >= len(families) {
			return fail(after)
		}
		return nil
	}
	return telltale.CollectorFunc(collect, headers...)
}

func (l *library) callback(o op) string {
	value := o.opt("value")
	f := func(_ context.Context, observe telltale.Observe) error {
		switch value {
		case "panic":
			panic("at the disco")
		case "error":
			return errors.New("no connection")
		}
		return observe(o.number("value"))
	}
	in, name := telltale.In(l.objects[o.arg(1)].(*telltale.Registry)), o.arg(2)
	var c telltale.Collector
	var err error
	if strings.HasPrefix(name, "c") && !strings.HasSuffix(name, "_total") {
		c, err = telltale.NewCounterFunc(name, "", nil, f, in)
	} else {
		c, err = telltale.NewGaugeFunc(name, "", nil, f, in)
	}
	if err == nil {
		l.objects[o.on()] = c
	}
	return answer(err)
}

func (l *library) view(o op) string {
	var of []telltale.Collector
	for _, name := range o.plain(2) {
		of = append(of, l.collector(name))
	}
	var c telltale.Collector
	var err error
	switch o.arg(1) {
	case "labelled":
		c, err = telltale.Labelled(of[0], o.pairs("add"))
	case "prefixed":
		c, err = telltale.Prefixed(of[0], o.opt("prefix"))
	case "restricted":
		var names []string
		for _, name := range strings.Split(o.opt("names"), ",") {
			if name != "" {
				names = append(names, name)
			}
		}
		c = telltale.Restrict(of[0], names...)
	case "merged":
		c, err = telltale.Merge(of...)
	}
	if err == nil {
		l.objects[o.on()] = c
	}
	return answer(err)
}

// one and two are the labels of instruments that are typed.
type one struct {
	A string `label:"a"`
}

type two struct {
	A string `label:"a"`
	B string `label:"b"`
}

func constant(o op) telltale.Option {
	if o.has("const") {
		return telltale.WithConstLabels(map[string]string{"k": o.opt("const")})
	}
	return nil
}

// build makes an instrument by position and, in a registry, by a struct too.
func build(o op, in telltale.Option) (instrument, error) {
	opts := []telltale.Option{in}
	if c := constant(o); c != nil {
		opts = append(opts, c)
	}
	labelled := o.number("labels") > 0
	if labelled && o.has("limit") {
		opts = append(opts, telltale.WithSeriesLimit(int(o.number("limit"))))
	}
	if labelled && o.has("declared") {
		opts = append(opts, telltale.WithLabelValues("a", declared...))
	}
	if labelled && o.has("initial") {
		opts = append(opts, telltale.WithInitialSeries())
		if o.number("labels") > 1 {
			opts = append(opts, telltale.WithLabelValues("b", declaredToo...))
		}
	}
	m := maker{name: o.arg(3), labels: []string{"a", "b"}[:int(o.number("labels"))], typed: o.arg(2) != "-"}
	switch kind := o.arg(1); kind {
	case "counter":
		opts := all[telltale.CounterOption](opts)
		return finish(m, updateCounter, made[telltale.Counter]{
			func() (*telltale.Counter, error) { return telltale.NewCounter(m.name, "", opts...) },
			func() (*telltale.CounterVec, error) { return telltale.NewCounterVec(m.name, "", m.labels, opts...) },
			func() (*telltale.CounterOf[one], error) { return telltale.NewCounterOf[one](m.name, "", opts...) },
			func() (*telltale.CounterOf[two], error) { return telltale.NewCounterOf[two](m.name, "", opts...) },
		})
	case "gauge":
		opts := all[telltale.GaugeOption](opts)
		return finish(m, updateGauge, made[telltale.Gauge]{
			func() (*telltale.Gauge, error) { return telltale.NewGauge(m.name, "", opts...) },
			func() (*telltale.GaugeVec, error) { return telltale.NewGaugeVec(m.name, "", m.labels, opts...) },
			func() (*telltale.GaugeOf[one], error) { return telltale.NewGaugeOf[one](m.name, "", opts...) },
			func() (*telltale.GaugeOf[two], error) { return telltale.NewGaugeOf[two](m.name, "", opts...) },
		})
	case "histogram", "native", "both":
		opts := all[telltale.HistogramOption](opts)
		if kind != "native" {
			opts = append(opts, telltale.WithBuckets(buckets...))
		}
		if kind != "histogram" {
			opts = append(opts, telltale.WithNativeSchema(nativeSchema))
		}
		return finish(m, updateHistogram, made[telltale.Histogram]{
			func() (*telltale.Histogram, error) { return telltale.NewHistogram(m.name, "", opts...) },
			func() (*telltale.HistogramVec, error) { return telltale.NewHistogramVec(m.name, "", m.labels, opts...) },
			func() (*telltale.HistogramOf[one], error) { return telltale.NewHistogramOf[one](m.name, "", opts...) },
			func() (*telltale.HistogramOf[two], error) { return telltale.NewHistogramOf[two](m.name, "", opts...) },
		})
	case "summary", "quantiles":
		opts := all[telltale.SummaryOption](opts)
		if kind == "quantiles" {
			opts = append(opts, telltale.WithQuantiles(quantiles...), telltale.WithMaxAge(100*time.Hour))
		}
		return finish(m, updateSummary, made[telltale.Summary]{
			func() (*telltale.Summary, error) { return telltale.NewSummary(m.name, "", opts...) },
			func() (*telltale.SummaryVec, error) { return telltale.NewSummaryVec(m.name, "", m.labels, opts...) },
			func() (*telltale.SummaryOf[one], error) { return telltale.NewSummaryOf[one](m.name, "", opts...) },
			func() (*telltale.SummaryOf[two], error) { return telltale.NewSummaryOf[two](m.name, "", opts...) },
		})
	case "info":
		opts := all[telltale.InfoOption](opts)
		return finish(m, updateInfo, made[telltale.Info]{
			func() (*telltale.Info, error) { return telltale.NewInfo(m.name, "", opts...) },
			func() (*telltale.InfoVec, error) { return telltale.NewInfoVec(m.name, "", m.labels, opts...) },
			func() (*telltale.InfoOf[one], error) { return telltale.NewInfoOf[one](m.name, "", opts...) },
			func() (*telltale.InfoOf[two], error) { return telltale.NewInfoOf[two](m.name, "", opts...) },
		})
	case "enum":
		opts := all[telltale.EnumOption](opts)
		return finish(m, updateEnum, made[telltale.Enum]{
			func() (*telltale.Enum, error) { return telltale.NewEnum(m.name, "", states, opts...) },
			func() (*telltale.EnumVec, error) { return telltale.NewEnumVec(m.name, "", states, m.labels, opts...) },
			func() (*telltale.EnumOf[one], error) { return telltale.NewEnumOf[one](m.name, "", states, opts...) },
			func() (*telltale.EnumOf[two], error) { return telltale.NewEnumOf[two](m.name, "", states, opts...) },
		})
	default:
		return nil, fmt.Errorf("there is no instrument %q", kind)
	}
}

// all returns options of every instrument as options of one.
func all[O any](opts []telltale.Option) (fitting []O) {
	for _, o := range opts {
		fitting = append(fitting, any(o).(O))
	}
	return fitting
}
