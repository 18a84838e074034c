package multiprocess_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// What the process of TestFoldChild is to do.
const (
	childDir     = "TELLTALE_FOLD_DIR"     // fold this
	childProc    = "TELLTALE_FOLD_PROC"    // with this list of processes
	childKill    = "TELLTALE_FOLD_KILL"    // die before the step of this number
	childStop    = "TELLTALE_FOLD_STOP"    // stand still before it until somebody has it go on
	childLimit   = "TELLTALE_FOLD_LIMIT"   // with files of at most so many bytes
	childUser    = "TELLTALE_FOLD_USER"    // as this user
	childForever = "TELLTALE_FOLD_FOREVER" // again and again
	// killRounds is how often a fold is killed at random, a few times if it is
	// not set.
	killRounds = "TELLTALE_KILL_ROUNDS"
)

// outcome is what a child says at its end.
type outcome struct {
	Report *multiprocess.FoldReport
	Error  string
	Steps  []string
}

// TestFoldChild is not a test but the processes of others.
func TestFoldChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("it is for other tests to run")
	}
	restrictChild(t)
	kill, stop := stepOf(childKill), stepOf(childStop)
	opts := []multiprocess.FoldOption{multiprocess.WithPythonFiles()}
	if root := os.Getenv(childProc); root != "" {
		opts = append(opts, multiprocess.WithProcesses(root))
	}
	var o outcome
	opts = append(opts, multiprocess.WithStep(func(step string) {
		if len(o.Steps) == kill {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {} // until it works
		}
		if len(o.Steps) == stop {
			standStill(t)
		}
		o.Steps = append(o.Steps, step)
	}))
	if os.Getenv(childForever) != "" {
		fmt.Println("folding")
		for {
			if _, err := multiprocess.Fold(t.Context(), dir, opts...); err != nil {
				fmt.Println("failed", err)
				return
			}
		}
	}
	var err error
	o.Report, err = multiprocess.Fold(t.Context(), dir, opts...)
	if err != nil {
		o.Error = err.Error()
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\noutcome %s\n", text)
}

// stepOf returns the number of the step that a variable names, -1 if it names none.
func stepOf(variable string) int {
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		return -1
	}
	return n
}

// child returns a process that folds.
func child(tb testing.TB, dir string, env ...string) *exec.Cmd {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestFoldChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	return cmd
}

// ended runs a child to its end, unless it dies.
func ended(tb testing.TB, cmd *exec.Cmd) (o outcome, died bool) {
	tb.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if strings.Contains(out.String(), "FAIL") || strings.Contains(out.String(), "panic") {
			tb.Fatalf("%v: %s", err, out.String())
		}
		return o, true
	}
	for line := range strings.Lines(out.String()) {
		if text, ok := strings.CutPrefix(line, "outcome "); ok {
			if err := json.Unmarshal([]byte(text), &o); err != nil {
				tb.Fatal(err)
			}
			return o, false
		}
	}
	tb.Fatalf("no outcome: %s", out.String())
	return o, false
}

// killing is a directory in which folds are killed, and those who watch.
type killing struct {
	dir     string
	running *multiprocess.Collector
	want    []string
}

func newKilling(t *testing.T) (k killing, env []string) {
	t.Helper()
	k.dir = sharedDir(t)
	k.running = collector(t, k.dir)
	for i := 1; i <= 4; i++ {
		w := crew(t, k.dir, i, segment.Header{Epoch: "now"})
		if i <= 3 {
			w.die()
		}
	}
	old := begin(t, k.dir, segment.Header{Epoch: "before"})
	old.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1000)
	old.die()
	env = pythonCrew(t, k.dir)
	k.want = samples(collect(t, k.running))
	return k, env
}

// check holds the page of a reader that begins now and of one that ran all along
// against what it was.
func (k *killing) check(t *testing.T, when string) {
	t.Helper()
	sameSamples(t, when+", a reader that ran", collect(t, k.running), k.want)
	sameSamples(t, when+", a new reader", collect(t, collector(t, k.dir)), k.want)
}

