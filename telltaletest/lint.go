package telltaletest

import (
	"testing"

	"telltale"
	"telltale/lint"
)

// Lint fails the test for each thing about the names, units and labels of c that
// the rules of package lint find. Options leave rules out.
func Lint(t testing.TB, c telltale.Collector, opts ...lint.Option) {
	t.Helper()
	for _, f := range lint.Lint(families(t, c), opts...) {
		t.Error(f)
	}
}
