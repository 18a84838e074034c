package e2e

import (
	"math"
	"slices"
	"unicode/utf8"
)

// value gives a series its values.
func (d dice) value(f *familyPlan, s *seriesPlan, sh shape) {
	switch f.typ {
	case "counter":
		s.value, s.exemplar = d.amount(), d.exemplar(f)
		if f.unlawful != "" {
			s.value = d.number()
		}
	case "gauge", "unknown":
		s.value = d.number()
	case "summary":
		d.summary(f, s)
	case "histogram", "gaugehistogram":
		d.histogram(f, s, sh.bounds)
	case "info":
		var others []string
		for _, l := range s.labels {
			others = append(others, l.name)
		}
		s.info = d.fill(d.labelNames(f, d.IntN(4), others...), 0)
		slices.SortFunc(s.info, byName)
	case "stateset":
		on := d.IntN(len(sh.states))
		for i, name := range sh.states {
			// An instrument is in exactly one state; a state set need not be.
			s.states = append(s.states, statePlan{name, i == on || f.source != instrument && d.chance(20)})
		}
	}
	if f.source == instrument {
		d.observe(f, s, sh.bounds)
		return
	}
	if slices.Contains([]string{"counter", "summary", "histogram"}, f.typ) && !f.literal && d.chance(50) {
		s.created = d.moment()
	}
}

func (d dice) summary(f *familyPlan, s *seriesPlan) {
	if f.source == instrument {
		return
	}
	count, sum := float64(d.IntN(1e7)), d.amount()
	s.count, s.sum = &count, &sum
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		if d.chance(40) {
			s.quantiles = append(s.quantiles, quantilePlan{q, pick(d, d.amount(), math.NaN())})
		}
	}
	if f.unlawful != "" {
		*s.sum = d.number()
		for i := range s.quantiles {
			s.quantiles[i].v = d.number()
		}
	}
	if f.source == flat && len(s.quantiles) > 0 && d.chance(30) {
		s.count, s.sum = pick(d, s.count, nil), pick(d, s.sum, nil)
	}
}

func (d dice) histogram(f *familyPlan, s *seriesPlan, bounds []float64) {
	if f.source == instrument {
		return
	}
	total := 0.0
	for _, upper := range bounds {
		if total += float64(d.IntN(1000)); f.unlawful != "" {
			total += d.Float64() // OpenMetrics 1.0 counts in whole numbers
		}
		s.buckets = append(s.buckets, bucketPlan{upper, total, d.exemplar(f)})
	}
	s.count = &total
	if d.chance(80) {
		sum := d.amount()
		if s.negative() || f.unlawful != "" {
			sum = pick(d, sum, -sum)
		}
		s.sum = &sum
	}
	switch {
	case f.source == built:
		if f.typ == "histogram" && s.negative() {
			s.sum = nil // the builder takes away what could fall
		}
	case math.IsInf(s.lastBound(), 1) && d.chance(20):
		s.count = nil
	case f.unlawful != "" && !math.IsInf(s.lastBound(), 1):
		total += 0.5
	}
}

// observe plans what an instrument is fed and works out what it comes to.
func (d dice) observe(f *familyPlan, s *seriesPlan, bounds []float64) {
	recent := &moment{recent: true}
	switch f.typ {
	case "counter":
		s.created = recent
		if s.exemplar != nil {
			s.exemplar.value, s.exemplar.at = s.value, recent
			if !s.exemplar.accepted() {
				s.exemplar = nil
			}
		}
		return
	case "summary", "histogram":
		s.created = recent
	default:
		return
	}
	count, sum := 0.0, 0.0
	for range d.IntN(5) {
		v := d.ExpFloat64() * pick(d, 0.01, 1, 1e7)
		if len(bounds) > 0 && bounds[0] < 0 {
			v -= 1
		}
		s.observations = append(s.observations, v)
		count, sum = count+1, sum+v
	}
	s.count, s.sum = &count, &sum
	if f.typ == "summary" {
		return
	}
	for _, upper := range bounds {
		b := bucketPlan{upper: upper}
		for _, v := range s.observations {
			if v <= upper {
				b.cumulative++
			}
		}
		s.buckets = append(s.buckets, b)
	}
	if s.negative() {
		s.sum = nil
	}
	if len(s.observations) == 0 {
		return
	}
	// The last observation is made with an exemplar, if there is one.
	if e := d.exemplar(f); e != nil && e.accepted() {
		e.value, e.at = s.observations[len(s.observations)-1], recent
		i := slices.IndexFunc(s.buckets, func(b bucketPlan) bool { return e.value <= b.upper })
		s.buckets[i].exemplar = e
	}
}

// accepted reports whether an instrument takes the exemplar: up to 128
// characters. Those that come from collectors are looked at when written.
func (e *exemplarPlan) accepted() bool {
	runes := 0
	for _, l := range e.labels {
		runes += utf8.RuneCountInString(l.name) + utf8.RuneCountInString(l.value)
	}
	return runes <= 128
}
