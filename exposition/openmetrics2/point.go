package openmetrics2

import (
	"telltale/internal/scan"
	"telltale/model"
)

// standIns are the reserved labels that may stand for the metadata of a family
// (section "Label").
var standIns = []string{"__type__", "__unit__"}

// sample adds a sample, which is a point of its family, or a state of one.
func (p *Parser) sample(e *Entry) error {
	if e.Composite != nil && !p.samples && p.family.Type == model.Unknown {
		p.family.Type = e.Composite.Type()
	}
	p.samples = true
	if err := p.scanner.page.CheckReserved(standIns); err != nil {
		return err
	}
	if err := p.check(e); err != nil {
		return err
	}
	if p.family.Type == model.StateSet {
		return p.state(e)
	}
	step, err := p.step(e)
	if err != nil {
		return err
	}
	if step == scan.NextMetric {
		p.labels = p.texts.Labels(e.Labels)
	}
	p.family.Append(p.point(e))
	return nil
}

// step moves to the point of a sample; each sample is a point of its own. Wrong
// timestamps of a metric are reported once.
func (p *Parser) step(e *Entry) (scan.Step, error) {
	step, err := p.order.Step(p.scanner.page.Scanner, e.Labels)
	switch {
	case err == nil && step == scan.SamePoint:
		return step, p.repeated()
	case err == nil && step == scan.NextMetric:
		p.torn = false
	case err != nil && step == scan.NextPoint && p.torn:
		return step, scan.ErrTold
	case err != nil && step == scan.NextPoint:
		p.torn = true
	}
	return step, err
}

func (p *Parser) repeated() error {
	s := p.scanner.page
	return s.Fail(s.Columns.Name, "the same series again", "each series once for each timestamp")
}

// point returns the point of a sample.
func (p *Parser) point(e *Entry) model.Point {
	if e.Composite != nil {
		return e.Whole(p.labels, &p.texts, &p.bounds)
	}
	pt := model.Point{Labels: p.labels, Timestamp: e.Timestamp, Created: e.Start, Value: e.Value}
	switch p.family.Type {
	case model.Counter:
		pt.Has, pt.Exemplar = model.PartTotal, p.texts.ExemplarOf(e)
	case model.Info:
		pt.Has = model.PartInfo
	default:
		pt.Has = model.PartValue
	}
	return pt
}
