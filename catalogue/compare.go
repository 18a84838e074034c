package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is one thing in which two catalogues differ.
type Difference struct {
	Family string // its name
	What   string // such as `the label "code" is gone`
}

// String returns "family: what".
func (d Difference) String() string { return d.Family + ": " + d.What }

// Compare returns in what got differs from want, sorted by family; none if they are
// alike. Labels are compared if both know them, units if both have one: a page in the
// text format tells no units, and none of the labels of a family without series.
func Compare(want, got *Catalogue) []Difference {
	var list []Difference
	for _, w := range want.Families() {
		g := got.families[w.Name]
		if g == nil {
			list = append(list, Difference{w.Name, "it is gone" + renamed(w, want, got)})
			continue
		}
		for _, what := range compare(w, g) {
			list = append(list, Difference{w.Name, what})
		}
	}
	for _, g := range got.Families() {
		if want.families[g.Name] == nil {
			list = append(list, Difference{g.Name, "it is new"})
		}
	}
	slices.SortStableFunc(list, func(a, b Difference) int { return strings.Compare(a.Family, b.Family) })
	return list
}

// renamed names a new family that has the help and the type of one that is gone.
func renamed(gone *Family, want, got *Catalogue) string {
	for _, g := range got.Families() {
		if want.families[g.Name] == nil && gone.Help != "" && g.Help == gone.Help && g.Type == gone.Type {
			return fmt.Sprintf(", and %q has its help text", g.Name)
		}
	}
	return ""
}

func compare(want, got *Family) (list []string) {
	text := func(what, want, got string) {
		if want != got {
			list = append(list, fmt.Sprintf("the %s is %q, was %q", what, got, want))
		}
	}
	text("type", want.Type, got.Type)
	if want.Unit != "" && got.Unit != "" {
		text("unit", want.Unit, got.Unit)
	}
	text("help", want.Help, got.Help)
	if want.Labels != nil && got.Labels != nil {
		list = append(list, members("label", want.Labels, got.Labels)...)
	}
	list = append(list, members("bucket", want.Buckets, got.Buckets)...)
	list = append(list, members("quantile", want.Quantiles, got.Quantiles)...)
	list = append(list, members("state", want.States, got.States)...)
	switch {
	case want.Native && !got.Native:
		list = append(list, "it has no native buckets any more")
	case !want.Native && got.Native:
		list = append(list, "it has native buckets now")
	}
	return list
}

// members tells what one list lacks of the other.
func members[T comparable](what string, want, got []T) (list []string) {
	for _, m := range want {
		if !slices.Contains(got, m) {
			list = append(list, fmt.Sprintf("the %s %s is gone", what, spelled(m)))
		}
	}
	for _, m := range got {
		if !slices.Contains(want, m) {
			list = append(list, fmt.Sprintf("the %s %s is new", what, spelled(m)))
		}
	}
	return list
}

// spelled quotes texts.
func spelled(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}
