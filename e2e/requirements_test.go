package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A missing requirement is a failure, with and without CI=true: a test that
// skips itself proves nothing, and that goes unnoticed.

func missing(t *testing.T, what, debianPackage string, err error) {
	t.Helper()
	t.Fatalf("%s is missing (%v): install it with: apt-get update && apt-get install --no-install-recommends %s", what, err, debianPackage)
}

// requireProgram returns the path of a program.
func requireProgram(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, debianPackage, err)
	}
	return path
}

// requirePython returns a Python that has prometheus_client 0.16, the version
// that rules_test.go knows. Debian's own Python comes first: another one in the
// PATH does not see Debian's packages. PYTHON names one to use instead.
func requirePython(t *testing.T) string {
	t.Helper()
	const version = "import importlib.metadata as m; print(m.version('prometheus_client'))"
	candidates := []string{"/usr/bin/python3", "python3"}
	if named := os.Getenv("PYTHON"); named != "" {
		candidates = []string{named}
	}
	var last error
	for _, python := range candidates {
		out, err := exec.CommandContext(t.Context(), python, "-c", version).Output()
		if err != nil {
			last = err
			continue
		}
		if found := strings.TrimSpace(string(out)); !strings.HasPrefix(found, "0.16.") {
			t.Logf("%s has prometheus_client %s; the rules are written for 0.16, Debian 12's", python, found)
		}
		return python
	}
	missing(t, "Python's prometheus_client", "python3-prometheus-client", last)
	return ""
}
