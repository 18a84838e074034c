package remotewrite

import (
	"cmp"
	"slices"

	"telltale/internal/columns"
)

// layout is where the labels of series lie: those of their text, those that all series
// are given, the name, and the one of a bucket, a quantile or a state. Most series of a
// family have the same.
type layout struct {
	number  uint64 // of this layout among all, from 1
	columns columns.Columns
	slots   []slot // sorted by name
	unfit   string // why series with these labels cannot be sent, or ""
}

// slot is a label at its place among those sorted by name.
type slot struct {
	name  string
	from  int    // a column of the text, or one of those below
	value string // of fromAll
}

const (
	fromPart = -1 - iota // the name of the sample
	fromOwn              // the label of a bucket, a quantile or a state
	fromAll              // a label of all series
)

const nameLabel = "__name__"

// set makes the layout that of labels with the given text. Own is the name of the
// label of buckets, quantiles or states, or "".
func (l *layout) set(text, own string, all []label) {
	l.number++
	l.slots, l.unfit = l.slots[:0], ""
	l.columns.Set(text)
	for _, name := range l.columns.Names() {
		l.slots = append(l.slots, slot{name: name, from: len(l.slots)})
	}
	l.slots = append(l.slots, slot{name: nameLabel, from: fromPart})
	if own != "" {
		l.slots = append(l.slots, slot{name: own, from: fromOwn})
	}
	for _, a := range all {
		if !slices.ContainsFunc(l.slots, func(s slot) bool { return s.name == a.name }) {
			l.slots = append(l.slots, slot{name: a.name, from: fromAll, value: a.value})
		}
	}
	slices.SortStableFunc(l.slots, func(a, b slot) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(l.slots); i++ {
		if l.slots[i].name == l.slots[i-1].name {
			l.unfit = l.slots[i].name
		}
	}
}

// read puts the values of labels into values, by column, if the text has the columns
// of the layout.
func (l *layout) read(text string, values []string) ([]string, bool) {
	return l.columns.Read(text, values)
}
