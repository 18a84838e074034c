// Package exported names labels of series where others take their names, as Prometheus
// does with labels of a target's own.
package exported

import "telltale/model"

// prefix stands before the name of a label whose own name is taken.
const prefix = "exported_"

// Labels returns the labels under names that are not taken. One whose name is taken gets
// it with "exported_" before it, more than once if another label has that name.
func Labels(labels model.Labels, taken func(name string) bool) model.Labels {
	inUse := func(name string) bool {
		_, has := labels.Get(name)
		return has || taken(name)
	}
	var names, values []string
	for name, value := range labels.All() {
		if taken(name) {
			for name = prefix + name; inUse(name); {
				name = prefix + name
			}
		}
		names, values = append(names, name), append(values, value)
	}
	return model.LabelPairs(names, values)
}
