package multiprocess_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess"
)

// hold maps a file for writing, as Python's client does.
func hold(tb testing.TB, path string) *mapped.Growing {
	tb.Helper()
	g, err := mapped.OpenWritable(path)
	if err == nil {
		_, err = g.Extend(0, os.Getpagesize())
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { letGo(tb, g) })
	return g
}

func letGo(tb testing.TB, g *mapped.Growing) {
	tb.Helper()
	g.Unmap()
	if err := g.Close(); err != nil {
		tb.Error(err)
	}
}

// What Python's dead processes left is the same when it is folded, from files of
// both layouts.
func TestFoldOfPythonsFiles(t *testing.T) {
	dir, p := t.TempDir(), newProc(t)
	pythonPut(t, dir, 8, 10000001)
	pythonPut(t, dir, 16, 1002)
	pythonPut(t, dir, 16, 1003)
	p.process("1003", "/proc/self/maps")
	held := hold(t, filepath.Join(dir, "counter_1003.db"))
	if _, err := multiprocess.Fold(t.Context(), dir, p.option()); err != nil || len(ls(t, dir, "*.db")) != 3*13 {
		t.Fatalf("folded without being asked to, %v", err)
	}
	// The dead ones' live gauges are Python's to delete, and the fold's.
	for _, name := range append(ls(t, dir, "gauge_live*_10000001.db"), ls(t, dir, "gauge_live*_1002.db")...) {
		f := filepath.Join(dir, name)
		if err := os.Rename(f, f+".kept"); err != nil {
			t.Fatal(err)
		}
	}
	running := collector(t, dir)
	want := samples(collect(t, running))
	for _, name := range ls(t, dir, "*.kept") {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, strings.TrimSuffix(name, ".kept"))); err != nil {
			t.Fatal(err)
		}
	}
	if dry := fold(t, dir, p.option(), multiprocess.WithPythonFiles(), multiprocess.WithDryRun()); len(dry.Absorbed) != 26 || len(ls(t, dir, "*~*")) != 0 {
		t.Errorf("dry run: absorbed %q, left %q", dry.Absorbed, left(dry))
	}
	report := fold(t, dir, p.option(), multiprocess.WithPythonFiles())
	if len(report.Absorbed) != 26 || len(report.Left) != 13 {
		t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
	}
	for _, l := range report.Left {
		if want := map[bool]multiprocess.Reason{true: multiprocess.ReasonAlive, false: multiprocess.ReasonUnknown}[l.Name == "counter_1003.db"]; l.Reason != want {
			t.Errorf("left %+v", l)
		}
	}
	if files := ls(t, dir, "*_100[12]*.db"); len(files) != 0 {
		t.Errorf("left %q", files)
	}
	sameSamples(t, "a reader that ran", collect(t, running), want)
	sameSamples(t, "a new reader", collect(t, collector(t, dir)), want)
	letGo(t, held)
}

func TestWhenPythonsFilesAreLeftAlone(t *testing.T) {
	const name = "counter_10000001.db"
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, dir string, p proc)
		want    multiprocess.Reason
		why     string
	}{
		{"mapped for writing", func(t *testing.T, dir string, p proc) {
			p.process("5", "/proc/self/maps")
			hold(t, filepath.Join(dir, name))
		}, multiprocess.ReasonAlive, "process 5 has it mapped"},
		{"the pid is in sight", func(t *testing.T, dir string, p proc) { p.process("10000001", os.DevNull) }, multiprocess.ReasonUnknown, "a process 10000001 is running"},
		{"open", func(t *testing.T, dir string, p proc) {
			p.process("5", os.DevNull)
			p.link("5/fd/3", filepath.Join(dir, name))
		}, multiprocess.ReasonUnknown, "process 5 has it open"},
		{"not all is shown", func(t *testing.T, dir string, p proc) {
			if err := os.RemoveAll(filepath.Join(p.root, "1")); err != nil {
				t.Fatal(err)
			}
		}, multiprocess.ReasonUnknown, "hidepid"},
		{"in a container", func(t *testing.T, dir string, p proc) {
			ns := filepath.Join(p.root, "self", "ns", "pid")
			if err := os.Remove(ns); err != nil {
				t.Fatal(err)
			}
			p.link("self/ns/pid", "pid:[4026532000]")
		}, multiprocess.ReasonUnknown, "container"},
		{"mappings are hidden", func(t *testing.T, dir string, p proc) {
			p.link("7/maps/no", "file") // a directory, which cannot be read as one
		}, multiprocess.ReasonUnknown, "process 7"},
		{"mappings are not shown as they are", func(t *testing.T, dir string, p proc) {
			if err := os.Remove(filepath.Join(p.root, "self", "maps")); err != nil {
				t.Fatal(err)
			}
			p.link("self/maps", os.DevNull)
		}, multiprocess.ReasonUnknown, "other numbers"},
		{"no list at all", func(t *testing.T, dir string, p proc) {
			if err := os.RemoveAll(p.root); err != nil {
				t.Fatal(err)
			}
		}, multiprocess.ReasonUnknown, "does not show"},
		{"damaged", func(t *testing.T, dir string, _ proc) {
			if err := os.Truncate(filepath.Join(dir, name), 20); err != nil {
				t.Fatal(err)
			}
		}, multiprocess.ReasonTruncated, "20"},
		{"a sample that fits nowhere", func(t *testing.T, dir string, _ proc) {
			put(t, dir, name, entry{`["c", "d", {}, "Help."]`, 1, 0})
		}, multiprocess.ReasonUnfit, `"d"`},
		{"a name that no page may have", func(t *testing.T, dir string, _ proc) {
			put(t, dir, name, entry{`["c\n", "c\n_total", {}, "Help."]`, 1, 0})
		}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, p := t.TempDir(), newProc(t)
			put(t, dir, name, entry{counter(""), 3, 0})
			test.prepare(t, dir, p)
			before := samples(collect(t, collector(t, dir)))
			report := fold(t, dir, p.option(), multiprocess.WithPythonFiles())
			if test.want == "" {
				if len(report.Absorbed) != 1 {
					t.Errorf("left %q", left(report))
				}
			} else if len(report.Left) != 1 || report.Left[0].Reason != test.want || !strings.Contains(report.Left[0].Why, test.why) || len(ls(t, dir, name)) != 1 {
				t.Errorf("left %q, absorbed %q; want %s: %s", left(report), report.Absorbed, test.want, test.why)
			}
			sameSamples(t, "afterwards", collect(t, collector(t, dir)), before)
		})
	}
}

