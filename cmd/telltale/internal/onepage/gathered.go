package onepage

import "telltale/model"

// gathered returns a family that is not a total, as the targets have it now.
func (s *Sums) gathered(head *heading) *model.Family {
	switch {
	case head.own:
	case head.family.Type == model.Info:
		return head.distinct()
	case head.family.Type == model.Gauge:
		if mode := s.mode(head.family.Name); mode != Each {
			return head.combined(mode)
		}
	}
	return head.sideBySide()
}

// distinct returns an info with all that differs between targets.
func (head *heading) distinct() *model.Family {
	type key struct{ labels, info string }
	met := make(map[key]bool)
	for _, part := range head.parts {
		eachPoint(part.family, func(p *model.Point) {
			q := *p
			q.Labels = withLabels(q.Labels, part.page.Labels)
			k := key{q.Labels.Sorted().Text(), q.Info.Sorted().Text()}
			if met[k] {
				return
			}
			met[k] = true
			head.family.Append(q)
		})
	}
	return head.family
}

// combined returns a gauge with one value of all targets for each series.
func (head *heading) combined(mode Mode) *model.Family {
	type value struct {
		labels model.Labels
		sum    total
		most   float64 // the largest or the least
	}
	values := make(map[string]*value)
	var order []*value
	for _, part := range head.parts {
		eachPoint(part.family, func(p *model.Point) {
			labels := withLabels(p.Labels, part.page.Labels)
			key := labels.Sorted().Text()
			v := values[key]
			if v == nil {
				v = &value{labels: labels, most: p.Value}
				values[key], order = v, append(order, v)
			}
			v.sum.add(p.Value)
			if mode == Largest && p.Value > v.most || mode == Least && p.Value < v.most || v.most != v.most {
				v.most = p.Value
			}
		})
	}
	for _, v := range order {
		p := model.Point{Labels: v.labels, Has: model.PartValue, Value: v.most}
		if mode == Sum {
			p.Value = v.sum.hi
		}
		head.family.Append(p)
	}
	return head.family
}
