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
// A reader or server that is missing fails the tests, and names the Debian
// package that has it.
package e2e
