package openmetrics

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"telltale/internal/scan"
	"telltale/model"
)

// point is the point being read.
type point struct {
	model.Point
	open bool
	torn bool  // a line of it was wrong and is missing
	last place // its last sample

	upper      []float64 // of buckets
	cumulative []float64
	exemplars  []*model.Exemplar
	count, sum float64
	quantiles  []model.Quantile
	states     []model.State
}

// sample adds a sample to its point. Metrics, and the points of each, follow
// each other without going back (section "MetricPoint"): so a sample belongs to
// the point before it, or to a new one.
func (p *Parser) sample(e *Entry, part model.Parts) error {
	if !p.samples {
		if err := p.settle(); err != nil {
			return err
		}
		p.samples = true
	}
	if err := p.scanner.page.CheckReserved(nil); err != nil {
		return err
	}
	if err := p.checkExemplar(e, part); err != nil {
		return err
	}
	series := e.Labels
	var own int
	switch {
	case part == model.PartBucket:
		own = series.Find("le")
	case part == model.PartValue && p.family.Type == model.Summary:
		own = series.Find("quantile")
	case p.family.Type == model.StateSet:
		own = series.FindName(p.family.Name)
	default:
		return p.single(e, part, series)
	}
	if own < 0 {
		return p.scanner.page.Fail(p.scanner.page.Columns.Name, "no label for the bucket, quantile or state", p.ownLabel(part))
	}
	if err := p.reach(e, series.Without(own, &p.scratch)); err != nil {
		return err
	}
	switch {
	case part == model.PartBucket:
		return p.bucket(e, own)
	case p.family.Type == model.Summary:
		return p.quantile(e, own)
	}
	return p.state(e, own)
}

func (p *Parser) ownLabel(part model.Parts) string {
	switch {
	case part == model.PartBucket:
		return `the label "le"`
	case p.family.Type == model.Summary:
		return `the label "quantile"`
	}
	return "a label named like the state set"
}

// single adds a sample that occurs once in its point.
func (p *Parser) single(e *Entry, part model.Parts, series scan.Labels) error {
	if err := p.checkLabels(series); err != nil {
		return err
	}
	if err := p.checkValue(e, part); err != nil {
		return err
	}
	if err := p.reach(e, series); err != nil {
		return err
	}
	pt := &p.point
	again := pt.Has&part != 0 || part == model.PartCreated && pt.Created.IsSet()
	if again {
		// Timestamps with more digits than are kept may look equal.
		if !e.Timestamp.IsSet() || p.family.Type == model.Summary || p.family.Type == model.Histogram ||
			p.family.Type == model.GaugeHistogram || part == model.PartCreated {
			return p.repeated()
		}
		labels := pt.Labels
		if err := p.families.Heed(p.endPoint()); err != nil {
			return err
		}
		p.openPoint(e, labels)
	}
	if part != model.PartCreated { // Has does not know it
		pt.Has |= part
	}
	switch part {
	case model.PartCreated:
		pt.Created, _ = model.UnixSeconds(e.Value) // checkValue has checked it
	case model.PartCount, model.PartGCount:
		pt.count = e.Value
	case model.PartSum, model.PartGSum:
		pt.sum = e.Value
	default:
		pt.Value = e.Value
		if len(e.Exemplars) > 0 {
			pt.Exemplar = p.texts.Exemplar(&e.Exemplars[0])
		}
	}
	return nil
}

func (p *Parser) repeated() error {
	s := p.scanner.page
	return s.Fail(s.Columns.Name, "the same series again", "each series once for each timestamp")
}

// reach moves to the point that a sample belongs to.
func (p *Parser) reach(e *Entry, series scan.Labels) error {
	pt := &p.point
	step, err := p.order.Step(p.scanner.page.Scanner, series)
	switch {
	case err == nil:
	case step == scan.NextPoint && pt.torn: // by such an error too
		return scan.ErrTold
	default:
		return err
	}
	if step == scan.SamePoint {
		pt.last = place{e.Line, 1}
		return nil
	}
	labels := pt.Labels
	if pt.open {
		if err := p.families.Heed(p.endPoint()); err != nil {
			return err
		}
	}
	if step == scan.NextMetric {
		labels = p.texts.Labels(series)
	}
	p.openPoint(e, labels)
	return nil
}

func (p *Parser) openPoint(e *Entry, labels model.Labels) {
	pt := &p.point
	pt.Point = model.Point{Labels: labels, Timestamp: e.Timestamp}
	pt.open, pt.torn, pt.last = true, p.torn, place{e.Line, 1}
	p.torn = false
	pt.count, pt.sum = 0, 0
	pt.upper, pt.cumulative, pt.quantiles, pt.states = pt.upper[:0], pt.cumulative[:0], pt.quantiles[:0], pt.states[:0]
	clear(pt.exemplars)
	pt.exemplars = pt.exemplars[:0]
}

