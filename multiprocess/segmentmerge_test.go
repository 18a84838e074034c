package multiprocess_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// order of gauge modes as segments number them
var modeNames = []string{"all", "min", "max", "sum", "mostrecent", "liveall", "livemin", "livemax", "livesum", "livemostrecent"}

func TestEveryTypeOfSegmentsIsMerged(t *testing.T) {
	dir := t.TempDir()
	bounds := []float64{1, 2, math.Inf(1)}
	for i := range 2 {
		w := begin(t, dir, segment.Header{Start: int64(i + 1), PID: uint64(i + 1)})
		counter := w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"z", "b"}})
		first := counter.series(segment.Series{Labels: `z="1",b="2"`, Created: int64(5e6 + i)}, 3)
		cell.StoreFloat(cell.At(first, 1), 0.5)
		lanes, err := counter.Lanes(first, 2)
		if err != nil {
			t.Fatal(err)
		}
		lanes.Mine().Add(4)
		lanes.AddFloat(1, 0.25)
		w.family(segment.Family{Name: "u", Type: model.Unknown}).value("", float64(i))
		h := w.family(segment.Family{Name: "h_seconds", Unit: "seconds", Type: model.Histogram, Bounds: bounds})
		first = h.add(`a="1"`, math.Float64bits(1.5), 1, 2, 3)
		if lanes, err = h.Lanes(first, 4); err != nil {
			t.Fatal(err)
		}
		lanes.AddFloat(0, 2)
		cell.At(lanes.Mine(), 2).Add(7)
		g := w.family(segment.Family{Name: "gh", Type: model.GaugeHistogram, Bounds: bounds})
		g.add(``, math.Float64bits(-1), math.Float64bits(0.5), math.Float64bits(1), math.Float64bits(0))
		w.family(segment.Family{Name: "s", Type: model.Summary}).add(``, math.Float64bits(2.5), 4)
		info := w.family(segment.Family{Name: "i", Type: model.Info})
		if err := info.SetInfo(info.add(`a="1"`), fmt.Sprintf(`version="%d",app="x"`, i)); err != nil {
			t.Fatal(err)
		}
		if err := info.SetInfo(info.add(`a="2"`), `version="0"`); err != nil {
			t.Fatal(err)
		}
		e := w.family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"on", "off"}})
		e.add(``, uint64(1-i), uint64(10-i))
	}
	c := collector(t, dir)
	want := []string{
		`c_total{b="2",z="1"} 15.5`, `c_created{b="2",z="1"} 5.0`,
		`e{e="on"} 0.0`, `e{e="off"} 1.0`,
		`gh_bucket{le="1.0"} 1.0`, `gh_bucket{le="2.0"} 3.0`, `gh_bucket{le="+Inf"} 3.0`, `gh_gcount{} 3.0`, `gh_gsum{} -2.0`,
		`h_seconds_bucket{a="1",le="1.0"} 2.0`, `h_seconds_bucket{a="1",le="2.0"} 20.0`, `h_seconds_bucket{a="1",le="+Inf"} 26.0`,
		`h_seconds_count{a="1"} 26.0`, `h_seconds_sum{a="1"} 7.0`,
		`i_info{a="1",app="x",version="0"} 1.0`, `i_info{a="1",app="x",version="1"} 1.0`, `i_info{a="2",version="0"} 1.0`,
		`s_count{} 8.0`, `s_sum{} 5.0`,
		`u{pid="1"} 0.0`, `u{pid="2"} 1.0`,
	}
	for range 3 {
		sameSamples(t, "Collect", collect(t, c), want)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	merged, err := multiprocess.Merge(paths, true)
	if err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "Merge", merged, want)
	raw, err := multiprocess.Merge(paths, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := samples(raw); !slices.Contains(got, `h_seconds_bucket{a="1",le="2.0"} 18.0`) || slices.Contains(got, `h_seconds_count{a="1"} 26.0`) {
		t.Errorf("without accumulation: %q", got)
	}
	if s := c.Stats(); s.Live != 2 || s.Dead != 0 || s.Conflicts != 0 || s.MappedFiles != 2 {
		t.Errorf("stats %+v", s)
	}
	if unit := merged[3].Unit; unit != "seconds" {
		t.Errorf("the unit of %s is %q", merged[3].Name, unit)
	}
}

