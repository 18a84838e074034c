// Package reserved has the rules for labels that no series on a page may have, and for names
// that no family may have beside another one: readers refuse the whole page for one of them.
package reserved

import (
	"fmt"
	"slices"

	"telltale/model"
)

// Check returns an error if no page may have a series with the labels of all lists together
// in a family of the given name and type: see [CheckNames].
func Check(family string, typ model.Type, lists ...model.Labels) error {
	var room [fewNames]string
	names := room[:0]
	for _, labels := range lists {
		for name := range labels.All() {
			names = append(names, name)
		}
	}
	return CheckNames(family, typ, names)
}

// fewNames is how many names are compared with each other; more are looked up.
const fewNames = 16

// CheckNames returns an error if one of the names stands there twice, is "__name__" or
// becomes it under an escaping scheme, or is the one by which samples of a series differ: le
// on histograms, quantile on summaries, and the family's name on state sets.
func CheckNames(family string, typ model.Type, names []string) error {
	var seen map[string]bool
	if len(names) > fewNames {
		seen = make(map[string]bool, len(names))
	}
	for i, name := range names {
		switch {
		case seen[name], seen == nil && slices.Contains(names[:i], name):
			return fmt.Errorf("has the label %.80q twice", name)
		case becomesName(name):
			return fmt.Errorf("has the label %.80q, which is reserved for the name of the metric", name)
		case name == "le" && (typ == model.Histogram || typ == model.GaugeHistogram),
			name == "quantile" && typ == model.Summary,
			name == family && typ == model.StateSet:
			return fmt.Errorf("has the label %.80q, which is reserved on a %s", name, typ)
		}
		if seen != nil {
			seen[name] = true
		}
	}
	return nil
}

// becomesName reports whether a label's name is "__name__" under an escaping scheme.
func becomesName(name string) bool {
	const metricName = "__name__"
	if model.LegacyLabelName(name) {
		return name == metricName
	}
	for scheme := model.Underscores; scheme <= model.Values; scheme++ {
		if scheme.LabelName(name) == metricName {
			return true
		}
	}
	return false
}
