package text

import (
	"cmp"
	"math"
	"slices"

	"telltale/internal/scan"
	"telltale/model"
)

// series is a histogram or summary being read.
type series struct {
	model.Point
	upper []float64 // of the buckets whose values the point has
}

// sample adds a sample to the family.
func (p *Parser) sample(e *Entry, part model.Parts) {
	p.samples = true
	switch p.family.Type {
	case model.Histogram, model.Summary:
		if !p.fold(e, part) {
			p.keepLoose(string(e.Name), p.texts.Labels(e.Labels), e.Value, e.Timestamp)
		}
	case model.Counter:
		p.single(e, model.PartTotal)
	default:
		p.single(e, model.PartValue)
	}
}

func (p *Parser) single(e *Entry, part model.Parts) {
	p.family.Append(model.Point{Labels: p.texts.Labels(e.Labels), Has: part, Timestamp: e.Timestamp, Value: e.Value})
}

func (p *Parser) keepLoose(name string, labels model.Labels, value float64, t model.Timestamp) {
	p.loose = append(p.loose, model.Sample{Name: name, Labels: labels, Value: value, Timestamp: t})
}

// fold puts a sample into its histogram or summary, or reports that it does not
// fit.
func (p *Parser) fold(e *Entry, part model.Parts) bool {
	labels, number := e.Labels, 0.0
	switch part {
	case model.PartBucket, model.PartValue:
		own := "le"
		if part == model.PartValue {
			own = "quantile"
		}
		i := labels.Find(own)
		if i < 0 {
			return false
		}
		var ok bool
		if number, ok = scan.Number(labels.Value(i)); !ok || math.IsNaN(number) {
			return false
		}
		labels = labels.Without(i, &p.scratch)
	case model.PartCount, model.PartSum:
	default:
		return false
	}
	s := p.find(labels, e.Timestamp)
	if single := part & (model.PartCount | model.PartSum); s.Has&single != 0 {
		return false
	}
	s.Has |= part
	switch {
	case part == model.PartBucket:
		s.upper = append(s.upper, number)
		s.Histogram.Cumulative = append(s.Histogram.Cumulative, e.Value)
	case part == model.PartValue:
		s.Summary.Quantiles = append(s.Summary.Quantiles, model.Quantile{Q: number, V: e.Value})
	case part == model.PartCount && s.Histogram != nil:
		s.Histogram.Count = e.Value
	case part == model.PartCount:
		s.Summary.Count = e.Value
	case s.Histogram != nil:
		s.Histogram.Sum = e.Value
	default:
		s.Summary.Sum = e.Value
	}
	return true
}

// find returns the series of the labels at the time, the last one mostly.
func (p *Parser) find(labels scan.Labels, t model.Timestamp) *series {
	n := len(p.series)
	if n > 0 && p.series[n-1].Timestamp == t && p.series[n-1].Labels.Text() == string(labels.Text()) {
		return &p.series[n-1]
	}
	hash := p.index.Hash(labels)
	if t.IsSet() {
		sec, nsec := t.UnixParts()
		hash += (uint64(sec)*1e9 + uint64(nsec) + 1) * 0x9e3779b97f4a7c15 // an odd number: no two times collide
	}
	if i, ok := p.index.Find(hash); ok && p.series[i].Timestamp == t &&
		p.series[i].Labels.Same(model.LabelsFromText(string(labels.Text()))) {
		return &p.series[i]
	}
	p.index.Enter(hash, n)
	s := series{Point: model.Point{Labels: p.texts.Labels(labels), Timestamp: t}}
	if p.family.Type == model.Summary {
		s.Summary = &model.SummaryValue{}
	} else {
		s.Histogram = &model.HistogramValue{}
		if n > 0 { // as many buckets as before, mostly
			size := len(p.series[n-1].upper)
			s.upper, s.Histogram.Cumulative = make([]float64, 0, size), make([]float64, 0, size)
		}
	}
	p.series = append(p.series, s)
	return &p.series[n]
}

// endSeries gives the series to the family.
func (p *Parser) endSeries() {
	for i := range p.series {
		s := &p.series[i]
		if s.Histogram != nil {
			p.endHistogram(s)
		} else {
			p.endSummary(s)
		}
		p.family.Append(s.Point)
	}
	clear(p.series)
	p.series = p.series[:0]
}

// endHistogram puts the buckets in order. Bounds that come twice are loose.
func (p *Parser) endHistogram(s *series) {
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
	for _, i := range order {
		if n := len(upper); n > 0 && upper[n-1] == s.upper[i] {
			le := model.LabelPairs([]string{"le"}, []string{model.FormatValue(s.upper[i])})
			p.keepLoose(p.family.Name+"_bucket", s.Labels.Append(le), h.Cumulative[i], s.Timestamp)
			continue
		}
		upper, cumulative = append(upper, s.upper[i]), append(cumulative, h.Cumulative[i])
	}
	h.Bounds, h.Cumulative = p.bounds.Of(upper), cumulative
}

// endSummary puts the quantiles in order. Quantiles that come twice are loose.
func (p *Parser) endSummary(s *series) {
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
