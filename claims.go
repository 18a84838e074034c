package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"telltale/model"
)

// Clash is a name that two collectors claim.
type Clash struct {
	Name   string    // of a sample or a family
	Holder Collector // what has it; for an instrument its core, not a handle
	Held   string    // the holder described
}

// DuplicateError says that a collector cannot be registered, because it is
// registered already or because names it claims belong to others.
type DuplicateError struct {
	Collector string  // what was to be registered
	Clashes   []Clash // by name; one without a name if a collector without names is registered already
	holder    Collector
	again     bool // the very collector is registered already
}

// Names returns the clashing names, sorted.
func (e *DuplicateError) Names() []string {
	var names []string
	for _, c := range e.Clashes {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// Error names what was to be registered, every clashing name and what holds it.
func (e *DuplicateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "telltale: cannot register %s", e.Collector)
	if e.again {
		b.WriteString(": it is registered already")
		return b.String()
	}
	separator := ": "
	for rest := e.Clashes; len(rest) > 0; separator = "; " {
		held := rest[0].Held
		var names []string
		others := rest[:0:0]
		for _, c := range rest { // a holder is described once, whatever it holds
			if c.Held == held {
				names = append(names, strconv.Quote(c.Name))
			} else {
				others = append(others, c)
			}
		}
		rest = others
		fmt.Fprintf(&b, "%s%s held by %s", separator, enumerate(names), held)
	}
	return b.String()
}

// fewNames is how many names an error lists before it only counts the others.
const fewNames = 6

// enumerate lists quoted names with the verb that goes with them.
func enumerate(names []string) string {
	verb := "are"
	if len(names) == 1 {
		verb = "is"
	}
	if more := len(names) - fewNames; more > 0 {
		names = append(names[:fewNames:fewNames], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ") + " " + verb
}

// describe returns what ask learns of the families of a collector, as the views
// around it show them.
func describe(c Collector, ask func(Collector) ([]*model.Family, error)) (families []*model.Family, err error) {
	defer func() {
		if p := recover(); p != nil {
			families, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	switch c := c.(type) {
	case *view:
		return c.describe(ask)
	case *merged:
		for _, part := range c.parts {
			more, err := describe(part, ask)
			if err != nil {
				return nil, err
			}
			families = append(families, more...)
		}
		return families, nil
	}
	return ask(c)
}

// ask returns the families whose names a collector is to have in the registry.
// Those of another registry come and go, so nesting one claims no names.
func (r *Registry) ask(c Collector) (families []*model.Family, err error) {
	switch c := c.(type) {
	case *Registry, *RestrictedRegistry:
		return nil, nil
	case Describer:
		return c.Describe(), nil
	}
	if !r.autoDescribe {
		return nil, nil
	}
	var emitting sync.Mutex // from several goroutines, perhaps
	err = c.Collect(context.Background(), func(f *model.Family) error {
		emitting.Lock()
		defer emitting.Unlock()
		if f != nil { // else the scrape will tell
			families = append(families, f.Header())
		}
		return nil
	})
	emitting.Lock()
	defer emitting.Unlock()
	return slices.Clone(families), err
}

// list returns the families that a collector describes now, a registry those of
// its collectors. One that panics in Describe describes nothing.
func list(c Collector) []*model.Family {
	families, err := describe(c, func(c Collector) ([]*model.Family, error) {
		switch c := c.(type) {
		case *RestrictedRegistry:
			return list(&view{inner: c.of(), lens: &lens{filter: c.names}}), nil
		case Describer:
			return c.Describe(), nil
		}
		return nil, nil
	})
	if err != nil {
		return nil
	}
	return families
}

// newEntry describes a collector, without holding the lock, and makes an entry
// with the names that it is to claim.
func (r *Registry) newEntry(c Collector) (*entry, error) {
	if i, ok := c.(instrument); ok { // its definition has been checked, and knows its claims
		d := i.what()
		if err := r.checkLegacy(model.LegacyName, d.name); err != nil {
			return nil, err
		}
		return &entry{collector: c, claims: d.claims}, r.checkLegacy(model.LegacyLabelName, labelNames(c)...)
	}
	families, err := describe(c, r.ask)
	if err != nil {
		return nil, fmt.Errorf("telltale: describing collector %T: %w", c, err)
	}
	for _, f := range families {
		if err := r.check(f); err != nil {
			return nil, fmt.Errorf("telltale: collector %T: %w", c, err)
		}
	}
	if err := r.checkLegacy(model.LegacyLabelName, labelNames(c)...); err != nil {
		return nil, err
	}
	e := &entry{collector: c}
	e.claim(families)
	if !nests(c) { // else they come and go
		e.families = families
	}
	return e, nil
}

// check returns an error if the registry cannot take a described family.
func (r *Registry) check(f *model.Family) error {
	if f == nil {
		return errors.New("it describes a nil family")
	}
	if err := f.Check(); err != nil {
		return err
	}
	return r.checkLegacy(model.LegacyName, f.Name)
}

// checkLegacy returns an error if the registry takes legacy names only and one
// of the names is none by the rule.
func (r *Registry) checkLegacy(legacy func(string) bool, names ...string) error {
	for _, name := range names {
		if r.legacyNames && !legacy(name) {
			return fmt.Errorf("telltale: the registry takes legacy names only, and %q is none", name)
		}
	}
	return nil
}

// claim works out the names that belong to the described families: the family's
// own and those of all samples that its type can have. A counter or an info
// leaves its base name to a sibling that has it too.
func (e *entry) claim(families []*model.Family) {
	names := make(map[string]bool)
	add := func(f *model.Family) {
		names[f.BaseName()] = true
		f.Type.Parts().Each(func(part model.Parts) { names[f.NameOf(part)] = true })
	}
	var suffixed []*model.Family
	for _, f := range families {
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

// Name says which collector it is, for faults: many may be of one type.
func (e *entry) Name() string {
	if d, ok := e.collector.(defined); ok {
		return fmt.Sprintf("%s %q", d.what().typ, d.what().name)
	}
	name := fmt.Sprintf("%T", e.collector)
	if f, ok := e.collector.(interface{ funcName() string }); ok {
		name = f.funcName()
	}
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

// clashes returns the error of registering the entry, if there is one. The
// caller holds the lock.
func (r *Registry) clashes(e *entry) error {
	var duplicate DuplicateError
	for _, name := range e.claims {
		if held, ok := r.claims[name]; ok {
			duplicate.Clashes = append(duplicate.Clashes, Clash{Name: name, Holder: held.collector, Held: held.String()})
			duplicate.holder = held.collector
		} else if name == targetInfoName && r.targetInfo != nil {
			duplicate.Clashes = append(duplicate.Clashes, Clash{Name: name, Holder: r, Held: "the registry's target info"})
		}
	}
	if held, ok := r.byCollector[e.collector]; ok {
		duplicate.again = true
		if len(duplicate.Clashes) == 0 {
			duplicate.Clashes = []Clash{{Holder: held.collector, Held: held.String()}}
			duplicate.holder = held.collector
		}
	}
	if len(duplicate.Clashes) == 0 {
		return nil
	}
	duplicate.Collector = e.String()
	return &duplicate
}

const (
	targetName     = "target"
	targetInfoName = "target_info"
	targetHelp     = "Target metadata"
)

// SetTargetInfo sets labels that describe the whole target, exported as the
// first family, target_info; an empty map removes it. It is an error, and nothing
// has changed, if a label is not valid or a collector has the name target_info.
func (r *Registry) SetTargetInfo(labels map[string]string) error {
	var family *model.Family
	if len(labels) > 0 {
		info, err := model.NewInfoFamily(targetName, targetHelp)
		if err == nil {
			err = info.Add(nil, labels)
		}
		if err != nil {
			return fmt.Errorf("telltale: target info: %w", err)
		}
		family = info.Family()
	}
	if err := r.checkLegacy(model.LegacyLabelName, slices.Collect(maps.Keys(labels))...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if held, ok := r.claims[targetInfoName]; ok && family != nil {
		return &DuplicateError{Collector: "target info", Clashes: []Clash{{Name: targetInfoName, Holder: held.collector, Held: held.String()}}}
	}
	r.target, r.targetInfo = maps.Clone(labels), family
	return nil
}

// TargetInfo returns a copy of the target labels, nil if there are none.
func (r *Registry) TargetInfo() map[string]string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.targetInfo == nil {
		return nil
	}
	return maps.Clone(r.target)
}

// nesting is held while a registry is registered with another, so that two
// registries cannot come to contain each other at the same moment.
var nesting sync.Mutex

var errFound = errors.New("found")

// nests reports whether a collector is, or wraps, a registry.
func nests(c Collector) bool { return walk(c, func(*Registry) error { return errFound }) != nil }

// contains reports whether a registry is, or is in, a collector.
func contains(c Collector, r *Registry) bool {
	var visit func(*Registry) error
	visit = func(inner *Registry) error {
		if inner == r {
			return errFound
		}
		inner.mu.RLock()
		entries := slices.Clone(inner.entries)
		inner.mu.RUnlock()
		for _, e := range entries {
			if e != nil {
				if err := walk(e.collector, visit); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk(c, visit) != nil
}

// walk visits the registries directly under a collector.
func walk(c Collector, visit func(*Registry) error) error {
	switch c := c.(type) {
	case *Registry:
		return visit(c)
	case *RestrictedRegistry:
		return visit(c.of())
	case *view:
		return walk(c.inner, visit)
	case *merged:
		for _, part := range c.parts {
			if err := walk(part, visit); err != nil {
				return err
			}
		}
	}
	return nil
}
