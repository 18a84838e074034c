package openmetrics2

import (
	"slices"

	"telltale/model"
)

// group holds the points of one series of a state set. On the page each state is
// a metric with its own samples, and the metrics of a series stand together
// (section "StateSet").
type group struct {
	points []model.Point
	places map[model.Timestamp]int
}

// flush adds the points to the family, in the order of time.
func (g *group) flush(f *model.Family) {
	slices.SortFunc(g.points, func(a, b model.Point) int { return a.Timestamp.Compare(b.Timestamp) })
	for _, p := range g.points {
		f.Append(p)
	}
	clear(g.points)
	g.points, g.places = g.points[:0], nil
}

// add adds a state to the point of its time.
func (g *group) add(labels model.Labels, t model.Timestamp, s model.State) {
	place, ok := g.places[t]
	if !ok {
		place = len(g.points)
		g.points = append(g.points, model.Point{Labels: labels, Has: model.PartValue, Timestamp: t})
		if g.places == nil {
			g.places = map[model.Timestamp]int{}
		}
		g.places[t] = place
	}
	pt := &g.points[place]
	pt.States = append(pt.States, s)
}

// state adds a sample of a state set.
func (p *Parser) state(e *Entry) error {
	s := p.scanner.page
	own := e.Labels.FindName(p.family.Name)
	if own < 0 {
		return s.Fail(s.Columns.Name, "no label for the state", "a label named like the state set")
	}
	series := e.Labels.Without(own, &p.scratch)
	other, err := p.groups.Metric(s.Scanner, series)
	if err != nil {
		return err
	}
	if other {
		p.group.flush(p.family)
		p.labels = p.texts.Labels(series)
	}
	if _, err := p.step(e); err != nil {
		return err
	}
	p.group.add(p.labels, e.Timestamp, model.State{Name: p.texts.Value(e.Labels, own), On: e.Value == 1})
	return nil
}
