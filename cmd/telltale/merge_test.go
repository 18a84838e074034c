package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale"
	"telltale/multiprocess"
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
		{[]string{dir}, mergedText, warning, 1},
		{[]string{"--to", "text", dir}, mergedText, warning, 1},
		{[]string{"--to=json", one}, "[\n{\"name\":\"served\",\"type\":\"counter\",\"help\":\"Served.\",\"unit\":\"\",\"samples\":[\n{\"name\":\"served_total\",\"labels\":{},\"value\":\"1.0\"}]}\n]\n", "", 0},
		{[]string{one, two}, mergedText, "", 0},
		{[]string{one, one}, mergedText, "", 0},
		{[]string{"--strict", one, two}, mergedText, "", 0},
		{[]string{"--strict", dir}, "", "telltale: multiprocess: " + damaged + " is left out: ", 1},
		{[]string{"--to=openmetrics", one}, "# HELP served Served.\n# TYPE served counter\nserved_total 1.0\n# EOF\n", "", 0},
		{[]string{"--to=text1", named}, "# HELP \"ser.ved_total\" Served.\n# TYPE \"ser.ved_total\" counter\n{\"ser.ved_total\"} 1.0\n", "", 0},
		{[]string{"--to=text", named}, "# HELP ser_ved_total Served.\n# TYPE ser_ved_total counter\nser_ved_total 1.0\n", "telltale: warning: text: a name is written with other characters: ser.ved\n", 0},
		{[]string{"--to=protobuf", one}, "\x26\x0a\x0cserved_total\x12\x07Served.\x18\x00\x22\x0b\x1a\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f", "", 0},
		{[]string{other}, "# HELP d Help.\n# TYPE d histogram\nd_bucket{le=\"1.0\"} 1.0\nd_bucket{le=\"+Inf\"} 3.0\nd_count 3.0\nd_sum 3.0\n", "", 0},
		{[]string{"--no-accumulate", other}, "# HELP d Help.\n# TYPE d histogram\nd_bucket{le=\"1.0\"} 1.0\nd_bucket{le=\"+Inf\"} 2.0\nd_sum 3.0\n", "", 0},
		{[]string{damaged}, "", warning, 1},
		{[]string{filepath.Join(dir, "none")}, "", "telltale: stat " + filepath.Join(dir, "none") + ": ", 1},
		{[]string{""}, "", "telltale: <path> ...: the name of a file or a directory is empty\n", 2},
		{[]string{t.TempDir(), t.TempDir()}, "", "telltale: warning: ", 0},
	} {
		stdout, stderr, status := outcome(t, append([]string{"merge"}, test.args...)...)
		if status != test.status || stdout != test.stdout {
			t.Errorf("%q: status %d, want %d; stdout\n%swant\n%s", test.args, status, test.status, stdout, test.stdout)
		}
		if !strings.HasPrefix(stderr, test.stderr) || (stderr == "") != (test.stderr == "") || strings.Count(stderr, "\n") > 2 {
			t.Errorf("%q: stderr %q, want %q", test.args, stderr, test.stderr)
		}
	}
}

// Content that a format cannot hold is reported.
func TestMergeDrops(t *testing.T) {
	dir := t.TempDir()
	workerFile(t, filepath.Join(dir, "histogram_1.db"), `["d", "d_bucket", {"le": "+Inf"}, "Help."]`, `["d", "d_sum", {}, "Help."]`)
	stdout, stderr, status := outcome(t, "merge", "--no-accumulate", "--to=openmetrics", dir)
	if status != 0 || strings.Contains(stdout, "d_sum") || !strings.HasPrefix(stderr, "telltale: warning: openmetrics: a sum, with what cannot stand without it, is left out, since ") || !strings.Contains(stderr, "d_sum") {
		t.Errorf("status %d, stderr %q, stdout\n%s", status, stderr, stdout)
	}
}

// writes returns a directory in which processes, of this name in the test, have
// written what their function says. They live until the test ends.
func writes(t *testing.T, processes ...func(reg *telltale.Registry)) string {
	t.Helper()
	dir := t.TempDir()
	for _, write := range processes {
		store, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		write(telltale.NewRegistry(telltale.WithStore(store)))
	}
	return dir
}

