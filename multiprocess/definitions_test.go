package multiprocess_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/segment"
)

// deploy makes a writer of a histogram with the bounds, whose definition first appeared
// at a time, and counts once in each bucket.
func deploy(t *testing.T, dir string, first int64, help string, bounds ...float64) *writer {
	t.Helper()
	w := begin(t, dir, segment.Header{Start: first})
	words := []uint64{math.Float64bits(1)}
	for range len(bounds) + 1 {
		words = append(words, 1)
	}
	w.family(segment.Family{
		Name: "h", Help: help, Type: model.Histogram, Bounds: append(bounds, math.Inf(1)), First: segment.Moment{Wall: first},
	}).add("", words...)
	return w
}

// helpOf returns the help of a collector's first family.
func helpOf(t *testing.T, c model.Collector) string {
	t.Helper()
	return collect(t, c)[0].Help
}

// Thirty deploys whose help has a version in it leave one family, with the newest.
func TestHelpIsNotIdentity(t *testing.T) {
	dir := t.TempDir()
	var told []error
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	for i := range 30 {
		w := deploy(t, dir, int64(i+1), fmt.Sprintf("Version %d.", i+1), 1)
		if got, want := helpOf(t, c), fmt.Sprintf("Version %d.", i+1); got != want {
			t.Errorf("live: help %q, want %q", got, want)
		}
		w.die()
		fold(t, dir)
		for what, c := range map[string]*multiprocess.Collector{"a collector": c, "a fresh one": collector(t, dir)} {
			if got, want := helpOf(t, c), fmt.Sprintf("Version %d.", i+1); got != want {
				t.Errorf("%s, folded: help %q, want %q", what, got, want)
			}
			n := float64(i + 1)
			sameSamples(t, what, collect(t, c), []string{
				fmt.Sprintf(`h_bucket{le="1.0"} %.1f`, n), fmt.Sprintf(`h_bucket{le="+Inf"} %.1f`, 2*n),
				fmt.Sprintf("h_count{} %.1f", 2*n), fmt.Sprintf("h_sum{} %.1f", n),
			})
		}
	}
	if r := inspect(t, dir)["archive.seg"]; r.Families != 1 || r.Series != 1 {
		t.Errorf("the archive has %d families with %d series", r.Families, r.Series)
	}
	if len(told) > 0 {
		t.Errorf("told %q", told)
	}
}

// Buckets that a deploy changed: the newest bounds are shown, of the living if any
// live, no count falls at a bound that stays, and nothing depends on folds.
func TestBucketsThatChange(t *testing.T) {
	dir := t.TempDir()
	c := collector(t, dir)
	shows := func(when string, want string) {
		t.Helper()
		for what, c := range map[string]*multiprocess.Collector{"": c, ", afresh": collector(t, dir)} {
			var got []string
			for _, f := range collect(t, c) {
				for s := range f.Samples() {
					if le, ok := s.Labels.Get("le"); ok {
						got = append(got, fmt.Sprintf("%s:%v", le, s.Value))
					}
				}
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s%s: %s, want %s", when, what, got, want)
			}
		}
	}
	old := deploy(t, dir, 1, "", 1, 5)
	shows("the old", "1.0:1 5.0:2 +Inf:3")
	fresh := deploy(t, dir, 2, "", 2, 5)
	shows("both", "2.0:2 5.0:4 +Inf:6")
	fresh.die()
	shows("the old lives", "1.0:1 5.0:4 +Inf:6")
	fold(t, dir)
	shows("the old lives, folded", "1.0:1 5.0:4 +Inf:6")
	old.die()
	shows("none lives", "2.0:2 5.0:4 +Inf:6")
	for range 2 {
		fold(t, dir)
		shows("none lives, folded", "2.0:2 5.0:4 +Inf:6")
	}
	if r := inspect(t, dir)["archive.seg"]; r.Families != 2 {
		t.Errorf("the archive has %d families", r.Families)
	}
	again := deploy(t, dir, 9, "", 1, 5) // a process of the old version, which appeared before
	shows("the old again", "1.0:2 5.0:6 +Inf:9")
	deploy(t, dir, 8, "", 2, 5)
	shows("and the new one", "2.0:4 5.0:8 +Inf:12")
	again.die()
	shows("the new one alone", "2.0:4 5.0:8 +Inf:12")
}

