package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// A name that escaping changed keeps the same name from a family that follows,
// changed or not; the family itself may come again.
func TestClashingNames(t *testing.T) {
	family := func(name string) *model.Family { return &model.Family{Name: name, Help: name, Type: model.Gauge} }
	dotted, slashed, legacy := family("a.b"), family("a/b"), family("a_b")
	got := string(page(t, exposition.Text004, []*model.Family{dotted, slashed, legacy, dotted}))
	if want := "# HELP a_b a.b\n# TYPE a_b gauge\n# HELP a_b a.b\n# TYPE a_b gauge\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sampled returns a family with one sample of each name.
func sampled(name string, typ model.Type, samples ...string) *model.Family {
	f := &model.Family{Name: name, Type: typ}
	for _, s := range samples {
		labels := map[string]string{}
		if typ == model.Histogram && s == name+"_bucket" {
			labels["le"] = "+Inf"
		}
		f.AddSample(s, labels, 1)
	}
	return f
}

// Families and samples whose names escaping makes equal are not both on a page, in
// whatever order they come and whichever of the names is changed; the first stays, and
// the other is reported. Names that escaping leaves different are all there.
func TestNamesThatBecomeEqual(t *testing.T) {
	histogram := func(name string) *model.Family {
		return sampled(name, model.Histogram, name+"_bucket", name+"_count", name+"_sum")
	}
	for _, test := range []struct {
		name    string
		a, b    *model.Family
		clashes []model.Escaping // schemes under which they do
	}{
		{"gauges", sampled("a_b", model.Gauge, "a_b"), sampled("a.b", model.Gauge, "a.b"), []model.Escaping{model.Underscores}},
		{"gauges, both changed", sampled("a/b", model.Gauge, "a/b"), sampled("a b", model.Gauge, "a b"), []model.Escaping{model.Underscores, model.Dots}},
		{"of different types", sampled("a_b", model.Unknown, "a_b"), sampled("a-b", model.Gauge, "a-b"), []model.Escaping{model.Underscores, model.Dots}},
		{"a counter's sample", sampled("a_b", model.Counter, "a_b_total"), sampled("a.b_total", model.Gauge, "a.b_total"), []model.Escaping{model.Underscores}},
		{"the sample of a changed counter", sampled("a.b", model.Counter, "a.b_total"), sampled("a_b_total", model.Gauge, "a_b_total"), []model.Escaping{model.Underscores}},
		{"a histogram's sum", histogram("h_x"), sampled("h.x_sum", model.Gauge, "h.x_sum"), []model.Escaping{model.Underscores}},
		{"what is no sample of a gauge", sampled("g_x", model.Gauge, "g_x"), sampled("g.x_sum", model.Gauge, "g.x_sum"), nil},
		{"an info's sample", sampled("i_x", model.Info, "i_x_info"), sampled("i.x_info", model.Gauge, "i.x_info"), []model.Escaping{model.Underscores}},
		{"a name that begins as changed ones do", sampled("U__a_2e_b", model.Gauge, "U__a_2e_b"), sampled("a.b", model.Gauge, "a.b"), []model.Escaping{model.Values}},
		{"others", sampled("a_b", model.Gauge, "a_b"), sampled("a.c", model.Gauge, "a.c"), nil},
	} {
		for _, f := range formats {
			for _, scheme := range schemes {
				f := f.WithEscaping(scheme)
				for i, order := range [][]*model.Family{{test.a, test.b}, {test.b, test.a}} {
					var drops []exposition.Drop
					written := page(t, f, order, exposition.WithDropped(func(d exposition.Drop) { drops = append(drops, d) }))
					want := 2
					if slices.Contains(test.clashes, scheme) {
						want = 1
					}
					if n, err := readStrictly(written, f); n != want || err != nil {
						t.Errorf("%s, order %d, %s: %d families, %v; want %d\n%s", test.name, i, f, n, err, want, written)
					}
					if want == 1 && (len(drops) != 1 || drops[0] != exposition.Drop{Family: order[1].Name, Reason: exposition.ClashingName}) {
						t.Errorf("%s, order %d, %s: dropped %+v", test.name, i, f, drops)
					}
				}
			}
		}
	}
}

// Names that readers of text take for samples of a gauge histogram, which is a histogram
// there, are not those of another family, whichever of them escaping changes.
func TestNamesReservedByGaugeHistograms(t *testing.T) {
	for _, names := range [][2]string{{"h_x", "h.x_count"}, {"h.x", "h_x_sum"}} {
		h := &model.Family{Name: names[0], Type: model.GaugeHistogram}
		h.Append(completePoint(model.GaugeHistogram, model.Labels{}))
		other := sampled(names[1], model.Gauge, names[1])
		for _, f := range formats {
			f := f.WithEscaping(model.Underscores)
			for _, order := range [][]*model.Family{{h, other}, {other, h}} {
				var drops []exposition.Drop
				written := page(t, f, order, exposition.WithDropped(func(d exposition.Drop) { drops = append(drops, d) }))
				if _, err := readStrictly(written, f); err != nil {
					t.Errorf("%s: %v\n%s", f, err, written)
				}
				if want := (exposition.Drop{Family: order[1].Name, Reason: exposition.ClashingName}); len(drops) != 1 || drops[0] != want {
					t.Errorf("%s: dropped %+v, want %+v", f, drops, want)
				}
			}
		}
	}
}

// The family of a counter has a name of its own in OpenMetrics 1.0, which its samples have not.
func TestCounterFamiliesThatBecomeEqual(t *testing.T) {
	all := []*model.Family{sampled("a_b", model.Gauge, "a_b"), sampled("a.b", model.Counter, "a.b_total")}
	for _, f := range formats {
		want := 2
		if f == exposition.OpenMetrics001 || f == exposition.OpenMetrics1 {
			want = 1
		}
		f := f.WithEscaping(model.Underscores)
		written := page(t, f, all)
		if n, err := readStrictly(written, f); n != want || err != nil {
			t.Errorf("%s: %d families, %v; want %d\n%s", f, n, err, want, written)
		}
	}
}

// Many families that nothing changes, before and between those that escaping does.
func TestNamesThatBecomeEqualAmongMany(t *testing.T) {
	var all []*model.Family
	want := 0
	add := func(name string, stays bool) {
		all = append(all, sampled(name, model.Gauge, name))
		if stays {
			want++
		}
	}
	for i := range 10_000 {
		add(fmt.Sprint("m_", i), true)
		switch i % 1000 {
		case 999:
			add(fmt.Sprint("m.", i-500), false)
			add(fmt.Sprint("n.", i), true)
		case 1:
			add(fmt.Sprint("n_", i-2), i < 1000)
		}
	}
	dropped := 0
	written := page(t, exposition.Text004, all, exposition.WithDropped(func(exposition.Drop) { dropped++ }))
	if n, err := readStrictly(written, exposition.Text004); n != want || err != nil || dropped != len(all)-want {
		t.Errorf("%d families and %d dropped, %v; want %d and %d", n, dropped, err, want, len(all)-want)
	}
}

// Series whose labels escaping makes equal are not both on a page; the first stays, and
// the other is reported. Labels of one series that become one are reported, too.
func TestSeriesThatBecomeEqual(t *testing.T) {
	type series []string // names and values, in turn
	labels := func(s series) model.Labels {
		var names, values []string
		for i := 0; i < len(s); i += 2 {
			names, values = append(names, s[i]), append(values, s[i+1])
		}
		return model.LabelPairs(names, values)
	}
	for _, test := range []struct {
		name  string
		all   []series
		equal int // of all, under Underscores
		joins bool
	}{
		{"one label", []series{{"a_b", "1"}, {"a.b", "1"}, {"a-b", "1"}, {"a-b", "2"}}, 2, false},
		{"the changed one first", []series{{"a.b", "1"}, {"a_b", "1"}}, 1, false},
		{"in another order", []series{{"a_b", "1", "c", "2"}, {"c", "2", "a.b", "1"}}, 1, false},
		{"joined", []series{{"a.b", "1;2", "a_b", "3"}, {"a.b", "1", "a_b", "2;3"}}, 1, true},
		{"different", []series{{"a.b", "1"}, {"a.b", "2"}, {"a_b", "3"}}, 0, false},
		{"not one to be changed", []series{{"a_b", "1"}, {"ab", "1"}}, 0, false},
	} {
		for _, typ := range model.Types() {
			f := &model.Family{Name: "m", Type: typ}
			for _, s := range test.all {
				f.Append(completePoint(typ, labels(s)))
			}
			for _, format := range formats {
				format := format.WithEscaping(model.Underscores)
				series, joined := 0, 0
				written := page(t, format, []*model.Family{f}, exposition.WithDropped(func(d exposition.Drop) {
					switch d.Reason {
					case exposition.ClashingSeries:
						series++
					case exposition.JoinedLabels:
						if joined++; !d.Reason.Written() {
							t.Error("what is joined is not written")
						}
					default:
						t.Errorf("dropped %+v", d)
					}
				}))
				blocks := 1
				if typ == model.GaugeHistogram && (format == exposition.Text004 || format == exposition.Text100) {
					blocks = 3
				}
				if series != blocks*test.equal || joined > 0 != test.joins {
					t.Errorf("%s, %s, %s: %d series clash, want %d; joined %d", test.name, typ, format, series, blocks*test.equal, joined)
				}
				if _, err := readStrictly(written, format); err != nil {
					t.Errorf("%s, %s, %s: %v\n%s", test.name, typ, format, err, written)
				}
			}
			for _, format := range formats {
				for _, scheme := range []model.Escaping{model.Values, model.AllowUTF8} {
					page(t, format.WithEscaping(scheme), []*model.Family{f}, exposition.WithDropped(func(d exposition.Drop) { t.Errorf("%s, %s: dropped %+v", test.name, scheme, d) }))
				}
			}
		}
	}
}

// Samples that fit no point are not on a page with a name or labels that escaping makes
// equal to those of another one.
func TestLooseSamplesThatBecomeEqual(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples []model.Sample // of a gauge x
		want    []exposition.Drop
	}{
		{"labels", []model.Sample{
			{Name: "x_foo", Labels: model.LabelsFromText(`"a.b"="1"`)},
			{Name: "x_foo", Labels: model.LabelsFromText(`a_b="1"`)},
			{Name: "x_foo", Labels: model.LabelsFromText(`a_b="2"`)},
			{Name: "x_bar", Labels: model.LabelsFromText(`a_b="1"`)},
		}, []exposition.Drop{{Family: "x", Sample: "x_foo", Reason: exposition.ClashingSeries}}},
		{"labels of a point", []model.Sample{
			{Name: "x", Labels: model.LabelsFromText(`"in.it"="1"`)},
			{Name: "x", Labels: model.LabelsFromText(`"in.it"="2"`)},
		}, []exposition.Drop{{Family: "x", Sample: "x", Reason: exposition.ClashingSeries}}},
		{"names", []model.Sample{{Name: "x_f.oo"}, {Name: "x_f_oo"}},
			[]exposition.Drop{{Family: "x", Sample: "x_f_oo", Reason: exposition.ClashingName}}},
		{"the name of a family before it", []model.Sample{{Name: "be.fore"}},
			[]exposition.Drop{{Family: "x", Sample: "be.fore", Reason: exposition.ClashingName}}},
		{"the name of a sample after it", []model.Sample{{Name: "after.it_sum"}},
			[]exposition.Drop{{Family: "after_it", Reason: exposition.ClashingName}}},
	} {
		f := &model.Family{Name: "x", Type: model.Gauge}
		f.Append(model.Point{Has: model.PartValue, Labels: model.LabelsFromText(`in_it="1"`)})
		f = f.WithLoose(test.samples)
		after := &model.Family{Name: "after_it", Type: model.Summary}
		after.Append(completePoint(model.Summary, model.Labels{}))
		for i, format := range formats {
			format := format.WithEscaping(model.Underscores)
			var drops []exposition.Drop
			written := page(t, format, []*model.Family{sampled("be_fore", model.Gauge, "be_fore"), f, after}, exposition.WithDropped(func(d exposition.Drop) {
				if d.Reason != exposition.LooseSample { // other formats have none
					drops = append(drops, d)
				}
			}))
			if _, err := readStrictly(written, format); err != nil {
				t.Errorf("%s, %s: %v\n%s", test.name, format, err, written)
			}
			if isText := i < 2; (isText || len(drops) > 0) && !slices.Equal(drops, test.want) {
				t.Errorf("%s, %s: dropped %+v, want %+v", test.name, format, drops, test.want)
			}
		}
	}
}

