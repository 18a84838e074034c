package multiprocess_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
)

// TestPythonAgrees lets real processes of Python's client write a directory, in
// both layouts, and compares our merge with the client's own. It needs Debian's
// python3-prometheus-client; TELLTALE_PYTHON_CLIENT names the directory of
// another version.
func TestPythonAgrees(t *testing.T) {
	needPython(t)
	for _, timed := range []bool{false, true} {
		t.Run(fmt.Sprintf("timed=%v", timed), func(t *testing.T) {
			p := python{dir: t.TempDir(), timed: timed}
			for worker := range 4 {
				p.run(t, "worker.py", strconv.Itoa(worker))
			}
			files, err := filepath.Glob(filepath.Join(p.dir, "*.db"))
			if err != nil || len(files) < 4*11 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			slices.Sort(files)
			p.compare(t, files)

			pid := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(files[0]), "counter_"), ".db")
			dead, err := strconv.Atoi(pid)
			if err != nil {
				t.Fatal(err)
			}
			if err := multiprocess.MarkProcessDead(p.dir, dead); err != nil {
				t.Fatal(err)
			}
			left, _ := filepath.Glob(filepath.Join(p.dir, "*.db"))
			if want := 4; len(files)-len(left) != want && !timed || timed && len(files)-len(left) != want+1 {
				t.Errorf("marking a process dead deleted %d files", len(files)-len(left))
			}
			p.compare(t, left)
		})
	}
}

const pythonProgram = "/usr/bin/python3"

// needPython skips the test for people who have no Python client. CI has one.
func needPython(t *testing.T) {
	t.Helper()
	cmd := exec.Command(pythonProgram, "-c", "import prometheus_client")
	cmd.Env = append(os.Environ(), pythonPath()...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	missing := fmt.Sprintf("Python's client is missing: apt-get install python3-prometheus-client (%v: %s)", err, out)
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip("NOT TESTED: " + missing)
}

// pythonPath returns what the environment needs for a client that is not
// Debian's.
func pythonPath() []string {
	if client := os.Getenv("TELLTALE_PYTHON_CLIENT"); client != "" {
		return []string{"PYTHONPATH=" + client}
	}
	return nil
}

// python is a directory with Python's client.
type python struct {
	dir   string
	timed bool
}

func (p python) run(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(pythonProgram, append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+p.dir, "PYTHONDONTWRITEBYTECODE=1")
	if p.timed {
		cmd.Env = append(cmd.Env, "TIMED=1")
	}
	if path := pythonPath(); path != nil {
		if !p.timed {
			t.Skip("another client than Debian's writes times always")
		}
		cmd.Env = append(cmd.Env, path...)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	return out
}

// compare holds Merge and a Collector against the client.
func (p python) compare(t *testing.T, files []string) {
	t.Helper()
	for _, accumulate := range []bool{true, false} {
		flag := "0"
		if accumulate {
			flag = "1"
		}
		var families []struct {
			Name, Type, Help string
			Samples          []struct {
				Name   string
				Labels map[string]string
				Value  string
			}
		}
		if err := json.Unmarshal(p.run(t, "merge.py", p.dir, flag), &families); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, f := range families {
			want = append(want, fmt.Sprintf("%s %s %q", f.Name, f.Type, f.Help))
			for _, s := range f.Samples {
				value, err := strconv.ParseFloat(s.Value, 64)
				if err != nil {
					t.Fatal(err)
				}
				if pid, ok := s.Labels["pid"]; ok { // of a file that was put aside Python takes more
					s.Labels["pid"], _, _ = strings.Cut(pid, "~")
				}
				want = append(want, fmt.Sprintf("%s %s%s %s", f.Name, s.Name, model.LabelsOf(s.Labels), model.FormatValue(value)))
			}
		}
		merged, err := multiprocess.Merge(files, accumulate)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("Merge(accumulate=%v)", accumulate), lines(merged), want)
		if accumulate {
			for _, limit := range []int{1000, 0} {
				c := collector(t, p.dir, multiprocess.WithMappingLimits(limit, 1<<30))
				for range 3 {
					same(t, fmt.Sprintf("Collect with %d mappings", limit), lines(collect(t, c)), want)
				}
			}
		}
	}
}

// lines renders families, one line for each and for each sample.
func lines(families []*model.Family) []string {
	var got []string
	for _, f := range families {
		got = append(got, fmt.Sprintf("%s %s %q", f.Name, f.Type, f.Help))
		for s := range f.Samples() {
			got = append(got, fmt.Sprintf("%s %s%s %s", f.Name, s.Name, s.Labels.Sorted(), model.FormatValue(s.Value)))
		}
	}
	return got
}

// same compares lines regardless of their order.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Clone(got), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("%s has, and should not: %s", what, l)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("%s lacks: %s", what, l)
		}
	}
	if !t.Failed() {
		t.Errorf("%s repeats lines: %d, not %d", what, len(got), len(want))
	}
}