// A process that begins while its predecessor's file is put aside gets it back,
// or keeps its own.
func TestPythonsFileIsPutBack(t *testing.T) {
	const name = "counter_10000001.db"
	for _, test := range []struct {
		name    string
		between func(t *testing.T, dir, aside string, p proc)
		left    string // pattern of what is there then
	}{
		{"mapped", func(t *testing.T, dir, aside string, p proc) {
			p.process("5", "/proc/self/maps")
			hold(t, filepath.Join(dir, aside))
		}, name},
		{"changed", func(t *testing.T, dir, aside string, p proc) {
			var f pythonBytes
			f.add(16, counter(""), 3, 1)
			rewrite(t, filepath.Join(dir, aside), &f)
		}, name},
		{"another file has the name", func(t *testing.T, dir, aside string, p proc) {
			p.process("5", "/proc/self/maps")
			hold(t, filepath.Join(dir, aside))
			put(t, dir, name, entry{counter(`"a": "new"`), 1, 0})
		}, "counter_10000001~*.db"},
		{"the pid is in sight", func(t *testing.T, dir, aside string, p proc) { p.process("10000001", os.DevNull) }, "counter_10000001~*.db"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, p := t.TempDir(), newProc(t)
			put(t, dir, name, entry{counter(""), 3, 0})
			census := false
			report := fold(t, dir, p.option(), multiprocess.WithPythonFiles(), multiprocess.WithStep(func(step string) {
				if aside := ls(t, dir, "*~*"); len(aside) == 1 && !census {
					census = true
					test.between(t, dir, aside[0], p)
				}
			}))
			if !census || len(report.Absorbed) != 0 || len(report.Left) != 1 {
				t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
			}
			if files := ls(t, dir, test.left); len(files) != 1 {
				t.Errorf("there is %q, want %s", ls(t, dir, "*"), test.left)
			}
			if got := samples(collect(t, collector(t, dir))); got[0] != "c_total{} 3.0" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestFoldDeadAfter(t *testing.T) {
	dir, p := t.TempDir(), newProc(t)
	if err := os.Remove(filepath.Join(p.root, "self", "ns", "pid")); err != nil { // as in a container
		t.Fatal(err)
	}
	path := put(t, dir, "counter_10000001.db", entry{counter(""), 3, 0})
	again := func(d time.Duration) *multiprocess.FoldReport {
		t.Helper()
		return fold(t, dir, p.option(), multiprocess.WithPythonFiles(), multiprocess.WithDeadAfter(d))
	}
	leaves := func(r *multiprocess.FoldReport, why string) {
		t.Helper()
		if len(r.Left) != 1 || r.Left[0].Reason != multiprocess.ReasonUnknown || !strings.Contains(r.Left[0].Why, why) {
			t.Errorf("absorbed %q, left %q, want %s", r.Absorbed, left(r), why)
		}
	}
	leaves(again(0), "does not show")
	leaves(again(time.Nanosecond), "have not changed for 0s") // it is seen for the first time
	leaves(again(time.Hour), "have not changed for")
	var f pythonBytes
	f.add(16, counter(""), 4, 0)
	rewrite(t, path, &f)
	leaves(again(time.Nanosecond), "have not changed for 0s")
	p.process("10000001", os.DevNull)
	leaves(again(time.Nanosecond), "a process 10000001 is running")
	if err := os.RemoveAll(filepath.Join(p.root, "10000001")); err != nil {
		t.Fatal(err)
	}
	leaves(again(time.Nanosecond), "have not changed for 0s") // since it was in sight
	if err := os.WriteFile(filepath.Join(dir, "fold.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	leaves(again(time.Nanosecond), "have not changed for 0s") // the notes are lost
	if r := again(time.Nanosecond); len(r.Absorbed) != 1 {
		t.Errorf("absorbed %q, left %q", r.Absorbed, left(r))
	}
	sameSamples(t, "folded", collect(t, collector(t, dir)), []string{"c_total{} 4.0"})
}

// Files that MarkProcessDead has put aside are taken up where no process can be
// seen.
func TestFoldOfProcessesMarkedDead(t *testing.T) {
	dir := t.TempDir()
	pythonPut(t, dir, 16, 10_000_001)
	for _, name := range ls(t, dir, "gauge_live*") {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	want := samples(collect(t, collector(t, dir)))
	if err := multiprocess.MarkProcessDead(dir, 10_000_001); err != nil {
		t.Fatal(err)
	}
	if aside := ls(t, dir, "*~*.db"); len(aside) != 8 {
		t.Errorf("aside %q", aside)
	}
	sameSamples(t, "aside", collect(t, collector(t, dir)), want)
	nowhere := multiprocess.WithProcesses(filepath.Join(dir, "none"))
	if r := fold(t, dir, nowhere, multiprocess.WithPythonFiles()); len(r.Absorbed) != 8 {
		t.Errorf("absorbed %q, left %q", r.Absorbed, left(r))
	}
	sameSamples(t, "folded", collect(t, collector(t, dir)), want)

	held := hold(t, put(t, dir, "counter_10000002.db", entry{counter(""), 1, 0}))
	if err := multiprocess.MarkProcessDead(dir, 10_000_002); err != nil {
		t.Fatal(err)
	}
	if files := ls(t, dir, "counter_10000002.db"); len(files) != 1 {
		t.Error("the file of a process that has it mapped was put aside")
	}
	letGo(t, held)
}

// A fold that was killed between the two steps of a rename left both names.
func TestFoldOfAFileWithTwoNames(t *testing.T) {
	dir, p := t.TempDir(), newProc(t)
	path := put(t, dir, "counter_10000001.db", entry{counter(""), 3, 0})
	if err := os.Link(path, filepath.Join(dir, "counter_10000001~0123456789abcdef.db")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fold(t, dir, p.option(), multiprocess.WithPythonFiles())
		sameSamples(t, "folded", collect(t, collector(t, dir)), []string{"c_total{} 3.0"})
	}
	if files := ls(t, dir, "*.db"); len(files) != 0 {
		t.Errorf("left %q", files)
	}
}

func TestWhatAnArchiveHoldsOfPythonsFiles(t *testing.T) {
	for _, test := range []struct {
		name    string
		file    string
		entries []entry
		want    string // why it is left alone; folded if it is empty
	}{
		{"a histogram that was just being made", "histogram_10000001.db", []entry{
			{`["h", "h_sum", {}, "Help."]`, 0, 0}, {`["h", "h_bucket", {"le": "1.0"}, "Help."]`, 0, 0},
		}, ""},
		{"a histogram without a last bucket", "histogram_10000001.db", []entry{{`["h", "h_bucket", {"le": "1.0"}, "Help."]`, 2, 0}}, "+Inf"},
		{"bounds spelled in two ways", "histogram_10000001.db", []entry{
			{`["h", "h_bucket", {"le": "1"}, "Help."]`, 2, 0}, {`["h", "h_bucket", {"le": "1.0"}, "Help."]`, 3, 0}, {`["h", "h_bucket", {"le": "+Inf"}, "Help."]`, 1, 0},
		}, ""},
		{"half an observation", "summary_10000001.db", []entry{{`["s", "s_count", {}, "Help."]`, 0.5, 0}}, "0.5"},
		{"a counter that is not a number", "counter_10000001.db", []entry{{counter(""), math.NaN(), 0}}, ""},
		{"a gauge that was never set", "gauge_mostrecent_10000001.db", []entry{{gauge(""), 1, 0}}, ""},
		{"a name that needs quotes", "counter_10000001.db", []entry{{`["c.d", "c.d_total", {"l.m": "1"}, "Help."]`, 1, 0}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, p := t.TempDir(), newProc(t)
			put(t, dir, test.file, test.entries...)
			report := fold(t, dir, p.option(), multiprocess.WithPythonFiles())
			if test.want == "" && len(report.Absorbed) != 1 || test.want != "" && (len(report.Left) != 1 || !strings.Contains(report.Left[0].Why, test.want)) {
				t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
			}
			c := collector(t, dir)
			collect(t, c)
			if s := c.Stats(); len(s.Skipped) != 0 {
				t.Errorf("skipped %v", s.Skipped)
			}
		})
	}
}
