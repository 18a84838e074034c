package model_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"telltale/model"
)

// flat returns a family's samples as lines with all that is in them.
func flat(f *model.Family) []string {
	var all []string
	for s := range f.Samples() {
		all = append(all, line(s))
	}
	return all
}

func line(s model.Sample) string {
	text := s.Name + s.Labels.String() + " " + model.FormatValue(s.Value)
	if s.Timestamp.IsSet() {
		text += " @" + s.Timestamp.String()
	}
	if e := s.Exemplar; e != nil {
		text += fmt.Sprintf(" # %s %s %s", e.Labels, model.FormatValue(e.Value), e.Timestamp)
	}
	if h := s.NativeHistogram; h != nil {
		text += fmt.Sprintf(" native %+v", *h)
	}
	return text
}

// points counts a family's points.
func points(f *model.Family) (n int) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(*model.Point) error { n++; return nil })
	return n
}

func family(t *testing.T, name string, typ model.Type) *model.Family {
	t.Helper()
	f, err := model.NewFamily(name, "Help.", typ)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

type labels = map[string]string

// add is one call of AddSample.
type add struct {
	name   string
	labels labels
	value  float64
	opts   []model.SampleOption
}

func addAll(f *model.Family, samples []add) {
	for _, s := range samples {
		f.AddSample(s.name, s.labels, s.value, s.opts...)
	}
}

var (
	inf    = math.Inf(1)
	moment = model.WithTimestamp(time.Unix(123, 5e8))
	trace  = model.Exemplar{Labels: model.LabelsOf(labels{"trace_id": "abc"}), Value: 0.25, Timestamp: model.Unix(7, 0)}
)

// What is added comes back, whatever the type; points and loose say into how
// many points it was folded and how much did not fit.
func TestSamplesRoundTrip(t *testing.T) {
	opts := func(o ...model.SampleOption) []model.SampleOption { return o }
	for _, tt := range []struct {
		test          string
		typ           model.Type
		samples       []add
		points, loose int
	}{
		{"gauge", model.Gauge, []add{
			{"x", nil, 1, nil}, {"x", labels{"a": "1"}, -2.5, nil}, {"x", labels{"a": "2"}, math.NaN(), opts(moment)},
		}, 3, 0},
		{"unknown", model.Unknown, []add{{"x", nil, 1, nil}, {"x", nil, 2, opts(moment)}}, 2, 0},
		{"a series twice", model.Gauge, []add{{"x", nil, 1, nil}, {"x", nil, 2, nil}}, 2, 0},
		{"counter", model.Counter, []add{
			{"x_total", labels{"a": "1"}, 3, opts(model.WithExemplar(trace))}, {"x_created", labels{"a": "1"}, 1700000000.25, nil},
			{"x_total", labels{"a": "2"}, 4, nil}, {"x_created", labels{"a": "2"}, -0.1, nil},
		}, 2, 0},
		{"literal counter", model.Counter, []add{{"x", nil, 3, nil}, {"x", labels{"a": "1"}, 4, nil}}, 2, 0},
		{"created before the counter", model.Counter, []add{{"x_created", nil, 5, nil}, {"x", nil, 3, nil}}, 1, 1},
		{"counter with a created time of no moment", model.Counter, []add{{"x_total", nil, 1, nil}, {"x_created", nil, inf, nil}}, 1, 1},
		{"summary", model.Summary, []add{
			{"x", labels{"a": "1", "quantile": "0.5"}, 0.1, nil}, {"x", labels{"a": "1", "quantile": "0.99"}, 0.2, nil},
			{"x_count", labels{"a": "1"}, 10, nil}, {"x_sum", labels{"a": "1"}, 3.5, nil}, {"x_created", labels{"a": "1"}, 100, nil},
			{"x_count", labels{"a": "2"}, 1, nil}, {"x_sum", labels{"a": "2"}, 2, nil},
		}, 2, 0},
		{"summary without sum", model.Summary, []add{{"x_count", nil, 1, nil}}, 1, 0},
		{"histogram", model.Histogram, []add{
			{"x_bucket", labels{"a": "1", "le": "0.5"}, 1, nil}, {"x_bucket", labels{"a": "1", "le": "1.0"}, 2, opts(model.WithExemplar(trace))},
			{"x_bucket", labels{"a": "1", "le": "+Inf"}, 3, nil},
			{"x_count", labels{"a": "1"}, 3, nil}, {"x_sum", labels{"a": "1"}, 9, nil}, {"x_created", labels{"a": "1"}, 8, nil},
			{"x_bucket", labels{"a": "2", "le": "+Inf"}, 0, nil}, {"x_count", labels{"a": "2"}, 0, nil},
		}, 2, 0},
		{"histogram at two moments", model.Histogram, []add{
			{"x_bucket", labels{"le": "+Inf"}, 1, nil}, {"x_count", nil, 1, nil},
			{"x_bucket", labels{"le": "+Inf"}, 2, opts(moment)}, {"x_count", nil, 2, opts(moment)},
		}, 2, 0},
		{"buckets that are not in order", model.Histogram, []add{
			{"x_bucket", labels{"le": "1.0"}, 1, nil}, {"x_bucket", labels{"le": "0.5"}, 2, nil}, {"x_bucket", labels{"le": "+Inf"}, 3, nil},
		}, 2, 0},
		{"gauge histogram", model.GaugeHistogram, []add{
			{"x_bucket", labels{"le": "-1.0"}, 5, opts(model.WithExemplar(trace))}, {"x_bucket", labels{"le": "+Inf"}, 3, nil},
			{"x_gcount", nil, 3, nil}, {"x_gsum", nil, -9, nil},
		}, 1, 0},
		{"native histogram", model.Histogram, []add{
			{"x", nil, 3, opts(model.WithNativeHistogram(&model.NativeHistogram{Schema: 3, Count: 3, Sum: 4, ZeroCount: 3}))},
			{"x_bucket", labels{"le": "+Inf"}, 3, nil}, {"x_count", nil, 3, nil}, {"x_sum", nil, 4, nil},
		}, 1, 0},
		{"info", model.Info, []add{{"x_info", labels{"version": "1", "a": "b"}, 1, nil}, {"x_info", labels{"version": "2"}, 1, nil}}, 2, 0},
		{"state set", model.StateSet, []add{
			{"x", labels{"a": "1", "x": "on"}, 1, nil}, {"x", labels{"a": "1", "x": "off"}, 0, nil}, {"x", labels{"a": "2", "x": "on"}, 0, nil},
		}, 2, 0},

		{"samples of other names", model.Gauge, []add{{"y", labels{"a": "1"}, 1, opts(moment)}, {"x_total", nil, 2, nil}, {"", nil, 3, nil}}, 0, 3},
		{"bucket without le", model.Histogram, []add{{"x_bucket", labels{"a": "1"}, 1, nil}}, 0, 1},
		{"bucket with a bound that is no number", model.Histogram, []add{
			{"x_bucket", labels{"le": "NaN"}, 1, nil}, {"x_bucket", labels{"le": "0x1p3"}, 1, nil}, {"x_bucket", labels{"le": ""}, 1, nil}, {"x_bucket", labels{"le": "1e999"}, 1, nil},
		}, 0, 4},
		{"quantile that is none", model.Summary, []add{{"x", labels{"quantile": "half"}, 1, nil}, {"x", nil, 1, nil}}, 0, 2},
		{"state without its label, state of two thirds", model.StateSet, []add{{"x", nil, 1, nil}, {"x", labels{"x": "on"}, 0.66, nil}}, 0, 2},
		{"exemplar where none can be", model.Gauge, []add{{"x", nil, 1, opts(model.WithExemplar(trace))}}, 0, 1},
		{"exemplar on a count", model.Histogram, []add{{"x_count", nil, 1, opts(model.WithExemplar(trace))}}, 0, 1},
		{"exemplar beside a native histogram", model.Histogram, []add{
			{"x", nil, 0, opts(model.WithNativeHistogram(&model.NativeHistogram{}), model.WithExemplar(trace))},
		}, 0, 1},
		{"histogram's plain value", model.Histogram, []add{{"x", nil, 1, nil}}, 0, 1},
		{"native histogram on a gauge", model.Gauge, []add{{"x", nil, 1, opts(model.WithNativeHistogram(&model.NativeHistogram{}))}}, 0, 1},
		{"native histogram under a bucket's name", model.Histogram, []add{{"x_count", nil, 1, opts(model.WithNativeHistogram(&model.NativeHistogram{}))}}, 0, 1},
	} {
		t.Run(tt.test, func(t *testing.T) {
			f := family(t, "x", tt.typ)
			addAll(f, tt.samples)
			var want []string
			for _, s := range tt.samples {
				one := family(t, "nothing fits", model.Gauge) // so that the sample stays as it is
				one.AddSample(s.name, s.labels, s.value, s.opts...)
				for kept := range one.Samples() {
					// Labels of points have le, quantile and states last.
					kept.Labels = kept.Labels.Sorted()
					want = append(want, line(kept))
				}
			}
			var got []string
			for s := range f.Samples() {
				s.Labels = s.Labels.Sorted()
				got = append(got, line(s))
			}
			// Loose samples come last, parts of a point in a fixed order.
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("added\n%q\ncame back as\n%q", want, got)
			}
			if n := points(f); n != tt.points || len(f.Loose()) != tt.loose {
				t.Errorf("%d points and %d loose samples, want %d and %d", n, len(f.Loose()), tt.points, tt.loose)
			}
			checkRefold(t, f)
		})
	}
}

