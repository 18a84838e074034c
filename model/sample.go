package model

import (
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Sample is one line of a flat exposition: a name, labels and a value.
type Sample struct {
	Name            string
	Labels          Labels
	Value           float64
	Timestamp       Timestamp        // may be absent
	Exemplar        *Exemplar        // may be nil
	NativeHistogram *NativeHistogram // may be nil
}

func (s Sample) clone() Sample {
	s.Name, s.Labels = strings.Clone(s.Name), s.Labels.Clone()
	s.Exemplar, s.NativeHistogram = s.Exemplar.clone(), s.NativeHistogram.Clone()
	return s
}

// SampleOption is an option of [Family.AddSample].
type SampleOption interface{ applySample(*Sample) }

// PointOption is an option of the builders of one type, such as
// [CounterFamily.Add].
type PointOption interface{ applyPoint(*Point) }

// ValueOption fits both samples and points.
type ValueOption interface {
	SampleOption
	PointOption
}

type timestampOption Timestamp

func (o timestampOption) applySample(s *Sample) { s.Timestamp = Timestamp(o) }
func (o timestampOption) applyPoint(p *Point)   { p.Timestamp = Timestamp(o) }

// WithTimestamp sets the time at which the value was taken. Without it scrapers
// use the time of the scrape, which is right for every value that is current.
func WithTimestamp(t time.Time) ValueOption { return timestampOption(TimestampOf(t)) }

type exemplarOption Exemplar

func (o exemplarOption) applySample(s *Sample) { e := Exemplar(o); s.Exemplar = &e }
func (o exemplarOption) applyPoint(p *Point)   { e := Exemplar(o); p.Exemplar = &e }

// WithExemplar attaches an exemplar.
func WithExemplar(e Exemplar) ValueOption { return exemplarOption(e) }

type nativeOption struct{ h *NativeHistogram }

func (o nativeOption) applySample(s *Sample) { s.NativeHistogram = o.h }

// WithNativeHistogram makes a native histogram the sample's value.
func WithNativeHistogram(h *NativeHistogram) SampleOption { return nativeOption{h} }

type createdOption Timestamp

func (o createdOption) applyPoint(p *Point) { p.Created = Timestamp(o) }

// WithCreated sets the time at which a series began to count.
func WithCreated(t time.Time) PointOption { return createdOption(TimestampOf(t)) }

// AddSample adds one flat sample, with its labels sorted by name. It becomes
// part of the last point or begins a new one: "h_bucket", "h_sum" and "h_count"
// of a histogram with the same labels and timestamp, one after the other, are
// one point. A sample that fits no point of the family's type is kept as a loose
// sample: the text format prints it, structured formats drop and report it.
func (f *Family) AddSample(name string, labels map[string]string, value float64, opts ...SampleOption) {
	s := Sample{Name: name, Labels: LabelsOf(labels), Value: value}
	for _, o := range opts {
		o.applySample(&s)
	}
	if f.Type == Counter && name == f.Name && !strings.HasSuffix(name, "_total") && f.empty() && len(f.loose) == 0 {
		f.literal = true
	}
	if !f.fold(s) {
		f.loose = append(f.loose, s)
	}
}

// fold adds a sample to its point, or returns false if it fits none.
func (f *Family) fold(s Sample) bool {
	part, ok := f.partOf(s.Name)
	switch {
	case !ok:
		return false
	case s.NativeHistogram != nil:
		if (f.Type != Histogram && f.Type != GaugeHistogram) || s.Name != f.Name || s.Exemplar != nil { // a bucket or count has its own exemplar
			return false
		}
		p := f.pointFor(s, func(p *Point) bool { return p.Histogram != nil && p.Histogram.Native != nil })
		p.histogram().Native = s.NativeHistogram
		return true
	case s.Exemplar != nil && part != PartTotal && part != PartBucket:
		return false
	}
	switch part {
	case PartCreated:
		created, ok := UnixSeconds(s.Value)
		if !ok {
			return false
		}
		f.pointFor(s, func(p *Point) bool { return p.Created.IsSet() }).Created = created
		return true
	case PartBucket:
		return f.foldBucket(s)
	case PartValue:
		switch f.Type {
		case Summary:
			return f.foldQuantile(s)
		case StateSet:
			return f.foldState(s)
		case Histogram, GaugeHistogram:
			return false
		}
	}
	p := f.pointFor(s, func(p *Point) bool { return p.Has&part != 0 })
	p.Has |= part
	switch part {
	case PartCount, PartGCount:
		if f.Type == Summary {
			p.summary().Count = s.Value
		} else {
			p.histogram().Count = s.Value
		}
	case PartSum, PartGSum:
		if f.Type == Summary {
			p.summary().Sum = s.Value
		} else {
			p.histogram().Sum = s.Value
		}
	default:
		p.Value, p.Exemplar = s.Value, s.Exemplar
	}
	return true
}

// partOf returns the part whose samples have the name.
func (f *Family) partOf(name string) (found Parts, ok bool) {
	f.Type.Parts().Each(func(part Parts) {
		if !ok && f.NameOf(part) == name {
			found, ok = part, true
		}
	})
	if !ok && (f.Type == Histogram || f.Type == GaugeHistogram) && name == f.Name {
		return PartValue, true // the part of native histograms
	}
	return found, ok
}

// pointFor returns the last point if it has the sample's labels and timestamp
// and lacks the part, else a new one.
func (f *Family) pointFor(s Sample, has func(*Point) bool) *Point {
	p := f.points.newest()
	last := f.scalars.newest()
	if p == nil && last != nil && last.Labels == s.Labels {
		f.points.add(last.point(f.part)) // as a point it may get other samples
		f.scalars.removeNewest()
		p = f.points.newest()
	}
	if p != nil && p.Labels == s.Labels && p.Timestamp == s.Timestamp && !has(p) {
		return p
	}
	f.points.add(Point{Labels: s.Labels, Timestamp: s.Timestamp})
	return f.points.newest()
}

func (p *Point) histogram() *HistogramValue {
	if p.Histogram == nil {
		p.Histogram = &HistogramValue{}
	}
	return p.Histogram
}

func (p *Point) summary() *SummaryValue {
	if p.Summary == nil {
		p.Summary = &SummaryValue{}
	}
	return p.Summary
}

func (f *Family) foldBucket(s Sample) bool {
	series, upper, ok := splitNumber(s.Labels, "le")
	if !ok {
		return false
	}
	s.Labels = series
	p := f.pointFor(s, func(p *Point) bool {
		b := p.Histogram
		return b != nil && b.Bounds.Len() > 0 && upper <= b.Bounds.upper[b.Bounds.Len()-1]
	})
	h := p.histogram()
	h.Bounds = h.Bounds.and(upper)
	h.Cumulative = append(h.Cumulative, s.Value)
	if s.Exemplar != nil {
		for len(h.Exemplars) < len(h.Cumulative)-1 {
			h.Exemplars = append(h.Exemplars, nil)
		}
		h.Exemplars = append(h.Exemplars, s.Exemplar)
	}
	p.Has |= PartBucket
	return true
}

func (f *Family) foldQuantile(s Sample) bool {
	series, q, ok := splitNumber(s.Labels, "quantile")
	if !ok {
		return false
	}
	s.Labels = series
	p := f.pointFor(s, func(p *Point) bool {
		return p.Summary != nil && len(p.Summary.Quantiles) > 0 && q <= p.Summary.Quantiles[len(p.Summary.Quantiles)-1].Q
	})
	p.summary().Quantiles = append(p.summary().Quantiles, Quantile{Q: q, V: s.Value})
	p.Has |= PartValue
	return true
}

func (f *Family) foldState(s Sample) bool {
	series, state, ok := split(s.Labels, f.Name)
	if !ok || s.Value != 0 && s.Value != 1 {
		return false
	}
	s.Labels = series
	p := f.pointFor(s, func(p *Point) bool {
		for _, had := range p.States {
			if had.Name == state {
				return true
			}
		}
		return false
	})
	p.States = append(p.States, State{Name: state, On: s.Value == 1})
	p.Has |= PartValue
	return true
}

// split removes one label from others.
func split(labels Labels, name string) (rest Labels, value string, ok bool) {
	var text []byte
	for n, v := range labels.All() {
		if n == name {
			value, ok = v, true
		} else {
			text = AppendLabel(text, n, v)
		}
	}
	return Labels{string(text)}, value, ok
}

func splitNumber(labels Labels, name string) (rest Labels, number float64, ok bool) {
	rest, text, ok := split(labels, name)
	if !ok {
		return labels, 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	return rest, number, err == nil && !math.IsNaN(number) && !strings.ContainsAny(text, "xX_")
}

// Samples expands the points into flat samples, in the order in which the text
// formats print them, followed by the loose ones. The samples are copies that
// the caller may keep.
func (f *Family) Samples() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		var scratch Point
		stopped := f.Visit(&scratch, func(p *Point) error {
			c := p.Clone()
			if !f.expand(&c, yield) {
				return errStop
			}
			return nil
		})
		if stopped != nil {
			return
		}
		for _, s := range f.loose {
			if !yield(s.clone()) {
				return
			}
		}
	}
}

