package onepage

import (
	"slices"
	"strings"

	"telltale/model"
)

// Join returns the families of all pages, sorted by name, in which each series has the
// labels and the instance of its target. It calls tell with an error for each family
// that is left out because its name has another type on an earlier page.
func Join(pages []Page, tell func(error)) []*model.Family {
	h := newHeadings()
	h.enterAll(pages, tell)
	all := make([]*model.Family, 0, len(h.all))
	for _, head := range h.all {
		all = append(all, head.sideBySide())
	}
	return sorted(all)
}

func sorted(families []*model.Family) []*model.Family {
	slices.SortFunc(families, func(a, b *model.Family) int { return strings.Compare(a.SampleName(), b.SampleName()) })
	return families
}

// sideBySide returns the family with the series of all targets.
func (head *heading) sideBySide() *model.Family {
	joined := head.family
	var loose []model.Sample
	for _, part := range head.parts {
		added := part.page.Instance.Append(part.page.Labels)
		eachPoint(part.family, func(p *model.Point) {
			q := *p
			if taken(q.Info, added) {
				q.Info = renamed(q.Info, added)
			}
			q.Labels = withLabels(q.Labels, added)
			joined.Append(q)
		})
		for _, s := range part.family.Loose() {
			s.Labels = withLabels(s.Labels, added)
			loose = append(loose, s)
		}
	}
	if len(loose) > 0 {
		joined = joined.WithLoose(loose)
	}
	return joined
}

// eachPoint calls visit with the points of a family that holds them itself, as those of
// parsers and clones do: what a point refers to stays.
func eachPoint(f *model.Family, visit func(*model.Point)) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error { // it returns the errors of sources alone, of which there is none
		visit(p)
		return nil
	})
}
