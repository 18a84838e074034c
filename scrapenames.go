package telltale

// The names on the page of a scrape: which families and samples may have theirs.

import (
	"fmt"

	"telltale/internal/reserved"
	"telltale/model"
)

// admit lets a family onto the page whose names no claim has checked, with the others
// of its group. One that repeats a name is left out; a counter or info whose
// OpenMetrics name only is taken goes under the name of its samples.
func (s *scrape) admit(st *step, f *model.Family, g *group) *model.Family {
	s.allowed = append(g.entries(s.allowed[:0]), st.entry)
	if f.SampleName() != f.BaseName() && s.taken(f.BaseName()) && !s.taken(f.SampleName()) {
		f = f.Literal()
	}
	for name := range reserved.Names(f) {
		if s.taken(name) {
			s.report(st, f.Name, ReasonRepeatedFamily, s.repeated(st, f))
			return nil
		}
	}
	if s.seen == nil {
		s.seen = make(map[string]struct{})
	}
	for name := range reserved.Names(f) {
		s.seen[name] = struct{}{}
	}
	return f
}

// admitLoose takes out the samples of a family that fit no point and have a name which
// is another family's. Those that stay take their names.
func (s *scrape) admitLoose(st *step, f *model.Family) *model.Family {
	loose := f.Loose()
	if len(loose) == 0 {
		return f
	}
	own := make(map[string]bool) // names that the family may have
	for name := range reserved.Names(f) {
		own[name] = true
	}
	fit := make([]model.Sample, 0, len(loose))
	for _, sample := range loose {
		fits, known := own[sample.Name]
		if !known {
			fits = !s.taken(sample.Name)
			own[sample.Name] = fits
		}
		if !fits {
			s.report(st, f.Name, ReasonRepeatedFamily, fmt.Errorf("its sample %q has the name of another family on the page", sample.Name))
			continue
		}
		s.seen[sample.Name] = struct{}{}
		fit = append(fit, sample)
	}
	return f.WithLoose(fit)
}

// taken reports whether a name is on the page or claimed by others than those that
// may.
func (s *scrape) taken(name string) bool {
	_, seen := s.seen[name]
	return seen || s.root != nil && s.root.taken(name, s.allowed)
}

// repeated is the error of a family whose name is on the page.
func (s *scrape) repeated(st *step, f *model.Family) error {
	err := fmt.Errorf("another family on the page has the name %q or that of one of its samples; give one of them another name (Prefixed does so for a whole collector), tell them apart by a label (Labelled), or take it out", f.Name)
	if s.joins == nil || !st.joins {
		return err
	}
	o := st.outline(f)
	if why := s.joins.why(key{f.SampleName(), st.path.beyond}, s.at, &o); why != nil {
		err = fmt.Errorf("%w; they do not join: %w", err, why)
	}
	return err
}
