package telltale

// A collector as a registry holds it, with the names that it claims.

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"telltale/internal/gather"
	"telltale/internal/reserved"
	"telltale/model"
)

// entry is a registered collector.
type entry struct {
	collector Collector
	position  int // in entries
	claims    []string
	described []outline       // when it was registered; nil for an instrument
	settled   bool            // what is described does not change
	literal   map[string]bool // sample names of counters and infos whose base name another of its families has
}

// claim works out the names that belong to the described families: the family's
// own and those of all samples that its type can have. A counter or an info
// leaves its base name to a sibling that has it too.
func (e *entry) claim(described []outline) {
	names := make(map[string]bool)
	add := func(f *model.Family) {
		for name := range reserved.Names(f) {
			names[name] = true
		}
	}
	var suffixed []*model.Family
	for i := range described {
		f := described[i].family
		if f.SampleName() != f.BaseName() {
			suffixed = append(suffixed, f)
		} else {
			add(f)
		}
	}
	for _, f := range suffixed {
		if names[f.BaseName()] && !names[f.SampleName()] {
			if e.literal == nil {
				e.literal = make(map[string]bool)
			}
			e.literal[f.SampleName()] = true
			f = f.Literal()
		}
		add(f)
	}
	e.claims = slices.Sorted(maps.Keys(names))
}

// claiming returns the described families that have a name, or of which a sample has
// it.
func (e *entry) claiming(name string) (families []outline) {
	described := e.described
	if i, ok := e.collector.(instrument); ok {
		described = outlines(i)
	}
	for _, o := range described {
		for n := range reserved.Names(o.family) {
			if n == name {
				families = append(families, o)
				break
			}
		}
	}
	return families
}

// joins returns nil if what both entries have of a name can be one family.
func (e *entry) joins(other *entry, name string) error {
	if d, ok := e.collector.(defined); ok {
		if o, ok := other.collector.(defined); ok {
			return d.what().registers(o.what())
		}
	}
	if len(e.literal) > 0 || len(other.literal) > 0 {
		return errors.New("one of the collectors has two families of that name, a counter or an info beside another one")
	}
	for _, o := range e.claiming(name) {
		for _, held := range other.claiming(name) {
			if err := o.joins(&held); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted reports whether every filter has a name that the entry claims.
func (e *entry) wanted(filters []gather.Names) bool {
	for _, filter := range filters {
		if !slices.ContainsFunc(e.claims, filter.Has) {
			return false
		}
	}
	return true
}

// Name says which collector it is, for faults: many may be of one type.
func (e *entry) Name() string {
	if d, ok := e.collector.(defined); ok {
		return fmt.Sprintf("%s %q", d.what().typ, d.what().name)
	}
	name := typeName(e.collector)
	if len(e.claims) > 0 {
		return fmt.Sprintf("%s of %q", name, e.claims[0])
	}
	return name
}

// String describes the entry for error messages.
func (e *entry) String() string {
	if d, ok := e.collector.(defined); ok {
		return d.what().String()
	}
	if len(e.claims) == 0 {
		return fmt.Sprintf("collector %T", e.collector)
	}
	return fmt.Sprintf("collector %s", e.Name())
}

// ofOneProcess reports whether what the entry emits is of this process alone, as
// far as its type says.
func (e *entry) ofOneProcess() bool { _, ok := e.collector.(defined); return ok }

// adopted reports whether an entry's cells are in the registry's store, and need
// nobody to publish them.
func (e *entry) adopted() bool {
	i, ok := e.collector.(instrument)
	return ok && i.shared()
}
