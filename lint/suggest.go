package lint

import (
	"slices"

	"telltale/model"
)

// suggestion is the right form of a family.
type suggestion struct {
	name   string            // of the metric; empty for none
	left   []Finding         // findings that remain
	labels map[string]string // new names of labels, by their present names
}

// of returns the name that mends a finding.
func (s suggestion) of(f Finding) string {
	switch {
	case f.Label != "":
		return s.labels[f.Label]
	case f.Rule == Help, f.Rule == ReservedLabel, f.Rule == DuplicateSeries, has(s.left, f):
		return ""
	}
	return s.name
}

// has reports whether a rule is among findings that are about the same label, or
// the metric.
func has(findings []Finding, f Finding) bool {
	return slices.ContainsFunc(findings, func(of Finding) bool { return of.Rule == f.Rule && of.Label == f.Label })
}

// suggest returns suggestions for the families of a page, whose names stay
// different.
func suggest(views []*view) []suggestion {
	taken := map[string]int{}
	for _, v := range views {
		v.claim(taken)
	}
	all := make([]suggestion, len(views))
	right := make([]*view, len(views))
	for i, v := range views {
		all[i].labels = v.rightLabels()
		if w, other := v.renamed(); other && all[i].brings(v, w) {
			right[i] = w
			w.claim(taken)
		}
	}
	for i, w := range right {
		if w == nil {
			continue
		}
		own := map[string]int{}
		w.claim(own)
		views[i].claim(own) // its own names become free
		free := true
		for _, name := range w.names() {
			free = free && taken[name] == own[name]
		}
		if free {
			all[i].name, all[i].left = w.name, w.findings()
		}
	}
	return all
}

// brings reports whether a view with another name has no new finding, with the
// labels as they are and as they are to be.
func (s suggestion) brings(v, w *view) bool {
	before := v.findings()
	for _, labels := range [][]string{w.labels, s.relabel(w.labels)} {
		changed := *w
		changed.labels = labels
		for _, f := range changed.findings() {
			if !has(before, f) {
				return false
			}
		}
	}
	return true
}

func (s suggestion) relabel(labels []string) []string {
	right := slices.Clone(labels)
	for i, label := range right {
		if better := s.labels[label]; better != "" {
			right[i] = better
		}
	}
	return right
}

// rightLabels returns better names of labels, by their present names.
func (v *view) rightLabels() map[string]string {
	right := map[string]string{}
	before := v.findings()
	for _, label := range v.labels {
		w, other := v.relabeled(label)
		if !other {
			continue
		}
		better := w.labels[slices.Index(v.labels, label)]
		mends := true
		for _, f := range w.findings() {
			if f.Label == better || !has(before, f) {
				mends = false
			}
		}
		for _, before := range right {
			mends = mends && before != better
		}
		if mends {
			right[label] = better
		}
	}
	return right
}

// names are those of the metric and of its samples.
func (v *view) names() []string {
	names := []string{v.name}
	if v.typ == model.Histogram || v.typ == model.GaugeHistogram || v.typ == model.Summary {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			names = append(names, v.name+suffix)
		}
	}
	return names
}

// claim counts the names of the metric and of its samples.
func (v *view) claim(taken map[string]int) {
	for _, name := range v.names() {
		taken[name]++
	}
}
