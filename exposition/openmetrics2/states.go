package openmetrics2

import "telltale/model"

// regrouping puts state sets with several points of one series in the draft's
// order: each state is a metric, whose samples stand together (section
// "StateSet"), while a point of the model has all states at one time.
type regrouping struct {
	scratch model.Point
	last    []byte // the labels of the point before
	several bool   // there are points of equal labels
	visit   func(*model.Point) error
}

// of returns the family, with points of one state each if that is necessary.
func (r *regrouping) of(f *model.Family) (*model.Family, error) {
	if f.Type != model.StateSet {
		return f, nil
	}
	if r.visit == nil {
		r.visit = r.look
	}
	r.last, r.several = r.last[:0], false
	defer func() { r.scratch = model.Point{} }()
	if err := f.Visit(&r.scratch, r.visit); err != nil || !r.several {
		return f, nil // the source returns its error again
	}
	parted := f.WithPoints(nil)
	var group []model.Point
	flush := func() {
		appendByState(parted, group)
		group = group[:0]
	}
	err := f.Visit(&r.scratch, func(p *model.Point) error {
		if len(group) > 0 && group[0].Labels.Text() != p.Labels.Text() {
			flush()
		}
		group = append(group, p.Clone())
		return nil
	})
	flush()
	return parted, err
}

func (r *regrouping) look(p *model.Point) error {
	if p.Timestamp.IsSet() {
		r.several = r.several || string(r.last) == p.Labels.Text()
		r.last = append(r.last[:0], p.Labels.Text()...)
	}
	return nil
}

// appendByState appends a group's points state by state, in the order in which
// the states first occur.
func appendByState(f *model.Family, group []model.Point) {
	places := map[string]int{}
	var states [][]model.Point
	for _, p := range group {
		for _, s := range p.States {
			i, ok := places[s.Name]
			if !ok {
				i = len(states)
				places[s.Name], states = i, append(states, nil)
			}
			one := p
			one.States = []model.State{s}
			states[i] = append(states[i], one)
		}
	}
	for _, points := range states {
		for _, p := range points {
			f.Append(p)
		}
	}
}
