package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

// write builds a registry of the families and returns its page, and whatever
// telltale dropped or complained of that it should not.
func write(families []familyPlan, d dialect) ([]byte, error) {
	var faults []error
	registry := telltale.NewRegistry(telltale.WithErrorHook(func(err error) {
		var fault *telltale.Fault
		if errors.As(err, &fault) && fault.Reason == telltale.ReasonInvalidUTF8 {
			return // planned
		}
		faults = append(faults, err)
	}))
	for i := range families {
		if err := register(registry, &families[i]); err != nil {
			return nil, fmt.Errorf("building family %d: %w", families[i].index, err)
		}
	}
	var options []exposition.EncoderOption
	if d.created {
		options = append(options, exposition.WithCreated())
	}
	options = append(options, exposition.WithDropped(func(drop exposition.Drop) {
		switch drop.Reason {
		case exposition.LongExemplar, exposition.MisplacedExemplar, exposition.UnfitSum, exposition.UnfitTotal, exposition.UnfitCount, // planned
			exposition.UntimedExemplar, exposition.NoCount, exposition.UnfitQuantile,
			exposition.ReservedName, exposition.ReservedLabel: // of escaped names
		default:
			faults = append(faults, fmt.Errorf("%s %s was dropped: %s", drop.Family, drop.Sample, drop.Reason))
		}
	}))
	var page bytes.Buffer
	encoder := exposition.NewEncoder(&page, d.format, options...)
	if err := registry.Collect(context.Background(), encoder.Encode); err != nil {
		return nil, err
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return page.Bytes(), errors.Join(faults...)
}

func register(r *telltale.Registry, f *familyPlan) error {
	var family *model.Family
	var err error
	switch f.source {
	case target:
		return r.SetTargetInfo(mapOf(f.series[0].info))
	case instrument:
		return f.instrument(r)
	case built:
		family, err = f.build()
	case flat:
		family, err = f.flatten()
	}
	if err != nil {
		return err
	}
	return r.Register(&ready{family})
}

// ready is a custom collector of one family.
type ready struct{ family *model.Family }

func (c *ready) Collect(_ context.Context, emit func(*model.Family) error) error {
	return emit(c.family)
}

func (c *ready) Describe() []*model.Family { return []*model.Family{c.family.Header()} }

func (m *moment) time() time.Time { return time.Unix(0, m.ns) }

func (e *exemplarPlan) model() *model.Exemplar {
	if e == nil {
		return nil
	}
	exemplar := &model.Exemplar{Labels: model.LabelsOf(mapOf(e.labels)), Value: e.value}
	if e.at != nil {
		exemplar.Timestamp = model.TimestampOf(e.at.time())
	}
	return exemplar
}

func mapOf(labels []label) map[string]string {
	m := map[string]string{}
	for _, l := range labels {
		m[l.name] = l.value
	}
	return m
}

func split(labels []label) (names, values []string) {
	for _, l := range labels {
		names, values = append(names, l.name), append(values, l.value)
	}
	return names, values
}

// build uses the builder of the family's type.
func (f *familyPlan) build() (*model.Family, error) {
	var options []model.BuilderOption
	if f.unit != "" {
		options = append(options, model.WithUnit(f.unit))
	}
	if len(f.series) > 0 {
		names, _ := split(f.series[0].labels)
		options = append(options, model.WithLabelNames(names...))
	}
	builder, err := f.builder(options)
	if err != nil {
		return nil, err
	}
	for i := range f.series {
		if err := f.buildSeries(builder, &f.series[i]); err != nil {
			return nil, err
		}
	}
	return builder.Family(), nil
}

func (f *familyPlan) builder(options []model.BuilderOption) (interface{ Family() *model.Family }, error) {
	switch f.typ {
	case "counter":
		return model.NewCounterFamily(f.given, f.help, options...)
	case "gauge":
		return model.NewGaugeFamily(f.given, f.help, options...)
	case "unknown":
		return model.NewUnknownFamily(f.given, f.help, options...)
	case "summary":
		return model.NewSummaryFamily(f.given, f.help, options...)
	case "histogram":
		return model.NewHistogramFamily(f.given, f.help, options...)
	case "gaugehistogram":
		return model.NewGaugeHistogramFamily(f.given, f.help, options...)
	case "info":
		return model.NewInfoFamily(f.given, f.help, options...)
	}
	return model.NewStateSetFamily(f.given, f.help, options...)
}

func (f *familyPlan) buildSeries(builder any, s *seriesPlan) error {
	_, values := split(s.labels)
	var options []model.PointOption
	if s.at != nil {
		options = append(options, model.WithTimestamp(s.at.time()))
	}
	if s.created != nil {
		options = append(options, model.WithCreated(s.created.time()))
	}
	switch b := builder.(type) {
	case *model.CounterFamily:
		if s.exemplar != nil {
			options = append(options, model.WithExemplar(*s.exemplar.model()))
		}
		return b.Add(values, s.value, options...)
	case *model.GaugeFamily:
		return b.Add(values, s.value, options...)
	case *model.UnknownFamily:
		return b.Add(values, s.value, options...)
	case *model.SummaryFamily:
		var quantiles []model.Quantile
		for _, q := range s.quantiles {
			quantiles = append(quantiles, model.Quantile{Q: q.q, V: q.v})
		}
		return b.Add(values, *s.count, *s.sum, quantiles, options...)
	case *model.HistogramFamily:
		var buckets []model.Bucket
		for _, p := range s.buckets {
			buckets = append(buckets, model.Bucket{Upper: p.upper, Cumulative: p.cumulative, Exemplar: p.exemplar.model()})
		}
		if s.sum != nil {
			options = append(options, model.WithSum(*s.sum))
		}
		return b.Add(values, buckets, options...)
	case *model.InfoFamily:
		return b.Add(values, mapOf(s.info), options...)
	case *model.StateSetFamily:
		states := map[string]bool{}
		for _, state := range s.states {
			states[state.name] = state.on
		}
		return b.Add(values, states, options...)
	}
	return fmt.Errorf("no builder for a %s", f.typ)
}

// flatten adds the family's samples one by one, as a parser would.
func (f *familyPlan) flatten() (*model.Family, error) {
	typ, err := model.ParseType(f.typ)
	if err != nil {
		return nil, err
	}
	var options []model.FamilyOption
	if f.unit != "" {
		options = append(options, model.WithUnit(f.unit))
	}
	family, err := model.NewFamily(f.given, f.help, typ, options...)
	if err != nil {
		return nil, err
	}
	for i := range f.series {
		s := &f.series[i]
		add := func(suffix string, value float64, e *exemplarPlan, more ...label) {
			labels := mapOf(s.labels)
			for _, l := range more {
				labels[l.name] = l.value
			}
			var options []model.SampleOption
			if s.at != nil {
				options = append(options, model.WithTimestamp(s.at.time()))
			}
			if e != nil {
				options = append(options, model.WithExemplar(*e.model()))
			}
			family.AddSample(f.name+suffix, labels, value, options...)
		}
		f.addFlat(s, add)
		if s.created != nil {
			add("_created", seconds(s.created.ns), nil)
		}
	}
	return family, nil
}

func (f *familyPlan) addFlat(s *seriesPlan, add func(suffix string, value float64, e *exemplarPlan, more ...label)) {
	count, sum := "_count", "_sum"
	switch f.typ {
	case "summary":
		for _, q := range s.quantiles {
			add("", q.v, nil, label{"quantile", fmt.Sprint(q.q)})
		}
	case "gaugehistogram":
		count, sum = "_gcount", "_gsum"
		fallthrough
	case "histogram":
		for _, b := range s.buckets {
			add("_bucket", b.cumulative, b.exemplar, label{"le", fmt.Sprint(b.upper)})
		}
	case "info":
		add("_info", 1, nil, s.info...)
		return
	case "stateset":
		for _, state := range s.states {
			value := 0.0
			if state.on {
				value = 1
			}
			add("", value, nil, label{f.name, state.name})
		}
		return
	default:
		add(f.sampleSuffix(), s.value, s.exemplar)
		return
	}
	if s.count != nil {
		add(count, *s.count, nil)
	}
	if s.sum != nil {
		add(sum, *s.sum, nil)
	}
}