func TestGaugeModesOfLiveAndDead(t *testing.T) {
	dir := t.TempDir()
	nan := math.NaN()
	var writers []*writer
	for i, v := range []float64{4, nan, 2} {
		w := begin(t, dir, segment.Header{Start: int64(i + 1), PID: uint64(10 * (i + 1)), Writer: []string{"one", "", ""}[i]})
		for mode, name := range modeNames {
			r := w.family(segment.Family{Name: "g_" + name, Type: model.Gauge, Mode: uint8(mode)})
			if mode%5 == 4 {
				r.value(`a="1"`, v, []uint64{9, 8, 7}[i])
				r.value(`a="never"`, v)
				continue
			}
			r.value(`a="1"`, v)
		}
		writers = append(writers, w)
	}
	c := collector(t, dir)
	sameSamples(t, "all live", collect(t, c), []string{
		`g_all{a="1",pid="20"} NaN`, `g_all{a="1",pid="30"} 2.0`, `g_all{a="1",pid="one"} 4.0`,
		`g_liveall{a="1",pid="20"} NaN`, `g_liveall{a="1",pid="30"} 2.0`, `g_liveall{a="1",pid="one"} 4.0`,
		`g_livemax{a="1"} 4.0`, `g_livemin{a="1"} 2.0`, `g_livemostrecent{a="1"} 4.0`, `g_livesum{a="1"} NaN`,
		`g_max{a="1"} 4.0`, `g_min{a="1"} 2.0`, `g_mostrecent{a="1"} 4.0`, `g_sum{a="1"} NaN`,
	})
	writers[0].die()
	writers[1].die()
	for range 2 {
		sameSamples(t, "one lives", collect(t, c), []string{
			`g_all{a="1",pid="20"} NaN`, `g_all{a="1",pid="30"} 2.0`, `g_all{a="1",pid="one"} 4.0`,
			`g_liveall{a="1",pid="30"} 2.0`, `g_livemax{a="1"} 2.0`, `g_livemin{a="1"} 2.0`,
			`g_livemostrecent{a="1"} 2.0`, `g_livesum{a="1"} 2.0`,
			`g_max{a="1"} 4.0`, `g_min{a="1"} 2.0`, `g_mostrecent{a="1"} 4.0`, `g_sum{a="1"} NaN`,
		})
	}
	if s := c.Stats(); s.Live != 1 || s.Dead != 2 {
		t.Errorf("stats %+v", s)
	}
}

func TestWhatOnlyTheLivingSay(t *testing.T) {
	dir := t.TempDir()
	dead := begin(t, dir, segment.Header{Start: 1, PID: 1})
	live := begin(t, dir, segment.Header{Start: 2, PID: 2})
	for _, w := range []*writer{dead, live} {
		w.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1)
		w.family(segment.Family{Name: "s", Type: model.Summary}).add("", 0, 1)
		w.family(segment.Family{Name: "u", Type: model.Unknown}).value("", 1)
		w.family(segment.Family{Name: "gh", Type: model.GaugeHistogram, Bounds: []float64{math.Inf(1)}}).add("", 0, math.Float64bits(1))
		info := w.family(segment.Family{Name: "i", Type: model.Info})
		if err := info.SetInfo(info.add(""), `v="`+w.name[7:8]+`"`); err != nil {
			t.Fatal(err)
		}
		w.family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"x"}}).add("", 0, 5)
	}
	dead.die()
	sameSamples(t, "Collect", collect(t, collector(t, dir)), []string{
		"c_total{} 2.0", `e{e="x"} 1.0`, `gh_bucket{le="+Inf"} 1.0`, "gh_gcount{} 1.0", "gh_gsum{} 0.0",
		`i_info{v="` + live.name[7:8] + `"} 1.0`, "s_count{} 2.0", "s_sum{} 0.0", `u{pid="2"} 1.0`,
	})
}

