package openmetrics2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"telltale/exposition/openmetrics2"
	"telltale/model"
)

func bounds(t testing.TB, upper ...float64) *model.Bounds {
	t.Helper()
	b, err := model.NewBounds(upper)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Content that the draft cannot hold is reported.
func TestDrops(t *testing.T) {
	const parts = model.PartBucket | model.PartCount | model.PartSum
	at := model.Unix(5, 0)
	point := func(has model.Parts, h *model.HistogramValue) model.Point {
		return model.Point{Has: has, Histogram: h}
	}
	native := func(change func(*model.NativeHistogram)) *model.NativeHistogram {
		h := &model.NativeHistogram{Count: 1, Sum: 2, PositiveSpans: []model.Span{{Offset: 1, Length: 1}}, Positive: []float64{1}}
		change(h)
		return h
	}
	for _, c := range []struct {
		name  string
		typ   model.Type
		point model.Point
		want  string // the line, if any
		drops string
	}{
		{
			"custom bounds", model.Histogram,
			point(0, &model.HistogramValue{Native: native(func(h *model.NativeHistogram) { h.Schema = model.CustomBucketsSchema })}),
			"f {count:1,sum:2.0,bucket:[+Inf:1]}", "f_count: the format has no place for its schema, or its buckets contradict its spans",
		},
		{
			"spans that fit no buckets, beside classic ones", model.Histogram,
			point(parts, &model.HistogramValue{
				Bounds: bounds(t, 1), Cumulative: []float64{1}, Count: 3, Sum: 4,
				Native: native(func(h *model.NativeHistogram) { h.Positive = nil }),
			}),
			"f {count:3,sum:4.0,bucket:[1.0:1,+Inf:3]}", "f_count: the format has no place for its schema, or its buckets contradict its spans",
		},
		{
			"spans that go back", model.Histogram,
			point(0, &model.HistogramValue{Native: native(func(h *model.NativeHistogram) { h.PositiveSpans = []model.Span{{Offset: 3}, {Offset: -1, Length: 1}} })}),
			"f {count:1,sum:2.0,bucket:[+Inf:1]}", "f_count: the format has no place for its schema, or its buckets contradict its spans",
		},
		{
			"no sum", model.Histogram,
			point(model.PartBucket, &model.HistogramValue{Bounds: bounds(t, -1, math.Inf(1)), Cumulative: []float64{1, 2}}),
			"f {count:2,sum:NaN,bucket:[-1.0:1,+Inf:2]}", "",
		},
		{
			"no count", model.Histogram,
			point(model.PartBucket, &model.HistogramValue{Bounds: bounds(t, 1), Cumulative: []float64{1}}),
			"", "f_count: its count or its sum is not known",
		},
		{"nothing at all", model.GaugeHistogram, point(0, &model.HistogramValue{}), "", ""},
		{
			"quantiles alone", model.Summary,
			model.Point{Has: model.PartValue, Summary: &model.SummaryValue{Quantiles: []model.Quantile{{Q: 1, V: 1}}}},
			"", "f_count: its count or its sum is not known",
		},
		{
			"exemplar without a timestamp", model.Counter,
			model.Point{Has: model.PartTotal, Value: 1, Exemplar: &model.Exemplar{Value: 1}},
			"f_total 1.0", "f_total: the exemplar has no timestamp",
		},
		{
			"exemplar of a gauge", model.Gauge,
			model.Point{Has: model.PartValue, Value: 1, Exemplar: &model.Exemplar{Value: 1, Timestamp: at}},
			"f 1.0", "f: the format has no place for an exemplar here",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &model.Family{Name: "f", Type: c.typ}
			f.Append(c.point)
			got, drops := written(t, f)
			var told []string
			for _, d := range drops {
				told = append(told, d.Sample+": "+d.Reason.String())
			}
			_, line, _ := strings.Cut(strings.TrimSuffix(got, "# EOF\n"), "\n")
			if strings.TrimSuffix(line, "\n") != c.want || strings.Join(told, "\n") != c.drops {
				t.Errorf("got %q and %q, want %q and %q", line, told, c.want, c.drops)
			}
			if _, err := all(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// Of exemplars for classic and for native buckets the classic ones are shown.
func TestOneSetOfExemplars(t *testing.T) {
	exemplar := func(v float64) model.Exemplar { return model.Exemplar{Value: v, Timestamp: model.Unix(1, 0)} }
	classic, native := exemplar(1), exemplar(2)
	f := &model.Family{Name: "f", Type: model.Histogram}
	for i, exemplars := range [][]*model.Exemplar{{&classic}, {nil}} {
		f.Append(model.Point{
			Labels: model.LabelPairs([]string{"n"}, []string{fmt.Sprint(i)}), Has: model.PartBucket | model.PartCount | model.PartSum,
			Histogram: &model.HistogramValue{
				Bounds: bounds(t, math.Inf(1)), Cumulative: []float64{0}, Exemplars: exemplars,
				Native: &model.NativeHistogram{Exemplars: []model.Exemplar{native}},
			},
		})
	}
	const want = `# TYPE f histogram
f{n="0"} {count:0,sum:0.0,schema:0,zero_threshold:0.0,zero_count:0,bucket:[+Inf:0]} # {} 1.0 1
f{n="1"} {count:0,sum:0.0,schema:0,zero_threshold:0.0,zero_count:0,bucket:[+Inf:0]} # {} 2.0 1
# EOF
`
	if got, drops := written(t, f); got != want || len(drops) > 0 {
		t.Errorf("dropped %v, got\n%s\nwant\n%s", drops, got, want)
	}
}

// The states of a set with several times stand state by state, as each is a
// metric of its own.
func TestStatesOverTime(t *testing.T) {
	f := &model.Family{Name: "f", Type: model.StateSet}
	for i := range 3 {
		f.Append(model.Point{
			Has: model.PartValue, Timestamp: model.Unix(int64(i), 0),
			States: []model.State{{Name: "a", On: i == 0}, {Name: "b", On: i == 1}},
		})
	}
	const want = `# TYPE f stateset
f{f="a"} 1.0 0
f{f="a"} 0.0 1
f{f="a"} 0.0 2
f{f="b"} 0.0 0
f{f="b"} 1.0 1
f{f="b"} 0.0 2
# EOF
`
	got, _ := written(t, f)
	if got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	families, err := all(got)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := slices.Collect(families[0].Samples()), slices.Collect(f.Samples()); !slices.Equal(a, b) {
		t.Errorf("%+v became\n%+v", b, a)
	}
}

// The name that the model has for a counter and an info comes back.
func TestNames(t *testing.T) {
	families, err := all("# TYPE a_total counter\n# TYPE b counter\n# TYPE c_info info\n# TYPE d_bytes gauge\n# EOF\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		got = append(got, fmt.Sprint(f.Name, " ", f.SampleName(), " ", f.IsLiteral()))
	}
	want := []string{"a_total a_total false", "b b true", "c c_info false", "d_bytes d_bytes false"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// page is a page of lines of every kind.
func page(lines int) []byte {
	var out bytes.Buffer
	kinds := []struct{ head, line string }{
		{"# TYPE c_total counter\n# HELP c_total Counts \\n.\n", "c_total{n=\"%d\",\"o.p\"=\"q\"} 1.5 st@1700000000.5 # {t=\"1\"} 0.5 1700000001.5 # {t=\"2\"} 0.5 1700000002.5\n"},
		{"# TYPE h histogram\n# UNIT h seconds\n", "h{n=\"%d\"} {count:17,sum:324789.3,schema:3,zero_threshold:1e-128,zero_count:0,negative_spans:[1:1],negative_buckets:[12],positive_spans:[0:1,3:1],positive_buckets:[2,3],bucket:[0.01:0,0.1:8,1:11,+Inf:17]} st@1520430000.123 # {} 0.054 1520879607.7\n"},
		{"# TYPE s summary\n", "s{n=\"%d\"} {count:807283,sum:9036.32,quantile:[0.95:2,0.99:NaN]} st@1605281325\n"},
		{"# TYPE g gauge\n", "g{n=\"%d\"} 1e-9 1605281325\n"},
	}
	for _, k := range kinds {
		out.WriteString(k.head)
		for i := range lines / len(kinds) {
			fmt.Fprintf(&out, k.line, i)
		}
	}
	out.WriteString("# EOF\n")
	return out.Bytes()
}

func scanAll(page []byte) error {
	s := openmetrics2.NewScanner(bytes.NewReader(page))
	for {
		if _, err := s.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Lines cost no allocation: a page of ten times the lines has as many.
func TestLinesDoNotAllocate(t *testing.T) {
	allocs := func(lines int) float64 {
		page := page(lines)
		least := math.Inf(1)
		for range 3 { // a garbage collection may empty pools
			least = min(least, testing.AllocsPerRun(2, func() {
				if err := scanAll(page); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	if few, many := allocs(400), allocs(4000); many > few+2 {
		t.Errorf("%v allocations for 400 lines, %v for 4000", few, many)
	}
}

func BenchmarkParse(b *testing.B) {
	const lines = 100_000
	page := page(lines)
	for _, bench := range []struct {
		name string
		read func() error
	}{
		{"families", func() error {
			p := openmetrics2.NewParser(bytes.NewReader(page))
			for {
				if _, err := p.Next(); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
			}
		}},
		{"lines", func() error { return scanAll(page) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.read(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
		})
	}
}
