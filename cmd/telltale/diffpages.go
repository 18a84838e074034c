package main

import (
	"fmt"
	"math"

	"telltale/model"
)

// side is one of the pages that are compared.
type side struct {
	families []*model.Family
	samples  []*compared // in the order of the page
	family   map[string]*model.Family
	sample   map[string]*compared
}

// compared is a sample that is compared.
type compared struct {
	key    string // name and labels in any order
	sample model.Sample
	value  string
}

func newSide(families []*model.Family) *side {
	s := &side{families: families, family: map[string]*model.Family{}, sample: map[string]*compared{}}
	times := map[string]int{}
	for _, f := range families {
		s.family[f.BaseName()] = f
		for one := range f.Samples() {
			if isCreated(f, &one) {
				continue // text has none, and each process has its own
			}
			c := &compared{key: one.Name + "{" + inWords(one.Labels) + "}", sample: one, value: valueOf(&one)}
			if times[c.key]++; times[c.key] > 1 { // at another time
				c.key += fmt.Sprint("#", times[c.key])
			}
			s.samples = append(s.samples, c)
			s.sample[c.key] = c
		}
	}
	return s
}

// valueOf spells a sample's value.
func valueOf(s *model.Sample) string {
	if h := s.NativeHistogram; h != nil {
		plain := *h
		plain.Exemplars = nil
		return fmt.Sprintf("%+v", plain)
	}
	return string(appendExactly(nil, s.Value))
}

// changes returns how another page differs from this one: what this one has, in its
// order, and then what only the other has. Values are left out if they do not matter.
func (s *side) changes(other *side, values bool) (all []change) {
	for _, f := range s.families {
		if g := other.family[f.BaseName()]; g != nil {
			all = append(all, metadataChanges(f, g)...)
		}
	}
	for _, c := range s.samples {
		d := other.sample[c.key]
		switch {
		case d == nil:
			all = append(all, c.change(&c.value, nil))
		case values && c.value != d.value:
			one := c.change(&c.value, &d.value)
			if delta := d.sample.Value - c.sample.Value; c.sample.NativeHistogram == nil && d.sample.NativeHistogram == nil && !math.IsNaN(delta) {
				one.delta = fmt.Sprintf(" (%+.6g)", delta)
			}
			all = append(all, one)
		}
	}
	for _, d := range other.samples {
		if s.sample[d.key] == nil {
			all = append(all, d.change(nil, &d.value))
		}
	}
	return all
}

func (c *compared) change(old, now *string) change {
	name, labels := c.sample.Name, c.sample.Labels
	series := name
	if !labels.IsEmpty() {
		series += labels.String()
	}
	return change{Name: name, Labels: labels.Map(), Old: old, New: now, series: series}
}

func metadataChanges(f, g *model.Family) (all []change) {
	for _, field := range [...]struct{ name, old, now string }{
		{"type", f.Type.String(), g.Type.String()},
		{"unit", f.Unit, g.Unit},
		{"help", f.Help, g.Help},
	} {
		if field.old != field.now {
			all = append(all, change{Name: f.BaseName(), Field: field.name, Old: &field.old, New: &field.now})
		}
	}
	return all
}
