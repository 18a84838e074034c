package gather

import (
	"maps"
	"slices"
)

// Names is a set of wanted names of samples and families. Where nil is allowed
// it means all names.
type Names map[string]struct{}

// NamesOf returns the set of the names in a list.
func NamesOf(list []string) Names {
	n := make(Names, len(list))
	for _, name := range list {
		n[name] = struct{}{}
	}
	return n
}

// Has reports whether the name is in the set, which must not be nil.
func (n Names) Has(name string) bool { _, ok := n[name]; return ok }

// Sorted returns the names in alphabetical order.
func (n Names) Sorted() []string { return slices.Sorted(maps.Keys(n)) }

// cover reports whether a run restricted to n has all wanted names; nil means
// all names.
func (n Names) cover(wanted Names) bool {
	if n == nil || wanted == nil {
		return n == nil
	}
	for name := range wanted {
		if !n.Has(name) {
			return false
		}
	}
	return true
}

// union returns the names of both sets; nil means all names.
func (n Names) union(other Names) Names {
	if n == nil || other == nil {
		return nil
	}
	all := maps.Clone(n)
	maps.Copy(all, other)
	return all
}
