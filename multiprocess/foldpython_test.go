package multiprocess_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"telltale/multiprocess"
)

// proc is a list of processes as proc(5) has it, with those that a test wants.
type proc struct {
	tb   testing.TB
	root string
}

// newProc returns the list of a system in whose first PID namespace this process
// runs, with nobody but the first process.
func newProc(tb testing.TB) proc {
	tb.Helper()
	p := proc{tb, tb.TempDir()}
	p.link("self/maps", "/proc/self/maps")
	p.link("self/ns/pid", "pid:[4026531836]")
	p.process("1", os.DevNull)
	return p
}

// process adds a process with these mappings.
func (p proc) process(pid, maps string) { p.link(pid+"/maps", maps) }

func (p proc) link(name, to string) {
	p.tb.Helper()
	path := filepath.Join(p.root, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.Symlink(to, path)
	}
	if err == nil {
		err = os.Chmod(p.root, 0o755)
	}
	if err != nil {
		p.tb.Fatal(err)
	}
}

func (p proc) option() multiprocess.FoldOption { return multiprocess.WithProcesses(p.root) }

// pythonPut writes what a process of Python's client has, in a layout.
func pythonPut(tb testing.TB, dir string, width, pid int) {
	tb.Helper()
	n := float64(pid)
	put := func(kind string, entries ...entry) {
		var f pythonBytes
		for _, e := range entries {
			f.add(width, e.key, e.value, e.when)
		}
		f.write(tb, filepath.Join(dir, kind+"_"+strconv.Itoa(pid)+".db"))
	}
	put("counter", entry{counter(`"a": "1"`), n, 0}, entry{counter(`"a": "2"`), 0.5, 0})
	put("histogram",
		entry{`["ph", "ph_sum", {}, "Help."]`, 2.5, 0},
		entry{`["ph", "ph_bucket", {"le": "1.0"}, "Help."]`, 1, 0},
		entry{`["ph", "ph_bucket", {"le": "+Inf"}, "Help."]`, n, 0},
		entry{`["ph", "ph_sum", {"b": "x"}, "Help."]`, 1, 0},
		entry{`["ph", "ph_bucket", {"b": "x", "le": "1.0"}, "Help."]`, 0, 0},
		entry{`["ph", "ph_bucket", {"b": "x", "le": "+Inf"}, "Help."]`, 1, 0})
	put("summary", entry{`["ps", "ps_count", {}, "Help."]`, n, 0}, entry{`["ps", "ps_sum", {}, "Help."]`, n / 2, 0})
	for _, mode := range modeNames {
		put("gauge_"+mode, entry{fmt.Sprintf(`["pg_%s", "pg_%s", {"pid": "mine", "z": "1"}, "Help."]`, mode, mode), n, n})
	}
}

// pythonCrew puts two dead processes of Python's client, one that lives, and one
// whose files were put aside, into a directory, and returns the environment for
// those who fold it. Of what only the living say the dead have nothing.
func pythonCrew(tb testing.TB, dir string) (env []string) {
	tb.Helper()
	if !seesMappings {
		return nil
	}
	p := newProc(tb)
	for pid := 10_000_001; pid <= 10_000_003; pid++ {
		pythonPut(tb, dir, []int{8, 16}[pid%2], pid)
	}
	if err := multiprocess.MarkProcessDead(dir, 10_000_003); err != nil {
		tb.Fatal(err)
	}
	p.process("10000001", os.DevNull)
	for _, path := range ls(tb, dir, "gauge_live*_10000002.db") {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			tb.Fatal(err)
		}
	}
	return []string{childProc + "=" + p.root}
}
