// Package catalogue lists the metric families that a program exports: name, type,
// unit, help, label names, buckets, quantiles and states, without values. A
// catalogue is kept as a file beside the program's source and compared in its tests
// (telltaletest.Catalogue) or in CI (telltale catalogue URL --check FILE), so that a
// family that is renamed, loses a label or gets other buckets is seen before the
// dashboards that read it break.
//
// The file is JSON: an object with one member, "families", an array sorted by name.
// Members of a family that it does not have are absent; "labels" is absent if no
// series told the labels.
package catalogue
