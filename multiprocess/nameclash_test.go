package multiprocess_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// A page has each name once: of families that share one the first stays, and the
// other comes back when that one goes.
func TestNamesOfOtherFamilies(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "counter_2.db", entry{`["x", "x_total", {}, ""]`, 2, 0})
	put(t, dir, "summary_2.db", entry{`["y", "y_sum", {}, ""]`, 3, 0}, entry{`["y", "y_count", {}, ""]`, 3, 0})
	var told []string
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
		var conflict *multiprocess.ConflictError
		if !errors.As(err, &conflict) || !conflict.Lost || conflict.About != "name" || len(conflict.Files) != 2 {
			t.Errorf("told %v", err)
			return
		}
		told = append(told, conflict.Family)
	}))
	both := []string{"x_total{} 2.0", "y_count{} 3.0", "y_sum{} 3.0"}
	sameSamples(t, "alone", collect(t, c), both)

	first := put(t, dir, "counter_1.db", entry{`["y_count", "y_count_total", {}, ""]`, 1, 0}) // y_count is its family's name
	last := put(t, dir, "gauge_sum_3.db", entry{`["x_total", "x_total", {}, ""]`, 4, 0})
	for range 3 {
		sameSamples(t, "clashing", collect(t, c), []string{"x_total{} 2.0", "y_count_total{} 1.0"})
		sameSamples(t, "restricted", collect(t, c.Restricted("x_total", "y_sum")), []string{"x_total{} 2.0"})
	}
	if s := c.Stats(); !slices.Equal(told, []string{"x_total", "y"}) || s.Conflicts != 2 || s.Families != 2 {
		t.Errorf("told of %q, stats %+v", told, s)
	}
	families, err := multiprocess.Merge([]string{last, filepath.Join(dir, "counter_2.db"), filepath.Join(dir, "summary_2.db")}, true)
	sameSamples(t, "merged", families, []string{"x_total{} 4.0", "y_count{} 3.0", "y_sum{} 3.0"})
	if err == nil || !strings.Contains(err.Error(), `the name of "x": "x_total" belongs to the gauge "x_total", so that this counter is left out`) {
		t.Errorf("error %v", err)
	}
	for _, path := range []string{first, last} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	sameSamples(t, "alone again", collect(t, c), both)
}

// Families without a name in common are not touched, however alike they are.
func TestNamesThatLookAlike(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{Start: 1})
	w.family(segment.Family{Name: "x", Type: model.Counter}).add("", 1)
	w.family(segment.Family{Name: "x_sum", Type: model.Gauge, Mode: 3}).value("", 2)
	w.family(segment.Family{Name: "total", Type: model.Gauge, Mode: 3}).value("", 3)
	w.family(segment.Family{Name: "_total", Type: model.Gauge, Mode: 3}).value("", 4)
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
	sameSamples(t, "collected", collect(t, c), []string{"_total{} 4.0", "total{} 3.0", "x_total{} 1.0", "x_sum{} 2.0"})
}

// Whatever two families processes have, the strict parser of each format reads the page: one
// that the page cannot have beside the other is left out.
func TestPairsOfFamiliesOfSegments(t *testing.T) {
	pairs := 0
	for _, first := range model.Types() {
		for _, second := range model.Types() {
			for _, suffix := range []string{"_total", "_created", "_sum", "_count", "_bucket", "_gsum", "_gcount", "_info"} {
				dir := t.TempDir()
				w := begin(t, dir, segment.Header{PID: 1})
				for name, typ := range map[string]model.Type{"x": first, "x" + suffix: second} {
					f := segment.Family{Name: name, Type: typ}
					switch typ {
					case model.Histogram, model.GaugeHistogram:
						f.Bounds = []float64{1, math.Inf(1)}
					case model.StateSet:
						f.States = []string{"on"}
					}
					row := w.family(f).add("", 0)
					if typ == model.StateSet {
						cell.At(row, 1).Store(9)
					}
				}
				left := 0
				c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(error) { left++ }))
				families := collect(t, c)
				if len(families)+left != 2 {
					t.Errorf("%s x and %s x%s: %d families, %d are left out", first, second, suffix, len(families), left)
				}
				t.Run(fmt.Sprintf("%s x and %s x%s", first, second, suffix), func(t *testing.T) { strictlyRead(t, families) })
				pairs += len(families) - 1
			}
		}
	}
	if pairs == 0 {
		t.Error("no page has both families")
	}
}

// A conflict names its files, but not thousands of them.
func TestConflictsNameFiles(t *testing.T) {
	dir := t.TempDir()
	files := []string{put(t, dir, "counter_1.db", entry{`["x", "x_total", {}, ""]`, 1, 0})}
	for i := range 15 {
		files = append(files, put(t, dir, "gauge_sum_"+string(rune('a'+i))+".db", entry{`["x", "x", {}, ""]`, 1, 0}))
	}
	_, err := multiprocess.Merge(files, true)
	var conflict *multiprocess.ConflictError
	if !errors.As(err, &conflict) || !conflict.Lost || !slices.Equal(conflict.Files, files[:11]) || conflict.More != 5 {
		t.Errorf("%+v", conflict)
	}
	if text := conflict.Error(); !strings.Contains(text, "it is a counter, and elsewhere a gauge, which is left out") ||
		!strings.Contains(text, `counter_1.db" counts before "`) || !strings.HasSuffix(text, `gauge_sum_j.db" and 5 more)`) {
		t.Error(text)
	}
}
