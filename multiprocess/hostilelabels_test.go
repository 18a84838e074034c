//go:build unix

package multiprocess_test

import (
	"bytes"
	"context"
	"encoding/binary"
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

// hostileLabels are labels that a forged series has, by whether a series of a type may have
// them.
var hostileLabels = []struct {
	text string
	fits func(model.Type) bool
}{
	{`a="1",b="2"`, always},
	{`a="1",a="2"`, never},
	{`a="1",a="1"`, never},
	{`b="1",a="2",b="3"`, never},
	{`pid="1",pid="2"`, never},
	{manyLabels(0), always},
	{manyLabels(30), never},
	{`pid="77"`, always},
	{`__name__="x"`, never},
	{`a="1",__name__="x"`, never},
	{`"__näme__"="x"`, always},
	{`"_.name__"="x"`, never}, // escaping makes it that of the name
	{`_x="1"`, always},        // which formats that reserve it are told of
	{`"a.b"="1",a_b="2"`, always},
	{`le="1"`, func(t model.Type) bool { return t != model.Histogram && t != model.GaugeHistogram }},
	{`a="1",le="+Inf"`, func(t model.Type) bool { return t != model.Histogram && t != model.GaugeHistogram }},
	{`quantile="0.5"`, func(t model.Type) bool { return t != model.Summary }},
	{`f="on"`, func(t model.Type) bool { return t != model.StateSet }},
	{`i="1"`, always}, // of an info it is not shown
	{`""="x"`, never},
}

func always(model.Type) bool { return true }
func never(model.Type) bool  { return false }

// manyLabels returns labels of which the last has the name of one before, if that is not 0.
func manyLabels(twice int) string {
	var text []byte
	for i := range 40 {
		if i == 39 && twice > 0 {
			i = twice
		}
		text = model.AppendLabel(text, fmt.Sprintf("l%d", i), "x")
	}
	return string(text)
}

// A series of a segment whose labels no page may have is refused with the segment, which is
// told: the page has what others have, and the strict parser of each format reads it. A fold
// leaves the segment alone.
func TestForgedSeriesWithLabelsThatNoPageMayHave(t *testing.T) {
	for _, typ := range []model.Type{model.Counter, model.Gauge, model.Histogram, model.GaugeHistogram, model.Summary, model.Info, model.StateSet, model.Unknown} {
		for mode := range uint8(segment.Modes) {
			if typ != model.Gauge && mode > 0 {
				continue
			}
			for _, labels := range hostileLabels {
				t.Run(fmt.Sprintf("%s/%d/%.40s", typ, mode, labels.text), func(t *testing.T) {
					dir := t.TempDir()
					counting(t, dir, segment.Header{ID: [16]byte{9}, PID: 4}, 5)
					name := forgeLabels(t, dir, typ, mode, labels.text)
					var told []error
					c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
					families := collect(t, c)
					page := samples(families)
					if !slices.Contains(page, "c_total{} 5.0") {
						t.Errorf("the page lacks the other segment: %q", page)
					}
					var file *multiprocess.FileError
					refused := len(told) == 1 && errors.As(told[0], &file) && file.Reason == multiprocess.ReasonCorrupt && strings.HasSuffix(file.Path, name)
					if fits := labels.fits(typ); fits && len(told) > 0 || !fits && !refused || fits != (len(families) == 2) {
						t.Errorf("told %v, %d families", told, len(families))
					}
					strictlyRead(t, families)
					if report := inspect(t, dir)[name]; (report.Reason == multiprocess.ReasonCorrupt) != refused {
						t.Errorf("inspected %+v", report)
					}
				})
			}
		}
	}
}

// forgeLabels makes the segment of a live writer, of which one series has labels that a
// writer would not write, and returns its name.
func forgeLabels(t *testing.T, dir string, typ model.Type, mode uint8, text string) string {
	t.Helper()
	stand := `x="` + strings.Repeat("y", len(text)-len(`x=""`)) + `"` // text of this length stands for them
	w := begin(t, dir, segment.Header{PID: 5})
	f := segment.Family{Name: "f", Type: typ, Mode: mode}
	switch typ {
	case model.Histogram, model.GaugeHistogram:
		f.Bounds = []float64{1, math.Inf(1)}
	case model.StateSet:
		f.States = []string{"on", "off"}
	}
	rows := w.family(f)
	for _, labels := range []string{stand, `a="good"`} {
		row := rows.add(labels, 1)
		switch {
		case typ == model.Info:
			if err := rows.SetInfo(row, `i="v"`); err != nil {
				t.Fatal(err)
			}
		case typ == model.StateSet, typ == model.Gauge && mode%5 == 4:
			cell.At(row, 1).Store(9)
		}
	}
	path := filepath.Join(dir, w.name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[bytes.Index(data, []byte(stand)):], text)
	reseal(data)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // WriteAt has said all
	if _, err := file.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return w.name
}

// reseal gives all records of a segment their checksums.
func reseal(data []byte) {
	used := binary.NativeEndian.Uint64(data[usedWord:])
	for at := uint64(segment.HeaderSize); at < used; at += uint64(binary.NativeEndian.Uint32(data[at:])) {
		seal(data[at:], binary.NativeEndian.Uint32(data[at+12:]))
	}
}

// Labels of infos and exemplars have no checksum in a record: those that no page may have are
// not shown.
func TestForgedInfosAndExemplarsWithLabelsThatNoPageMayHave(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{PID: 5})
	infos := w.family(segment.Family{Name: "i", Type: model.Info})
	counters := w.family(segment.Family{Name: "c", Type: model.Counter})
	for i, text := range []string{`b="1",b="2"`, `__name__="x"`, `a="again"`, `b="good"`} {
		series := fmt.Sprintf(`a="%d"`, i)
		if err := infos.SetInfo(infos.add(series), text); err != nil {
			t.Fatal(err)
		}
		row := counters.add(series, 1)
		if err := counters.SetExemplar(row, 0, &model.Exemplar{Labels: model.LabelsFromText(text), Value: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var families []*model.Family
	err := collector(t, dir, multiprocess.WithoutFolding()).Collect(context.Background(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	strictlyRead(t, families)
	var exemplars []string
	var scratch model.Point
	err = families[0].Visit(&scratch, func(p *model.Point) error {
		if p.Exemplar != nil {
			exemplars = append(exemplars, p.Exemplar.Labels.Text())
		}
		return nil
	})
	if err != nil || !slices.Equal(exemplars, []string{`a="again"`, `b="good"`}) {
		t.Errorf("the exemplars have the labels %q, %v", exemplars, err)
	}
	if got := samples(families[1:]); !slices.Equal(got, []string{`i_info{a="3",b="good"} 1.0`}) {
		t.Errorf("the infos are %q", got)
	}
}

// Entries of Python's files are held to the same.
func TestPythonEntriesWithLabelsThatNoPageMayHave(t *testing.T) {
	for name, entries := range map[string][]string{
		"counter_1.db": {
			`["f", "f_total", {"a": "1", "__name__": "x"}, "Help."]`,
			`["f", "f_total", {"__name__": "x"}, "Help."]`,
		},
		"gauge_all_1.db": {`["f", "f", {"__name__": "x"}, "Help."]`},
		"summary_1.db":   {`["f", "f_count", {"quantile": "0.5"}, "Help."]`},
		"histogram_1.db": {`["f", "f_bucket", {"le": "1.0", "__name__": "x"}, "Help."]`},
	} {
		for _, e := range entries {
			dir := t.TempDir()
			counting(t, dir, segment.Header{ID: [16]byte{9}}, 5)
			put(t, dir, name, entry{e, 1, 0})
			var told []error
			families := collect(t, collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(err error) { told = append(told, err) })))
			var file *multiprocess.FileError
			if len(told) != 1 || !errors.As(told[0], &file) || file.Reason != multiprocess.ReasonKey {
				t.Errorf("%s %s: told %v", name, e, told)
			}
			if got := samples(families); !slices.Equal(got, []string{"c_total{} 5.0"}) {
				t.Errorf("%s %s: the page has %q", name, e, got)
			}
			strictlyRead(t, families)
		}
	}
}
