package model

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// BuilderOption is an option of the builders per type.
type BuilderOption interface{ applyBuilder(*builder) }

type builderOption func(*builder)

func (o builderOption) applyBuilder(b *builder) { o(b) }

// WithLabelNames sets the label names for whose values each Add has an argument.
func WithLabelNames(names ...string) BuilderOption {
	return builderOption(func(b *builder) { b.names = names })
}

// WithValue gives a family without labels its only value. It is an error
// together with [WithLabelNames].
func WithValue(v float64) BuilderOption {
	return builderOption(func(b *builder) { b.value = &v })
}

// builder is the common part of the builders of all types.
type builder struct {
	family        *Family
	familyOptions []FamilyOption
	names         []string
	value         *float64
}

func newBuilder(name, help string, typ Type, opts []BuilderOption) (b builder, err error) {
	for _, o := range opts {
		o.applyBuilder(&b)
	}
	if b.family, err = NewFamily(name, help, typ, b.familyOptions...); err != nil {
		return builder{}, err
	}
	b.family.Name = b.family.BaseName()
	if err = CheckLabelNames(b.family.Name, typ, b.names); err != nil {
		return builder{}, err
	}
	if b.value != nil {
		switch {
		case len(b.names) > 0:
			return builder{}, fmt.Errorf("model: family %q is given both a value and label names", name)
		case typ != Counter && typ != Gauge && typ != Unknown:
			return builder{}, fmt.Errorf("model: a %s (%q) cannot be given a single value", typ, name)
		case typ == Counter:
			if err = checkTotal(b.family, *b.value); err != nil {
				return builder{}, err
			}
		}
		return b, b.add(nil, Point{Has: typ.Parts() &^ PartCreated, Value: *b.value}, nil)
	}
	return b, nil
}

// Family returns the family built so far. Later additions appear in it.
func (b *builder) Family() *Family { return b.family }

func (b *builder) add(labelValues []string, p Point, opts []PointOption) error {
	if len(labelValues) != len(b.names) {
		return fmt.Errorf("model: %s %q has %d labels %q, but %d values %q were given",
			b.family.Type, b.family.Name, len(b.names), b.names, len(labelValues), labelValues)
	}
	for _, o := range opts {
		o.applyPoint(&p)
	}
	if p.Exemplar != nil && b.family.Type != Counter {
		return fmt.Errorf("model: a %s (%q) cannot have an exemplar", b.family.Type, b.family.Name)
	}
	if p.Histogram != nil && b.family.Type != Histogram && b.family.Type != GaugeHistogram {
		return fmt.Errorf("model: WithSum and WithNative are for histograms, and %q is a %s", b.family.Name, b.family.Type)
	}
	if p.Created.IsSet() && b.family.Type.Parts()&PartCreated == 0 {
		return fmt.Errorf("model: a %s (%q) has no created time", b.family.Type, b.family.Name)
	}
	p.Labels = LabelPairs(b.names, labelValues)
	b.family.Append(p)
	return nil
}

// CounterFamily builds a family of counters; "_total" is stripped from its name.
type CounterFamily struct{ builder }

// NewCounterFamily returns a builder of counters, or an error if name, unit or
// label names are not valid.
func NewCounterFamily(name, help string, opts ...BuilderOption) (*CounterFamily, error) {
	b, err := newBuilder(name, help, Counter, opts)
	return &CounterFamily{b}, err
}

// Add adds a series. A value below zero or NaN is an error.
func (c *CounterFamily) Add(labelValues []string, value float64, opts ...PointOption) error {
	if err := checkTotal(c.family, value); err != nil {
		return err
	}
	return c.add(labelValues, Point{Has: PartTotal, Value: value}, opts)
}

func checkTotal(f *Family, value float64) error {
	if !(value >= 0) {
		return fmt.Errorf("model: counter %q cannot have the value %s", f.Name, FormatValue(value))
	}
	return nil
}

// GaugeFamily builds a family of gauges.
type GaugeFamily struct{ builder }

