package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess"
)

func counter(labels string) string { return `["c", "c_total", {` + labels + `}, "Help."]` }

func replace(tb testing.TB, path string, f *pythonBytes) {
	tb.Helper()
	f.write(tb, path+".new")
	if err := os.Rename(path+".new", path); err != nil {
		tb.Fatal(err)
	}
}

// rewrite writes bytes into a file as a mapping does: no truncation, the length
// of what is used last.
func rewrite(tb testing.TB, path string, f *pythonBytes) {
	tb.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteAt(f.bytes()[8:], 8)
	}
	if err == nil {
		_, err = file.WriteAt(f.bytes()[:8], 0)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		tb.Fatal(err)
	}
}

func TestFilesChangeBetweenCollections(t *testing.T) {
	for _, limit := range []int{100, 1, 0} {
		t.Run(fmt.Sprintf("mappings=%d", limit), func(t *testing.T) {
			dir := t.TempDir()
			one := filepath.Join(dir, "counter_1.db")
			c := collector(t, dir, multiprocess.WithMappingLimits(limit, 1<<30))
			expect := func(what string, want ...string) {
				t.Helper()
				for range 3 {
					sameSamples(t, what, collect(t, c), want)
				}
			}
			expect("an empty directory")

			var f pythonBytes
			f.add(8, counter(`"a": "1"`), 1, 0)
			f.write(t, one)
			expect("a file", `c_total{a="1"} 1.0`)

			f = pythonBytes{}
			f.add(8, counter(`"a": "1"`), 2, 0)
			rewrite(t, one, &f)
			expect("a new value", `c_total{a="1"} 2.0`)

			f.add(8, counter(`"a": "0"`), 5, 0)
			rewrite(t, one, &f)
			expect("a new series", `c_total{a="0"} 5.0`, `c_total{a="1"} 2.0`)

			for i := range 2000 {
				f.add(8, counter(fmt.Sprintf(`"b": "%d"`, i)), 1, 0)
			}
			if err := os.Truncate(one, int64(2*len(f.data))); err != nil {
				t.Fatal(err)
			}
			rewrite(t, one, &f)
			for range 3 {
				if got := samples(collect(t, c)); len(got) != 2002 {
					t.Fatalf("a file grown beyond its mapping: %d samples", len(got))
				}
			}

			f = pythonBytes{}
			f.add(16, counter(`"n": "1"`), 3, 0)
			replace(t, one, &f)
			expect("another file of the name, in the other layout", `c_total{n="1"} 3.0`)

			put(t, dir, "counter_2.db", entry{counter(`"n": "1"`), 10, 0}, entry{counter(`"n": "2"`), 20, 0})
			expect("a second file", `c_total{n="1"} 13.0`, `c_total{n="2"} 20.0`)

			f = pythonBytes{}
			f.add(16, counter(`"n": "9"`), 1, 0)
			rewrite(t, filepath.Join(dir, "counter_2.db"), &f)
			expect("a file begun again", `c_total{n="1"} 3.0`, `c_total{n="9"} 1.0`)

			own := put(t, dir, "gauge_all_1.db", entry{gauge(`"i": "1"`), 1, 0}, entry{gauge(`"i": "2"`), 2, 0})
			both := []string{`c_total{n="1"} 3.0`, `c_total{n="9"} 1.0`}
			expect("gauges of a process", append(both, `g{i="1",pid="1"} 1.0`, `g{i="2",pid="1"} 2.0`)...)
			f = pythonBytes{}
			f.add(16, gauge(`"j": "22"`), 4, 0)
			f.add(16, gauge(`"i": "1"`), 3, 0)
			rewrite(t, own, &f)
			expect("gauges begun again", append(both, `g{i="1",pid="1"} 3.0`, `g{j="22",pid="1"} 4.0`)...)
			if err := errors.Join(os.Remove(one), os.Remove(own)); err != nil {
				t.Fatal(err)
			}
			expect("a file gone", `c_total{n="9"} 1.0`)

			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			err := c.Collect(context.Background(), func(*model.Family) error { return nil })
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory gone: %v", err)
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, dir, "counter_3.db", entry{counter(""), 1, 0})
			expect("the directory made anew", `c_total{} 1.0`)
		})
	}
}

func TestDirectoryIsListedOnlyAfterItChanged(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "counter_1.db", entry{counter(""), 1, 0})
	c := collector(t, dir)
	age(t, dir)
	for range 5 {
		sameSamples(t, "Collect", collect(t, c), []string{"c_total{} 1.0"})
	}
	if s := c.Stats(); s.Listings != 1 || s.Collections != 5 || s.MappedFiles != 1 {
		t.Errorf("stats %+v", s)
	}
	// A change within the same tick of the clock as the last listing leaves the
	// directory's time as it was.
	now := time.Now()
	put(t, dir, "counter_2.db", entry{counter(""), 2, 0})
	for i := 3; i < 6; i++ {
		if err := os.Chtimes(dir, now, now); err != nil {
			t.Fatal(err)
		}
		collect(t, c)
		put(t, dir, fmt.Sprintf("counter_%d.db", i), entry{counter(""), 1, 0})
		if err := os.Chtimes(dir, now, now); err != nil {
			t.Fatal(err)
		}
		sameSamples(t, "Collect", collect(t, c), []string{fmt.Sprintf("c_total{} %d.0", i+1)})
	}
}