// Whatever step of a fold is its last, the page stays the same, and so it does
// when the next fold goes on, whatever step is that one's last.
func TestFoldKilledAtEveryStep(t *testing.T) {
	k, env := newKilling(t)
	whole, died := ended(t, child(t, k.dir, env...))
	if died || whole.Error != "" || len(whole.Report.Absorbed) < 3 || len(whole.Report.Dropped) != 1 {
		t.Fatalf("%+v", whole)
	}
	k.check(t, "not killed")
	for _, step := range places(len(whole.Steps)) {
		name := whole.Steps[step]
		k, env := newKilling(t)
		when := fmt.Sprintf("killed before step %d, %q", step, name)
		for again := 0; again < len(whole.Steps); again += 3 {
			if _, died := ended(t, child(t, k.dir, append(env, childKill+"="+strconv.Itoa(max(0, step-again)))...)); !died {
				break
			}
			k.check(t, when)
		}
		o, died := ended(t, child(t, k.dir, env...))
		if died || o.Error != "" {
			t.Fatalf("%s, then: %+v", when, o)
		}
		k.check(t, when+", then not")
		if files := ls(t, k.dir, "writer-*"); len(files) != 1 {
			t.Errorf("%s: left %q", when, files)
		}
	}
}

// Folds are killed at any moment, while writers come and die.
func TestFoldKilledAtRandom(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 10
	}
	if n, err := strconv.Atoi(os.Getenv(killRounds)); err == nil {
		rounds = n
	}
	dir := sharedDir(t)
	running := collector(t, dir)
	total, start := 0, 0
	put := func() {
		start++
		total += start
		w := begin(t, dir, segment.Header{Start: int64(start)})
		w.family(segment.Family{Name: "c", Type: model.Counter}).add("", uint64(start))
		w.die()
		w.file.Unmap()
	}
	check := func(when string) {
		want := []string{fmt.Sprintf("c_total{} %s", model.FormatValue(float64(total)))}
		sameSamples(t, when+", a reader that ran", collect(t, running), want)
		sameSamples(t, when+", a new reader", collect(t, collector(t, dir)), want)
	}
	for round := range rounds {
		put()
		cmd := child(t, dir, childForever+"=1")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && lines.Text() != "folding" {
		}
		for range rand.IntN(8) {
			put()
			if rand.IntN(2) == 0 {
				check(fmt.Sprintf("round %d, folding", round))
			}
		}
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		_ = cmd.Process.Kill()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "failed") {
				t.Error(lines.Text())
			}
		}
		_ = cmd.Wait() // it was killed
		check(fmt.Sprintf("round %d, killed", round))
		if t.Failed() {
			t.Fatalf("round %d: %q", round, ls(t, dir, "*"))
		}
	}
	fold(t, dir)
	check("at the end")
	if files := ls(t, dir, "writer-*"); len(files) != 0 {
		t.Errorf("left %q", files)
	}
}

// A fold that fails for want of room, or of permission, changes no total. It may have
// absorbed some files for which there was room.
func TestFoldFails(t *testing.T) {
	for _, test := range []struct {
		name, want string
		env        []string
		prepare    func(dir string) error
	}{
		{"disk full", "no space left for the file", []string{childLimit + "=8192"}, func(string) error { return nil }},
		{"read-only directory", "permission denied", []string{childUser + "=65534"}, func(dir string) error { return os.Chmod(dir, 0o555) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			k, env := newKilling(t)
			if err := test.prepare(k.dir); err != nil {
				t.Fatal(err)
			}
			before := ls(t, k.dir, "writer-*")
			o, died := ended(t, child(t, k.dir, append(env, test.env...)...))
			if died || !strings.Contains(o.Error, test.want) || !strings.Contains(o.Error, k.dir) {
				t.Errorf("died %v: %q", died, o.Error)
			}
			if after := ls(t, k.dir, "writer-*"); len(after) == 0 || len(after) > len(before) {
				t.Errorf("left %q of %q", after, before)
			}
			k.check(t, "afterwards")
			if err := os.Chmod(k.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if o, _ := ended(t, child(t, k.dir, env...)); o.Error != "" {
				t.Error(o.Error)
			}
			k.check(t, "folded")
		})
	}
	t.Run("file of another user", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("NOT TESTED: only root can make such files")
		}
		dir := sharedDir(t)
		w := crew(t, dir, 1, segment.Header{})
		w.die()
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		o, _ := ended(t, child(t, dir, childUser+"=65534"))
		if o.Error != "" || len(o.Report.Left) != 1 || o.Report.Left[0].Reason != multiprocess.ReasonPermission || len(o.Report.Absorbed) != 0 {
			t.Errorf("%q %+v", o.Error, o.Report)
		}
	})
	t.Run("no such directory", func(t *testing.T) {
		if _, err := multiprocess.Fold(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
			t.Error("no error")
		}
	})
}