func TestExemplarsAndCreatedTimes(t *testing.T) {
	dir := t.TempDir()
	inf := math.Inf(1)
	for i, when := range []int64{5, 9, 7} {
		w := begin(t, dir, segment.Header{Start: int64(i)})
		c := w.family(segment.Family{Name: "c", Type: model.Counter})
		h := w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{1, 2, inf}})
		created := []int64{0, 3_000_001, 4_000_000}[i]
		for n, r := range []rows{c, h} {
			first := r.series(segment.Series{Created: created})
			e := &model.Exemplar{Labels: model.LabelsFromText(fmt.Sprintf(`w="%d"`, i)), Value: float64(i), Timestamp: model.Unix(when, 0)}
			if err := r.SetExemplar(first, n, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	for _, f := range collect(t, collector(t, dir)) {
		for s := range f.Samples() {
			if s.Exemplar != nil {
				got = append(got, s.Name+s.Labels.String()+" # "+s.Exemplar.Labels.String()+" "+s.Exemplar.Timestamp.String())
			}
			if strings.HasSuffix(s.Name, "_created") {
				got = append(got, s.Name+" "+model.FormatValue(s.Value))
			}
		}
	}
	want := []string{`c_total{} # {w="1"} 9`, "c_created 3.000001", `h_bucket{le="2.0"} # {w="1"} 9`, "h_created 3.000001"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestBoundsThatDiffer(t *testing.T) {
	dir := t.TempDir()
	inf := math.Inf(1)
	w := begin(t, dir, segment.Header{Start: 2})
	w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{1, 2, 5, inf}}).add("", math.Float64bits(1), 1, 2, 4, 8)
	w = begin(t, dir, segment.Header{Start: 1})
	w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{2, 3, inf}}).add("", math.Float64bits(2), 16, 32, 64)
	var told []error
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	want := []string{
		`h_bucket{le="1.0"} 1.0`, `h_bucket{le="2.0"} 19.0`, `h_bucket{le="5.0"} 55.0`, `h_bucket{le="+Inf"} 127.0`,
		"h_count{} 127.0", "h_sum{} 3.0",
	}
	for range 2 {
		sameSamples(t, "Collect", collect(t, c), want)
	}
	if len(told) != 1 || !strings.Contains(told[0].Error(), `bounds of "h"`) || c.Stats().Conflicts != 1 {
		t.Errorf("told of %v", told)
	}
	// Python's file has its say too.
	bucket := func(le string) string { return `["h", "h_bucket", {"le": "` + le + `"}, ""]` }
	put(t, dir, "histogram_1.db", entry{`["h", "h_sum", {}, ""]`, 5, 0}, entry{bucket("1"), 1, 0}, entry{bucket("+Inf"), 1, 0})
	for range 2 {
		sameSamples(t, "Collect", collect(t, c), []string{
			`h_bucket{le="1.0"} 2.0`, `h_bucket{le="2.0"} 20.0`, `h_bucket{le="5.0"} 56.0`, `h_bucket{le="+Inf"} 129.0`,
			"h_count{} 129.0", "h_sum{} 8.0",
		})
	}
}