// checkRefold adds a family's samples to a fresh one, which must say the same.
func checkRefold(t *testing.T, f *model.Family) {
	t.Helper()
	again := f.Header()
	for s := range f.Samples() {
		var opts []model.SampleOption
		if s.Timestamp.IsSet() {
			opts = append(opts, model.WithTimestamp(s.Timestamp.Time()))
		}
		if s.Exemplar != nil {
			opts = append(opts, model.WithExemplar(*s.Exemplar))
		}
		if s.NativeHistogram != nil {
			opts = append(opts, model.WithNativeHistogram(s.NativeHistogram))
		}
		again.AddSample(s.Name, s.Labels.Map(), s.Value, opts...)
	}
	if got, want := flat(again), flat(f); !slices.Equal(got, want) {
		t.Errorf("folded again:\n%q\nwant\n%q", got, want)
	}
	if points(again) != points(f) || len(again.Loose()) != len(f.Loose()) {
		t.Errorf("folded again: %d points, %d loose; before: %d, %d", points(again), len(again.Loose()), points(f), len(f.Loose()))
	}
}

func TestSampleSpellings(t *testing.T) {
	f := family(t, "x", model.Histogram)
	f.AddSample("x_bucket", labels{"le": "1"}, 1)
	f.AddSample("x_bucket", labels{"le": "Inf"}, 1)
	s := family(t, "s", model.Summary)
	s.AddSample("s", labels{"quantile": "0.50"}, 1)
	got := append(flat(f), flat(s)...)
	want := []string{`x_bucket{le="1.0"} 1.0`, `x_bucket{le="+Inf"} 1.0`, `s{quantile="0.5"} 1.0`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFoldedPoint(t *testing.T) {
	f := family(t, "x", model.Histogram)
	f.AddSample("x_bucket", labels{"le": "0.5", "b": "2", "a": "1"}, 1)
	f.AddSample("x_bucket", labels{"le": "+Inf", "b": "2", "a": "1"}, 3, model.WithExemplar(trace))
	f.AddSample("x_sum", labels{"b": "2", "a": "1"}, 9)
	f.AddSample("x_created", labels{"b": "2", "a": "1"}, 8)
	var scratch model.Point
	err := f.Visit(&scratch, func(p *model.Point) error {
		h := p.Histogram
		switch {
		case p.Labels.Text() != `a="1",b="2"`:
			t.Errorf("the point has the labels %s", p.Labels)
		case p.Has != model.PartBucket|model.PartSum:
			t.Errorf("the point has the parts %b", p.Has)
		case p.Created != model.Unix(8, 0):
			t.Errorf("the point was created at %s", p.Created)
		case h == nil || !slices.Equal(h.Bounds.Upper(), []float64{0.5, inf}) || !slices.Equal(h.Cumulative, []float64{1, 3}) || h.Sum != 9:
			t.Errorf("the point's histogram is %+v", h)
		case h.Exemplar(0) != nil || h.Exemplar(1) == nil || *h.Exemplar(1) != trace || h.Exemplar(2) != nil:
			t.Errorf("the point's exemplars are %v", h.Exemplars)
		case h.Bounds.Label(0) != `le="0.5"`:
			t.Errorf("bucket 0 is labelled %s", h.Bounds.Label(0))
		}
		return nil
	})
	if err != nil || points(f) != 1 {
		t.Errorf("%d points, error %v", points(f), err)
	}
}

func TestVisitStops(t *testing.T) {
	f := family(t, "x", model.Gauge)
	for i := range 3 {
		f.AddSample("x", nil, float64(i))
	}
	var scratch model.Point
	n := 0
	enough := errors.New("enough")
	if err := f.Visit(&scratch, func(*model.Point) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("Visit went on: %d visits, error %v", n, err)
	}
	n = 0
	for range f.Samples() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("Samples yielded %d samples before break at 2", n)
	}
}