func TestRestrictedLeavesWorkUndone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "counter_1.db", entry{counter(`"a": "1"`), 1, 0}, entry{`["d", "d_total", {}]`, 2, 0}, entry{counter(`"a": "2"`), 3, 0})
	put(t, dir, "histogram_1.db", entry{`["h", "h_sum", {}]`, 2, 0}, entry{`["h", "h_bucket", {"le": "+Inf"}]`, 3, 0})
	put(t, dir, "summary_1.db", entry{`["s", "s_count", {}]`, 2, 0}, entry{`["s", "odd", {}]`, 4, 0})
	put(t, dir, "gauge_all_1.db", entry{gauge(""), 4, 0})
	c := collector(t, dir)
	for _, want := range []struct {
		names   []string
		samples []string
	}{
		{nil, nil},
		{[]string{"none", "h"}, []string{`h_bucket{le="+Inf"} 3.0`, "h_count{} 3.0", "h_sum{} 2.0"}},
		{[]string{"h_count", "d_total"}, []string{"d_total{} 2.0", "h_count{} 3.0"}},
		{[]string{"c"}, []string{`c_total{a="1"} 1.0`, `c_total{a="2"} 3.0`}},
		{[]string{"odd", "g"}, []string{`g{pid="1"} 4.0`, "odd{} 4.0"}},
	} {
		for range 3 {
			sameSamples(t, fmt.Sprint(want.names), collect(t, c.Restricted(want.names...)), want.samples)
		}
	}
	twice := c.Restricted("h", "c").(model.Restrictor).Restricted("h_sum", "d")
	sameSamples(t, "restricted twice", collect(t, twice), []string{"h_sum{} 2.0"})
	if len(c.Describe()) > 0 {
		t.Error("the collector describes what it cannot know")
	}
}

func TestCollectStops(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "counter_1.db", entry{counter(""), 1, 0}, entry{`["d", "d_total", {}]`, 2, 0})
	c := collector(t, dir)
	mine := errors.New("mine")
	calls := 0
	err := c.Collect(context.Background(), func(*model.Family) error { calls++; return mine })
	if !errors.Is(err, mine) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = c.Collect(ctx, func(*model.Family) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled within: %v", err)
	}
	if err := c.Collect(ctx, func(*model.Family) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestPidsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	c := collector(t, dir)
	var entries []entry
	for i := range 500 {
		entries = append(entries, entry{gauge(fmt.Sprintf(`"n": "%03d"`, i)), float64(i), 0})
	}
	for pid := range 300 {
		path := put(t, dir, fmt.Sprintf("gauge_liveall_%d.db", pid), entries...)
		if pid%50 == 0 {
			if got := samples(collect(t, c)); len(got) != 500 || got[7] != fmt.Sprintf(`g{n="007",pid="%d"} 7.0`, pid) {
				t.Fatalf("process %d: %d samples", pid, len(got))
			}
		} else {
			walk(t, c)
		}
		if err := multiprocess.MarkProcessDead(dir, pid); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if got := collect(t, c); len(got) > 0 || c.Stats().Series > 0 || c.Stats().MappedFiles > 0 {
		t.Errorf("%d families are left, stats %+v", len(got), c.Stats())
	}
}

func TestMarkProcessDead(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"gauge_liveall_7.db", "gauge_livemostrecent_7.db", "gauge_all_7.db", "counter_7.db", "gauge_liveall_77.db", "gauge_liveall_x_7.db"} {
		put(t, dir, name, entry{gauge(""), 1, 0})
	}
	for range 2 {
		if err := multiprocess.MarkProcessDead(dir, 7); err != nil {
			t.Fatal(err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.db"))
	if len(left) != 4 || strings.Contains(fmt.Sprint(left), "live"+"all_7.db") {
		t.Errorf("left: %v", left)
	}
	t.Setenv("PROMETHEUS_MULTIPROC_DIR", "")
	t.Setenv("prometheus_multiproc_dir", dir)
	if err := multiprocess.MarkProcessDead("", 77); err != nil {
		t.Fatal(err)
	}
	t.Setenv("prometheus_multiproc_dir", "")
	if err := multiprocess.MarkProcessDead("", 77); err == nil {
		t.Error("no directory is no error")
	}
}

// TestConcurrentCollections collects from several goroutines while files are
// written, grow, come and go.
func TestConcurrentCollections(t *testing.T) {
	dir := t.TempDir()
	c := collector(t, dir, multiprocess.WithMappingLimits(6, 1<<30))
	stable := put(t, dir, "counter_0.db", entry{counter(`"stable": "1"`), 42, 0})
	var group sync.WaitGroup
	done := make(chan struct{})
	for w := 1; w <= 4; w++ {
		group.Go(func() {
			path := filepath.Join(dir, fmt.Sprintf("counter_%d.db", w))
			for round := 0; ; round++ {
				var f pythonBytes
				f.write(t, path)
				for i := range 40 {
					f.add(16, counter(fmt.Sprintf(`"w": "%d"`, (i*w+round)%64)), 1, 0)
					rewrite(t, path, &f)
				}
				select {
				case <-done:
					return
				default:
				}
				_ = os.Remove(path)
			}
		})
	}
	var collectors sync.WaitGroup
	for g := range 4 {
		collectors.Go(func() {
			var view model.Collector = c
			if g%2 == 1 {
				view = c.Restricted("c_total")
			}
			for range 60 {
				got := samples(collect(t, view))
				if !slices.Contains(got, `c_total{stable="1"} 42.0`) {
					t.Errorf("a stable series is not there: %q", got)
				}
				_ = c.Stats()
			}
		})
	}
	collectors.Wait()
	close(done)
	group.Wait()
	if _, err := os.Stat(stable); err != nil {
		t.Fatal(err)
	}
}