// Every loss of samples is reported, with the files and what counts, and the exit
// status is 1; what costs none is not.
func TestMergeDisagreements(t *testing.T) {
	count := func(name string, opts ...telltale.CounterOption) func(*telltale.Registry) {
		return func(reg *telltale.Registry) {
			telltale.Must(telltale.NewCounter(name, "Help of "+name+".", append(opts, telltale.In(reg))...)).Inc()
		}
	}
	set := func(name, help string, opts ...telltale.GaugeOption) func(*telltale.Registry) {
		return func(reg *telltale.Registry) {
			telltale.Must(telltale.NewGauge(name, help, append(opts, telltale.In(reg))...)).Set(5)
		}
	}
	observe := func(bounds ...float64) func(*telltale.Registry) {
		return func(reg *telltale.Registry) {
			telltale.Must(telltale.NewHistogram("h", "Help.", telltale.WithBuckets(bounds...), telltale.In(reg))).Observe(1)
		}
	}
	python := func(files map[string][]string) string {
		dir := t.TempDir()
		for name, keys := range files {
			workerFile(t, filepath.Join(dir, name), keys...)
		}
		return dir
	}
	for _, test := range []struct {
		name   string
		dir    string
		told   []string // nothing, if the exit status is 0
		stdout []string
	}{
		{"types of Python's files", python(map[string][]string{"counter_1.db": {`["c", "c_total", {}, ""]`}, "gauge_all_2.db": {`["c", "c", {}, ""]`}}),
			[]string{`the type of "c": it is a counter, and elsewhere a gauge, which is left out`, `/counter_1.db" counts before "`, `/gauge_all_2.db"`}, []string{"c_total 1.0\n"}},
		{"many types", python(map[string][]string{"counter_1.db": {`["c", "c_total", {}, ""]`}, "gauge_all_2.db": {`["c", "c", {}, ""]`}, "histogram_3.db": {`["c", "c_sum", {}, ""]`}, "summary_4.db": {`["c", "c_sum", {}, ""]`}, "summary_5.db": {`["c", "c_sum", {}, ""]`}}),
			[]string{"elsewhere a gauge", "elsewhere a histogram", "elsewhere a summary", "summary_4.db", "summary_5.db", "3 disagreements of writers"}, []string{"c_total 1.0\n"}},
		{"types of segments", writes(t, set("x", "Help."), count("x")),
			[]string{`the type of "x": it is a counter, and elsewhere a gauge`, "writer-"}, []string{"x_total 1.0\n"}},
		{"a gauge named like a counter's sample", writes(t, count("x"), set("x_total", "Help.")),
			[]string{`the name of "x": "x_total" belongs to the gauge "x_total", so that this counter is left out`, "writer-"}, []string{"# TYPE x_total gauge\nx_total{"}},
		{"a counter that names a gauge's", writes(t, set("x_total", "Help."), count("x"), count("y")),
			[]string{`the name of "x_total": "x_total" belongs to the counter "x", so that this gauge is left out`}, []string{"# TYPE x_total counter\nx_total 1.0\n", "y_total 1.0\n"}},
		{"names of Python's files", python(map[string][]string{"counter_2.db": {`["x", "x_total", {}, ""]`}, "gauge_sum_1.db": {`["x_total", "x_total", {}, ""]`}, "summary_1.db": {`["y", "y_sum", {}, ""]`}, "gauge_sum_2.db": {`["y_sum", "y_sum", {}, ""]`}}),
			[]string{`the name of "x_total": `, `the name of "y": "y_sum" belongs to the gauge "y_sum"`, "2 disagreements"}, []string{"x_total 1.0\n", "y_sum 1.0\n"}},
		{"buckets", writes(t, observe(1, 2), observe(1, 3)), // the bounds that appeared last are shown
			nil, []string{"h_bucket{le=\"1.0\"} 2.0\nh_bucket{le=\"3.0\"} 2.0\nh_bucket{le=\"+Inf\"} 2.0\n"}},
		{"modes that cost series", python(map[string][]string{"gauge_all_1.db": {`["g", "g", {}, ""]`}, "gauge_max_2.db": {`["g", "g", {}, ""]`}}),
			[]string{`the mode of "g": all gives way to max, which comes later`, `/gauge_max_2.db" counts before "`}, []string{"g 1.0\n"}},
		{"modes that cost none", python(map[string][]string{"gauge_sum_1.db": {`["g", "g", {}, ""]`}, "gauge_livesum_2.db": {`["g", "g", {}, ""]`}}), nil, []string{"g 2.0\n"}},
		{"processes of one pid", writes(t, set("g", "Help."), set("g", "Help.")),
			[]string{`the pid of "g": several writers have {pid=`, `counts before "`}, []string{"} 5.0\n"}},
		{"help texts", writes(t, count("c"), func(reg *telltale.Registry) {
			telltale.Must(telltale.NewCounter("c", "Other.", telltale.In(reg))).Inc()
		}), nil, []string{"# HELP c_total Other.\n# TYPE c_total counter\nc_total 2.0\n"}},
		{"buckets of Python's files", python(map[string][]string{"histogram_1.db": {`["d", "d_bucket", {"le": "1.0"}, ""]`, `["d", "d_bucket", {"le": "+Inf"}, ""]`}, "histogram_2.db": {`["d", "d_bucket", {"le": "2.0"}, ""]`, `["d", "d_bucket", {"le": "+Inf"}, ""]`}}),
			nil, []string{`d_bucket{le="1.0"} 1.0`, `d_bucket{le="2.0"} 2.0`}},
		{"names that only look alike", writes(t, count("x"), set("x", "Help.", telltale.WithNamespace("y")), set("total", "Help.")), nil, []string{"x_total 1.0\n", "total{"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := outcome(t, "merge", "--to=text", test.dir)
			strict, refusal, strictly := outcome(t, "merge", "--strict", test.dir)
			if (status == 1) != (test.told != nil) || status != strictly {
				t.Errorf("status %d, strictly %d, stderr %q", status, strictly, stderr)
			}
			for _, want := range test.told {
				if !strings.Contains(stderr, want) || !strings.Contains(refusal, want) {
					t.Errorf("no %q in %q, or strictly in %q", want, stderr, refusal)
				}
			}
			if test.told == nil && strings.Contains(stderr, "disagree") || (strict == "") != (status == 1) {
				t.Errorf("stderr %q, strictly stdout %q", stderr, strict)
			}
			for _, want := range test.stdout {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in %q", want, stdout)
				}
			}
			for _, format := range readable { // whatever was left out, the page is good
				page, _, _ := outcome(t, "merge", "--to", format, test.dir)
				if _, said, status := outcomeOf(t, page, "check", "--format", format); status != 0 {
					t.Errorf("%s: %s\n%s", format, said, page)
				}
			}
		})
	}
}

