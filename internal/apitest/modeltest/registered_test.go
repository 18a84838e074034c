package modeltest

import (
	"maps"
	"slices"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// described is the description of a family, from which a registry claims names.
type described struct{ name, kind string }

// base is the family's name, which is the literal one if the family is shown
// under the name of its samples.
func base(name, kind string, literal bool) string {
	if literal {
		return sampleName(name, kind)
	}
	return name
}

// sampleName is the family's name in the text format.
func sampleName(name, kind string) string {
	switch kind {
	case "counter":
		return name + "_total"
	case "info":
		return name + "_info"
	}
	return name
}

// claims are all names that a family can have on a page.
func claims(name, kind string, literal bool) map[string]bool {
	family := base(name, kind, literal)
	names := map[string]bool{family: true, sampleName(name, kind): true}
	for _, suffix := range suffixes[kind] {
		if suffix != "_total" && suffix != "_info" {
			names[family+suffix] = true
		}
	}
	return names
}

// describe returns a collector's descriptions at its registration. Registries
// describe nothing.
func describe(c any) (families []described) {
	switch c := c.(type) {
	case *family:
		return []described{{c.name, kinds[c.kind]}}
	case *callback:
		return []described{{c.name, c.kind}}
	case *custom:
		if c.described {
			for _, l := range c.families {
				families = append(families, described{l.name, l.kind})
			}
		}
	case *view:
		for _, of := range c.of {
			for _, d := range describe(of) {
				if c.kind == "restricted" && !wanted(c.names, d.name, d.kind) {
					continue
				}
				families = append(families, described{c.prefix + d.name, d.kind})
			}
		}
	}
	return families
}

// wanted reports whether a restriction has a name of the family.
func wanted(names map[string]bool, name, kind string) bool {
	for claim := range claims(name, kind, false) {
		if names[claim] {
			return true
		}
	}
	return false
}

func newEntry(c any) *entry {
	e := &entry{of: c, claims: make(map[string]bool), literal: make(map[string]bool)}
	families := describe(c)
	for _, d := range families {
		if sampleName(d.name, d.kind) == d.name {
			maps.Copy(e.claims, claims(d.name, d.kind, false))
		}
	}
	others := maps.Clone(e.claims)
	for _, d := range families {
		total := sampleName(d.name, d.kind)
		if total == d.name {
			continue
		}
		literal := others[d.name] && !others[total]
		if literal {
			e.literal[total] = true
		}
		maps.Copy(e.claims, claims(d.name, d.kind, literal))
	}
	return e
}

func (r *registry) register(c any) string {
	e := newEntry(c)
	if contains(c, r) {
		return refused
	}
	for _, other := range r.entries {
		if other.of == c {
			return duplicate
		}
		for name := range e.claims {
			if other.claims[name] {
				return duplicate
			}
		}
	}
	r.entries = append(r.entries, e)
	if f, ok := c.(*family); ok && f.account == nil {
		f.account = r
	}
	return fine
}

func (r *registry) unregister(c any) string {
	i := slices.IndexFunc(r.entries, func(e *entry) bool { return e.of == c })
	if i < 0 {
		return refused
	}
	r.entries = slices.Delete(r.entries, i, i+1)
	if f, ok := c.(*family); ok && f.account == r {
		f.account = nil
	}
	return fine
}

// contains reports whether the registry is, or is in, the collector.
func contains(c any, r *registry) bool {
	switch c := c.(type) {
	case *registry:
		return c == r || slices.ContainsFunc(c.entries, func(e *entry) bool { return contains(e.of, r) })
	case *view:
		return slices.ContainsFunc(c.of, func(of any) bool { return contains(of, r) })
	}
	return false
}

// firstRegistry is the registry that counts the faults of a collector which is
// not registered itself.
func firstRegistry(c any) *registry {
	switch c := c.(type) {
	case *registry:
		return c
	case *view:
		for _, of := range c.of {
			if r := firstRegistry(of); r != nil {
				return r
			}
		}
	}
	return nil
}

// root is the registry whose claims cover a page, or nil if there is none.
func root(c any) *registry {
	switch c := c.(type) {
	case *registry:
		return c
	case *view:
		if c.prefix == "" && len(c.of) == 1 {
			return root(c.of[0])
		}
	}
	return nil
}
