package catalog

import "telltale/model"

// NameSet is the names of wanted samples and families.
type NameSet map[string]struct{}

// NewNameSet returns the set of the names.
func NewNameSet(names []string) NameSet {
	s := make(NameSet, len(names))
	for _, name := range names {
		s[name] = struct{}{}
	}
	return s
}

func (s NameSet) has(name string) bool { _, ok := s[name]; return ok }

// Selection is the families that a restricted view wants.
type Selection struct {
	catalog *Catalog
	Wanted  map[*family]bool
	Runs    map[*Binding][]Run
}

// Of returns the runs of the binding that are wanted.
func (s *Selection) Of(b *Binding) []Run {
	if s == nil {
		return b.Runs
	}
	if found, ok := s.Runs[b]; ok {
		return found
	}
	var found []Run
	for _, r := range b.Runs {
		for i := r.From; i < r.To; i++ {
			if s.Wanted[s.catalog.slots.owner(b.Slots[i])] {
				found = appendRun(found, r.Op, i)
			}
		}
	}
	s.Runs[b] = found
	return found
}

// Restrict passes a family through the filters and reports whether any sample
// can be left.
func Restrict(f *model.Family, filters []NameSet) (*model.Family, bool) {
	for _, filter := range filters {
		left, any := f.Restrict(filter.has)
		if !any {
			return nil, false
		}
		f = left
	}
	return f, true
}

// Choose selects the families that the filters want, nil for all.
func (c *Catalog) Choose(filters []NameSet) *Selection {
	if len(filters) == 0 {
		return nil
	}
	s := &Selection{catalog: c, Wanted: make(map[*family]bool), Runs: make(map[*Binding][]Run)}
	for _, f := range c.Present {
		header := *f.view.header
		for _, l := range f.view.loose {
			header.AddSample(l.name, nil, 0)
		}
		if _, wanted := Restrict(&header, filters); wanted {
			s.Wanted[f] = true
		}
	}
	return s
}
