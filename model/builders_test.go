package model_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/model"
)

// must returns x if there is no error.
func must[T any](t *testing.T) func(x T, err error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func TestBuilders(t *testing.T) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	byRoute := model.WithLabelNames("route", "code")
	counter := must[*model.CounterFamily](t)(model.NewCounterFamily("requests_total", "", byRoute, model.WithUnit("things")))
	ok(counter.Add([]string{"/", "200"}, 3, model.WithCreated(time.Unix(9, 0)), model.WithExemplar(trace)))
	ok(counter.Add([]string{"/", "500"}, inf, moment))
	gauge := must[*model.GaugeFamily](t)(model.NewGaugeFamily("temperature", "", model.WithValue(-3)))
	unknown := must[*model.UnknownFamily](t)(model.NewUnknownFamily("what", "", model.WithLabelNames("route")))
	ok(unknown.Add([]string{`a"b`}, math.NaN()))
	summary := must[*model.SummaryFamily](t)(model.NewSummaryFamily("size", "", model.WithUnit("bytes")))
	ok(summary.Add(nil, 2, 3.5, []model.Quantile{{Q: 0, V: 1}, {Q: 0.5, V: 2}, {Q: 1, V: 3}}, model.WithCreated(time.Unix(9, 0))))
	hist := must[*model.HistogramFamily](t)(model.NewHistogramFamily("latency", ""))
	ok(hist.Add(nil, []model.Bucket{{Upper: 0.5, Cumulative: 1, Exemplar: &trace}, {Upper: inf, Cumulative: 3}}, model.WithSum(7)))
	negative := must[*model.HistogramFamily](t)(model.NewHistogramFamily("delta", ""))
	ok(negative.Add(nil, []model.Bucket{{Upper: -1, Cumulative: 1}, {Upper: inf, Cumulative: 3}}, model.WithSum(7)))
	gaugeHist := must[*model.HistogramFamily](t)(model.NewGaugeHistogramFamily("queue", ""))
	ok(gaugeHist.Add(nil, []model.Bucket{{Upper: -1, Cumulative: 1}, {Upper: inf, Cumulative: 2}}, model.WithSum(-7)))
	native := must[*model.HistogramFamily](t)(model.NewHistogramFamily("native", ""))
	ok(native.Add(nil, nil, model.WithNative(&model.NativeHistogram{Count: 5})))
	info := must[*model.InfoFamily](t)(model.NewInfoFamily("build", "", model.WithLabelNames("program")))
	ok(info.Add([]string{"telltale"}, labels{"version": "1", "branch": "main"}))
	states := must[*model.StateSetFamily](t)(model.NewStateSetFamily("feature", ""))
	ok(states.Add(nil, map[string]bool{"b": true, "a": false}))

	for _, tt := range []struct {
		family *model.Family
		want   []string
	}{
		{counter.Family(), []string{
			`requests_things_total{route="/",code="200"} 3.0 # {trace_id="abc"} 0.25 7`, `requests_things_created{route="/",code="200"} 9.0`,
			`requests_things_total{route="/",code="500"} +Inf @123.5`,
		}},
		{gauge.Family(), []string{"temperature{} -3.0"}},
		{unknown.Family(), []string{`what{route="a\"b"} NaN`}},
		{summary.Family(), []string{
			`size_bytes{quantile="0.0"} 1.0`, `size_bytes{quantile="0.5"} 2.0`, `size_bytes{quantile="1.0"} 3.0`,
			"size_bytes_count{} 2.0", "size_bytes_sum{} 3.5", "size_bytes_created{} 9.0",
		}},
		{hist.Family(), []string{`latency_bucket{le="0.5"} 1.0 # {trace_id="abc"} 0.25 7`, `latency_bucket{le="+Inf"} 3.0`, "latency_count{} 3.0", "latency_sum{} 7.0"}},
		{negative.Family(), []string{`delta_bucket{le="-1.0"} 1.0`, `delta_bucket{le="+Inf"} 3.0`, "delta_count{} 3.0"}},
		{gaugeHist.Family(), []string{`queue_bucket{le="-1.0"} 1.0`, `queue_bucket{le="+Inf"} 2.0`, "queue_gcount{} 2.0", "queue_gsum{} -7.0"}},
		{info.Family(), []string{`build_info{program="telltale",branch="main",version="1"} 1.0`}},
		{states.Family(), []string{`feature{feature="a"} 0.0`, `feature{feature="b"} 1.0`}},
	} {
		if got := flat(tt.family); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%q\nwant\n%q", tt.family.Name, got, tt.want)
		}
	}
	if got := flat(native.Family()); len(got) != 1 || !strings.HasPrefix(got[0], "native{} 5.0 native") {
		t.Errorf("native: got %q", got)
	}
}

