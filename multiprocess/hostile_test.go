package multiprocess_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
)

// Files of Python's that nobody's client writes: reading them takes time and memory
// in proportion to their bytes. What is quadratic takes many seconds here.
func TestHostilePythonFiles(t *testing.T) {
	const many = 50_000
	forward := func(n int) (numbers []int) {
		for i := range n {
			numbers = append(numbers, i)
		}
		return numbers
	}
	backward := func(n int) (numbers []int) {
		numbers = forward(n)
		slices.Reverse(numbers)
		return numbers
	}
	labels := func(order func(int) []int) entry {
		var text strings.Builder
		for i, n := range order(many) {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `"l%06d":"%d"`, n, n)
		}
		return entry{counter(text.String()), 1, 0}
	}
	bounds := func(order func(int) []int) (entries []entry) {
		for _, n := range order(many) {
			entries = append(entries, entry{fmt.Sprintf(`["h","h_bucket",{"le":"%d"},"Help."]`, n), 1, 0})
		}
		return append(entries, entry{`["h","h_bucket",{"le":"+Inf"},"Help."]`, 1, 0})
	}
	for _, test := range []struct {
		name, file string
		put        func(order func(int) []int) []entry
		series     int // of both files together
	}{
		{"labels", "counter_%d.db", func(order func(int) []int) []entry { return []entry{labels(order)} }, 1},
		{"bounds", "histogram_%d.db", bounds, 1},
		{"families", "counter_%d.db", func(order func(int) []int) (entries []entry) {
			for round := range 2 {
				for _, n := range order(many / 2) {
					entries = append(entries, entry{fmt.Sprintf(`["f%d","f%d_total",{"a":"%d"},"Help."]`, n, n, round), 1, 0})
				}
			}
			return entries
		}, many},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, fmt.Sprintf(test.file, 1), test.put(backward)...)
			put(t, dir, fmt.Sprintf(test.file, 2), test.put(forward)...)
			series := 0
			for _, f := range collect(t, collector(t, dir)) {
				err := f.Visit(new(model.Point), func(p *model.Point) error {
					series++
					if f.Type == model.Counter && p.Value != 2 || f.Type == model.Histogram && p.Histogram.Count != 2*(many+1) {
						return fmt.Errorf("%s has %v", f.Name, p)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if series != test.series {
				t.Errorf("%d series, want %d", series, test.series)
			}
		})
	}
}

// Of a label given twice the last one counts, in whatever order they are.
func TestPythonLabelsTwice(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "counter_1.db", entry{counter(`"b":"1","a":"2","b":"3","a":"4","c":"5"`), 1, 0})
	sameSamples(t, "labels", collect(t, collector(t, dir)), []string{`c_total{a="4",b="3",c="5"} 1.0`})
}

// Keys that are holes take no memory, and errors no more than a line.
func TestHostilePythonKeys(t *testing.T) {
	for _, test := range []struct {
		name   string
		key    string
		length uint32 // that the key has, as the file says
	}{
		{"a hole", `["c"`, 1 << 30},
		{"a long key", strings.Repeat("x", 5<<20), 0},
		{"no key", "[" + strings.Repeat("\x1b", 1<<20), 0},
		{"no text", strings.Repeat("\xff", 1<<20), 0},
		{"no name", `["` + strings.Repeat(" ", 1<<20) + `","",{}]`, 0},
		{"no bound", `["h","h_bucket",{"le":"` + strings.Repeat("x", 1<<20) + `"}]`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, dir, "histogram_1.db", entry{test.key, 1, 0})
			if test.length > 0 {
				var p pythonBytes
				p.add(16, test.key, 1, 0)
				used := 8 + (4+test.length+8)/8*8 + 16
				for i, n := range []uint32{used, test.length} {
					binary.NativeEndian.PutUint32(p.data[8*i:], n)
				}
				if err := errors.Join(os.WriteFile(path, p.data, 0o600), os.Truncate(path, int64(used))); err != nil {
					t.Fatal(err)
				}
			}
			_, err := multiprocess.Merge([]string{dir}, true)
			var file *multiprocess.FileError
			if !errors.As(err, &file) || file.Reason != multiprocess.ReasonKey || len(err.Error()) > 1000 {
				t.Errorf("%.1000v", err)
			}
			if r := inspect(t, dir)["histogram_1.db"]; r.Reason != multiprocess.ReasonKey || len(r.Error) > 1000 {
				t.Errorf("inspected %.1000v", r)
			}
		})
	}
}

// Disagreements name some of what writers disagree on.
func TestConflictsAreLines(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 1<<20)
	put(t, dir, "counter_1.db", entry{`["` + long + `","` + long + `_total",{},"` + long + `"]`, 1, 0})
	put(t, dir, "counter_2.db", entry{`["` + long + `","` + long + `_total",{},"other"]`, 1, 0})
	put(t, dir, "gauge_max_1.db", entry{`["` + long + `","` + long + `",{},"other"]`, 1, 0})
	told := 0
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
		if told++; len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}))
	if collect(t, c); told == 0 {
		t.Error("nothing is told")
	}
}

// What files said that are broken by now is forgotten.
func TestBrokenFilesLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	c := collector(t, dir, multiprocess.WithErrorHook(func(error) {}))
	const keys = 10_000
	for round := range 20 {
		var p pythonBytes
		for i := range keys {
			p.add(16, counter(fmt.Sprintf(`"a":"%d of %d"`, i, round)), 1, 0)
		}
		p.add(16, "broken", math.Pi, 0)
		if err := os.WriteFile(filepath.Join(dir, "counter_1.db"), p.bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if families := collect(t, c); len(families) != 0 {
			t.Fatalf("read %d families", len(families))
		}
	}
	if n := multiprocess.KeysOf(c); n > 10*keys {
		t.Errorf("%d keys are kept", n)
	}
}
