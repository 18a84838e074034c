//go:build unix

package multiprocess_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/multiprocess/internal/inject"
)

const (
	// faultsVariable says how many faults TestEachOperationFails makes, of all that
	// it could, each time others: a number, or all.
	faultsVariable = "TELLTALE_FAULTS"
	defaultFaults  = 400
	// faultsSeedVariable chooses the ones that a run before has chosen.
	faultsSeedVariable = "TELLTALE_FAULTS_SEED"
)

// action is something that a process does to a directory, of whose file operations
// each fails in turn. In steps @ stands for the process, which is this one unless
// it is to be killed.
type action struct {
	name   string
	estate string // what is there before: one of estates
	before string // steps that come before
	step   string

	again  bool   // it is done twice before the rule is gone
	reads  bool   // nothing in the directory changes
	later  bool   // the process has had a page before, so that each later one is whole
	holds  int    // how many descriptors the process has more when it has succeeded
	keeps  int    // and when it has failed
	blind  bool   // not all processes can be seen
	finish string // how the directory is folded at the end, if not with finalFold
}

const finalFold = "fold python"

// estates are what a directory has before something is done to it, as steps.
var estates = map[string]string{
	"writers": `
		dead c{z} 1000 epoch=old
		dead c{a} 1 epoch=now
		dead c{b} 2 epoch=now
		fold
		dead c{z} 1000 epoch=old
		dead c{a} 10 epoch=now
		dead c{b} 20 epoch=now
		python 10000001 c{a} 100
		python 10000002 c{p} 200
		litter`,
	"new": `
		dead c{a} 1
		dead c{b} 2
		python 10000001 c{a} 100`,
	"interrupted": `
		dead c{a} 1
		python 10000001 c{p} 100
		fold python
		dead c{a} 10
		dead c{b} 20
		python 10000002 c{p} 200
		inject EACCES on remove *
		fold python
		heal
		dead c{b} 40`,
	"segments": `
		dead c{a} 1
		fold
		dead c{a} 10
		dead c{b} 20`,
	"aside": `
		dead c{a} 1
		python 10000001 c{a} 100
		python 10000002 c{p} 200
		mark 10000002`,
}

var actions = []action{
	{name: "fold", estate: "writers", before: "live c{a} 5 epoch=now", step: "fold @ python", again: true},
	{name: "first fold", estate: "new", step: "fold @ python", again: true},
	{name: "fold after one that could delete nothing", estate: "interrupted", step: "fold @ python", again: true},
	{name: "fold of files put aside", estate: "aside", step: "fold @ python", again: true},
	{name: "fold of files that have not changed", estate: "new", before: "fold @ python dead-after=1ns\ndead c{b} 7", step: "fold @ python dead-after=1ns", blind: true, finish: "fold python dead-after=1ns", again: true},
	{name: "fold that takes notes", estate: "new", step: "fold @ python dead-after=1ns", blind: true, finish: "fold python dead-after=1ns", again: true},
	{name: "dry run", estate: "writers", step: "fold @ python dry-run", reads: true},
	{name: "fold in the background", estate: "writers", step: "background @ python", again: true},
	{name: "inspect", estate: "interrupted", before: "live c{a} 5", step: "inspect @", reads: true},
	{name: "mark", estate: "writers", step: "mark @ 10000002"},
	{name: "merge", estate: "interrupted", before: "live c{a} 5", step: "merge @", reads: true},
	{name: "first page", estate: "writers", before: "live c{a} 5 epoch=now", step: "collect @", reads: true, holds: 2, keeps: 2},
	{name: "page of files taken up", estate: "interrupted", step: "collect @", reads: true, holds: 2, keeps: 2},
	{name: "page", estate: "writers", before: "live c{a} 5 epoch=now\ncollect @", step: "collect @", reads: true, later: true},
	{name: "page without mappings", estate: "writers", before: "live c{a} 5 epoch=now\ncollect @ unmapped", step: "collect @ unmapped", reads: true, later: true},
	{name: "page after a fold", estate: "writers", before: "live c{a} 5 epoch=now\ncollect @\nfold python", step: "collect @", reads: true, later: true},
	{name: "page after a first fold", estate: "new", before: "collect @\nfold python", step: "collect @", reads: true, later: true},
	{name: "page after a mark", estate: "new", before: "collect @\nmark 10000001", step: "collect @", reads: true, later: true},
	{name: "open", estate: "writers", step: "open p epoch=now", holds: 3},
	{name: "grow", estate: "new", before: "open p\nadd p c{a} 3", step: "fill p d 400"},
	{name: "fold of what was removed", estate: "segments", before: "live c{b} 5\nopen p\nadd p c{a} 3\nadd p c{b} 3\nremove p c{a}", step: "fold @", again: true},
	{name: "fold of what was counted after a removal", estate: "segments", before: "open p\nadd p c{a} 3\nremove p c{a}\ndead c{a} 7", step: "fold @", again: true},
	{name: "fold of a process that removed", estate: "segments", before: "open p\nadd p c{a} 3\nadd p c{b} 3\nremove p c{a}\nkill p", step: "fold @", again: true},
	{name: "page of what was removed", estate: "interrupted", before: "open p\nadd p c{b} 3\ncollect @\nremove p c{b}", step: "collect @", reads: true, later: true},
	{name: "close", estate: "writers", before: "open p epoch=now fold-at-close\nadd p c{a} 3", step: "close p"},
	{name: "page of a store", estate: "writers", before: "open p epoch=now\nadd p c{a} 3\nown p", step: "own p", reads: true, later: true},
	{name: "page of a store after a fold", estate: "writers", before: "open p epoch=now\nadd p c{a} 3\nown p\nfold python", step: "own p", reads: true, later: true},
}

