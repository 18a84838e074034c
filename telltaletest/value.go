package telltaletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// Value returns the value of the sample with the name and exactly the labels; nil
// means none. Labels le and quantile are found by their number, however it is
// spelled. It ends the test if there is no such sample, and lists those that come
// close.
func Value(t testing.TB, c telltale.Collector, name string, labels map[string]string) float64 {
	t.Helper()
	v, ok, near := find(families(t, c), name, labels)
	if !ok {
		t.Fatalf("telltaletest: there is no sample %s%s\n%s", name, model.LabelsOf(labels), near)
	}
	return v
}

// Delta returns by how much f changes the sample with the name and labels, as
// [Value] finds it. A sample that appears only then was 0. It ends the test if
// there is no such sample after f.
func Delta(t testing.TB, c telltale.Collector, name string, labels map[string]string, f func()) float64 {
	t.Helper()
	before, _, _ := find(families(t, c), name, labels)
	f()
	return Value(t, c, name, labels) - before
}

// find returns the value of a sample, or what to say where there is none.
func find(list []*model.Family, name string, labels map[string]string) (v float64, ok bool, near string) {
	want := spelled(model.LabelsOf(labels))
	var sameName, names []string
	for _, f := range list {
		for s := range f.Samples() {
			if s.Name == name && s.NativeHistogram == nil && spelled(s.Labels).Same(want) {
				return s.Value, true, ""
			}
			if s.Name == name {
				sameName = append(sameName, name+s.Labels.String())
			}
			names = append(names, s.Name)
		}
	}
	if len(sameName) > 0 {
		return 0, false, "samples of that name:" + listed(sameName)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return 0, false, "there are no samples at all"
	}
	return 0, false, "names of samples:" + listed(slices.Compact(names))
}

// shown is how many names or series a message lists.
const shown = 20

// listed returns lines, the first of them if there are many.
func listed(all []string) string {
	more := ""
	if len(all) > shown {
		more = fmt.Sprintf("\n\tand %d more", len(all)-shown)
		all = all[:shown]
	}
	return "\n\t" + strings.Join(all, "\n\t") + more
}

// spelled returns labels with the numbers of le and quantile as telltale spells
// them.
func spelled(labels model.Labels) model.Labels {
	text := make([]byte, 0, len(labels.Text()))
	for name, value := range labels.All() {
		if name == "le" || name == "quantile" {
			value = number(value)
		}
		text = model.AppendLabel(text, name, value)
	}
	return model.LabelsFromText(string(text))
}
