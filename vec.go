package telltale

// Labels given by position or by name.

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Vec is an instrument with labels whose values are given by position or by name.
// [CounterVec], [GaugeVec] and so on are its types for each kind of instrument.
// All methods are safe for concurrent use.
//
// A handle that With returned can be kept, which saves the lookup. Updates through
// it are lost once its series has been removed. The zero Vec has no series, and
// its With returns zero handles.
type Vec[H any] struct{ labelled[H] }

var errNotMade = errors.New("telltale: the Vec was not made by a constructor")

// With returns the series with the label values, in the order in which the labels were
// declared, and creates it at its first use. A series stays until it is removed or
// expires ([WithIdleExpiry]), so a value that clients choose, such as a path, must be
// mapped to one of a few first ([WithLabelValues] does it); [WithSeriesLimit] says what
// With returns when the family is full. For a series that is there it takes no lock and
// allocates nothing, except with more than eight labels or with values that are longer
// than 254 bytes or need escaping. It keeps nothing of what it is given. The wrong
// number of values gives a handle that no scrape sees, and is counted and told to the
// registry's error hook.
func (v *Vec[H]) With(values ...string) *H {
	if v.free == len(v.fixed) {
		return v.table.with(values)
	}
	if len(values) != v.free {
		return v.table.wrongArity(v.free, len(values))
	}
	if len(v.fixed) > manyLabels {
		return v.table.with(v.fill(values))
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
	return v.table.with(all[:len(v.fixed)])
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
	if v.table == nil {
		return new(H)
	}
	var space [manyLabels]string
	values := space[:0]
	for i, name := range v.table.core.labels {
		if value, ok := labels[name]; ok && v.fixed[i] == nil {
			values = append(values, value)
		}
	}
	if len(values) != v.free || len(labels) != v.free {
		v.table.core.fault(ReasonUnknownLabel, func() error {
			return fmt.Errorf("telltale: %s takes %d labels by name and was given %q", v.table.core, v.free, slices.Sorted(maps.Keys(labels)))
		})
		return v.table.detach()
	}
	return v.With(values...)
}

// Curry returns a Vec of the same series with some labels fixed; its With takes
// the others. It is an error to fix a label that the Vec does not have or that
// is fixed already.
func (v *Vec[H]) Curry(labels map[string]string) (*Vec[H], error) {
	if v.table == nil {
		return nil, errNotMade
	}
	curried := &Vec[H]{labelled[H]{table: v.table, fixed: slices.Clone(v.fixed), free: v.free}}
	for name, value := range labels {
		i := slices.Index(v.table.core.labels, name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("telltale: Curry: %s has no label %q", v.table.core, name)
		case v.fixed[i] != nil:
			return nil, fmt.Errorf("telltale: Curry: label %q of %s is fixed already", name, v.table.core)
		}
		kept := strings.Clone(value) // the caller may reuse its bytes
		curried.fixed[i] = &kept
		curried.free--
	}
	return curried, nil
}

// Init creates the series of the rows of label values, so that they are scraped
// as zero before anything happens. A row of the wrong length is an error, and
// then none is created.
func (v *Vec[H]) Init(rows ...[]string) error {
	if v.table == nil {
		return errNotMade
	}
	for _, row := range rows {
		if len(row) != v.free {
			return fmt.Errorf("telltale: %s takes %d label values, row %q has %d", v.table.core, v.free, row, len(row))
		}
	}
	for _, row := range rows {
		v.table.init(v.fill(row))
	}
	return nil
}

// Remove takes out the series with the label values and reports whether it was
// there. [Vec.With] then creates it anew, from zero.
func (v *Vec[H]) Remove(values ...string) bool {
	if len(values) != v.free {
		v.table.wrongArity(v.free, len(values))
		return false
	}
	return v.table.remove(v.fill(values))
}

// Replace puts the series that fill creates through next in the place of all series of
// the family, in one step: every page of this process has either all of the old or all
// of the new. So has every page of another process, if the instrument is in a store.
// Updates through handles that next returned, or that With returns after Replace has,
// always count; handles of the old series take updates that nobody sees. If fill panics
// nothing has changed. Replacing through a curried Vec replaces the whole family; next
// takes what v takes.
func (v *Vec[H]) Replace(fill func(next *Vec[H])) {
	v.table.replace(func(next *table[H]) {
		fill(&Vec[H]{labelled[H]{table: next, fixed: v.fixed, free: v.free}})
	})
}
