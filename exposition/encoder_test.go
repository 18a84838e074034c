package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/exposition"
	"telltale/model"
)

var formats = []exposition.Format{
	exposition.Text004, exposition.Text100, exposition.OpenMetrics001, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf,
}

func TestDrops(t *testing.T) {
	all := families(t)
	report := func(f exposition.Format) (drops []string) {
		page(t, f, all, exposition.WithDropped(func(d exposition.Drop) {
			drops = append(drops, fmt.Sprintf("%q %q: %s", d.Family, d.Sample, d.Reason))
		}))
		return drops
	}
	const clash = `"my/metric_seconds" "": its escaped name belongs to another family`
	const joined = `"labels" "": two labels of a series have the same name, or get it by escaping, and are written as one`
	const nameless = `"" "": it has no name`
	misfits := []string{
		`"drift" "drift_sum": the format has no place for a sum that is NaN or negative, beside negative bounds, or without a count`,
		`"connections" "connections": the format has no place for an exemplar here`,
		`"odd" "odd_max": the sample does not fit the family's type`,
	}
	long := `"long" "long_total": the exemplar's labels have more than 128 characters`
	for f, want := range map[exposition.Format][]string{
		exposition.Text004: {clash, joined, nameless},
		exposition.Text100.WithEscaping(model.AllowUTF8):      {nameless},
		exposition.OpenMetrics1:                               append(slices.Clone(misfits), clash, joined, nameless, long),
		exposition.OpenMetrics1.WithEscaping(model.AllowUTF8): append(slices.Clone(misfits), nameless, long),
		exposition.OpenMetrics2: {
			`"requests_total" "requests_total": the exemplar has no timestamp`,
			`"only_buckets_bytes" "only_buckets_bytes_bucket": the format has no place for an exemplar here`,
			`"only_buckets_bytes" "only_buckets_bytes_bucket": the format has no place for an exemplar here`,
			misfits[2],
			`"my.metric_seconds" "my.metric_seconds_total": the exemplar has no timestamp`,
			nameless,
			`"long" "long_total": the exemplar has no timestamp`,
			`"long" "long_total": the exemplar has no timestamp`,
		},
	} {
		if got := report(f); !slices.Equal(got, want) {
			t.Errorf("%s drops\n%s\nwant\n%s", f, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// However many names are escaped, none is taken for another.
func TestManyNames(t *testing.T) {
	var all []*model.Family
	for i := range 5_000 {
		f := &model.Family{Name: fmt.Sprintf("a.%d", i), Type: model.Gauge}
		f.AddSample(f.Name, map[string]string{fmt.Sprintf("b.%d", i): ""}, 1)
		all = append(all, f)
	}
	got := page(t, exposition.Text004, all, exposition.WithDropped(func(d exposition.Drop) { t.Errorf("%+v", d) }))
	if n := bytes.Count(got, []byte("\n")); n != 3*len(all) {
		t.Errorf("%d lines for %d families", n, len(all))
	}
}

// vouched is a source that vouches for its label names.
type vouched struct{ gauges }

func (vouched) LegacyLabels() bool { return true }

func TestVouchedLabels(t *testing.T) {
	for _, f := range formats {
		for _, scheme := range schemes {
			pages := map[string]bool{}
			for _, source := range []model.Source{gauges(3), vouched{3}} {
				family, err := model.NewFamily("under_score", "", model.Gauge, model.WithSource(source))
				if err != nil {
					t.Fatal(err)
				}
				family.AddSample("loose", map[string]string{"a.b_c": "1"}, 1)
				pages[string(page(t, f.WithEscaping(scheme), []*model.Family{family}))] = true
			}
			if len(pages) != 1 {
				t.Errorf("%s: a source that vouches is written otherwise: %v", f.WithEscaping(scheme), pages)
			}
		}
	}
}

// Encoding allocates nothing, whatever the family and the format. Only names
// and help texts that must be repaired are made anew.
func TestAllocations(t *testing.T) {
	all := families(t)
	for _, f := range formats {
		for _, scheme := range schemes {
			e := exposition.NewEncoder(io.Discard, f.WithEscaping(scheme), exposition.WithCreated(), exposition.WithShortBounds())
			for _, family := range all {
				if !utf8.ValidString(family.Name) {
					continue
				}
				if n := testing.AllocsPerRun(10, func() { _ = e.Encode(family) }); n != 0 {
					t.Errorf("%s: a family %q of type %s costs %v allocations", f.WithEscaping(scheme), family.Name, family.Type, n)
				}
			}
		}
	}
}

// chunks counts what is written at once.
type chunks struct {
	n, largest, total int
}

func (c *chunks) Write(b []byte) (int, error) {
	c.n++
	c.largest = max(c.largest, len(b))
	c.total += len(b)
	return len(b), nil
}

// gauges is a family of many series.
type gauges int

func (g gauges) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	*p = model.Point{Has: model.PartValue, Labels: model.LabelPairs([]string{"path"}, []string{strings.Repeat("x", 100)})}
	for i := range int(g) {
		p.Value = float64(i)
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

func TestChunks(t *testing.T) {
	family, err := model.NewFamily("large", "", model.Gauge, model.WithSource(gauges(50_000)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		var c chunks
		e := exposition.NewEncoder(&c, f)
		if err := errors.Join(e.Encode(family), e.Close()); err != nil {
			t.Fatal(err)
		}
		if c.total < 5_000_000 || c.largest > 40<<10 || c.n > c.total>>15+1 {
			t.Errorf("%s: wrote %d bytes in %d pieces of up to %d", f, c.total, c.n, c.largest)
		}
	}
}

// failing takes some writes and refuses the others.
type failing struct{ after int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterFails(t *testing.T) {
	large, err := model.NewFamily("large", "", model.Gauge, model.WithSource(gauges(50_000)))
	if err != nil {
		t.Fatal(err)
	}
	small := &model.Family{Name: "small"}
	for _, f := range formats {
		e := exposition.NewEncoder(&failing{after: 3}, f)
		for _, family := range []*model.Family{large, small} {
			if err := e.Encode(family); !errors.Is(err, errFull) {
				t.Errorf("%s: encoding %s after the writer failed: %v", f, family.Name, err)
			}
		}
		for range 2 {
			if err := e.Close(); !errors.Is(err, errFull) {
				t.Errorf("%s: closing after the writer failed: %v", f, err)
			}
		}
	}
}

func TestClose(t *testing.T) {
	for f, want := range map[exposition.Format]string{exposition.Text004: "", exposition.OpenMetrics1: "# EOF\n", exposition.OpenMetrics2: "# EOF\n", exposition.Protobuf: ""} {
		var out bytes.Buffer
		e := exposition.NewEncoder(&out, f)
		if err := errors.Join(e.Close(), e.Close()); err != nil || out.String() != want {
			t.Errorf("%s: closed twice: %q, %v", f, out.String(), err)
		}
		if err := e.Encode(&model.Family{Name: "late"}); err == nil {
			t.Errorf("%s: a family is taken after the end", f)
		}
	}
}

// An error of the source ends its family and not the page.
func TestSourceFails(t *testing.T) {
	broken, err := model.NewFamily("broken", "", model.Gauge, model.WithSource(brokenSource{}))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := exposition.NewEncoder(&out, exposition.OpenMetrics1)
	if err := e.Encode(broken); !errors.Is(err, errFull) {
		t.Errorf("the source's error is lost: %v", err)
	}
	if err := errors.Join(e.Encode(&model.Family{Name: "next"}), e.Close()); err != nil {
		t.Error(err)
	}
	want := "# HELP broken \n# TYPE broken gauge\nbroken 1.0\n# HELP next \n# TYPE next unknown\n# EOF\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

type brokenSource struct{}

func (brokenSource) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	p.Has, p.Value = model.PartValue, 1
	if err := visit(p); err != nil {
		return err
	}
	return errFull
}

// The reader that the tests trust refuses what is wrong.
func TestChecker(t *testing.T) {
	text, om1, om2 := exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2
	for page, format := range map[string]exposition.Format{
		"a 1.0":                         text, // no newline
		"a 1\n":                         text, // not spelled as a float
		"a{b=\"\n\"} 1.0\n":             text,
		"a{b=\"\"\"} 1.0\n":             text,
		"a{b=\"\",b=\"\"} 1.0\n":        text, // a label twice
		"a.b 1.0\n":                     text,
		"{\"a.b\"} 1.0\n":               text, // not under underscores
		"a{\"b.c\"=\"\"} 1.0\n":         text,
		"\n":                            text,
		"# HELP a \n\n":                 text,
		"# HELP a \\\"\n":               text, // an escaped quote is OpenMetrics'
		"# TYPE a b\n# TYPE a c\n":      text,
		"a 1.0 1.5\n":                   text, // milliseconds are whole
		"a 1.0\n":                       om1,  // no # EOF
		"a 1.0 # {b=\"\"}\n# EOF\n":     om1,  // an exemplar without a value
		"# UNIT a seconds\n# EOF\n":     om1,
		"# EOF\n# EOF\n":                om1,
		"a 1.0 1.5e\n# EOF\n":           om1,
		"a{b=\"\xff\"} 1.0\n# EOF\n":    om1,
		"a 1.0 # {b=\"\",b=\"\"} 1.0\n": om1,
		"a 1.0 # {} 1.0\n# EOF\n":       om2, // no timestamp
		"a {count:1,sum:1.0}}\n# EOF\n": om2,
		"a {count:1.5}\n# EOF\n":        om2,
		"a st@1 1.0\n# EOF\n":           om2,
	} {
		if wellFormed([]byte(page), format) == nil {
			t.Errorf("%q passes", page)
		}
	}
}

// FuzzEncode writes hostile families in every format and scheme.
func FuzzEncode(f *testing.F) {
	f.Add("requests", "help", "bytes", "code", "200", "odd", 1.5, uint8(model.Counter))
	f.Add("a.b\"\n\\\xff", "\"\n\\\xff", "\n", "l.\"\n\\\xff", "\"\n\\\xff,", "", math.NaN(), uint8(model.StateSet))
	f.Add("_total", "", "total", "le", "+Inf", "_total", math.Inf(-1), uint8(model.Histogram))
	f.Fuzz(func(t *testing.T, name, help, unit, label, value, loose string, number float64, typ uint8) {
		family := &model.Family{Name: name, Help: help, Unit: unit, Type: model.Type(typ % 10)}
		labels := map[string]string{label: value, label + "." + value: value}
		for _, reserved := range []string{"le", "quantile", family.Name, "i", "f"} {
			delete(labels, reserved)
		}
		exemplar := &model.Exemplar{Labels: model.LabelsOf(labels), Value: number}
		stamp, _ := model.UnixSeconds(number)
		p := model.Point{Labels: model.LabelsOf(labels), Has: family.Type.Parts(), Value: number, Exemplar: exemplar, Timestamp: stamp, Created: stamp}
		p.Info = model.LabelPairs([]string{"i"}, []string{value})
		p.States = []model.State{{Name: value, On: number > 0}, {Name: label}}
		p.Summary = &model.SummaryValue{Count: number, Sum: number, Quantiles: []model.Quantile{{Q: number, V: number}}}
		p.Histogram = &model.HistogramValue{Count: number, Sum: number, Exemplars: []*model.Exemplar{exemplar}}
		if bounds, err := model.NewBounds([]float64{number, number + 1}); err == nil {
			p.Histogram.Bounds, p.Histogram.Cumulative = bounds, []float64{number, 2}
		}
		family.Append(p)
		family.Append(model.Point{Has: family.Type.Parts()})
		all := []*model.Family{family, family.Literal()}
		all[1].Name += "_literal"
		family.AddSample(loose, labels, number, model.WithExemplar(*exemplar), model.WithTimestamp(moment))
		all = append(all, family.Clone())
		all[2].Name = loose
		for _, suffix := range []string{"_count", "_created", "_gsum"} {
			r, _ := all[0].Clone().Restrict(func(s string) bool { return s == name+suffix })
			r.Name = name + suffix + "_restricted"
			all = append(all, r)
		}
		for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
			for _, scheme := range schemes {
				for _, one := range all {
					got := page(t, format.WithEscaping(scheme), []*model.Family{one}, exposition.WithCreated())
					checkPage(t, got, format.WithEscaping(scheme))
				}
			}
		}
		for _, scheme := range schemes {
			for _, one := range all {
				checkProtobuf(t, page(t, exposition.Protobuf.WithEscaping(scheme), []*model.Family{one}))
			}
		}
	})
}
