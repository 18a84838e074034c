package multiprocess_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
)

// entry is one line of a file in a test.
type entry struct {
	key         string
	value, when float64
}

// put writes a file of entries with times and returns its path.
func put(tb testing.TB, dir, name string, entries ...entry) string {
	tb.Helper()
	var f pythonBytes
	for _, e := range entries {
		f.add(16, e.key, e.value, e.when)
	}
	path := filepath.Join(dir, name)
	f.write(tb, path)
	return path
}

// gauge is the key of a gauge "g".
func gauge(labels string) string { return `["g", "g", {` + labels + `}, "Help."]` }

// check merges files both ways and compares the samples.
func check(t *testing.T, dir string, files []string, want ...string) {
	t.Helper()
	merged, err := multiprocess.Merge(files, true)
	if err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "Merge", merged, want)
	c := collector(t, dir)
	for range 3 {
		sameSamples(t, "Collect", collect(t, c), want)
	}
}

func sameSamples(t *testing.T, what string, families []*model.Family, want []string) {
	t.Helper()
	if got := samples(families); !slices.Equal(got, want) {
		t.Errorf("%s gives\n\t%s\nnot\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func samples(families []*model.Family) (got []string) {
	for _, f := range families {
		for s := range f.Samples() {
			got = append(got, s.Name+s.Labels.String()+" "+model.FormatValue(s.Value))
		}
	}
	return got
}

func TestGaugeModes(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		mode   string
		values []float64 // of processes 1, 2, ...; their times increase but for the first, which is last
		want   []string
	}{
		{"min", []float64{3, -1, 2}, []string{"g{} -1.0"}},
		{"livemin", []float64{nan, 4}, []string{"g{} 4.0"}},
		{"min", []float64{4, nan}, []string{"g{} 4.0"}},
		{"max", []float64{nan, nan}, []string{"g{} NaN"}},
		{"livemax", []float64{-3, -1, -2}, []string{"g{} -1.0"}},
		{"max", []float64{nan, -7, nan}, []string{"g{} -7.0"}},
		{"sum", []float64{1, 2, 0.5}, []string{"g{} 3.5"}},
		{"livesum", []float64{1, nan}, []string{"g{} NaN"}},
		{"all", []float64{1, 2}, []string{`g{pid="1"} 1.0`, `g{pid="2"} 2.0`}},
		{"liveall", []float64{5}, []string{`g{pid="1"} 5.0`}},
		{"mostrecent", []float64{9, 8, 7}, []string{"g{} 9.0"}},
		{"livemostrecent", []float64{1, nan}, []string{"g{} 1.0"}},
	} {
		dir := t.TempDir()
		var files []string
		for i, v := range c.values {
			when := float64(10 + i)
			if i == 0 {
				when = 100
			}
			files = append(files, put(t, dir, "gauge_"+c.mode+"_"+string(rune('1'+i))+".db", entry{gauge(""), v, when}))
		}
		check(t, dir, files, c.want...)
		slices.Reverse(files)
		merged, err := multiprocess.Merge(files, true)
		if err != nil {
			t.Fatal(err)
		}
		sameSamples(t, c.mode+", files reversed", merged, c.want)
	}
}

func TestMostrecentWithoutTimeHasNoSeries(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "gauge_mostrecent_1.db", entry{gauge(""), 3, 0}, entry{gauge(`"a": "b"`), 3, -5})
	var old pythonBytes
	old.add(8, gauge(""), 4, 0)
	old.write(t, filepath.Join(dir, "gauge_mostrecent_2.db"))
	families := collect(t, collector(t, dir))
	if len(families) != 1 || families[0].Name != "g" || len(samples(families)) > 0 {
		t.Errorf("got %q", lines(families))
	}
}

func TestEqualTimesAreWonByTheFirstFile(t *testing.T) {
	dir := t.TempDir()
	a := put(t, dir, "gauge_mostrecent_1.db", entry{gauge(""), 3, 50})
	b := put(t, dir, "gauge_mostrecent_2.db", entry{gauge(""), 4, 50})
	check(t, dir, []string{a, b}, "g{} 3.0")
}