// of returns steps with the process in its place: none is this one.
func of(process, steps string) string { return strings.ReplaceAll(steps, "@", process) }

// prepared is an estate, ready to be copied.
type prepared struct {
	dir     string
	counted tally
}

// fault is a rule that an action meets.
type fault struct {
	*action
	rule string
}

func (f fault) kills() bool { return strings.HasPrefix(f.rule, "kill") }

// Each file operation of stores, readers and folds fails in turn, in each way. No
// total is lost, doubled or lower than before, pages are whole or errors, nothing
// outside of the directory changes, no descriptor, goroutine or mapping is left, and
// the next fold puts all in order.
//
// To make one fault again: TELLTALE_FAULTS=all go test -run with the name that failed.
func TestEachOperationFails(t *testing.T) {
	ready := make(map[string]prepared)
	for name, steps := range estates {
		s := newScenario(t, sharedDir(t), newProc(t))
		s.all(steps)
		ready[name] = prepared{s.dir, s.counted}
	}
	var faults []fault
	for i := range actions {
		faults = append(faults, faultsOf(t, &actions[i], ready)...)
	}
	all := len(faults)
	faults = chosen(t, faults)
	t.Logf("%d of %d faults", len(faults), all)
	for i := range actions {
		t.Run(actions[i].name, func(t *testing.T) {
			for _, f := range faults {
				if f.action == &actions[i] {
					t.Run(f.rule, func(t *testing.T) { f.try(t, ready[f.estate]) })
				}
			}
		})
	}
}

// chosen returns the faults that this run is to make.
func chosen(t *testing.T, faults []fault) []fault {
	t.Helper()
	number := os.Getenv(faultsVariable)
	if number == "all" {
		return faults
	}
	n := defaultFaults
	if testing.Short() {
		n /= 4
	}
	if number != "" {
		var err error
		if n, err = strconv.Atoi(number); err != nil {
			t.Fatalf("%s is neither a number nor all: %v", faultsVariable, err)
		}
	}
	seed := rand.Uint64()
	if text := os.Getenv(faultsSeedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", faultsSeedVariable, err)
		}
	}
	t.Logf("%s=%d", faultsSeedVariable, seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(faults), func(i, k int) { faults[i], faults[k] = faults[k], faults[i] })
	return faults[:min(n, len(faults))]
}