func TestConflictsOfSegments(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(dir string)
		want  []string
		about []string
	}{
		{"the newest live type counts", func(dir string) {
			begin(t, dir, segment.Header{Start: 3}).family(segment.Family{Name: "x", Type: model.Gauge, Mode: 3}).value("", 3)
			begin(t, dir, segment.Header{Start: 2}).family(segment.Family{Name: "x", Type: model.Counter}).add("", 2)
			newest := begin(t, dir, segment.Header{Start: 4})
			newest.family(segment.Family{Name: "x", Type: model.Counter}).add("", 7)
			newest.die()
		}, []string{"x{} 3.0"}, []string{"x type"}},
		{"the newest dead type counts where none lives", func(dir string) {
			for i, typ := range []model.Type{model.Gauge, model.Counter} {
				w := begin(t, dir, segment.Header{Start: int64(i)})
				w.family(segment.Family{Name: "x", Type: typ, Mode: 3}).add("", 2)
				w.die()
			}
		}, []string{"x_total{} 2.0"}, []string{"x type"}},
		{"the newest mode and help count", func(dir string) {
			begin(t, dir, segment.Header{Start: 1}).family(segment.Family{Name: "x", Type: model.Gauge, Mode: 3, Help: "Old."}).value("", 3)
			begin(t, dir, segment.Header{Start: 2}).family(segment.Family{Name: "x", Type: model.Gauge, Mode: 1}).value("", 2)
		}, []string{"x{} 2.0"}, []string{"x help", "x mode"}},
		{"a live segment comes before Python's files", func(dir string) {
			begin(t, dir, segment.Header{Start: 1}).family(segment.Family{Name: "g", Type: model.Gauge, Mode: 3}).value("", 3)
			put(t, dir, "gauge_max_1.db", entry{gauge(""), 4, 0})
			put(t, dir, "counter_1.db", entry{`["g", "g_total", {}]`, 4, 0})
		}, []string{"g{} 7.0"}, []string{"g mode", "g type"}},
		{"a dead one behind", func(dir string) {
			w := begin(t, dir, segment.Header{Start: 1})
			w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 3}).value("", 3)
			w.die()
			put(t, dir, "gauge_max_1.db", entry{gauge(""), 4, 0})
			put(t, dir, "gauge_min_1.db", entry{gauge(""), 5, 0})
		}, []string{"g{} 3.0"}, []string{"g mode"}},
		{"states are told apart by name", func(dir string) {
			begin(t, dir, segment.Header{Start: 1}).family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"b", "c"}}).add("", 0, 9)
			begin(t, dir, segment.Header{Start: 2}).family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"a", "b"}}).add("", 0, 8)
		}, []string{`e{e="a"} 0.0`, `e{e="b"} 1.0`}, []string{"e states"}},
		{"the newest process of a pid counts", func(dir string) {
			for i := range 3 {
				w := begin(t, dir, segment.Header{Start: int64(10 - i), PID: 1})
				w.family(segment.Family{Name: "g", Type: model.Gauge}).value(`pid="mine",z="1"`, float64(i))
			}
		}, []string{`g{pid="1",z="1"} 0.0`}, []string{"g pid"}},
	} {
		dir := t.TempDir()
		c.write(dir)
		var about []string
		col := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
			var conflict *multiprocess.ConflictError
			if !errors.As(err, &conflict) {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			about = append(about, conflict.Family+" "+conflict.About)
		}))
		for range 3 {
			sameSamples(t, c.name, collect(t, col), c.want)
		}
		if !slices.Equal(about, c.about) || col.Stats().Conflicts != len(c.about) {
			t.Errorf("%s: told of %q, stats %+v", c.name, about, col.Stats())
		}
	}
}

func TestSegmentsAddToPythonsFiles(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{Start: time.Now().UnixNano(), PID: 7})
	w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"b", "a"}}).add(`b="1",a="2"`, 5)
	w.family(segment.Family{Name: "g", Type: model.Gauge, Mode: 4}).value("", 8, 60e9)
	s := w.family(segment.Family{Name: "s", Type: model.Summary})
	row := s.add("", math.Float64bits(1), 1)
	put(t, dir, "counter_1.db", entry{counter(`"a": "2", "b": "1"`), 2, 0})
	put(t, dir, "gauge_mostrecent_1.db", entry{gauge(""), 3, 50})
	put(t, dir, "summary_1.db", entry{`["s", "s_count", {}]`, 2, 0}, entry{`["s", "s_sum", {}]`, 3, 0})
	c := collector(t, dir)
	for range 2 {
		sameSamples(t, "Collect", collect(t, c), []string{`c_total{a="2",b="1"} 7.0`, "g{} 8.0", "s_count{} 3.0", "s_sum{} 4.0"})
	}
	s.Remove(row)
	sameSamples(t, "removed", collect(t, c), []string{`c_total{a="2",b="1"} 7.0`, "g{} 8.0", "s_count{} 2.0", "s_sum{} 3.0"})
}
