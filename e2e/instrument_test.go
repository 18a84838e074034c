package e2e

import "telltale"

// instrument registers an instrument and uses it as planned.
func (f *familyPlan) instrument(r *telltale.Registry) error {
	options := []telltale.Option{telltale.In(r), telltale.WithConstLabels(mapOf(f.consts))}
	var names []string
	if len(f.series) > 0 {
		names, _ = split(f.series[0].labels[len(f.consts):])
	} else {
		names = []string{"none"} // a family with labels and without series
	}
	switch f.typ {
	case "counter":
		o := withUnit[telltale.CounterOption](options, f.unit)
		return use(f, names, func(c *telltale.Counter, s *seriesPlan) error {
			if s.exemplar != nil {
				return c.AddWithExemplar(s.value, mapOf(s.exemplar.labels))
			}
			c.Add(s.value)
			return nil
		}, func() (*telltale.Counter, error) { return telltale.NewCounter(f.given, f.help, o...) },
			func() (*telltale.CounterVec, error) { return telltale.NewCounterVec(f.given, f.help, names, o...) })
	case "gauge":
		o := withUnit[telltale.GaugeOption](options, f.unit)
		return use(f, names, func(g *telltale.Gauge, s *seriesPlan) error {
			g.Set(s.value)
			return nil
		}, func() (*telltale.Gauge, error) { return telltale.NewGauge(f.given, f.help, o...) },
			func() (*telltale.GaugeVec, error) { return telltale.NewGaugeVec(f.given, f.help, names, o...) })
	case "summary":
		o := withUnit[telltale.SummaryOption](options, f.unit)
		return use(f, names, func(m *telltale.Summary, s *seriesPlan) error {
			for _, v := range s.observations {
				m.Observe(v)
			}
			return nil
		}, func() (*telltale.Summary, error) { return telltale.NewSummary(f.given, f.help, o...) },
			func() (*telltale.SummaryVec, error) { return telltale.NewSummaryVec(f.given, f.help, names, o...) })
	case "histogram":
		o := append(withUnit[telltale.HistogramOption](options, f.unit), telltale.WithBuckets(f.bounds()...))
		return use(f, names, observe,
			func() (*telltale.Histogram, error) { return telltale.NewHistogram(f.given, f.help, o...) },
			func() (*telltale.HistogramVec, error) { return telltale.NewHistogramVec(f.given, f.help, names, o...) })
	case "info":
		o := as[telltale.InfoOption](options)
		return use(f, names, func(i *telltale.Info, s *seriesPlan) error { return i.Set(mapOf(s.info)) },
			func() (*telltale.Info, error) { return telltale.NewInfo(f.given, f.help, o...) },
			func() (*telltale.InfoVec, error) { return telltale.NewInfoVec(f.given, f.help, names, o...) })
	}
	o, states := as[telltale.EnumOption](options), f.stateNames()
	return use(f, names, func(e *telltale.Enum, s *seriesPlan) error {
		for _, state := range s.states {
			if state.on {
				return e.Set(state.name)
			}
		}
		return nil
	}, func() (*telltale.Enum, error) { return telltale.NewEnum(f.given, f.help, states, o...) },
		func() (*telltale.EnumVec, error) { return telltale.NewEnumVec(f.given, f.help, states, names, o...) })
}

func observe(h *telltale.Histogram, s *seriesPlan) error {
	var exemplar *exemplarPlan
	for _, b := range s.buckets {
		if b.exemplar != nil {
			exemplar = b.exemplar
		}
	}
	for i, v := range s.observations {
		if exemplar != nil && i == len(s.observations)-1 {
			return h.ObserveWithExemplar(v, mapOf(exemplar.labels))
		}
		h.Observe(v)
	}
	return nil
}

// use makes the instrument, plain if the family has no labels, and updates its
// series.
func use[H any](f *familyPlan, names []string, update func(*H, *seriesPlan) error, plain func() (*H, error), labelled func() (*telltale.Vec[H], error)) error {
	if len(names) == 0 {
		handle, err := plain()
		if err != nil {
			return err
		}
		return update(handle, &f.series[0])
	}
	vec, err := labelled()
	if err != nil {
		return err
	}
	for i := range f.series {
		_, values := split(f.series[i].labels[len(f.consts):])
		if err := update(vec.With(values...), &f.series[i]); err != nil {
			return err
		}
	}
	return nil
}

// as turns options of every instrument into those of one.
func as[O any](options []telltale.Option) []O {
	var all []O
	for _, o := range options {
		all = append(all, any(o).(O))
	}
	return all
}

func withUnit[O any](options []telltale.Option, unit string) []O {
	all := as[O](options)
	if unit != "" {
		all = append(all, any(telltale.WithUnit(unit)).(O))
	}
	return all
}

// bounds returns the bucket bounds of a histogram's series.
func (f *familyPlan) bounds() []float64 {
	if len(f.series) == 0 {
		return []float64{1}
	}
	var bounds []float64
	for _, b := range f.series[0].buckets {
		bounds = append(bounds, b.upper)
	}
	return bounds
}

// stateNames returns the states of a state set, in order.
func (f *familyPlan) stateNames() []string {
	if len(f.series) == 0 {
		return []string{"none"}
	}
	var names []string
	for _, s := range f.series[0].states {
		names = append(names, s.name)
	}
	return names
}