// faultsOf returns the faults of an action, from what it does when nothing fails.
func faultsOf(t *testing.T, a *action, ready map[string]prepared) (faults []fault) {
	t.Helper()
	s := a.scenario(t, ready[a.estate])
	who := a.process("")
	s.all(of(who, a.before))
	s.must("heal " + who)
	s.must(of(who, a.step))
	seen := make(map[string]int)
	for i, operation := range strings.Split(s.must("trace "+who), "\n") {
		seen[operation]++
		rule := func(format string) {
			faults = append(faults, fault{a, fmt.Sprintf(format, operation, seen[operation])})
		}
		for _, failure := range []string{"ENOSPC", "EMFILE", "EACCES", "EIO"} {
			rule(failure + " on %s %d")
		}
		rule("EIO on %s %d+")
		rule("kill before %s %d")
		op, _, _ := strings.Cut(operation, " ")
		if op == "read" || op == "write" || op == "extend" {
			rule("short %s %d")
			rule("short ENOSPC on %s %d")
		}
		for _, failure := range []string{"EIO", "EMFILE"} { // from there on everything fails
			faults = append(faults, fault{a, fmt.Sprintf("%s on * * %d+", failure, i+1)})
		}
	}
	s.endAll()
	return faults
}

// scenario returns a scenario in a copy of what was prepared. Beside the directory
// there is a file that nothing may touch.
func (a *action) scenario(t *testing.T, from prepared) *scenario {
	t.Helper()
	root := sharedDir(t)
	dir := filepath.Join(root, "metrics")
	err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(root, "outside"), []byte("outside"), 0o600))
	for _, name := range ls(t, from.dir, "*") {
		err = errors.Join(err, copyFile(filepath.Join(from.dir, name), filepath.Join(dir, name)))
	}
	if err != nil {
		t.Fatal(err)
	}
	list := newProc(t)
	if a.blind {
		if err := os.RemoveAll(filepath.Join(list.root, "self", "ns")); err != nil {
			t.Fatal(err)
		}
	}
	s := newScenario(t, dir, list)
	s.counted = maps.Clone(from.counted)
	return s
}

// process returns who does the step: a process of its own if it is a store's, else
// this process, unless there is another one for it.
func (a *action) process(other string) string {
	if words := strings.Fields(a.step); len(words) > 1 && words[1] == "p" {
		return "p"
	}
	return other
}

// try makes the fault and checks what is left.
func (f fault) try(t *testing.T, from prepared) {
	s := f.scenario(t, from)
	who := f.process("")
	if f.kills() {
		who = f.process("q")
	}
	s.all(of(who, f.before))
	watch := newPerformer(s.dir, s.proc.root, &inject.Injector{}) // a reader that runs
	check := func(when string) {
		t.Helper()
		for _, verb := range []string{"collect", "page"} {
			page, err := watch.do([]string{verb})
			if err != nil {
				t.Errorf("%s, %s: %v", when, verb, err)
				continue
			}
			for _, wrong := range s.counted.check(page) {
				t.Errorf("%s, %s: %s", when, verb, wrong)
			}
		}
	}
	check("before")
	outside, inside := snapshot(t, filepath.Dir(s.dir)), snapshot(t, s.dir)
	kept := s.resources(who)

	most := maps.Clone(s.counted)
	s.must("inject " + who + " " + f.rule)
	said, err := s.do(of(who, f.step))
	killed := errors.Is(err, errKilled)
	if killed != f.kills() {
		t.Errorf("killed: %v", killed)
	}
	told := ""
	if !killed {
		f.checkResources(s, who, kept, err)
		if f.again {
			_, _ = s.do(of(who, f.step)) // the rule may apply once more, or for ever
			check("again")
		}
		s.must("heal " + who)
		told = s.must("told " + who)
	}
	f.settle(s, said, told, err, most)
	if f.reads {
		sameSnapshot(t, "inside", inside, snapshot(t, s.dir))
	}
	check("after")
	if !killed && f.later {
		if page := s.must(of(who, f.step)); len(s.counted.check(page)) > 0 {
			t.Errorf("later it shows %q: %q", page, s.counted.check(page))
		}
	}
	if f.name == "open" && err != nil {
		s.all("open p epoch=now\nadd p c{a} 3")
	}
	f.finishAll(s, check)
	after := snapshot(t, filepath.Dir(s.dir))
	for path := range outside {
		if strings.HasPrefix(path, s.dir) || path == filepath.Dir(s.dir) {
			delete(outside, path)
		}
	}
	for path := range after {
		if strings.HasPrefix(path, s.dir) || path == filepath.Dir(s.dir) {
			delete(after, path)
		}
	}
	sameSnapshot(t, "outside", outside, after)
	if t.Failed() {
		t.Logf("%s said %q, %v; told %q", of(who, f.step), said, err, told)
	}
}

