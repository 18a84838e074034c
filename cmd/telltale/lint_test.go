package main

import (
	"strings"
	"testing"

	"telltale/lint"
)

const sloppy = `# TYPE duration_ms gauge
duration_ms{camelCase="a"} 1
# HELP ok_seconds Fine.
# TYPE ok_seconds gauge
ok_seconds 1
`

func TestLint(t *testing.T) {
	page := file(t, sloppy)
	const help, abbreviated, camel = ": duration_ms: help: it has no help text\n",
		": duration_ms: abbreviated-unit: the unit \"ms\" should be written out, as in duration_seconds\n",
		": duration_ms: camel-case-label: the label \"camelCase\" should be in snake_case, as in camel_case\n"
	for _, test := range []struct {
		args   []string
		status int
		stdout string
		stderr string
	}{
		{nil, 1, page + help + page + camel + page + abbreviated, "telltale: " + page + ": 3 findings\n"},
		{[]string{"--disable=help"}, 1, page + camel + page + abbreviated, "telltale: " + page + ": 2 findings\n"},
		{[]string{"--disable=help", "--disable", "camel-case-label:duration_ms"}, 1, page + abbreviated, "telltale: " + page + ": 1 finding\n"},
		{[]string{"--disable=help", "--disable=camel-case-label", "--disable=abbreviated-unit:duration_ms"}, 0, "", ""},
		{[]string{"--disable=help:other", "--disable=camel-case-label", "--disable=abbreviated-unit"}, 1, page + help, "telltale: " + page + ": 1 finding\n"},
	} {
		stdout, stderr, status := outcome(t, append([]string{"lint", page}, test.args...)...)
		if status != test.status || stdout != test.stdout || stderr != test.stderr {
			t.Errorf("%q: status %d, stdout\n%sstderr %q; want %d\n%s%q", test.args, status, stdout, stderr, test.status, test.stdout, test.stderr)
		}
	}
	if stdout, stderr, status := outcomeOf(t, sloppy, "lint", "-"); status != 1 || !strings.HasPrefix(stdout, "stdin: duration_ms: help: ") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if stdout, stderr, status := outcomeOf(t, "a x\n", "lint"); status != 1 || stdout != "" || !strings.HasPrefix(stderr, "telltale: stdin:1:3: found \"x\"") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if stdout, stderr, status := outcomeOf(t, "", "lint"); status != 1 || stdout != "" || stderr != "telltale: stdin is empty; --allow-empty accepts that\n" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if stdout, stderr, status := outcomeOf(t, "", "lint", "--allow-empty"); status != 0 || stdout != "" || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	url, _ := exporter(t, "text/plain; version=0.0.4", sloppy+"last 1")
	if stdout, stderr, status := outcome(t, "lint", "--lenient", url); status != 1 || strings.Count(stdout, url+": ") != 4 {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestLintRules(t *testing.T) {
	stdout, stderr, status := outcome(t, "lint", "--rules")
	if status != 0 || stderr != "" || strings.Count(stdout, "\n") != len(lint.Rules()) {
		t.Errorf("status %d, stderr %q, stdout\n%s", status, stderr, stdout)
	}
	for _, r := range lint.Rules() {
		if !strings.Contains(stdout, r.String()+" ") || !strings.Contains(stdout, r.Explanation()+"\n") {
			t.Errorf("no %s in\n%s", r, stdout)
		}
	}
}
