package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"telltale/model"
)

// Vec is an instrument with labels whose values are given by position or by
// name: [CounterVec], [GaugeVec] and their like are Vecs of one kind of handle.
// All methods are safe for concurrent use.
//
// A handle that With returned stays good for ever. Keeping it saves the lookup;
// after its series was removed it takes updates that nobody sees. The zero Vec has
// no series, and its With returns zero handles.
type Vec[H any] struct {
	core  *core[H]
	fixed []*string // by position: the values that Curry fixed
	free  int       // how many are not
}

var errNotMade = errors.New("telltale: the Vec was not made by a constructor")

func newVec[H any](c *core[H]) *Vec[H] {
	return &Vec[H]{core: c, fixed: make([]*string, len(c.labels)), free: len(c.labels)}
}

// manyLabels is how many label values are looked up without allocating.
const manyLabels = 8

// With returns the series with the label values, in the order in which the
// labels were declared, and creates it at its first use. A series stays until it is
// removed, so a value that clients choose, such as a path, must be mapped to one of
// a few first. For a series that is
// there it takes no lock and allocates nothing, except with more than eight
// labels or with values that are longer than 254 bytes or need escaping. It keeps
// nothing of what it is given. The wrong number of values gives a handle that no
// scrape sees, and is counted and told to the registry's error hook.
func (v *Vec[H]) With(values ...string) *H {
	if v.free == len(v.fixed) {
		return v.core.with(values)
	}
	if len(values) != v.free {
		return v.core.wrongArity(v.free, len(values))
	}
	if len(v.fixed) > manyLabels {
		return v.core.with(v.fill(values))
	}
	var all [manyLabels]string
	for i, next := 0, 0; i < len(v.fixed); i++ {
		if v.fixed[i] != nil {
			all[i] = *v.fixed[i]
		} else {
			all[i] = values[next]
			next++
		}
	}
	return v.core.with(all[:len(v.fixed)])
}

// fill puts the values between the curried ones.
func (v *Vec[H]) fill(values []string) []string {
	all := make([]string, 0, len(v.fixed))
	for _, fixed := range v.fixed {
		if fixed != nil {
			all = append(all, *fixed)
		} else {
			all, values = append(all, values[0]), values[1:]
		}
	}
	return all
}

// WithLabels returns the series with the labels, given by name. A missing or an
// unknown name is treated as a wrong number of values is by [Vec.With].
func (v *Vec[H]) WithLabels(labels map[string]string) *H {
	if v.core == nil {
		return new(H)
	}
	var space [manyLabels]string
	values := space[:0]
	for i, name := range v.core.labels {
		if value, ok := labels[name]; ok && v.fixed[i] == nil {
			values = append(values, value)
		}
	}
	if len(values) != v.free || len(labels) != v.free {
		v.core.fault(ReasonUnknownLabel, func() error {
			return fmt.Errorf("telltale: %s takes %d labels by name and was given %q", v.core.definition, v.free, slices.Sorted(maps.Keys(labels)))
		})
		return v.core.detach()
	}
	return v.With(values...)
}

// Curry returns a Vec of the same series with some labels fixed; its With takes
// the others. It is an error to fix a label that the Vec does not have or that
// is fixed already.
func (v *Vec[H]) Curry(labels map[string]string) (*Vec[H], error) {
	if v.core == nil {
		return nil, errNotMade
	}
	curried := &Vec[H]{core: v.core, fixed: slices.Clone(v.fixed), free: v.free}
	for name, value := range labels {
		i := slices.Index(v.core.labels, name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("telltale: %s has no label %q to curry", v.core.definition, name)
		case v.fixed[i] != nil:
			return nil, fmt.Errorf("telltale: label %q of %s is curried already", name, v.core.definition)
		}
		kept := strings.Clone(value) // what the caller does with its bytes later is its own affair
		curried.fixed[i] = &kept
		curried.free--
	}
	return curried, nil
}

// Init creates the series of the rows of label values, so that they are scraped
// as zero before anything happens. A row of the wrong length is an error, and
// then none is created.
func (v *Vec[H]) Init(rows ...[]string) error {
	if v.core == nil {
		return errNotMade
	}
	for _, row := range rows {
		if len(row) != v.free {
			return fmt.Errorf("telltale: %s takes %d label values, row %q has %d", v.core.definition, v.free, row, len(row))
		}
	}
	for _, row := range rows {
		v.With(row...)
	}
	return nil
}

// Remove takes out the series with the label values and reports whether it was
// there. [Vec.With] then creates it anew, from zero.
func (v *Vec[H]) Remove(values ...string) bool {
	if len(values) != v.free {
		v.core.wrongArity(v.free, len(values))
		return false
	}
	return v.core.remove(v.fill(values))
}

// RemoveMatching takes out all series that have the labels, which may be some of
// the declared ones, and returns how many they were. An empty map matches
// nothing. Other goroutines find and create series meanwhile; those that they
// create stay.
func (v *Vec[H]) RemoveMatching(labels map[string]string) int {
	if len(labels) == 0 {
		return 0
	}
	return v.core.removeMatching(v.within(labels))
}

// within adds the curried labels. A curried label given again must not widen
// what is matched, so a contradiction matches nothing.
func (v *Vec[H]) within(labels map[string]string) map[string]string {
	if v.free == len(v.fixed) {
		return labels
	}
	all := maps.Clone(labels)
	if all == nil {
		all = make(map[string]string)
	}
	for i, fixed := range v.fixed {
		if fixed == nil {
			continue
		}
		name := v.core.labels[i]
		if given, ok := labels[name]; ok && given != *fixed {
			return nil
		}
		all[name] = *fixed
	}
	return all
}

// Clear takes out all series; of a curried Vec those with the curried labels.
func (v *Vec[H]) Clear() {
	if v.free == len(v.fixed) {
		v.core.clear()
		return
	}
	v.core.removeMatching(v.within(nil))
}

// Replace puts the series that fill creates through next in the place of all
// series of the family, in one step: every page of this process has either all of
// the old or all of the new. In a store, pages of other processes may have some of
// each. Updates through handles that next returned, or that With returns after
// Replace has, always count; handles of the old series take updates that nobody
// sees. If fill panics nothing has changed. Replacing through a curried Vec
// replaces the whole family; next takes what v takes.
func (v *Vec[H]) Replace(fill func(next *Vec[H])) {
	v.core.replace(func(next *core[H]) {
		fill(&Vec[H]{core: next, fixed: v.fixed, free: v.free})
	})
}

// Len returns how many series the family has.
func (v *Vec[H]) Len() int { return v.core.count() }

// Collect emits the family.
func (v *Vec[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return v.core.Collect(ctx, emit)
}

// Describe returns the family without samples.
func (v *Vec[H]) Describe() []*model.Family { return v.core.Describe() }

func (v *Vec[H]) instrument() instrument {
	if v.core == nil {
		return nil
	}
	return v.core
}
