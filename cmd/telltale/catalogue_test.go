package main

import (
	"strings"
	"testing"
)

const shopPage = `# HELP orders_total Orders.
# TYPE orders_total counter
orders_total{country="de"} 1
# TYPE latency_seconds histogram
latency_seconds_bucket{le="1"} 1
latency_seconds_bucket{le="+Inf"} 1
latency_seconds_sum 1
latency_seconds_count 1
`

func TestCatalogue(t *testing.T) {
	list, stderr, status := outcomeOf(t, shopPage, "catalogue")
	if status != 0 || stderr != "" || !strings.Contains(list, `"name": "orders",`) {
		t.Fatalf("status %d, stdout\n%s, stderr %q", status, list, stderr)
	}
	kept := file(t, list)
	for _, test := range []struct {
		name, page     string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"the same", shopPage, nil, 0, "", ""},
		{"other values", strings.ReplaceAll(shopPage, " 1\n", " 2\n"), nil, 0, "", ""},
		{"a label is gone", strings.Replace(shopPage, `{country="de"}`, "", 1), nil, 1,
			"stdin: orders: the label \"country\" is gone\n", "telltale: stdin: 1 difference from " + kept + "\n"},
		{"renamed", strings.ReplaceAll(shopPage, "orders_total", "sales_total"), nil, 1,
			"stdin: orders: it is gone, and \"sales\" has its help text\nstdin: sales: it is new\n", "telltale: stdin: 2 differences from " + kept + "\n"},
		{"an empty page", "", nil, 1, "", "telltale: stdin is empty; --allow-empty accepts that\n"},
		{"an empty page that is allowed", "", []string{"--allow-empty"}, 1,
			"stdin: latency_seconds: it is gone\nstdin: orders: it is gone\n", "telltale: stdin: 2 differences from " + kept + "\n"},
		{"a broken page", "a x\n", nil, 1, "", "telltale: stdin:1:3: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcomeOf(t, test.page, append([]string{"catalogue", "--check", kept, "-"}, test.args...)...)
			if status != test.status || stdout != test.stdout || !strings.HasPrefix(stderr, test.stderr) {
				t.Errorf("status %d, stdout\n%sstderr %q; want %d\n%s%q", status, stdout, stderr, test.status, test.stdout, test.stderr)
			}
		})
	}
	broken := file(t, "{")
	if stdout, stderr, status := outcomeOf(t, shopPage, "catalogue", "--check", broken); status != 1 || stdout != "" || !strings.Contains(stderr, broken+": catalogue: the file cannot be read") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if _, stderr, status := outcomeOf(t, shopPage, "catalogue", "--check", broken+"-not-there"); status != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}
