package telltale

// Labels whose values are declared.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// other is the value that a label with declared values has in place of all others.
const other = "other"

// LabelValuer is implemented by the type of a label field (see [Of]) that declares
// the label's values, as [WithLabelValues] does. LabelValues is called once for each
// constructor, on the zero value of the type.
type LabelValuer interface{ LabelValues() []string }

// WithLabelValues declares the values of a label. Every other value, such as a method
// that a client invented, becomes "other". It is an error if the instrument does not
// have the label, if there are no values, more than [MaxLabelValues] or one twice, or
// if one is not valid UTF-8 or longer than [WithLabelValueLimit]. Given twice for one
// label the later counts. Callbacks ([NewCounterFunc], [NewGaugeFunc]) refuse it,
// because two of their series could become one.
func WithLabelValues(label string, values ...string) Option {
	copied := append([]string{}, values...)
	return forAll(func(s *settings) { s.declare(label, copied) })
}

// MaxLabelValues is the largest number of declared values of a label.
const MaxLabelValues = 10_000

// WithInitialSeries creates the series of all combinations of declared label values,
// "other" among them, when the instrument is made, so that they are scraped as zero
// before anything happens and rates see the first event. All labels need declared
// values ([WithLabelValues], [LabelValuer]; a bool field has "false" and "true"). More
// combinations than the series limit of the family allows, or than
// [MaxInitialSeries], are an error.
func WithInitialSeries() Option { return forAll(func(s *settings) { s.initial = true }) }

// MaxInitialSeries is the largest number of series that [WithInitialSeries] creates
// in a family that has no series limit.
const MaxInitialSeries = 1_000_000

// valueSet is the declared values of a label.
type valueSet struct {
	values []string // in the order of their declaration, then "other", unless it is among them or the label is a bool
	index  map[string]struct{}
}

// newValueSet checks declared values.
func newValueSet(values []string, limit int) (*valueSet, error) {
	if n := len(values); n < 1 || n > MaxLabelValues {
		return nil, fmt.Errorf("has %d declared values, it can have 1 to %d", n, MaxLabelValues)
	}
	set := &valueSet{values: slices.Clone(values), index: make(map[string]struct{}, len(values)+1)}
	for _, v := range values {
		switch _, twice := set.index[v]; {
		case twice:
			return nil, fmt.Errorf("has the declared value %.64q twice", v)
		case !utf8.ValidString(v):
			return nil, fmt.Errorf("has a declared value that is not valid UTF-8: %.64q", v)
		case limit > 0 && len(v) > limit:
			return nil, fmt.Errorf("has a declared value of %d bytes, the limit is %d: %.64q", len(v), limit, v)
		}
		set.index[v] = struct{}{}
	}
	if !set.has(other) {
		set.values, set.index[other] = append(set.values, other), struct{}{}
	}
	return set, nil
}

// truths is the values of a bool field, to which nobody can add.
func truths() *valueSet {
	return &valueSet{values: []string{"false", "true"}, index: map[string]struct{}{"false": {}, "true": {}}}
}

func (s *valueSet) has(value string) bool {
	_, ok := s.index[value]
	return ok
}

// equal reports whether both have the same values, in whatever order. Either may be
// nil, which allows every value.
func (s *valueSet) equal(t *valueSet) bool {
	if s == nil || t == nil {
		return s == t
	}
	return maps.Equal(s.index, t.index)
}

// fewValues is how many declared values a definition lists before it only counts the
// others.
const fewValues = 6

func (s *valueSet) String() string {
	few := s.values[:min(len(s.values), fewValues)]
	text := fmt.Sprintf("%.64q", few)
	if more := len(s.values) - len(few); more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	return text
}

// valueSets makes the sets of the labels, by position, nil if no label has one. The
// labels whose fields are bools have one if all combinations are to exist.
func valueSets(labels []string, s *settings, limit int) ([]*valueSet, error) {
	for _, label := range slices.Sorted(maps.Keys(s.declared)) {
		if !slices.Contains(labels, label) {
			return nil, fmt.Errorf("telltale: values are declared of the label %q, the labels are %q", label, labels)
		}
	}
	sets, some := make([]*valueSet, len(labels)), false
	for i, label := range labels {
		values, declared := s.declared[label]
		switch {
		case declared:
			set, err := newValueSet(values, limit)
			if err != nil {
				return nil, fmt.Errorf("telltale: the label %q %w", label, err)
			}
			sets[i] = set
		case s.initial && slices.Contains(s.bools, label):
			sets[i] = truths()
		case s.initial:
			return nil, fmt.Errorf("telltale: all combinations of label values are to exist from the start, but the label %q has no declared values", label)
		}
		some = some || sets[i] != nil
	}
	if s.initial && len(labels) == 0 {
		return nil, fmt.Errorf("telltale: all combinations of label values are to exist from the start, but there are no labels")
	}
	if !some {
		return nil, nil
	}
	return sets, nil
}

// combinations returns how many rows of values the sets have, or a number beyond most
// if they have more than that.
func combinations(sets []*valueSet, most int) int {
	n := 1
	for _, s := range sets {
		if n > most/len(s.values) {
			return most + 1
		}
		n *= len(s.values)
	}
	return n
}

// eachCombination calls f with each row of values of the sets, the last label
// changing fastest. The row is valid until f returns.
func eachCombination(sets []*valueSet, f func(row []string)) {
	row, at := make([]string, len(sets)), make([]int, len(sets))
	for {
		for i, s := range sets {
			row[i] = s.values[at[i]]
		}
		f(row)
		i := len(sets) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < len(sets[i].values) {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// describeSets names the declared values for error messages.
func describeSets(labels []string, sets []*valueSet) string {
	var b strings.Builder
	for i, s := range sets {
		if s != nil {
			fmt.Fprintf(&b, ", values of %q %s", labels[i], s)
		}
	}
	return b.String()
}
