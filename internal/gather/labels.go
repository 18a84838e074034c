package gather

import (
	"strings"

	"telltale/internal/hash"
	"telltale/internal/reserved"
	"telltale/model"
)

// seriesLabels looks at the labels of the series of one family after the other. It finds
// those that a page must not have: Prometheus refuses the whole page for a label that a
// series has twice.
type seriesLabels struct {
	family string
	typ    model.Type
	names  []string // of the last series that was in order; mostly those of all
	odd    bool     // one of them is no legacy name, or begins with an underscore
	again  []string // scratch
	legacy bool     // no label name of the family is odd, so far
}

// begin begins a family.
func (s *seriesLabels) begin(family string, typ model.Type) {
	if typ != s.typ || typ == model.StateSet && family != s.family {
		s.names, s.odd = s.names[:0], false
	}
	s.family, s.typ, s.legacy = family, typ, true
}

// hash returns a hash of the labels of a series, which two lists have together, and of a
// time. It does not depend on the order of the labels. It returns an error if a page must
// not have the labels.
func (s *seriesLabels) hash(t model.Timestamp, labels, more model.Labels) (h uint64, err error) {
	h = hash.Keys[1] // not 0, which folds to 0 with every value
	n, same := 0, true
	for _, list := range [...]model.Labels{labels, more} {
		for name, value := range list.All() {
			h += hash.String(hash.String(hash.Keys[0], name), value)
			same = same && n < len(s.names) && s.names[n] == name
			n++
		}
	}
	if !same || n < len(s.names) {
		err = s.check(labels, more)
	}
	s.legacy = s.legacy && (!s.odd || err != nil)
	sec, rest := t.Key()
	return hash.Fold(hash.Fold(h, sec^hash.Keys[1]), rest^hash.Keys[0]), err
}

// check returns an error if a page must not have the labels. Else it keeps their names.
func (s *seriesLabels) check(labels, more model.Labels) error {
	names, odd := s.again[:0], false
	for _, list := range [...]model.Labels{labels, more} {
		for name := range list.All() {
			names = append(names, name)
		}
	}
	if err := reserved.CheckNames(s.family, s.typ, names); err != nil {
		return err
	}
	for _, name := range names {
		odd = odd || !model.LegacyLabelName(name) || name[0] == '_'
	}
	for i, name := range names {
		names[i] = strings.Clone(name) // the source may use the memory again
	}
	s.names, s.odd, s.again = names, odd, s.names
	return nil
}
