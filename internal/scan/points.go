package scan

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"telltale/model"
)

// Points joins the samples of a family to its points, by their labels and
// timestamp, in whatever order they come. Samples that fit no point, such as a
// bucket whose bound is no number or a second count of one series, stay loose.
type Points struct {
	family  *model.Family
	own     string // the label that belongs to a bucket, a quantile or a state
	loose   []model.Sample
	series  []series
	created []created
	creates map[uint64]int // index in created, by the hash of labels and timestamp
	index   *Index
	texts   Texts
	bounds  Bounds
	scratch Labels
	before  float64 // see Before
}

// series is a point of several samples being read.
type series struct {
	model.Point
	upper []float64 // of the buckets whose values the point has
	last  int       // the line of its last sample
}

// Misfit is the reason why a sample is not what its type demands.
type Misfit uint8

// The misfits. With the last two, the sample is in its point nevertheless.
const (
	Fits      Misfit = iota
	NoPart           // the family has no samples with the name
	NoLabel          // the sample lacks the label that distinguishes the samples of a point
	BadLabel         // that label is not a number
	BadState         // the value is neither 0 nor 1
	Repeated         // the point has this sample already
	Unordered        // the bound or quantile is not above the one before
	Falling          // the bucket's count is less than that of the one before
)

// created is when a series began to count.
type created struct {
	model.Point
	taken bool // by a point with samples
}

// NewPoints returns a Points for one family after the other.
func NewPoints() *Points { return &Points{index: NewIndex()} }

// Begin begins a family, whose type must be known when its first sample comes.
func (p *Points) Begin(f *model.Family) { p.family = f }

// Created records the time at which a series began to count. It must be called
// before all other samples of the family are added.
func (p *Points) Created(e *Entry) {
	at, ok := model.UnixSeconds(e.Value)
	key := p.key(e.Labels, e.Timestamp)
	if _, again := p.creates[key]; !ok || again || len(e.Exemplars) > 0 {
		p.Loose(e)
		return
	}
	if p.creates == nil {
		p.creates = map[uint64]int{}
	}
	p.creates[key] = len(p.created)
	p.created = append(p.created, created{Point: model.Point{Labels: p.texts.Labels(e.Labels), Timestamp: e.Timestamp, Created: at}})
}

// createdOf returns the time at which a series began to count, at its first call
// for the series.
func (p *Points) createdOf(key uint64) model.Timestamp {
	i, ok := p.creates[key]
	if !ok || p.created[i].taken {
		return model.Timestamp{}
	}
	p.created[i].taken = true
	return p.created[i].Created
}

// Native adds a native histogram to its point.
func (p *Points) Native(e *Entry, h *model.NativeHistogram) {
	if p.family.Type == model.Histogram || p.family.Type == model.GaugeHistogram {
		if s := p.find(e.Labels, e.Timestamp); s.Histogram.Native == nil {
			s.Histogram.Native = h
			return
		}
	}
	p.LooseNative(e, h)
}

// LooseNative adds a native histogram that fits no point.
func (p *Points) LooseNative(e *Entry, h *model.NativeHistogram) {
	p.Loose(e)
	p.loose[len(p.loose)-1].NativeHistogram = h
}

// Loose adds a sample that fits no point.
func (p *Points) Loose(e *Entry) {
	p.keepLoose(string(e.Name), p.texts.Labels(e.Labels), e.Value, e.Timestamp)
	p.loose[len(p.loose)-1].Exemplar = p.texts.ExemplarOf(e)
}

// Add adds a sample as a part of the family, or as a loose sample if it fits no
// point or the part is 0.
func (p *Points) Add(e *Entry, part model.Parts) {
	if m := p.Fit(e, part); m != Fits && m < Unordered {
		p.Loose(e)
	}
}

// Fit adds a sample to its point as a part of the family, if it fits.
func (p *Points) Fit(e *Entry, part model.Parts) Misfit {
	if e.Composite != nil {
		p.family.Append(e.Whole(p.texts.Labels(e.Labels), &p.texts, &p.bounds))
		return Fits
	}
	switch p.family.Type {
	case model.Histogram, model.GaugeHistogram, model.Summary, model.StateSet:
		return p.fold(e, part)
	default:
		point := model.Point{
			Labels: p.texts.Labels(e.Labels), Has: part, Timestamp: e.Timestamp, Created: e.Start,
			Value: e.Value, Exemplar: p.texts.ExemplarOf(e),
		}
		if len(p.created) > 0 && !e.Start.IsSet() {
			point.Created = p.createdOf(p.key(e.Labels, e.Timestamp))
		}
		p.family.Append(point)
	}
	return Fits
}