func TestPidLabelOfTheApplication(t *testing.T) {
	key := gauge(`"a": "x", "pid": "mine", "z": "y"`)
	dir := t.TempDir()
	check(t, dir, []string{put(t, dir, "gauge_sum_1.db", entry{key, 3, 0})}, `g{a="x",pid="mine",z="y"} 3.0`)
	dir = t.TempDir()
	check(t, dir, []string{put(t, dir, "gauge_all_1.db", entry{key, 3, 0}, entry{gauge(`"a": "x", "pid": "other", "z": "y"`), 4, 0})},
		`g{a="x",pid="1",z="y"} 4.0`)
}

func TestPidsMayContainUnderscores(t *testing.T) {
	dir := t.TempDir()
	check(t, dir, []string{
		put(t, dir, "counter_worker_1.db", entry{`["c", "c_total", {}]`, 1, 0}),
		put(t, dir, "gauge_all_worker_1.db", entry{gauge(""), 1, 0}),
		put(t, dir, "gauge_all_worker_2.db", entry{gauge(""), 2, 0}),
	}, "c_total{} 1.0", `g{pid="worker_1"} 1.0`, `g{pid="worker_2"} 2.0`)
}

func TestBucketsAreOneHoweverTheirBoundIsSpelled(t *testing.T) {
	bucket := func(le string) string { return `["h", "h_bucket", {"le": "` + le + `", "a": "b"}, ""]` }
	dir := t.TempDir()
	files := []string{
		put(t, dir, "histogram_1.db", entry{`["h", "h_sum", {"a": "b"}, ""]`, 7, 0}, entry{bucket("10.0"), 1, 0}, entry{bucket("1.0"), 2, 0}, entry{bucket("+Inf"), 4, 0}),
		put(t, dir, "histogram_2.db", entry{bucket("1"), 8, 0}, entry{bucket("2.5"), 16, 0}, entry{bucket("inf"), 32, 0}, entry{bucket("1e1"), 64, 0}),
	}
	check(t, dir, files, `h_bucket{a="b",le="1.0"} 10.0`, `h_bucket{a="b",le="2.5"} 26.0`, `h_bucket{a="b",le="10.0"} 91.0`,
		`h_bucket{a="b",le="+Inf"} 127.0`, `h_count{a="b"} 127.0`, `h_sum{a="b"} 7.0`)
	raw, err := multiprocess.Merge(files, false)
	if err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "without accumulation", raw, []string{`h_bucket{a="b",le="1.0"} 10.0`, `h_bucket{a="b",le="2.5"} 16.0`,
		`h_bucket{a="b",le="10.0"} 65.0`, `h_bucket{a="b",le="+Inf"} 36.0`, `h_sum{a="b"} 7.0`})
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, "counter_1.db",
		entry{`["c", "c_total", {}]`, 1, 0},
		entry{`["c", "c_total", {}, "Help."]`, 2, 0},
		entry{` [ "c" , "c_total" , { "b" : "\u00e9\"\n" , "a" : "1" } ] `, 4, 0},
		entry{`["c", "c_total", {"a": "1", "b": "é\"\n"}, ""]`, 8, 0},
		entry{`["c", "c_created", {}, ""]`, 1e9, 0},
		entry{`["c", "other", {"b.c": "1"}, ""]`, 16, 0},
	)
	check(t, dir, []string{path}, "c_total{} 3.0", `c_total{a="1",b="é\"\n"} 12.0`, `other{"b.c"="1"} 16.0`)
	if got := collect(t, collector(t, dir))[0]; got.Help != "Help." || got.Type != model.Counter {
		t.Errorf("help %q, type %s", got.Help, got.Type)
	}
}

