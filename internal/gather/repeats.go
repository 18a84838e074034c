package gather

import (
	"math"

	"telltale/internal/hash"
	"telltale/model"
)

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
	key := hash.Fold(hash.Fold(series, uint64(part)^hash.Keys[1]), which^hash.Keys[0])
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
				note(part, hash.String(hash.Keys[0], state.Name))
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
	return seen.has(hashSeries(s.Timestamp, s.Labels), 0, hash.String(hash.Keys[0], s.Name))
}

// hashSeries identifies the labels of a series at a moment, whatever their order.
func hashSeries(t model.Timestamp, labels ...model.Labels) uint64 {
	h := hash.Keys[1] // not 0, which would fold to 0 whatever it is folded with
	for _, l := range labels {
		for name, value := range l.All() {
			h += hash.String(hash.String(hash.Keys[0], name), value)
		}
	}
	sec, rest := t.Key()
	return hash.Fold(hash.Fold(h, sec^hash.Keys[1]), rest^hash.Keys[0])
}
