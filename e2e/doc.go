// Package e2e compares telltale with programs of other projects: parsers that
// read its pages, and a Prometheus server that scrapes its demo. It is a module
// of its own, outside go.work, so that their many dependencies stay out of the
// others:
//
//	cd e2e && GOWORK=off go test ./...
//
// The differential tests make registries from a seed (plan_test.go,
// generate_test.go, build_test.go), write them in every text format under every
// escaping scheme, derive independently of telltale what the page must contain
// (expect_test.go), and compare that with what each reader finds
// (reading_test.go, differential_test.go). A named rule describes each case in
// which a reader is known to be wrong or to hold less (rules_test.go); a rule
// that is never needed fails the test. A failure names its seed and its family:
//
//	GOWORK=off go test -run TestReaders -seed 42 -pages 1 -family 3 ./...
//
// TestParsers works in the other direction (mutate_test.go, parsers_test.go): it
// damages such pages and the golden files, and makes telltale's strict parsers
// and those of other projects read them. If they disagree, on whether it is a
// valid page or on its samples, a rule says who is right, and by which clause
// (parsers_rules_test.go). MUTANTS=50000 makes more pages, another -seed other
// pages:
//
//	MUTANTS=50000 GOWORK=off go test -run TestParsers -seed 1000 .
//
// TestCommonReads and TestCommonWrites do both with the parsers and encoders of
// OpenMetrics 1.0 and 2.0 in common (common_test.go).
//
// Package thirdparty, below this one, moves a program on client_golang by
// bridge/clientgolang and compares its pages before and after.
//
// TestSystemdUnits and package kubernetes check what is in deploy. Command fleet
// simulates many senders of remote write.
//
// Servers that Debian has not, or has in old versions, are built from the modules in
// prometheus3, pushgateway and victoriametrics and kept in the user's cache.
//
// The tests fail if a reader or server is missing, and name the Debian package
// that has it.
package e2e
