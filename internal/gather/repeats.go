package gather

import (
	"math"

	"telltale/internal/hash"
	"telltale/model"
)

// skipping are the points of a family without some of them.
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

// seenSamples holds a hash of each sample of a family so far.
type seenSamples map[uint64]struct{}

// has adds a sample, identified by series, part and the bound, quantile or state
// of the part, and reports whether it was there before.
func (seen seenSamples) has(series uint64, part model.Parts, which uint64) bool {
	key := hash.Fold(hash.Fold(series, uint64(part)^hash.Keys[1]), which^hash.Keys[0])
	_, again := seen[key]
	seen[key] = struct{}{}
	return again
}

// hasPoint adds the samples of a point of a family of the type, the hash of whose series is
// given, and reports whether one of them was there before. Samples of one series may be in
// several points.
func (seen seenSamples) hasPoint(series uint64, typ model.Type, p *model.Point) (again bool) {
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
		if p.Has&model.PartBucket == 0 { // formats without native histograms have these of it
			(typ.Parts() &^ (p.Has | model.PartBucket | model.PartCreated)).Each(func(part model.Parts) { note(part, 0) })
			note(model.PartBucket, math.Float64bits(math.Inf(1)))
		}
	}
	return again
}

// hasLoose adds a loose sample of a family, the hash of whose labels is given, and reports
// whether it was there before. It may be one that points have.
func (seen seenSamples) hasLoose(series uint64, f *model.Family, name string) bool {
	own := model.Parts(0)
	f.Type.Parts().Each(func(part model.Parts) {
		if f.NameOf(part) == name {
			own = part
		}
	})
	if own != 0 {
		return seen.has(series, own, 0)
	}
	return seen.has(series, 0, hash.String(hash.Keys[0], name))
}