func TestConflictsAreToldAndDecidedByTheOrderOfNames(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "gauge_max_1.db", entry{gauge(""), 3, 0}, entry{`["x", "x", {}, ""]`, 1, 0})
	put(t, dir, "gauge_sum_2.db", entry{`["g", "g", {}, "Another help."]`, 4, 0})
	put(t, dir, "counter_3.db", entry{`["x", "x_total", {}, ""]`, 5, 0})
	var told []error
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	want := []string{"g{} 7.0", "x_total{} 5.0"}
	for range 3 {
		sameSamples(t, "Collect", collect(t, c), want)
	}
	var about []string
	for _, err := range told {
		var conflict *multiprocess.ConflictError
		if !errors.As(err, &conflict) {
			t.Fatal(err)
		}
		about = append(about, conflict.Family+" "+conflict.About)
	}
	if !slices.Equal(about, []string{"g help", "g mode", "x type"}) || c.Stats().Conflicts != 3 {
		t.Errorf("told of %q, stats %+v", about, c.Stats())
	}
	// The counter goes, and what it held back comes.
	if err := os.Remove(filepath.Join(dir, "counter_3.db")); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "Collect", collect(t, c), []string{"g{} 7.0", "x{} 1.0"})
	put(t, dir, "gauge_all_0.db", entry{gauge(""), 5, 0})
	put(t, dir, "gauge_livemin_9.db", entry{gauge(""), 2, 0})
	sameSamples(t, "Collect", collect(t, c), []string{"g{} 14.0", "x{} 1.0"})
	if err := os.Remove(filepath.Join(dir, "gauge_sum_2.db")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "gauge_all_00.db", entry{gauge(""), 1.5, 0})
	sameSamples(t, "Collect", collect(t, c), []string{"g{} 5.0", "x{} 1.0"})
	if err := os.Remove(filepath.Join(dir, "gauge_max_1.db")); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "Collect", collect(t, c), []string{"g{} 1.5"})
}

func TestMergeTakesFilesInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	a := put(t, dir, "gauge_max_1.db", entry{gauge(""), 3, 0})
	b := put(t, dir, "gauge_min_1.db", entry{`["g", "g", {}, "Second."]`, 4, 0})
	for _, c := range []struct {
		files []string
		help  string
		want  string
	}{{[]string{a, b}, "Help.", "g{} 3.0"}, {[]string{b, a}, "Second.", "g{} 4.0"}} {
		families, err := multiprocess.Merge(c.files, true)
		if err != nil {
			t.Fatal(err)
		}
		sameSamples(t, "Merge", families, []string{c.want})
		if families[0].Help != c.help {
			t.Errorf("help is %q", families[0].Help)
		}
	}
}

func TestMergeNamesWhatItLeavesOut(t *testing.T) {
	dir := t.TempDir()
	good := put(t, dir, "counter_1.db", entry{`["c", "c_total", {}]`, 1, 0})
	families, err := multiprocess.Merge([]string{good, good, filepath.Join(dir, "counter_2.db"), filepath.Join(dir, "gauge_liveall_2.db"), dir}, true)
	sameSamples(t, "Merge", families, []string{"c_total{} 3.0"})
	var missing *multiprocess.FileError
	if !errors.As(err, &missing) || missing.Reason != multiprocess.ReasonVanished || !errors.Is(err, os.ErrNotExist) ||
		!strings.Contains(err.Error(), "counter_2.db") || strings.Contains(err.Error(), "liveall") {
		t.Errorf("error %v", err)
	}
}

func TestNewCollectorFindsItsDirectory(t *testing.T) {
	dir := t.TempDir()
	file := put(t, dir, "counter_1.db", entry{`["c", "c_total", {}]`, 1, 0})
	t.Setenv("PROMETHEUS_MULTIPROC_DIR", "")
	t.Setenv("prometheus_multiproc_dir", "")
	for _, c := range []struct{ arg, upper, lower, want string }{
		{"", "", "", "PROMETHEUS_MULTIPROC_DIR"},
		{file, "", "", "not a directory"},
		{filepath.Join(dir, "none"), "", "", "no such file"},
		{"", filepath.Join(dir, "none"), dir, "PROMETHEUS_MULTIPROC_DIR"},
		{"", "", file, "prometheus_multiproc_dir"},
		{"", dir, file, ""},
		{"", "", dir, ""},
		{dir, file, "", ""},
	} {
		t.Setenv("PROMETHEUS_MULTIPROC_DIR", c.upper)
		t.Setenv("prometheus_multiproc_dir", c.lower)
		got, err := multiprocess.NewCollector(c.arg)
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: error %v", c, err)
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.want == "":
			sameSamples(t, "Collect", collect(t, got), []string{"c_total{} 1.0"})
		}
	}
}
