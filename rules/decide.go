package rules

// Decisions about one series, and points as they are then.

import (
	"fmt"
	"math"
	"slices"

	"telltale/model"
)

func bitsOf(v float64) uint64 { return math.Float64bits(v) }

// decide applies the rules to a series.
func (w *walker) decide(s *series) (o outcome, out uint64, which int32) {
	b, e := w.branch, &w.eval
	e.values = e.values[:0]
	if b.apart {
		e.values = s.appendApart(e.values)
		o.from = s.bounds()
	}
	e.begin(b.parts, s.labels, s.info)
	e.run(b.ops)
	o.parts = e.alive
	switch {
	case e.err != nil:
		o.err = fmt.Errorf("the series %s: %w", s.labels, e.err)
		return o, 0, ownOutcomes
	case e.alive&^model.PartCreated == 0:
		o.gone = true
		if o.from == nil {
			return o, 0, dropped
		}
		return o, 0, ownOutcomes
	}
	if e.changed {
		o.relabelled, o.labels = true, e.text()
		if err := w.check(s); err != nil {
			o.err = err
			return o, 0, ownOutcomes
		}
	}
	if lost := b.parts &^ e.alive; lost&model.PartBucket != 0 && isHistogram(w.family.Type) && e.alive&^(model.PartCreated|model.PartValue) != 0 {
		o.parts |= model.PartBucket // for +Inf
		for i := range e.keep {
			e.keep[i] = false
		}
	}
	if len(e.values) > 0 && slices.Contains(e.keep, false) {
		o.pick(e.keep)
	}
	o.changed = o.relabelled || o.parts != b.parts || o.keep != nil
	if b.relabels {
		out = e.hash()
	}
	if !o.changed && o.from == nil {
		return o, out, asItIs
	}
	return o, out, ownOutcomes
}

// check returns an error if the family's series cannot have the labels that rules
// gave one. Reserved names that the series had are its own affair.
func (w *walker) check(s *series) error {
	names, made := w.names[:0], false
	for _, l := range w.eval.labels {
		isNew := l.since > 0 && !s.has(l.name)
		if made = made || isNew; isNew || l.name[0] != '_' {
			names = append(names, l.name)
		}
	}
	w.names = names
	if !made {
		return nil
	}
	if !slices.Equal(names, w.checked) || w.checked == nil {
		w.checked = slices.Clone(names)
		w.unfit = model.CheckLabelNames(w.family.Name, w.family.Type, w.checked)
		for _, l := range w.eval.labels {
			if l.since > 0 && w.unfit == nil && !s.has(l.name) && model.Underscores.LabelName(l.name)[0] == '_' {
				w.unfit = fmt.Errorf("the label %q begins with an underscore where names are escaped, which OpenMetrics reserves", l.name)
			}
		}
	}
	if w.unfit != nil {
		return fmt.Errorf("rules give the series %s labels that it cannot have: %w", s.labels, w.unfit)
	}
	return nil
}

// has reports whether the series has a label before the rules.
func (s *series) has(name string) bool {
	_, has := s.labels.Get(name)
	_, in := s.info.Get(name)
	return has || in
}

// appendApart appends the values of the label that tells the samples of a series
// apart.
func (s *series) appendApart(values []string) []string {
	if s.histogram != nil {
		for i := range s.histogram.Bounds.Len() {
			values = append(values, s.histogram.Bounds.Spelling(i))
		}
	}
	if s.summary != nil {
		for _, q := range s.summary.Quantiles {
			values = append(values, model.FormatValue(q.Q))
		}
	}
	for _, state := range s.states {
		values = append(values, state.Name)
	}
	return values
}

// pick notes which of the samples that a label tells apart are left. The bucket +Inf
// is.
func (o *outcome) pick(keep []bool) {
	o.keep = slices.Clone(keep)
	if o.from.Len() == 0 {
		return
	}
	upper := o.from.Upper()
	if last := len(upper) - 1; math.IsInf(upper[last], 1) {
		o.keep[last] = true
	}
	var left []float64
	for i, bound := range upper {
		if o.keep[i] {
			left = append(left, bound)
		}
	}
	o.bounds, _ = model.NewBounds(left) // which are in order, as they were
}

// shape is room for points that rules changed.
type shape struct {
	point     model.Point
	histogram model.HistogramValue
	summary   model.SummaryValue
	buckets   []float64
	exemplars []*model.Exemplar
	quantiles []model.Quantile
	states    []model.State
}

// apply returns a point as it is after the rules, valid until the next call, or false
// if nothing of it is left.
func (s *shape) apply(b *branch, o *outcome, p *model.Point, native bool) (*model.Point, bool) {
	s.point = *p
	c := &s.point
	if o.relabelled {
		c.Labels, c.Info = model.LabelsFromText(o.labels), model.Labels{}
	}
	lost := b.gone
	if o.changed { // else it is shared, and knows no parts
		lost |= b.parts &^ o.parts
	}
	if p.Has&lost != 0 {
		c.Has &^= lost
	}
	if lost&model.PartCreated != 0 {
		c.Created = model.Timestamp{}
	}
	if p.Histogram != nil && (o.bounds != nil || native && lost&model.PartValue != 0) {
		s.applyHistogram(o, p.Histogram, native && lost&model.PartValue != 0)
	}
	if o.keep != nil {
		s.pick(o, p)
	}
	left := c.Has != 0 || c.Histogram != nil && c.Histogram.Native != nil
	return c, left || p.Has == 0 && (p.Histogram == nil || p.Histogram.Native == nil)
}

func (s *shape) applyHistogram(o *outcome, h *model.HistogramValue, withoutNative bool) {
	s.histogram = *h
	c := &s.histogram
	s.point.Histogram = c
	if withoutNative {
		c.Native = nil
	}
	if o.bounds == nil {
		return
	}
	s.buckets, s.exemplars = s.buckets[:0], s.exemplars[:0]
	for i, keep := range o.keep {
		if keep && i < len(h.Cumulative) {
			s.buckets, s.exemplars = append(s.buckets, h.Cumulative[i]), append(s.exemplars, h.Exemplar(i))
		}
	}
	c.Bounds, c.Cumulative, c.Exemplars = o.bounds, s.buckets, s.exemplars
}

// pick takes out quantiles and states.
func (s *shape) pick(o *outcome, p *model.Point) {
	if p.Summary != nil {
		s.summary, s.quantiles = *p.Summary, s.quantiles[:0]
		for i, q := range p.Summary.Quantiles {
			if i < len(o.keep) && o.keep[i] {
				s.quantiles = append(s.quantiles, q)
			}
		}
		s.summary.Quantiles, s.point.Summary = s.quantiles, &s.summary
	}
	if len(p.States) > 0 {
		s.states = s.states[:0]
		for i, state := range p.States {
			if i < len(o.keep) && o.keep[i] {
				s.states = append(s.states, state)
			}
		}
		s.point.States = s.states
	}
}