func TestBuildersRefuseDefinitions(t *testing.T) {
	type opts = []model.BuilderOption
	for _, tt := range []struct {
		test string
		typ  model.Type
		name string
		opts opts
	}{
		{"empty name", model.Gauge, "", nil},
		{"invalid name", model.Counter, "\xff", nil},
		{"value and labels together", model.Gauge, "x", opts{model.WithValue(1), model.WithLabelNames("a")}},
		{"value of a summary", model.Summary, "x", opts{model.WithValue(1)}},
		{"value of a histogram", model.Histogram, "x", opts{model.WithValue(1)}},
		{"value of a gauge histogram", model.GaugeHistogram, "x", opts{model.WithValue(1)}},
		{"value of an info", model.Info, "x", opts{model.WithValue(1)}},
		{"value of a state set", model.StateSet, "x", opts{model.WithValue(1)}},
		{"negative value of a counter", model.Counter, "x", opts{model.WithValue(-1)}},
		{"counter that is NaN", model.Counter, "x", opts{model.WithValue(math.NaN())}},
		{"info with a unit", model.Info, "x", opts{model.WithUnit("bytes")}},
		{"state set with a unit", model.StateSet, "x", opts{model.WithUnit("bytes")}},
		{"label twice", model.Gauge, "x", opts{model.WithLabelNames("a", "a")}},
		{"label le", model.Histogram, "x", opts{model.WithLabelNames("le")}},
		{"label le of a gauge histogram", model.GaugeHistogram, "x", opts{model.WithLabelNames("le")}},
		{"label quantile", model.Summary, "x", opts{model.WithLabelNames("quantile")}},
		{"state set's own name", model.StateSet, "x", opts{model.WithLabelNames("x")}},
		{"reserved label", model.Unknown, "x", opts{model.WithLabelNames("__a")}},
	} {
		var err error
		switch tt.typ {
		case model.Counter:
			_, err = model.NewCounterFamily(tt.name, "", tt.opts...)
		case model.Gauge:
			_, err = model.NewGaugeFamily(tt.name, "", tt.opts...)
		case model.Unknown:
			_, err = model.NewUnknownFamily(tt.name, "", tt.opts...)
		case model.Summary:
			_, err = model.NewSummaryFamily(tt.name, "", tt.opts...)
		case model.Histogram:
			_, err = model.NewHistogramFamily(tt.name, "", tt.opts...)
		case model.GaugeHistogram:
			_, err = model.NewGaugeHistogramFamily(tt.name, "", tt.opts...)
		case model.Info:
			_, err = model.NewInfoFamily(tt.name, "", tt.opts...)
		case model.StateSet:
			_, err = model.NewStateSetFamily(tt.name, "", tt.opts...)
		}
		if err == nil {
			t.Errorf("%s: no error", tt.test)
		}
	}
}

