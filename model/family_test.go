package model_test

import (
	"maps"
	"slices"
	"testing"

	"telltale/model"
)

func TestNewFamily(t *testing.T) {
	f, err := model.NewFamily("my_custom_metric", "A custom metric", model.Gauge, model.WithUnit("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "my_custom_metric_bytes" || f.Help != "A custom metric" || f.Type != model.Gauge || f.Unit != "bytes" {
		t.Errorf("got %+v", f)
	}
	if f, err := model.NewFamily("x_total", "", model.Counter); err != nil || f.Name != "x_total" || f.BaseName() != "x" {
		t.Errorf("a counter x_total is %+v, %v", f, err)
	}
	for _, tt := range []struct {
		name string
		typ  model.Type
	}{{"", model.Gauge}, {"\xff", model.Gauge}, {"x", model.Type(8)}} {
		if f, err := model.NewFamily(tt.name, "", tt.typ); err == nil {
			t.Errorf("NewFamily(%q, %v) = %+v, want an error", tt.name, tt.typ, f)
		}
	}
}

func TestSampleNames(t *testing.T) {
	literal := func(f *model.Family) *model.Family { return f.Literal() }
	for _, tt := range []struct {
		name         string
		typ          model.Type
		change       func(*model.Family) *model.Family
		base, sample string
		created      string
	}{
		{"x", model.Counter, nil, "x", "x_total", "x_created"},
		{"x_total", model.Counter, nil, "x", "x_total", "x_created"},
		{"_total", model.Counter, nil, "_total", "_total", "_total_created"},
		{"x", model.Counter, literal, "x_total", "x_total", "x_total_created"},
		{"x_total", model.Counter, literal, "x_total", "x_total", "x_total_created"},
		{"x", model.Info, nil, "x", "x_info", "x_created"},
		{"x", model.Info, literal, "x_info", "x_info", "x_info_created"},
		{"x_total", model.Gauge, nil, "x_total", "x_total", "x_total_created"},
	} {
		f := family(t, tt.name, tt.typ)
		if tt.change != nil {
			f = tt.change(f)
		}
		if f.BaseName() != tt.base || f.SampleName() != tt.sample || f.NameOf(model.PartCreated) != tt.created || f.IsLiteral() != (tt.change != nil) {
			t.Errorf("%s %s: base %q, sample %q, created %q, literal %v; want %q, %q, %q", tt.typ, tt.name,
				f.BaseName(), f.SampleName(), f.NameOf(model.PartCreated), f.IsLiteral(), tt.base, tt.sample, tt.created)
		}
	}
}

// histogram returns a family with every part, a loose sample and all that can be
// changed through a pointer.
func histogram(t *testing.T) *model.Family {
	f := family(t, "x", model.Histogram)
	f.AddSample("x_bucket", labels{"le": "0.5"}, 1, model.WithExemplar(trace))
	f.AddSample("x_bucket", labels{"le": "+Inf"}, 3)
	f.AddSample("x_count", nil, 3)
	f.AddSample("x_sum", nil, 9)
	f.AddSample("x_created", nil, 8)
	f.AddSample("x_other", labels{"a": "1"}, 7, model.WithExemplar(trace))
	return f
}

func TestRestrict(t *testing.T) {
	bucketA, bucketB := `x_bucket{le="0.5"} 1.0 # {trace_id="abc"} 0.25 7`, `x_bucket{le="+Inf"} 3.0`
	all := []string{bucketA, bucketB, "x_count{} 3.0", "x_sum{} 9.0", "x_created{} 8.0", `x_other{a="1"} 7.0 # {trace_id="abc"} 0.25 7`}
	for _, tt := range []struct {
		wanted []string
		any    bool
		left   []string
		mask   model.Parts
	}{
		{[]string{"x"}, true, all, model.AllParts},
		{[]string{"x_count"}, true, []string{all[2]}, model.PartCount},
		{[]string{"x_bucket", "x_sum"}, true, []string{bucketA, bucketB, all[3]}, model.PartBucket | model.PartSum},
		{[]string{"x_created"}, true, []string{all[4]}, model.PartCreated},
		{[]string{"x_other"}, true, []string{all[5]}, 0},
		{[]string{"x_total", "y"}, false, nil, 0},
		{nil, false, nil, 0},
	} {
		f := histogram(t)
		wanted := func(name string) bool { return slices.Contains(tt.wanted, name) }
		got, any := f.Restrict(wanted)
		if any != tt.any || !slices.Equal(flat(got), tt.left) || got.Mask() != tt.mask {
			t.Errorf("%q: any %v, mask %b, left %q; want %v, %b, %q", tt.wanted, any, got.Mask(), flat(got), tt.any, tt.mask, tt.left)
		}
		if !slices.Equal(flat(f), all) {
			t.Errorf("%q: Restrict changed the family itself: %q", tt.wanted, flat(f))
		}
		if again, _ := got.Restrict(wanted); !slices.Equal(flat(again), flat(got)) {
			t.Errorf("%q: a second Restrict left %q", tt.wanted, flat(again))
		}
		if clone := got.Clone(); !slices.Equal(flat(clone), flat(got)) || clone.Mask() != got.Mask() {
			t.Errorf("%q: a clone has the mask %b and %q", tt.wanted, clone.Mask(), flat(clone))
		}
	}
}

// A second restriction never brings back what the first took away.
func TestRestrictTwice(t *testing.T) {
	only := func(name string) func(string) bool { return func(n string) bool { return n == name } }
	count, _ := histogram(t).Restrict(only("x_count"))
	if sum, any := count.Restrict(only("x_sum")); any || len(flat(sum)) != 0 {
		t.Errorf("any %v, left %q", any, flat(sum))
	}
	if whole, any := count.Restrict(only("x")); !any || !slices.Equal(flat(whole), []string{"x_count{} 3.0"}) {
		t.Errorf("any %v, left %q", any, flat(whole))
	}
}

func TestRestrictHidesNative(t *testing.T) {
	f := family(t, "x", model.Histogram)
	f.AddSample("x", nil, 1, model.WithNativeHistogram(&model.NativeHistogram{Count: 1}))
	f.AddSample("x_count", nil, 1)
	left, _ := f.Restrict(func(name string) bool { return name == "x_count" })
	if got := flat(left); !slices.Equal(got, []string{"x_count{} 1.0"}) {
		t.Errorf("x_count alone leaves %q", got)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	f := histogram(t)
	native := &model.NativeHistogram{
		Positive: []float64{1}, Negative: []float64{2}, CustomBounds: []float64{3},
		PositiveSpans: []model.Span{{Length: 1}}, NegativeSpans: []model.Span{{Length: 1}}, Exemplars: []model.Exemplar{trace},
	}
	f.AddSample("x", labels{"a": "1"}, 0, model.WithNativeHistogram(native))
	summary := family(t, "s", model.Summary)
	summary.AddSample("s", labels{"quantile": "0.5"}, 1)
	states := family(t, "e", model.StateSet)
	states.AddSample("e", labels{"e": "on"}, 1)

	for _, f := range []*model.Family{f, summary, states} {
		before := flat(f)
		clone := f.Clone()
		kept := slices.Collect(f.Samples())
		// All that the original's points refer to is spoilt, as a live source
		// would by going on.
		var scratch model.Point
		_ = f.Visit(&scratch, func(p *model.Point) error {
			p.Value = -1
			if h := p.Histogram; h != nil {
				h.Count, h.Sum = -1, -1
				for i := range h.Cumulative {
					h.Cumulative[i] = -1
				}
				for _, e := range h.Exemplars {
					if e != nil {
						e.Value = -1
					}
				}
				if n := h.Native; n != nil {
					n.Count, n.Positive[0], n.Negative[0], n.CustomBounds[0] = -1, -1, -1, -1
					n.PositiveSpans[0].Length, n.NegativeSpans[0].Length, n.Exemplars[0].Value = 9, 9, -1
				}
			}
			if p.Summary != nil {
				p.Summary.Quantiles[0].V = -1
			}
			for i := range p.States {
				p.States[i].On = !p.States[i].On
			}
			return nil
		})
		for _, s := range f.Loose() {
			s.Exemplar.Value = -1
		}
		if after := flat(clone); !slices.Equal(after, before) {
			t.Errorf("%s: the clone became\n%q\nwant\n%q", f.Name, after, before)
		}
		for i, s := range kept {
			if line(s) != before[i] {
				t.Errorf("%s: a kept sample became %s, want %s", f.Name, line(s), before[i])
			}
		}
	}
}

// A family may go on growing after it was cloned, in the middle of a histogram
// too.
func TestCloneOfAnUnfinishedFamily(t *testing.T) {
	f := family(t, "x", model.Histogram)
	f.AddSample("x_bucket", labels{"le": "1.0"}, 1)
	clone := f.Clone()
	f.AddSample("x_bucket", labels{"le": "2.0"}, 2)
	clone.AddSample("x_bucket", labels{"le": "3.0"}, 3)
	f.AddSample("x_bucket", labels{"le": "+Inf"}, 4)
	for _, tt := range []struct {
		f    *model.Family
		want []string
		len  int
	}{
		{f, []string{`x_bucket{le="1.0"} 1.0`, `x_bucket{le="2.0"} 2.0`, `x_bucket{le="+Inf"} 4.0`}, 3},
		{clone, []string{`x_bucket{le="1.0"} 1.0`, `x_bucket{le="3.0"} 3.0`}, 2},
	} {
		var scratch model.Point
		_ = tt.f.Visit(&scratch, func(p *model.Point) error {
			if n := p.Histogram.Bounds.Len(); n != tt.len {
				t.Errorf("the histogram has %d bounds, want %d", n, tt.len)
			}
			return nil
		})
		if got := flat(tt.f); !slices.Equal(got, tt.want) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// source is a live source of one point that it fills into scratch.
type source struct {
	value  float64
	legacy bool
}

func (s *source) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	*scratch = model.Point{Has: model.PartValue, Value: s.value}
	return visit(scratch)
}

func (s *source) LegacyLabels() bool { return s.legacy }

func TestSource(t *testing.T) {
	s := &source{value: 1, legacy: true}
	f, err := model.NewFamily("x", "", model.Gauge, model.WithSource(s))
	if err != nil {
		t.Fatal(err)
	}
	clone := f.Clone()
	s.value = 2
	if got := append(flat(f), flat(clone)...); !slices.Equal(got, []string{"x{} 2.0", "x{} 1.0"}) {
		t.Errorf("the live family and its clone say %q", got)
	}
	if !f.LegacyLabels() || !clone.LegacyLabels() {
		t.Errorf("LegacyLabels: live %v, clone %v", f.LegacyLabels(), clone.LegacyLabels())
	}
	clone.AddSample("x", labels{"http.route": "/"}, 3)
	if clone.LegacyLabels() {
		t.Error("a point that the clone holds is not looked at")
	}
	f.AddSample("x", labels{"http.route": "/"}, 3)
	if f.LegacyLabels() {
		t.Error("the source vouches for a point that is not its own")
	}
	if h := f.Header(); len(flat(h)) != 0 || h.Name != "x" {
		t.Errorf("the header has samples: %q", flat(h))
	}
	if got := flat(f.Renamed("y")); !slices.Equal(got, []string{`y{"http.route"="/"} 3.0`, "y{} 2.0"}) {
		t.Errorf("renamed: %q", got)
	}
	if got := flat(f.WithPoints(&source{value: 5})); !slices.Equal(got, []string{"x{} 5.0"}) {
		t.Errorf("with other points: %q", got)
	}
}

func TestRenamedLeavesLooseSamplesOut(t *testing.T) {
	f := histogram(t)
	if got := flat(f.Renamed("x")); len(got) != 6 {
		t.Errorf("under the same name %q are left", got)
	}
	names := map[string]bool{}
	for s := range f.Renamed("y").Samples() {
		names[s.Name] = true
	}
	want := []string{"y_bucket", "y_count", "y_created", "y_sum"}
	if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
		t.Errorf("renamed, the samples are called %q, want %q", got, want)
	}
}

func TestValidHelp(t *testing.T) {
	for help, want := range map[string]string{"": "", "ok\n": "ok\n", "a\xffb": "a\uFFFDb"} {
		if got := model.ValidHelp(help); got != want {
			t.Errorf("ValidHelp(%q) = %q", help, got)
		}
	}
}

func TestWithoutParts(t *testing.T) {
	f, err := model.NewFamily("s", "", model.Summary)
	if err != nil {
		t.Fatal(err)
	}
	f.AddSample("s", map[string]string{"quantile": "0.5"}, 1)
	f.AddSample("s_count", nil, 2)
	f.AddSample("s_sum", nil, 3)
	var names []string
	for s := range f.Without(model.PartCount | model.PartCreated).Samples() {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{"s", "s_sum"}) {
		t.Errorf("%v are left", names)
	}
}