// settle checks what came of the step, and takes note of what may be counted now.
func (f fault) settle(s *scenario, said, told string, err error, before tally) {
	t := s.tb
	t.Helper()
	verb, _, _ := strings.Cut(f.step, " ")
	switch verb {
	case "collect", "own", "merge":
		wrong := s.counted.check(said)
		excused := err != nil || told != "" && (!f.later || strings.HasPrefix(f.rule, "short"))
		if len(wrong) > 0 && !excused {
			t.Errorf("the page is not whole, and nothing is told: %q", wrong)
		}
	case "close":
		if strings.Contains(told, "segment is gone") {
			t.Errorf("it was told %q", told)
		}
	case "fill":
		if err != nil {
			return
		}
		spilled, _ := strconv.Atoi(s.must("spilled p"))
		if wrong := s.counted.check(s.must("own p")); len(wrong) > 0 {
			t.Errorf("the process itself sees: %q", wrong)
		}
		others := strings.Count(s.must("page"), "d_total{")
		if others+spilled != 400 {
			t.Errorf("%d series spilled, and others see %d", spilled, others)
		}
		if spilled > 0 {
			for series := range s.counted {
				if strings.HasPrefix(series, "d_total{") {
					s.counted[series] = bounds{0, 1}
				}
			}
		}
	}
}

// finishAll folds without faults, and checks that all is in order then.
func (f fault) finishAll(s *scenario, check func(when string)) {
	t := s.tb
	t.Helper()
	final := f.finish
	if final == "" {
		final = finalFold
	}
	for range 2 { // the first takes notes
		if said := s.must(final); said == "busy" {
			t.Error("a lock is held for ever")
		}
		check("folded")
	}
	s.must("age")
	s.must(final)
	check("folded again")
	living := len(s.others) + strings.Count(f.before, "live ")
	if segments := ls(t, s.dir, "writer-*"); len(segments) > living {
		t.Errorf("there are %q, and %d writers live", segments, living)
	}
	if names := s.temporary(); len(names) > 0 {
		t.Errorf("left for ever: %q", names)
	}
	if names := ls(t, s.dir, "*.db"); len(names) > 0 && seesMappings {
		t.Errorf("left for ever: %q", names)
	}
}

// resources are what a process has.
type resources struct{ descriptors, goroutines, mappings int }

func (s *scenario) resources(who string) (r resources) {
	s.tb.Helper()
	if _, err := fmt.Sscan(s.must("resources "+who), &r.descriptors, &r.goroutines, &r.mappings); err != nil {
		s.tb.Fatal(err)
	}
	return r
}

// checkResources checks that a process has no more of anything than before.
func (f fault) checkResources(s *scenario, who string, before resources, err error) {
	t := s.tb
	t.Helper()
	before.descriptors += f.holds
	if err != nil {
		before.descriptors += f.keeps - f.holds
	}
	verb, _, _ := strings.Cut(f.step, " ")
	if verb == "open" && err == nil {
		before.goroutines += 2 // one says that the process lives, one publishes
	}
	var after resources
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		after = s.resources(who)
		over := after.descriptors > before.descriptors || after.goroutines > before.goroutines
		if verb == "fold" || verb == "background" || verb == "inspect" || verb == "mark" || verb == "merge" || verb == "open" && err != nil {
			over = over || after.mappings > before.mappings
		}
		if !over {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s: it has %+v, and may have %+v", f.step, after, before)
			return
		}
		runtime.GC()
	}
}

func sameSnapshot(tb testing.TB, what string, before, after map[string]string) {
	tb.Helper()
	if !maps.Equal(before, after) {
		tb.Errorf("%s it was\n%v\nand is\n%v", what, before, after)
	}
}
