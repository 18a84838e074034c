package telltale

import (
	"fmt"
	"math"
	"slices"

	"telltale/model"
)

// distinct returns the family without the points and loose samples that repeat a
// sample, and about how many bytes it takes to keep.
func (r *run) distinct(f *model.Family) (*model.Family, int) {
	const pointSize = 160 // of a model.Point and its parts, roughly
	size := pointSize + len(f.Name) + len(f.Help) + pointSize*len(f.Loose())
	seen := make(seenSamples)
	repeated := make(map[int]bool)
	var scratch model.Point
	i := 0
	_ = f.Visit(&scratch, func(p *model.Point) error { // the visitor returns no error
		size += pointSize + len(p.Labels.Text()) + len(p.Info.Text()) + 32*len(p.States)
		if h := p.Histogram; h != nil {
			size += pointSize + 16*len(h.Cumulative)
		}
		if seen.hasPoint(p) {
			repeated[i] = true
			r.repeated(f.Name, f.Name, p.Labels)
		}
		i++
		return nil
	})
	if len(repeated) > 0 {
		f = f.WithPoints(skipping{f, repeated})
	}
	if len(f.Loose()) > 0 {
		f = f.WithLoose(slices.DeleteFunc(slices.Clone(f.Loose()), func(s model.Sample) bool {
			again := seen.hasLoose(s)
			if again {
				r.repeated(f.Name, s.Name, s.Labels)
			}
			return again
		}))
	}
	return f, size
}

func (r *run) repeated(family, sample string, labels model.Labels) {
	r.fault(ReasonRepeatedSeries, family, fmt.Errorf("the series %s%s comes a second time", sample, labels))
}

// skipping is the points of a family without some.
type skipping struct {
	family *model.Family
	skip   map[int]bool
}

func (s skipping) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	i := -1
	return s.family.Visit(scratch, func(p *model.Point) error {
		if i++; s.skip[i] {
			return nil
		}
		return visit(p)
	})
}

// seenSamples is a hash of each sample of a family that has come.
type seenSamples map[uint64]struct{}

// has remembers the sample and reports whether it was there: the part, and which
// of its kind, of a series.
func (seen seenSamples) has(series uint64, part model.Parts, which uint64) bool {
	key := fold(fold(series, uint64(part)^hashKeys[1]), which^hashKeys[0])
	_, again := seen[key]
	seen[key] = struct{}{}
	return again
}

// hasPoint remembers the samples of a point and reports whether one of them was
// there. Samples of one series may come as several points.
func (seen seenSamples) hasPoint(p *model.Point) (again bool) {
	series := hashSeries(p.Timestamp, p.Labels, p.Info)
	note := func(part model.Parts, which uint64) { again = seen.has(series, part, which) || again }
	p.Has.Each(func(part model.Parts) {
		switch {
		case part == model.PartBucket && p.Histogram != nil:
			for _, upper := range p.Histogram.Bounds.Upper() {
				note(part, math.Float64bits(upper))
			}
		case part == model.PartValue && p.Summary != nil:
			for _, q := range p.Summary.Quantiles {
				note(part, math.Float64bits(q.Q))
			}
		case part == model.PartValue && len(p.States) > 0:
			for _, state := range p.States {
				note(part, hashString(hashKeys[0], state.Name))
			}
		default:
			note(part, 0)
		}
	})
	if p.Created.IsSet() {
		note(model.PartCreated, 0)
	}
	if p.Histogram != nil && p.Histogram.Native != nil {
		note(model.PartValue, 0)
	}
	return again
}

// hasLoose remembers a loose sample and reports whether it was there.
func (seen seenSamples) hasLoose(s model.Sample) bool {
	return seen.has(hashSeries(s.Timestamp, s.Labels), 0, hashString(hashKeys[0], s.Name))
}

// hashSeries identifies the labels of a series at a moment, whatever their order.
func hashSeries(t model.Timestamp, labels ...model.Labels) uint64 {
	h := hashKeys[1] // not 0, which would fold to 0 whatever it is folded with
	for _, l := range labels {
		for name, value := range l.All() {
			h += hashString(hashString(hashKeys[0], name), value)
		}
	}
	sec, nsec := t.UnixParts()
	return fold(fold(h, uint64(sec)^hashKeys[1]), uint64(nsec)^hashKeys[0])
}
