// Package apitest tests the package telltale as a program sees it: through its
// public names alone. Tests that must bring about what depends on the machine, such
// as writers that fight over a word, or that look at the tree, lie in the root
// folder beside the examples.
//
// Files are named after what they test: counter_test.go and its like have the
// instruments, labels_test.go, typed_test.go and churn_test.go their series,
// registry_test.go, views_test.go and restricted_test.go what they are registered
// in, failure_test.go, deadline_test.go, overlap_test.go and source_test.go custom
// collectors that go wrong, wait or share a run, alloc_test.go and bench_test.go
// what it all costs.
package apitest