// bucket adds a bucket. Buckets come in increasing order of their bounds and
// are cumulative (sections "Histogram").
func (p *Parser) bucket(e *Entry, own int) error {
	pt, s := &p.point, p.scanner.page
	text := e.Labels.Value(own)
	upper, ok := scan.Number(text)
	if !ok || math.IsNaN(upper) || math.IsInf(upper, 1) && string(text) != "+Inf" {
		return s.Fail(e.Labels.Column(own), "the bound "+scan.Quote(text), "a number, or +Inf in this spelling")
	}
	if err := p.checkCount(e); err != nil {
		return err
	}
	if n := len(pt.upper); n > 0 {
		switch {
		case pt.torn && (upper <= pt.upper[n-1] || e.Value < pt.cumulative[n-1]): // the line before may be the wrong one
			return scan.ErrTold
		case upper <= pt.upper[n-1]:
			return s.Fail(e.Labels.Column(own), "the bound "+scan.Quote(text)+" after "+model.FormatValue(pt.upper[n-1]), "increasing bounds, each once")
		case e.Value < pt.cumulative[n-1]:
			return s.Fail(s.Columns.Value, "a bucket of less than the one before", "cumulative buckets")
		}
	}
	if len(e.Exemplars) > 0 && e.Exemplars[0].Value > upper {
		return s.Fail(s.Columns.ExemplarValue, "an exemplar above the bound of its bucket", "a value that the bucket covers")
	}
	pt.Has |= model.PartBucket
	pt.upper, pt.cumulative = append(pt.upper, upper), append(pt.cumulative, e.Value)
	if len(e.Exemplars) > 0 {
		for len(pt.exemplars) < len(pt.upper)-1 {
			pt.exemplars = append(pt.exemplars, nil)
		}
		pt.exemplars = append(pt.exemplars, p.texts.Exemplar(&e.Exemplars[0]))
	}
	return nil
}

// quantile adds a quantile; they may come in any order (section "Summary").
func (p *Parser) quantile(e *Entry, own int) error {
	s := p.scanner.page
	text := e.Labels.Value(own)
	q, ok := scan.Number(text)
	switch {
	case !ok || !(q >= 0 && q <= 1):
		return s.Fail(e.Labels.Column(own), "the quantile "+scan.Quote(text), "a number from 0 to 1")
	case e.Value < 0:
		return s.Fail(s.Columns.Value, "a negative quantile", "NaN or a number not below zero")
	}
	p.point.Has |= model.PartValue
	p.point.quantiles = append(p.point.quantiles, model.Quantile{Q: q + 0, V: e.Value}) // + 0: -0 is 0
	return nil
}

// state adds a state (section "StateSet").
func (p *Parser) state(e *Entry, own int) error {
	s := p.scanner.page
	if e.Value != 0 && e.Value != 1 {
		return s.Fail(s.Columns.Value, "the state "+strconv.FormatFloat(e.Value, 'g', -1, 64), "0 or 1")
	}
	p.point.Has |= model.PartValue
	p.point.states = append(p.point.states, model.State{Name: p.texts.Value(e.Labels, own), On: e.Value == 1})
	return nil
}

// endPoint checks the point as a whole and adds it to the family.
func (p *Parser) endPoint() error {
	pt := &p.point
	if !pt.open || pt.torn {
		pt.open = false
		return nil
	}
	pt.open = false
	switch p.family.Type {
	case model.Counter:
		if pt.Has&model.PartTotal == 0 {
			return p.fail(pt.last, "a counter without a total", `a sample that ends in "_total"`)
		}
	case model.Summary:
		slices.SortFunc(pt.quantiles, func(a, b model.Quantile) int { return cmp.Compare(a.Q, b.Q) })
		for i := 1; i < len(pt.quantiles); i++ {
			if pt.quantiles[i].Q == pt.quantiles[i-1].Q {
				return p.fail(pt.last, "the quantile "+model.FormatValue(pt.quantiles[i].Q)+" twice in this summary", "each once")
			}
		}
		pt.Summary = &model.SummaryValue{Count: pt.count, Sum: pt.sum, Quantiles: slices.Clone(pt.quantiles)}
	case model.Histogram, model.GaugeHistogram:
		if err := p.endHistogram(); err != nil {
			return err
		}
	case model.StateSet:
		if name, twice := repeatedState(pt.states); twice {
			return p.fail(pt.last, "the state "+scan.Quote([]byte(name))+" twice in this state set", "each once")
		}
		pt.States = slices.Clone(pt.states)
	}
	p.family.Append(pt.Point)
	return nil
}

// repeatedState returns a state that occurs twice.
func repeatedState(states []model.State) (name string, twice bool) {
	if len(states) < 2 {
		return "", false
	}
	seen := make(map[string]bool, len(states))
	for _, s := range states {
		if seen[s.Name] {
			return s.Name, true
		}
		seen[s.Name] = true
	}
	return "", false
}
