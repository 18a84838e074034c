// Package e2e holds telltale against programs that others wrote: parsers of its
// pages, and a Prometheus server that scrapes its demo. It is a module of its
// own, outside go.work, so that their many dependencies stay here:
//
//	cd e2e && GOWORK=off go test ./...
//
// The differential tests make registries from a seed (plan_test.go,
// generate_test.go, build_test.go), write them in every text format under every
// escaping scheme, say independently of telltale what has to stand on the page
// (expect_test.go), and compare that with what each reader finds
// (reading_test.go, differential_test.go). Where a reader is known to be wrong or
// to hold less, a named rule says so (rules_test.go); a rule that is never
// needed fails the test. A failure names its seed and the family it is about:
//
//	GOWORK=off go test -run TestReaders -seed 42 -pages 1 -family 3 ./...
//
// TestParsers goes the other way (mutate_test.go, parsers_test.go): it spoils such
// pages and the golden files, and has telltale's strict parsers and those of
// others read them. Where they disagree, on what is a page or on its samples, a
// rule says who is right, and by which clause (parsers_rules_test.go). There are
// more pages in MUTANTS=50000, and others from another -seed:
//
//	MUTANTS=50000 GOWORK=off go test -run TestParsers -seed 1000 .
//
// TestCommonReads and TestCommonWrites do both with the parsers and encoders of
// OpenMetrics 1.0 and 2.0 in common (common_test.go).
//
// A reader or server that is missing fails the tests, and names the Debian
// package that has it.
package e2e