func (p *Points) keepLoose(name string, labels model.Labels, value float64, t model.Timestamp) {
	p.loose = append(p.loose, model.Sample{Name: name, Labels: labels, Value: value, Timestamp: t})
}

// fold adds a sample to its point, if it fits.
func (p *Points) fold(e *Entry, part model.Parts) Misfit {
	labels, place, number := e.Labels, 0, 0.0
	switch part {
	case model.PartBucket, model.PartValue:
		if p.own == "" {
			p.own = ownLabel(p.family)
		}
		if place = labels.FindName(p.own); place < 0 {
			return NoLabel
		}
		if p.family.Type == model.StateSet {
			if e.Value != 0 && e.Value != 1 {
				return BadState
			}
		} else {
			var ok bool
			if number, ok = Number(labels.Value(place)); !ok || math.IsNaN(number) {
				return BadLabel
			}
		}
		labels = labels.Without(place, &p.scratch)
	case model.PartCount, model.PartSum, model.PartGCount, model.PartGSum:
	default:
		return NoPart
	}
	s := p.find(labels, e.Timestamp)
	s.last = e.Line
	const counts, sums = model.PartCount | model.PartGCount, model.PartSum | model.PartGSum
	if s.Has&part&(counts|sums) != 0 {
		return Repeated
	}
	s.Has |= part
	switch {
	case part == model.PartBucket:
		return p.bucket(s, number, e)
	case p.family.Type == model.StateSet:
		s.States = append(s.States, model.State{Name: p.texts.Value(e.Labels, place), On: e.Value == 1})
	case part == model.PartValue:
		return p.quantile(s, model.Quantile{Q: number, V: e.Value})
	case part&counts != 0 && s.Histogram != nil:
		s.Histogram.Count = e.Value
	case part&counts != 0:
		s.Summary.Count = e.Value
	case s.Histogram != nil:
		s.Histogram.Sum = e.Value
	default:
		s.Summary.Sum = e.Value
	}
	return Fits
}

// ownLabel returns the label that distinguishes the samples of a point.
func ownLabel(f *model.Family) string {
	switch f.Type {
	case model.Summary:
		return "quantile"
	case model.StateSet:
		return f.Name
	}
	return "le"
}

func (p *Points) bucket(s *series, upper float64, e *Entry) Misfit {
	h, m := s.Histogram, Fits
	if n := len(s.upper); n > 0 {
		p.before = s.upper[n-1]
		switch {
		case upper <= p.before:
			m = Unordered
		case !(e.Value >= h.Cumulative[n-1]):
			m = Falling
		}
	}
	s.upper = append(s.upper, upper)
	h.Cumulative = append(h.Cumulative, e.Value)
	if x := p.texts.ExemplarOf(e); x != nil {
		h.Exemplars = append(h.Exemplars, make([]*model.Exemplar, len(h.Cumulative)-1-len(h.Exemplars))...)
		h.Exemplars = append(h.Exemplars, x)
	}
	return m
}

func (p *Points) quantile(s *series, q model.Quantile) Misfit {
	m := Fits
	if n := len(s.Summary.Quantiles); n > 0 {
		if p.before = s.Summary.Quantiles[n-1].Q; q.Q <= p.before {
			m = Unordered
		}
	}
	s.Summary.Quantiles = append(s.Summary.Quantiles, q)
	return m
}

// Before returns the bound or quantile before one that is out of order.
func (p *Points) Before() float64 { return p.before }

// Histogram is a classic histogram as read from its lines, in their order.
type Histogram struct {
	Last       int // the line of the last sample
	Labels     model.Labels
	Has        model.Parts
	Upper      []float64
	Cumulative []float64
	Count      float64
}

// Histograms returns the histograms that the family has so far.
func (p *Points) Histograms() iter.Seq[Histogram] {
	return func(yield func(Histogram) bool) {
		for i := range p.series {
			s := &p.series[i]
			h := s.Histogram
			if h != nil && !yield(Histogram{s.last, s.Labels, s.Has, s.upper, h.Cumulative, h.Count}) {
				return
			}
		}
	}
}

// key returns a hash of labels and time that does not depend on the order of the
// labels.
func (p *Points) key(labels Labels, t model.Timestamp) uint64 {
	hash := p.index.Hash(labels)
	if t.IsSet() {
		hash = hashAt(hash, t)
	}
	return hash
}