type stop struct{}

func (stop) Error() string { return "stopped" }

var errStop error = stop{}

// expand yields the samples of one point.
func (f *Family) expand(p *Point, yield func(Sample) bool) bool {
	has := p.Has & f.Mask()
	sample := func(part Parts, labels Labels, v float64, e *Exemplar) bool {
		return has&part == 0 || yield(Sample{Name: f.NameOf(part), Labels: labels, Value: v, Timestamp: p.Timestamp, Exemplar: e})
	}
	ok := true
	switch f.Type {
	case Summary:
		for _, q := range p.Summary.quantiles() {
			ok = ok && sample(PartValue, p.Labels.Append(Labels{string(AppendLabel(nil, "quantile", FormatValue(q.Q)))}), q.V, nil)
		}
		if p.Summary != nil {
			ok = ok && sample(PartCount, p.Labels, p.Summary.Count, nil) && sample(PartSum, p.Labels, p.Summary.Sum, nil)
		}
	case Histogram, GaugeHistogram:
		ok = f.expandHistogram(p, sample, yield)
	case StateSet:
		for _, s := range p.States {
			v := 0.0
			if s.On {
				v = 1
			}
			ok = ok && sample(PartValue, p.Labels.Append(Labels{string(AppendLabel(nil, f.Name, s.Name))}), v, nil)
		}
	case Info:
		ok = sample(PartInfo, p.Labels.Append(p.Info), p.Value, p.Exemplar)
	case Counter:
		ok = sample(PartTotal, p.Labels, p.Value, p.Exemplar)
	default:
		ok = sample(PartValue, p.Labels, p.Value, p.Exemplar)
	}
	if ok && p.Created.IsSet() && f.Mask()&f.Type.Parts()&PartCreated != 0 {
		return yield(Sample{Name: f.NameOf(PartCreated), Labels: p.Labels, Value: p.Created.Seconds(), Timestamp: p.Timestamp})
	}
	return ok
}

func (s *SummaryValue) quantiles() []Quantile {
	if s == nil {
		return nil
	}
	return s.Quantiles
}

func (f *Family) expandHistogram(p *Point, sample func(Parts, Labels, float64, *Exemplar) bool, yield func(Sample) bool) bool {
	h := p.Histogram
	if h == nil {
		return true
	}
	if h.Native != nil && f.hidden == 0 &&
		!yield(Sample{Name: f.Name, Labels: p.Labels, Value: h.Native.Count, Timestamp: p.Timestamp, NativeHistogram: h.Native}) {
		return false
	}
	for i, v := range h.Cumulative {
		if !sample(PartBucket, p.Labels.Append(Labels{h.Bounds.Label(i)}), v, h.Exemplar(i)) {
			return false
		}
	}
	count, sum := PartCount, PartSum
	if f.Type == GaugeHistogram {
		count, sum = PartGCount, PartGSum
	}
	return sample(count, p.Labels, h.Count, nil) && sample(sum, p.Labels, h.Sum, nil)
}
