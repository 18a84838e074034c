package telltale

// Asking a collector for its families when it is registered, before it is collected.

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"telltale/internal/reshape"
	"telltale/model"
)

// describing asks a collector for the families whose names it is to claim.
type describing struct {
	asksAll bool // of those without Describe too, by collecting them once
	legacy  bool // names are to be legacy names
}

// shown is a collector that shows others in its own way: a view.
type shown interface {
	// describe returns the families that ask learns of the others, as it shows them.
	describe(ask func(Collector) ([]outline, error)) ([]outline, error)
}

// describe returns what ask learns of the families of a collector, as the views
// around it show them.
func describe(c Collector, ask func(Collector) ([]outline, error)) (families []outline, err error) {
	defer func() {
		if p := recover(); p != nil {
			families, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if c, ok := c.(shown); ok {
		return c.describe(ask)
	}
	return ask(c)
}

// list returns the families that a collector describes now, a registry those of
// its collectors. One that panics in Describe describes nothing.
func list(c Collector) []*model.Family {
	return headers(describedNow(c))
}

func describedNow(c Collector) []outline {
	described, err := describe(c, func(c Collector) ([]outline, error) {
		if c, ok := c.(Describer); ok {
			return outlines(c), nil
		}
		return nil, nil
	})
	if err != nil {
		return nil
	}
	return described
}

// headers returns described families, those that join as one.
func headers(described []outline) []*model.Family {
	var families []*model.Family
	seen := make(map[string][]*outline, len(described))
	for i := range described {
		o := &described[i]
		if o.family == nil {
			families = append(families, nil)
			continue
		}
		name := o.family.SampleName()
		if !slices.ContainsFunc(seen[name], func(other *outline) bool { return other.joins(o) == nil }) {
			families = append(families, o.family.Header())
		}
		seen[name] = append(seen[name], o)
	}
	return families
}

// ask returns the families whose names a collector is to claim. Those of another
// registry and of a view that reshapes come and go, so that they claim no names.
func (d describing) ask(c Collector) (families []outline, err error) {
	if _, ok := c.(accounting); ok {
		return nil, nil
	}
	if _, _, ok := reshape.Of(c); ok { // what it does may change
		return nil, nil
	}
	if c, ok := c.(Describer); ok {
		return outlines(c), nil
	}
	if !d.asksAll {
		return nil, nil
	}
	var emitting sync.Mutex // from several goroutines, perhaps
	err = c.Collect(context.Background(), func(f *model.Family) error {
		emitting.Lock()
		defer emitting.Unlock()
		if f != nil { // else the scrape will tell
			families = append(families, outlineOf(f.Header(), nil, model.Labels{}))
		}
		return nil
	})
	emitting.Lock()
	defer emitting.Unlock()
	return slices.Clone(families), err
}

// labelling tells the labels that all series of a collector have.
type labelling interface{ labelNames() []string }

// labelNames returns the labels that all series of a collector are known to
// have.
func labelNames(c Collector) []string {
	if c, ok := c.(labelling); ok {
		return c.labelNames()
	}
	return nil
}

// newEntry describes a collector, without holding the lock, and makes an entry
// with the names that it is to claim.
func (d describing) newEntry(c Collector) (*entry, error) {
	if i, ok := c.(instrument); ok { // its definition has been checked, and knows its claims
		of := i.what()
		if err := d.checkLegacy(model.LegacyName, of.name); err != nil {
			return nil, err
		}
		return &entry{collector: c, claims: of.claims}, d.checkLegacy(model.LegacyLabelName, labelNames(c)...)
	}
	families, err := describe(c, d.ask)
	if err != nil {
		return nil, fmt.Errorf("telltale: describing collector %T: %w", c, err)
	}
	for _, f := range families {
		if err := d.check(f.family); err != nil {
			return nil, fmt.Errorf("telltale: collector %T: %w", c, err)
		}
	}
	if err := d.checkLegacy(model.LegacyLabelName, labelNames(c)...); err != nil {
		return nil, err
	}
	e := &entry{collector: c, described: families, settled: accountIn(c) == nil} // else they come and go
	e.claim(families)
	return e, nil
}

// check returns an error if the registry cannot take a described family.
func (d describing) check(f *model.Family) error {
	if f == nil {
		return errors.New("it describes a nil family")
	}
	if err := f.Check(); err != nil {
		return err
	}
	return d.checkLegacy(model.LegacyName, f.Name)
}

// checkLegacy returns an error if the registry takes legacy names only and legacy
// reports false for one of the names.
func (d describing) checkLegacy(legacy func(string) bool, names ...string) error {
	for _, name := range names {
		if d.legacy && !legacy(name) {
			return fmt.Errorf("telltale: the registry takes legacy names only, and %q is not one", name)
		}
	}
	return nil
}
