package telltale

// The methods that a Vec and an Of have in common.

import (
	"context"
	"maps"

	"telltale/model"
)

// labelled is what a [Vec] and an [Of] have in common.
type labelled[H any] struct {
	table *table[H]
	fixed []*string // of a Vec, by position: the values that Curry fixed
	free  int       // how many are not
}

// RemoveMatching takes out all series that have the labels, which may be some of the
// declared ones, and returns how many they were. An empty map matches nothing; a name
// that is not a label of the family matches nothing and is a fault
// ([ReasonUnknownLabel]). Other goroutines can look up and create series meanwhile;
// series that they create stay.
func (l *labelled[H]) RemoveMatching(labels map[string]string) int {
	if len(labels) == 0 {
		return 0
	}
	return l.table.removeMatching(l.within(labels))
}

// within adds the curried labels. A curried label given again must not widen
// what is matched, so a contradiction matches nothing.
func (l *labelled[H]) within(labels map[string]string) map[string]string {
	if l.free == len(l.fixed) {
		return labels
	}
	all := maps.Clone(labels)
	if all == nil {
		all = make(map[string]string)
	}
	for i, fixed := range l.fixed {
		if fixed == nil {
			continue
		}
		name := l.table.core.labels[i]
		if given, ok := labels[name]; ok && given != *fixed {
			return nil
		}
		all[name] = *fixed
	}
	return all
}

// Clear takes out all series; of a curried Vec those with the curried labels.
func (l *labelled[H]) Clear() {
	if l.free == len(l.fixed) {
		l.table.clear()
		return
	}
	l.table.removeMatching(l.within(nil))
}

// Len returns how many series the family has in this process, also of a curried Vec.
func (l *labelled[H]) Len() int { return l.table.count() }

// Collect emits the family with all its series.
func (l *labelled[H]) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if t := l.table; t != nil && t.filling != nil {
		return emit(t.core.family.WithPoints(t))
	}
	return l.core().Collect(ctx, emit)
}

// Describe returns the family without samples.
func (l *labelled[H]) Describe() []*model.Family { return l.core().Describe() }

func (l *labelled[H]) instrument() instrument {
	if l.table == nil {
		return nil
	}
	return l.table.core
}

// core returns the instrument, nil of the zero Vec or Of.
func (l *labelled[H]) core() *core[H] {
	if l.table == nil {
		return nil
	}
	return l.table.core
}