// What cannot be is an error, and leaves nothing behind.
func TestBuildersRefuseSeries(t *testing.T) {
	counter := must[*model.CounterFamily](t)(model.NewCounterFamily("c", "", model.WithLabelNames("a")))
	gauge := must[*model.GaugeFamily](t)(model.NewGaugeFamily("g", ""))
	unknown := must[*model.UnknownFamily](t)(model.NewUnknownFamily("u", ""))
	summary := must[*model.SummaryFamily](t)(model.NewSummaryFamily("s", ""))
	hist := must[*model.HistogramFamily](t)(model.NewHistogramFamily("h", ""))
	gaugeHist := must[*model.HistogramFamily](t)(model.NewGaugeHistogramFamily("gh", ""))
	info := must[*model.InfoFamily](t)(model.NewInfoFamily("i", "", model.WithLabelNames("a")))
	states := must[*model.StateSetFamily](t)(model.NewStateSetFamily("e", "", model.WithLabelNames("a")))
	one := []model.Bucket{{Upper: inf, Cumulative: 1}}
	created := model.WithCreated(time.Unix(1, 0))
	for _, tt := range []struct {
		test string
		err  error
	}{
		{"too few label values", counter.Add(nil, 1)},
		{"too many label values", counter.Add([]string{"1", "2"}, 1)},
		{"label values without labels", gauge.Add([]string{"1"}, 1)},
		{"negative counter", counter.Add([]string{"1"}, -1)},
		{"counter that is NaN", counter.Add([]string{"1"}, math.NaN())},
		{"counter with a sum", counter.Add([]string{"1"}, 1, model.WithSum(1))},
		{"gauge with a native histogram", gauge.Add(nil, 1, model.WithNative(&model.NativeHistogram{}))},
		{"exemplar of a gauge", gauge.Add(nil, 1, model.WithExemplar(trace))},
		{"exemplar of an unknown", unknown.Add(nil, 1, model.WithExemplar(trace))},
		{"exemplar of a whole histogram", hist.Add(nil, one, model.WithExemplar(trace))},
		{"created time of a gauge", gauge.Add(nil, 1, created)},
		{"created time of a gauge histogram", gaugeHist.Add(nil, one, created)},
		{"created time of an info", info.Add([]string{"1"}, nil, created)},
		{"negative count", summary.Add(nil, -1, 1, nil)},
		{"count that is NaN", summary.Add(nil, math.NaN(), 1, nil)},
		{"quantile above 1", summary.Add(nil, 1, 1, []model.Quantile{{Q: 1.5}})},
		{"quantile that is NaN", summary.Add(nil, 1, 1, []model.Quantile{{Q: math.NaN()}})},
		{"quantiles out of order", summary.Add(nil, 1, 1, []model.Quantile{{Q: 0.5}, {Q: 0.1}})},
		{"quantile twice", summary.Add(nil, 1, 1, []model.Quantile{{Q: 0.5}, {Q: 0.5}})},
		{"no buckets", hist.Add(nil, nil)},
		{"sum without count", hist.Add(nil, nil, model.WithSum(1))},
		{"unsorted buckets", hist.Add(nil, []model.Bucket{{Upper: 2}, {Upper: 1}, {Upper: inf}})},
		{"bucket twice", hist.Add(nil, []model.Bucket{{Upper: 1}, {Upper: 1}, {Upper: inf}})},
		{"bound that is NaN", hist.Add(nil, []model.Bucket{{Upper: math.NaN()}, {Upper: inf}})},
		{"last bucket is not +Inf", hist.Add(nil, []model.Bucket{{Upper: 1}})},
		{"buckets that count down", hist.Add(nil, []model.Bucket{{Upper: 1, Cumulative: 2}, {Upper: inf, Cumulative: 1}})},
		{"gauge buckets that count down", gaugeHist.Add(nil, []model.Bucket{{Upper: 1, Cumulative: 2}, {Upper: inf, Cumulative: 1}})},
		{"negative bucket", hist.Add(nil, []model.Bucket{{Upper: 1, Cumulative: -2}, {Upper: inf, Cumulative: 1}})},
		{"info with a label of the series", info.Add([]string{"1"}, labels{"a": "2"})},
		{"info with a reserved label", info.Add([]string{"1"}, labels{"__b": "2"})},
		{"states without label values", states.Add(nil, map[string]bool{"on": true})},
	} {
		if tt.err == nil {
			t.Errorf("%s: no error", tt.test)
		}
	}
	for _, f := range []*model.Family{
		counter.Family(), gauge.Family(), unknown.Family(), summary.Family(), hist.Family(), gaugeHist.Family(), info.Family(), states.Family(),
	} {
		if got := flat(f); len(got) > 0 {
			t.Errorf("%s has samples all the same: %q", f.Name, got)
		}
	}
}

func TestBounds(t *testing.T) {
	b, err := model.NewBounds([]float64{-1, 0, 0.5, 1, 1e6, inf})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`le="-1.0"`, `le="0.0"`, `le="0.5"`, `le="1.0"`, `le="1e+06"`, `le="+Inf"`}
	for i, w := range want {
		if b.Label(i) != w {
			t.Errorf("bound %d is labelled %s, want %s", i, b.Label(i), w)
		}
	}
	same, _ := model.NewBounds([]float64{-1, 0, 0.5, 1, 1e6, inf})
	other, _ := model.NewBounds([]float64{1, inf})
	if !b.Equal(same) || b.Equal(other) || b.Equal(nil) {
		t.Error("Equal is wrong")
	}
	var none *model.Bounds
	if none.Len() != 0 || none.Upper() != nil || !none.Equal(nil) {
		t.Error("nil bounds are not empty")
	}
	given := []float64{1, 2}
	kept, _ := model.NewBounds(given)
	if given[0] = 9; kept.Upper()[0] != 1 {
		t.Error("NewBounds keeps the caller's slice")
	}
	for _, bad := range [][]float64{{1, 1}, {2, 1}, {math.NaN()}, {1, math.NaN()}, {inf, inf}, {math.Copysign(0, -1), 0}} {
		if _, err := model.NewBounds(bad); err == nil {
			t.Errorf("NewBounds(%v): no error", bad)
		}
	}
}