// A sample that fits no point but has the name of its family's samples has it under every
// escaping scheme.
func TestLooseSamplesHaveTheNamesOfTheirFamily(t *testing.T) {
	for _, name := range []string{"a_b", "a.b"} {
		f := &model.Family{Name: name, Type: model.Summary}
		f.Append(completePoint(model.Summary, model.Labels{}))
		f = f.WithLoose([]model.Sample{{Name: name + "_count", Labels: model.LabelsFromText(`l="1"`)}})
		for _, scheme := range schemes {
			format := exposition.Text100.WithEscaping(scheme)
			written := page(t, format, []*model.Family{f})
			if n, err := readStrictly(written, format); n != 1 || err != nil {
				t.Errorf("%s: %d families, %v\n%s", format, n, err, written)
			}
		}
	}
}

// completePoint returns a point that is complete for its type.
func completePoint(typ model.Type, labels model.Labels) model.Point {
	p := model.Point{Labels: labels, Has: typ.Parts() &^ model.PartCreated, Value: 1}
	switch typ {
	case model.Histogram, model.GaugeHistogram:
		bounds, _ := model.NewBounds([]float64{1, math.Inf(1)})
		p.Histogram = &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 2}, Count: 2, Sum: 3}
	case model.Summary:
		p.Summary = &model.SummaryValue{Count: 1, Sum: 1, Quantiles: []model.Quantile{{Q: 0.5, V: 1}}}
	case model.StateSet:
		p.States = []model.State{{Name: "on", On: true}, {Name: "off"}}
	case model.Info:
		p.Info = model.LabelPairs([]string{"i"}, []string{"x"})
	}
	return p
}

// readStrictly returns the number of families of a page, and the error of reading it strictly.
func readStrictly(written []byte, f exposition.Format) (n int, err error) {
	p := exposition.NewParser(bytes.NewReader(written), f)
	for {
		if _, err = p.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		n++
	}
}