// Of many files that are left out, some are told, and all are counted.
func TestMergeTellsOfSome(t *testing.T) {
	dir := t.TempDir()
	for i := range maxErrors + 20 {
		if err := os.WriteFile(filepath.Join(dir, "none_"+string(rune('a'+i%26))+strings.Repeat("x", i/26)+".db"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, status := outcome(t, "merge", dir)
	if status != 1 || stdout != "" || strings.Count(stderr, "\n") != maxErrors+2 || !strings.HasSuffix(stderr, "telltale: warning: and 20 more like these\ntelltale: not everything is merged: 120 files left out\n") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// A directory's links lead to what others chose.
func TestMergeFollowsNoLinksOfADirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	workerFile(t, filepath.Join(outside, "counter_1.db"), served)
	workerFile(t, filepath.Join(dir, "counter_2.db"), served)
	link := filepath.Join(dir, "counter_1.db")
	if err := os.Symlink(filepath.Join(outside, "counter_1.db"), link); err != nil {
		t.Skip(err)
	}
	stdout, stderr, status := outcome(t, "merge", dir)
	if status != 1 || !strings.Contains(stdout, "served_total 1.0\n") || !strings.Contains(stderr, "counter_1.db") {
		t.Errorf("status %d, stderr %q, stdout %q", status, stderr, stdout)
	}
	if stdout, stderr, status := outcome(t, "merge", link); status != 0 || stderr != "" || !strings.Contains(stdout, "served_total 1.0\n") {
		t.Errorf("named: status %d, stderr %q, stdout %q", status, stderr, stdout)
	}
}

// What a fold moves while files are read counts once. That a fold comes at every
// moment, and makes it read again, is multiprocess's TestFoldsBetween.
func TestMergeBesideFolds(t *testing.T) {
	dir := t.TempDir()
	const files, rounds = 20, 4
	for range rounds {
		for i := range files {
			workerFile(t, filepath.Join(dir, fmt.Sprintf("counter_%d.db", 20_000_000+i)), served)
			if err := multiprocess.MarkProcessDead(dir, 20_000_000+i); err != nil {
				t.Fatal(err)
			}
		}
		want, _, _ := outcome(t, "merge", dir)
		folded := make(chan error, 1)
		go func() {
			_, err := multiprocess.Fold(t.Context(), dir, multiprocess.WithPythonFiles())
			folded <- err
		}()
		got, stderr, status := outcome(t, "merge", dir)
		if got != want || stderr != "" || status != 0 {
			t.Errorf("status %d, stderr %q, stdout\n%swant\n%s", status, stderr, got, want)
		}
		if err := <-folded; err != nil {
			t.Fatal(err)
		}
	}
}
