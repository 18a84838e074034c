//go:build unix

package multiprocess_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess/internal/inject"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

var updateScenarios = flag.Bool("update", false, "write what the scenarios of testdata/scenarios give into them")

// scenario is a directory, and processes that do things there.
//
// A step is a line: a verb, a process if it is not this one, and arguments. Steps
// of processes are those of a [performer]; besides there are those of worldVerbs. A
// process begins with its first step.
type scenario struct {
	tb      testing.TB
	dir     string
	proc    proc // the list of processes that folds of Python's files look at
	here    *performer
	others  map[string]*process
	counted tally
}

// process is a process that does steps.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// errKilled is what a step gives if its process ends before it answers.
var errKilled = errors.New("killed")

// worldVerbs are the steps that happen to a directory and to processes.
var worldVerbs = map[string]func(s *scenario, args []string) (string, error){
	"start":  (*scenario).start,  // start P RULE: begins a process with a rule
	"kill":   (*scenario).kill,   // kill P: ends a process with SIGKILL
	"dead":   (*scenario).dead,   // dead NAME{n} N [epoch=E]: the segment of a process that is dead; the epoch old is over
	"live":   (*scenario).live,   // live NAME{n} N [epoch=E]: one of a process that lives, as long as the test
	"python": (*scenario).python, // python PID NAME{n} N: a file of Python's client
	"age":    (*scenario).age,    // age: makes temporary files old
	"litter": (*scenario).litter, // litter: an old temporary file
	"ls":     (*scenario).ls,     // ls: names in the directory, with what is random left out
}

func newScenario(tb testing.TB, dir string, list proc) *scenario {
	tb.Helper()
	s := &scenario{
		tb: tb, dir: dir, proc: list, here: newPerformer(dir, list.root, &inject.Injector{}),
		others: make(map[string]*process), counted: make(tally),
	}
	tb.Cleanup(s.endAll)
	return s
}

func (s *scenario) endAll() {
	for name := range s.others {
		_, _ = s.kill([]string{name})
	}
}

// do does a step, and returns what is said of it.
func (s *scenario) do(line string) (said string, err error) {
	s.tb.Helper()
	words := strings.Fields(line)
	if world, ok := worldVerbs[words[0]]; ok {
		return world(s, words[1:])
	}
	if verbs[words[0]] == nil {
		s.tb.Fatalf("%q is no step", line)
	}
	if len(words) == 1 || !isProcess(words[1]) {
		said, err = s.here.do(words)
	} else {
		said, err = s.ask(words[1], append(words[:1:1], words[2:]...))
		words = append(words[:1:1], words[2:]...)
	}
	s.counted.step(words, err)
	return said, err
}

// must does a step that may not fail.
func (s *scenario) must(line string) string {
	s.tb.Helper()
	said, err := s.do(line)
	if err != nil {
		s.tb.Fatalf("%s: %v", line, err)
	}
	return said
}

// all does steps that may not fail, one a line.
func (s *scenario) all(lines string) {
	s.tb.Helper()
	for line := range strings.Lines(lines) {
		if strings.TrimSpace(line) != "" {
			s.must(line)
		}
	}
}

// isProcess reports whether a word is the name of a process: a single letter from
// p on, so that it is not taken for a counter.
func isProcess(word string) bool { return len(word) == 1 && word >= "p" && word <= "z" }

func (s *scenario) start(args []string) (string, error) {
	cmd := command("perform", s.dir, s.proc.root)
	cmd.Env = append(cmd.Env, inject.Variable+"="+strings.Join(args[1:], " "))
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", err
	}
	s.others[args[0]] = &process{cmd, in, bufio.NewScanner(out)}
	return "", nil
}

// ask has a process do a step.
func (s *scenario) ask(name string, words []string) (string, error) {
	if s.others[name] == nil {
		if _, err := s.start([]string{name}); err != nil {
			return "", err
		}
	}
	p := s.others[name]
	_, _ = io.WriteString(p.in, strings.Join(words, " ")+"\n") // if it has ended there is no answer
	var said []string
	for p.out.Scan() {
		line := p.out.Text()
		if line == "" {
			return strings.Join(said, "\n"), nil
		}
		if problem, failed := strings.CutPrefix(line, "\t! "); failed {
			p.out.Scan() // the empty line
			return strings.Join(said, "\n"), errors.New(problem)
		}
		said = append(said, strings.TrimPrefix(line, "\t"))
	}
	_ = p.cmd.Wait() // how it ended does not matter
	delete(s.others, name)
	return "", errKilled
}

func (s *scenario) kill(args []string) (string, error) {
	p := s.others[args[0]]
	if p == nil {
		return "", fmt.Errorf("there is no process %s", args[0])
	}
	delete(s.others, args[0])
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
	return "", err
}

// write makes the segment of a process.
func (s *scenario) write(args []string) *writer {
	now := spool.Now()
	h := segment.Header{Start: now.Wall, Born: now.Monotonic, Boot: now.Boot}
	if len(args) > 2 {
		h.Epoch = strings.TrimPrefix(args[2], "epoch=")
	}
	if h.Epoch == "old" {
		h.EpochFirst.Wall = 1
	}
	name, label := cutSeries(args[0])
	n, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		s.tb.Fatal(err)
	}
	w := begin(s.tb, s.dir, h)
	w.Alive(now.Monotonic)
	w.family(segment.Family{Name: name, Type: model.Counter, Labels: []string{"n"}}).add(`n="`+label+`"`, n)
	if h.Epoch != "old" {
		s.counted.add(args[0], float64(n), float64(n))
	}
	return w
}

