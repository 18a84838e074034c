package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const mergedText = "# HELP served_total Served.\n# TYPE served_total counter\nserved_total 2.0\n"

func TestMerge(t *testing.T) {
	dir, damaged := workers(t)
	one, two := filepath.Join(dir, "counter_1.db"), filepath.Join(dir, "counter_2.db")
	other := t.TempDir()
	workerFile(t, filepath.Join(other, "histogram_1.db"),
		`["d", "d_bucket", {"le": "1.0"}, "Help."]`, `["d", "d_bucket", {"le": "+Inf"}, "Help."]`, `["d", "d_sum", {}, "Help."]`)
	workerFile(t, filepath.Join(other, ".counter_1.db"), served) // as a glob has it
	named := t.TempDir()
	workerFile(t, filepath.Join(named, "counter_1.db"), `["ser.ved", "ser.ved_total", {}, "Served."]`)
	warning := "telltale: warning: multiprocess: " + damaged + " is left out: "

	for _, test := range []struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		{[]string{dir}, mergedText, warning, 0},
		{[]string{"--to", "text", dir}, mergedText, warning, 0},
		{[]string{one, two}, mergedText, "", 0},
		{[]string{one, one}, mergedText, "", 0},
		{[]string{"--strict", one, two}, mergedText, "", 0},
		{[]string{"--strict", dir}, "", "telltale: multiprocess: " + damaged + " is left out: ", 1},
		{[]string{"--to=openmetrics", one}, "# HELP served Served.\n# TYPE served counter\nserved_total 1.0\n# EOF\n", "", 0},
		{[]string{"--to=text1", named}, "# HELP \"ser.ved_total\" Served.\n# TYPE \"ser.ved_total\" counter\n{\"ser.ved_total\"} 1.0\n", "", 0},
		{[]string{"--to=text", named}, "# HELP ser_ved_total Served.\n# TYPE ser_ved_total counter\nser_ved_total 1.0\n", "", 0},
		{[]string{"--to=protobuf", one}, "\x26\x0a\x0cserved_total\x12\x07Served.\x18\x00\x22\x0b\x1a\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f", "", 0},
		{[]string{other}, "# HELP d Help.\n# TYPE d histogram\nd_bucket{le=\"1.0\"} 1.0\nd_bucket{le=\"+Inf\"} 3.0\nd_count 3.0\nd_sum 3.0\n", "", 0},
		{[]string{"--no-accumulate", other}, "# HELP d Help.\n# TYPE d histogram\nd_bucket{le=\"1.0\"} 1.0\nd_bucket{le=\"+Inf\"} 2.0\nd_sum 3.0\n", "", 0},
		{[]string{filepath.Join(dir, "none")}, "", "telltale: ", 1},
		{[]string{t.TempDir()}, "", "telltale: warning: ", 0},
	} {
		stdout, stderr, status := outcome(t, append([]string{"merge"}, test.args...)...)
		if status != test.status || stdout != test.stdout {
			t.Errorf("%q: status %d, want %d; stdout\n%swant\n%s", test.args, status, test.status, stdout, test.stdout)
		}
		if !strings.HasPrefix(stderr, test.stderr) || (stderr == "") != (test.stderr == "") || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%q: stderr %q, want %q", test.args, stderr, test.stderr)
		}
	}
}

// What a format cannot hold is told.
func TestMergeDrops(t *testing.T) {
	dir := t.TempDir()
	workerFile(t, filepath.Join(dir, "histogram_1.db"), `["d", "d_bucket", {"le": "+Inf"}, "Help."]`, `["d", "d_sum", {}, "Help."]`)
	stdout, stderr, status := outcome(t, "merge", "--no-accumulate", "--to=openmetrics", dir)
	if status != 0 || strings.Contains(stdout, "d_sum") || !strings.HasPrefix(stderr, `telltale: warning: sample "d_sum" of family "d" is left out of openmetrics: `) {
		t.Errorf("status %d, stderr %q, stdout\n%s", status, stderr, stdout)
	}
}