// NewGaugeFamily returns a builder of gauges, or an error if name, unit or label
// names are not valid.
func NewGaugeFamily(name, help string, opts ...BuilderOption) (*GaugeFamily, error) {
	b, err := newBuilder(name, help, Gauge, opts)
	return &GaugeFamily{b}, err
}

// Add adds a series.
func (g *GaugeFamily) Add(labelValues []string, value float64, opts ...PointOption) error {
	return g.add(labelValues, Point{Has: PartValue, Value: value}, opts)
}

// UnknownFamily builds a family of values whose type is not known.
type UnknownFamily struct{ builder }

// NewUnknownFamily returns a builder of unknown values, or an error if name,
// unit or label names are not valid.
func NewUnknownFamily(name, help string, opts ...BuilderOption) (*UnknownFamily, error) {
	b, err := newBuilder(name, help, Unknown, opts)
	return &UnknownFamily{b}, err
}

// Add adds a series.
func (u *UnknownFamily) Add(labelValues []string, value float64, opts ...PointOption) error {
	return u.add(labelValues, Point{Has: PartValue, Value: value}, opts)
}

// SummaryFamily builds a family of summaries.
type SummaryFamily struct{ builder }

// NewSummaryFamily returns a builder of summaries, or an error if name, unit or
// label names are not valid.
func NewSummaryFamily(name, help string, opts ...BuilderOption) (*SummaryFamily, error) {
	b, err := newBuilder(name, help, Summary, opts)
	return &SummaryFamily{b}, err
}

// Add adds a series with its count and sum and, in increasing order, its
// quantiles, which may be none.
func (s *SummaryFamily) Add(labelValues []string, count, sum float64, quantiles []Quantile, opts ...PointOption) error {
	if err := checkCount(s.family, count); err != nil {
		return err
	}
	for i, q := range quantiles {
		if !(q.Q >= 0 && q.Q <= 1) || i > 0 && q.Q <= quantiles[i-1].Q {
			return fmt.Errorf("model: quantile %s of %q is not between 0 and 1, or not in increasing order", FormatValue(q.Q), s.family.Name)
		}
	}
	has := PartCount | PartSum
	if len(quantiles) > 0 {
		has |= PartValue
	}
	value := &SummaryValue{Count: count, Sum: sum, Quantiles: slices.Clone(quantiles)}
	return s.add(labelValues, Point{Has: has, Summary: value}, opts)
}

func checkCount(f *Family, count float64) error {
	if !(count >= 0) {
		return fmt.Errorf("model: %s %q cannot have the count %s", f.Type, f.Name, FormatValue(count))
	}
	return nil
}

// Bucket is one classic bucket for the histogram builders.
type Bucket struct {
	Upper      float64   // its upper bound, which belongs to it
	Cumulative float64   // observations at or below the bound
	Exemplar   *Exemplar // may be nil
}

type sumOption float64

func (o sumOption) applyPoint(p *Point) {
	p.histogram().Sum = float64(o)
	p.Has |= PartSum | PartGSum
}

// WithSum sets the sum of a histogram's observed values. It is an error for a
// histogram without buckets, whose sum would have no count.
func WithSum(sum float64) PointOption { return sumOption(sum) }

type nativePointOption struct{ h *NativeHistogram }

func (o nativePointOption) applyPoint(p *Point) { p.histogram().Native = o.h }

// WithNative gives a histogram native buckets, in addition to or instead of its
// classic ones.
func WithNative(h *NativeHistogram) PointOption { return nativePointOption{h} }

// HistogramFamily builds a family of histograms, of gauge histograms too.
type HistogramFamily struct{ builder }

// NewHistogramFamily returns a builder of histograms, or an error if name, unit
// or label names are not valid.
func NewHistogramFamily(name, help string, opts ...BuilderOption) (*HistogramFamily, error) {
	b, err := newBuilder(name, help, Histogram, opts)
	return &HistogramFamily{b}, err
}

// NewGaugeHistogramFamily returns a builder of gauge histograms, or an error if
// name, unit or label names are not valid.
func NewGaugeHistogramFamily(name, help string, opts ...BuilderOption) (*HistogramFamily, error) {
	b, err := newBuilder(name, help, GaugeHistogram, opts)
	return &HistogramFamily{b}, err
}

