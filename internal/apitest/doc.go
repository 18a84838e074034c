// Package apitest tests package telltale as a program uses it: through its
// exported names alone. Tests that must force states of the machine, such as
// writers that contend for a word, and tests of the source tree are in the root
// folder, beside the examples.
//
// Files are named after what they test: counter_test.go and similar files the
// instruments; labels_test.go, typed_test.go and churn_test.go their series;
// registry_test.go, views_test.go and restricted_test.go registries and views;
// failure_test.go, deadline_test.go, overlap_test.go and source_test.go custom
// collectors that fail, wait or share a run; alloc_test.go and bench_test.go the
// costs.
package apitest
