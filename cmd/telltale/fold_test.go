package main

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"telltale/multiprocess"
)

// deadWorkers returns a directory of three workers that have ended, whose files
// are put aside; one of these is damaged.
func deadWorkers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for pid, key := range map[int]string{10_000_001: served, 10_000_002: served, 10_000_003: `half of a ke`} {
		workerFile(t, filepath.Join(dir, "counter_"+strconv.Itoa(pid)+".db"), key)
		if err := multiprocess.MarkProcessDead(dir, pid); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFold(t *testing.T) {
	dir := deadWorkers(t)
	const notFolded = "telltale: not everything was folded: 1 file left\n"
	merged := func() {
		t.Helper()
		if stdout, _, status := outcome(t, "merge", dir); stdout != mergedText || status != 1 {
			t.Errorf("status %d, merged to\n%swant\n%s", status, stdout, mergedText)
		}
	}
	merged()
	for _, test := range []struct {
		args   []string
		stdout []string
		stderr string
		status int
	}{
		{[]string{"--dry-run", dir}, []string{"FILE ", "\ncounter_10000001.db ", "counter_10000003", "\nNothing was changed: would fold 2 files and leave 1 alone;"}, notFolded, 1},
		{[]string{dir}, []string{"\ncounter_10000001.db ", "\ncounter_10000002.db ", "counter_10000003", "\nFolded 2 files and left 1 alone;"}, notFolded, 1},
		{[]string{"--dead-after=1h", dir}, []string{"counter_10000003", "\nFolded 0 files and left 1 alone;"}, notFolded, 1},
		{[]string{"--epoch=blue", t.TempDir()}, []string{"Nothing is there to be folded in "}, "", 0},
		{[]string{filepath.Join(dir, "none")}, nil, "telltale: multiprocess: ", 1},
	} {
		stdout, stderr, status := outcome(t, append([]string{"fold"}, test.args...)...)
		if status != test.status || !strings.HasPrefix(stderr, test.stderr) || (stderr == "") != (test.stderr == "") {
			t.Errorf("%q: status %d, want %d; stderr %q, want %q", test.args, status, test.status, stderr, test.stderr)
		}
		for _, want := range test.stdout {
			if !strings.Contains(stdout, want) {
				t.Errorf("%q: stdout lacks %q:\n%s", test.args, want, stdout)
			}
		}
		merged()
	}
	if rest, _ := filepath.Glob(filepath.Join(dir, "*.db")); len(rest) != 1 {
		t.Errorf("left %q", rest)
	}
}

func TestInspect(t *testing.T) {
	dir := deadWorkers(t)
	if stdout, stderr, status := outcome(t, "fold", dir); status != 1 || !strings.Contains(stdout, "Folded 2 files") {
		t.Fatal(stderr)
	}
	stdout, stderr, status := outcome(t, "inspect", dir)
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	for _, want := range []string{"\nFILE ", "\narchive.seg ", "good; generation 1, took up 2 files last\n", "\ncounter_10000003", "\nfold.lock "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	stdout, stderr, status = outcome(t, "inspect", "--json", dir)
	var reports []multiprocess.FileReport
	if err := json.Unmarshal([]byte(stdout), &reports); err != nil || status != 0 || len(reports) != 3 {
		t.Fatalf("%v: status %d, stderr %q, stdout\n%s", err, status, stderr, stdout)
	}
	if r := reports[0]; r.Name != "archive.seg" || r.Series != 1 || r.Absorbed != 2 {
		t.Errorf("%+v", r)
	}
	if r := reports[1]; r.Reason == "" || r.PID != "10000003" {
		t.Errorf("%+v", r)
	}
	if stdout, _, status := outcome(t, "inspect", t.TempDir()); status != 0 || !strings.Contains(stdout, "has no files") {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	if stdout, _, status := outcome(t, "inspect", "--json", t.TempDir()); status != 0 || stdout != "[]\n" {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	if _, stderr, status := outcome(t, "inspect", filepath.Join(dir, "none")); status != 1 || !strings.HasPrefix(stderr, "telltale: multiprocess: ") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}

// What inspect says of its JSON has all names, in their order.
func TestInspectNamesItsJSON(t *testing.T) {
	said := (*inspect)(nil).Help()
	_, said, _ = strings.Cut(said, "The names in the JSON do not change: ")
	for field := range reflect.TypeFor[multiprocess.FileReport]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		_, rest, found := strings.Cut(said, name)
		if !found {
			t.Errorf("%q does not follow in %q", name, said)
			break
		}
		said = rest
	}
}