func (s *scenario) dead(args []string) (string, error) {
	s.write(args).die()
	return "", nil
}

func (s *scenario) live(args []string) (string, error) {
	s.write(args)
	return "", nil
}

func (s *scenario) python(args []string) (string, error) {
	n, err := strconv.ParseFloat(args[2], 64)
	if err != nil {
		return "", err
	}
	name, label := cutSeries(args[1])
	put(s.tb, s.dir, "counter_"+args[0]+".db", entry{fmt.Sprintf(`[%q, "%s_total", {"n": %q}, "Help."]`, name, name, label), n, 0})
	s.counted.add(args[1], n, n)
	return "", nil
}

// temporary returns the names of temporary files.
func (s *scenario) temporary() []string { return ls(s.tb, s.dir, ".telltale-*") }

func (s *scenario) age([]string) (string, error) {
	past := time.Now().Add(-time.Hour)
	for _, name := range s.temporary() {
		if err := os.Chtimes(filepath.Join(s.dir, name), past, past); err != nil {
			return "", err
		}
	}
	return "", nil
}

func (s *scenario) litter([]string) (string, error) {
	err := os.WriteFile(filepath.Join(s.dir, ".telltale-archive-"+strings.Repeat("ab", 16)), []byte("litter"), 0o600)
	if err != nil {
		return "", err
	}
	return s.age(nil)
}

func (s *scenario) ls([]string) (string, error) {
	names := ls(s.tb, s.dir, "*")
	for i, name := range names {
		names[i] = longHex.ReplaceAllString(name, "*")
	}
	slices.Sort(names)
	return strings.Join(names, "\n"), nil
}

// tally has what each series of a counter may be, at least and at most.
type tally map[string]bounds

type bounds struct{ least, most float64 }

// add adds to a series, named as in steps.
func (l tally) add(series string, least, most float64) {
	key := sampleOf(series)
	b := l[key]
	l[key] = bounds{b.least + least, b.most + most}
}

// cutSeries takes the name of a counter's series in steps, NAME{n}, apart: n is the
// value of its label n.
func cutSeries(series string) (name, label string) {
	name, label, _ = strings.Cut(strings.TrimSuffix(series, "}"), "{")
	return name, label
}

// sampleOf returns the series' sample, as pages have it.
func sampleOf(series string) string {
	name, label := cutSeries(series)
	return fmt.Sprintf("%s_total{n=%q}", name, label)
}

// step takes note of what a process has done, or may have done.
func (l tally) step(words []string, err error) {
	sure := 1.0
	if err != nil {
		sure = 0
	}
	switch words[0] {
	case "add":
		n, _ := strconv.ParseFloat(words[2], 64)
		l.add(words[1], sure*n, n)
	case "fill":
		n, _ := strconv.Atoi(words[2])
		for i := range n {
			l.add(words[1]+"{"+strconv.Itoa(i)+"}", sure, 1)
		}
	case "remove":
		key := sampleOf(words[1])
		l[key] = bounds{0, l[key].most * (1 - sure)}
	}
}

// check returns what is wrong with a page, nothing if all is as it may be.
func (l tally) check(page string) (wrong []string) {
	shown := make(map[string]float64)
	for line := range strings.SplitSeq(page, "\n") {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return []string{err.Error()}
		}
		if name, _, _ := strings.Cut(line, "{"); strings.HasSuffix(name, "_total") {
			shown[line[:at]] = v
		}
	}
	for _, series := range slices.Sorted(maps.Keys(l)) {
		b := l[series]
		v := shown[series]
		if v < b.least || v > b.most {
			wrong = append(wrong, fmt.Sprintf("%s is %v, and has to be %v", series, v, b))
		}
		delete(shown, series)
	}
	for _, series := range slices.Sorted(maps.Keys(shown)) {
		wrong = append(wrong, series+" was never counted")
	}
	return wrong
}

func (b bounds) String() string {
	if b.least == b.most {
		return fmt.Sprint(b.least)
	}
	return fmt.Sprintf("%v to %v", b.least, b.most)
}

// play plays a script and returns it with what each step gives behind the step, in
// lines behind a tab. Lines behind a tab in the script, which are those of the last
// time, are left out; empty lines and those behind # stay.
func (s *scenario) play(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		b.WriteString(line)
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			b.WriteString(s.same(answer(s.do(line))))
		}
	}
	return b.String()
}

// same leaves out of a text what differs from run to run.
func (s *scenario) same(text string) string {
	text = strings.ReplaceAll(text, s.dir, "DIR")
	return longHex.ReplaceAllString(text, "*")
}

// The scenarios of testdata give what stands there. "go test -run Scenarios -update"
// writes it anew; then read the diff.
func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !seesMappings && strings.Contains(string(script), "\npython ") {
				t.Skip("this system does not show whether the processes of Python's files live")
			}
			s := newScenario(t, sharedDir(t), newProc(t))
			got := s.play(string(script))
			if *updateScenarios {
				err = os.WriteFile(path, []byte(got), 0o644)
			} else if got != string(script) {
				t.Errorf("it gives\n%s", difference(string(script), got))
			}
			if err != nil {
				t.Error(err)
			}
			for _, wrong := range s.counted.check(s.must("page")) {
				t.Error(wrong)
			}
		})
	}
}

// difference returns the first lines in which two texts differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d: %q\nwant     %q\nwhole:\n%s", i+1, g[min(i, len(g)-1)], w[i], got)
		}
	}
	return got
}