// Add adds a series. Buckets are in strictly increasing order of their bounds;
// the last is +Inf, and its value is the count of all observations. A sum beside
// negative bounds is dropped, since it could decrease (OpenMetrics 1.0, section
// "Histogram").
func (h *HistogramFamily) Add(labelValues []string, buckets []Bucket, opts ...PointOption) error {
	p := Point{}
	for _, o := range opts {
		o.applyPoint(&p)
	}
	value := p.histogram()
	if len(buckets) == 0 && value.Native == nil {
		return fmt.Errorf("model: %s %q is given no buckets, so its sum would be without a count", h.family.Type, h.family.Name)
	}
	if len(buckets) > 0 {
		if err := h.fill(value, buckets); err != nil {
			return err
		}
		p.Has |= PartBucket | PartCount | PartGCount
		if h.family.Type == Histogram && buckets[0].Upper < 0 {
			p.Has &^= PartSum
		}
	}
	p.Has &= h.family.Type.Parts()
	return h.add(labelValues, p, nil)
}

func (h *HistogramFamily) fill(value *HistogramValue, buckets []Bucket) error {
	upper := make([]float64, len(buckets))
	for i, b := range buckets {
		upper[i] = b.Upper
		value.Cumulative = append(value.Cumulative, b.Cumulative)
		value.Exemplars = append(value.Exemplars, b.Exemplar)
		if err := checkCount(h.family, b.Cumulative); err != nil {
			return err
		}
		if i > 0 && b.Cumulative < buckets[i-1].Cumulative {
			return fmt.Errorf("model: bucket le=%q of %q counts less than the bucket before", FormatValue(b.Upper), h.family.Name)
		}
	}
	bounds, err := NewBounds(upper)
	if err != nil {
		return fmt.Errorf("%w, in %s %q", err, h.family.Type, h.family.Name)
	}
	if !math.IsInf(upper[len(upper)-1], 1) {
		return fmt.Errorf("model: the last bucket of %s %q is not +Inf", h.family.Type, h.family.Name)
	}
	value.Bounds, value.Count = bounds, buckets[len(buckets)-1].Cumulative
	return nil
}

// InfoFamily builds a family of infos.
type InfoFamily struct{ builder }

// NewInfoFamily returns a builder of infos, or an error if the name or label
// names are not valid or a unit is given.
func NewInfoFamily(name, help string, opts ...BuilderOption) (*InfoFamily, error) {
	b, err := newBuilder(name, help, Info, opts)
	return &InfoFamily{b}, err
}

// Add adds a series with the labels that describe it. A label of info that is
// also a label of the series is an error.
func (i *InfoFamily) Add(labelValues []string, info map[string]string, opts ...PointOption) error {
	for _, name := range i.names {
		if _, both := info[name]; both {
			return fmt.Errorf("model: info %q is given label %q twice", i.family.Name, name)
		}
	}
	if err := CheckLabelNames(i.family.Name, Info, slices.Sorted(maps.Keys(info))); err != nil {
		return err
	}
	return i.add(labelValues, Point{Has: PartInfo, Value: 1, Info: LabelsOf(info)}, opts)
}

// StateSetFamily builds a family of state sets.
type StateSetFamily struct{ builder }

// NewStateSetFamily returns a builder of state sets, or an error if the name or
// label names are not valid or a unit is given.
func NewStateSetFamily(name, help string, opts ...BuilderOption) (*StateSetFamily, error) {
	b, err := newBuilder(name, help, StateSet, opts)
	return &StateSetFamily{b}, err
}

// Add adds a series with its states, sorted by name.
func (s *StateSetFamily) Add(labelValues []string, states map[string]bool, opts ...PointOption) error {
	p := Point{Has: PartValue}
	for _, name := range slices.Sorted(maps.Keys(states)) {
		p.States = append(p.States, State{Name: name, On: states[name]})
	}
	return s.add(labelValues, p, opts)
}