// A definition keeps the time of its first appearance when a fold leaves none of its
// series: one that is declared again is no newer than those that appeared behind it. It
// shows nothing, and is none of what readers and Merge disagree about.
func TestDefinitionsOutliveTheirSeries(t *testing.T) {
	for _, f := range []segment.Family{
		{Name: "h", Type: model.Histogram},
		{Name: "h", Type: model.GaugeHistogram, Mode: 8},
	} {
		t.Run(fmt.Sprint(f.Type), func(t *testing.T) {
			dir := t.TempDir()
			var told []error
			c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
			declare := func(first int64, bounds ...float64) (w *writer, remove func()) {
				w = begin(t, dir, segment.Header{Start: first})
				f := f
				f.First, f.Bounds = segment.Moment{Wall: first}, append(bounds, math.Inf(1))
				made := w.family(f)
				series := made.add("")
				return w, func() { made.Remove(series) }
			}
			bounds := func(when string, want ...float64) {
				t.Helper()
				for what, c := range map[string]*multiprocess.Collector{"": c, ", afresh": collector(t, dir)} {
					var got []float64
					for _, f := range collect(t, c) {
						for s := range f.Samples() {
							if le, ok := s.Labels.Get("le"); ok && le != "+Inf" {
								v, _ := strconv.ParseFloat(le, 64)
								got = append(got, v)
							}
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s%s: the bounds are %v, want %v", when, what, got, want)
					}
				}
			}
			old, _ := declare(1, 1, 5)
			old.die()
			fresh, remove := declare(2, 2, 5)
			if err := fresh.Bury(segment.Tombstone{Time: 1, Type: f.Type, Name: f.Name}); err != nil {
				t.Fatal(err)
			}
			bounds("both", 2, 5)
			fold(t, dir)
			bounds("folded", 2, 5)
			again, _ := declare(3, 1, 5)
			bounds("the old one again", 2, 5)
			again.die()
			remove()
			fresh.die()
			other := begin(t, dir, segment.Header{Start: 4})
			if err := other.Bury(segment.Tombstone{Time: 1, Type: f.Type, Name: f.Name}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				fold(t, dir)
				bounds("none")
				if r := inspect(t, dir)["archive.seg"]; r.Families != 2 || r.Series != 0 {
					t.Errorf("the archive has %d families with %d series", r.Families, r.Series)
				}
				if families, err := multiprocess.Merge([]string{dir}, true); err != nil || len(families) > 0 {
					t.Errorf("merged: %v, %v", families, err)
				}
				if n := len(collect(t, collector(t, dir))); n > 0 {
					t.Errorf("%d families are shown that have no series", n)
				}
			}
			declare(5, 1, 5)
			declare(6, 2, 5)
			bounds("both again", 2, 5)
			if len(told) != 2 { // of bounds that differ, each time that both lived
				t.Errorf("told %q", told)
			}
		})
	}
}

// An archive has no more definitions without series than the limit says: those are
// forgotten that appeared first.
func TestDefinitionsWithoutSeriesAreLimited(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{Start: 1})
	const more = 3
	for i := range estate.MaxDefinitions + more {
		w.family(segment.Family{Name: fmt.Sprint("g", i), Type: model.Gauge, First: segment.Moment{Wall: int64(1 + i)}})
	}
	w.family(segment.Family{Name: "kept", Type: model.Counter}).add("", 3)
	w.die()
	for range 2 {
		fold(t, dir)
		if r := inspect(t, dir)["archive.seg"]; r.Families != estate.MaxDefinitions+1 || r.Series != 1 {
			t.Fatalf("the archive has %d families with %d series", r.Families, r.Series)
		}
		image, err := os.ReadFile(filepath.Join(dir, "archive.seg"))
		if err != nil {
			t.Fatal(err)
		}
		var table segment.Table
		if _, err := table.Next(segment.Image(image), nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, f := range table.Families() {
			if n := strings.TrimPrefix(f.Name, "g"); n == "0" || n == "1" || n == "2" {
				t.Errorf("%s is kept, which appeared before others", f.Name)
			}
		}
		sameSamples(t, "what has series", collect(t, collector(t, dir)), []string{"kept_total{} 3.0"})
	}
}

// Where names of two families meet, the one stays that appeared last, of those that a
// live writer has; the loser is told and its count goes on.
func TestClashesAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	var told []string
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err.Error()) }))
	family := func(start int64, f segment.Family) *writer {
		w := begin(t, dir, segment.Header{Start: start})
		f.First = segment.Moment{Wall: start}
		if f.Type == model.Gauge {
			w.family(f).value("", 5)
		} else {
			w.family(f).add("", 3)
		}
		return w
	}
	counter := segment.Family{Name: "x", Type: model.Counter}
	gauge := segment.Family{Name: "x_total", Type: model.Gauge, Mode: 3}
	family(1, counter)
	sameSamples(t, "a counter", collect(t, c), []string{"x_total{} 3.0"})
	later := family(2, gauge)
	sameSamples(t, "a gauge of its sample's name", collect(t, c), []string{"x_total{} 5.0"})
	if len(told) != 1 || !strings.Contains(told[0], `name of "x"`) || !strings.Contains(told[0], "gauge") {
		t.Errorf("told %q", told)
	}
	if _, err := multiprocess.Merge([]string{dir}, true); err == nil || !strings.Contains(err.Error(), `name of "x"`) {
		t.Errorf("Merge: %v", err)
	}
	later.die()
	sameSamples(t, "the counter's process lives", collect(t, c), []string{"x_total{} 3.0"})
	fold(t, dir)
	sameSamples(t, "folded", collect(t, c), []string{"x_total{} 3.0"})
	if left := ls(t, dir, "*"); len(left) != 3 {
		t.Errorf("files: %q", left)
	}
}