// find returns the series of the labels at the time, which is mostly the last
// one.
func (p *Points) find(labels Labels, t model.Timestamp) *series {
	n := len(p.series)
	if n > 0 && p.series[n-1].Timestamp == t && p.series[n-1].Labels.Text() == string(labels.Text()) {
		return &p.series[n-1]
	}
	hash := p.key(labels, t)
	if i, ok := p.index.Find(hash); ok && p.series[i].Timestamp == t &&
		p.series[i].Labels.Same(model.LabelsFromText(string(labels.Text()))) {
		return &p.series[i]
	}
	p.index.Enter(hash, n)
	s := series{Point: model.Point{Labels: p.texts.Labels(labels), Timestamp: t, Created: p.createdOf(hash)}}
	switch p.family.Type {
	case model.Summary:
		s.Summary = &model.SummaryValue{}
	case model.Histogram, model.GaugeHistogram:
		s.Histogram = &model.HistogramValue{}
		if n > 0 { // mostly the number of buckets before
			size := len(p.series[n-1].upper)
			s.upper, s.Histogram.Cumulative = make([]float64, 0, size), make([]float64, 0, size)
		}
	}
	p.series = append(p.series, s)
	return &p.series[n]
}

// End ends the family and returns it.
func (p *Points) End() *model.Family {
	f := p.family
	for i := range p.series {
		s := &p.series[i]
		switch {
		case s.Histogram != nil:
			p.endHistogram(s)
		case s.Summary != nil:
			p.endSummary(s)
		default:
			p.endStates(s)
		}
		f.Append(s.Point)
	}
	for _, c := range p.created {
		if !c.taken {
			f.Append(c.Point)
		}
	}
	clear(p.series)
	if p.series = p.series[:0]; len(p.loose) > 0 {
		f = f.WithLoose(p.loose)
	}
	p.family, p.own, p.loose, p.created, p.creates = nil, "", nil, nil, nil
	p.index.Reset()
	p.texts.Reset()
	return f
}

// endHistogram sorts the buckets. Repeated bounds become loose samples.
func (p *Points) endHistogram(s *series) {
	h := s.Histogram
	if len(s.upper) == 0 {
		return
	}
	if h.Bounds = p.bounds.Of(s.upper); h.Bounds != nil {
		return
	}
	order := make([]int, len(s.upper))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.upper[a], s.upper[b]) })
	var upper, cumulative []float64
	var exemplars []*model.Exemplar
	for _, i := range order {
		if n := len(upper); n > 0 && upper[n-1] == s.upper[i] {
			le := model.LabelPairs([]string{"le"}, []string{model.FormatValue(s.upper[i])})
			p.keepLoose(p.family.Name+"_bucket", s.Labels.Append(le), h.Cumulative[i], s.Timestamp)
			continue
		}
		upper, cumulative = append(upper, s.upper[i]), append(cumulative, h.Cumulative[i])
		exemplars = append(exemplars, h.Exemplar(i))
	}
	h.Bounds, h.Cumulative = p.bounds.Of(upper), cumulative
	if h.Exemplars != nil {
		h.Exemplars = exemplars
	}
}

// endSummary sorts the quantiles. Repeated quantiles become loose samples.
func (p *Points) endSummary(s *series) {
	all := s.Summary.Quantiles
	slices.SortStableFunc(all, func(a, b model.Quantile) int { return cmp.Compare(a.Q, b.Q) })
	kept := all[:0]
	for _, q := range all {
		if n := len(kept); n > 0 && kept[n-1].Q == q.Q {
			label := model.LabelPairs([]string{"quantile"}, []string{model.FormatValue(q.Q)})
			p.keepLoose(p.family.Name, s.Labels.Append(label), q.V, s.Timestamp)
			continue
		}
		kept = append(kept, q)
	}
	s.Summary.Quantiles = kept
}

// endStates moves repeated states to the loose samples.
func (p *Points) endStates(s *series) {
	seen := make(map[string]bool, len(s.States))
	kept := s.States[:0]
	for _, state := range s.States {
		if seen[state.Name] {
			label := model.LabelPairs([]string{p.family.Name}, []string{state.Name})
			value := 0.0
			if state.On {
				value = 1
			}
			p.keepLoose(p.family.Name, s.Labels.Append(label), value, s.Timestamp)
			continue
		}
		seen[state.Name] = true
		kept = append(kept, state)
	}
	s.States = kept
}
