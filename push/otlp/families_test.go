package otlp_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push/otlp"
)

var (
	created  = time.Unix(1_700_000_000, 123_456_789)
	exemplar = model.Exemplar{
		Labels: model.LabelsOf(map[string]string{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "user": "u7"}),
		Value:  0.4, Timestamp: model.Unix(1_700_000_001, 5),
	}
)

func with(f *model.Family, p model.Point) *model.Family {
	f.Append(p)
	return f
}

func newFamily(name string, typ model.Type) *model.Family {
	return must(model.NewFamily(name, "", typ))
}

// families are of all types.
func families() []*model.Family {
	counter := must(model.NewCounterFamily("requests", "All \"requests\".", model.WithLabelNames("path", "A", "empty")))
	fail(counter.Add([]string{"a\"\\\n", "x", ""}, 3, model.WithCreated(created), model.WithExemplar(exemplar)))
	fail(counter.Add([]string{strings.Repeat("long ", 60), "ü", ""}, 0.5, model.WithCreated(time.Now().Add(time.Hour))))
	gauge := must(model.NewGaugeFamily("speed_bytes_per_second", "Speed.", model.WithUnit("bytes_per_second")))
	fail(gauge.Add(nil, math.NaN()))
	unknown := must(model.NewUnknownFamily("what.ever", ""))
	fail(unknown.Add(nil, math.Inf(-1), model.WithTimestamp(created)))
	summary := must(model.NewSummaryFamily("wait_seconds", "Waits.", model.WithLabelNames("q"), model.WithUnit("seconds")))
	fail(summary.Add([]string{"z"}, 4, 2.5, []model.Quantile{{Q: 0.5, V: 1}, {Q: 1, V: 2}}, model.WithCreated(created)))
	older := exemplar
	older.Labels, older.Timestamp, older.Older = model.LabelsOf(map[string]string{"trace_id": "short"}), model.Unix(1_700_000_002, 0), &exemplar
	histogram := must(model.NewHistogramFamily("size_bytes", "Sizes.", model.WithLabelNames("zone")))
	fail(histogram.Add([]string{"eu"}, []model.Bucket{{Upper: 1, Cumulative: 2, Exemplar: &older}, {Upper: math.Inf(1), Cumulative: 3}}, model.WithSum(7), model.WithCreated(created)))
	native := &model.NativeHistogram{
		Schema: 3, ZeroThreshold: 0.25, ZeroCount: 1, Count: 10, Sum: 9, PositiveSpans: []model.Span{{Offset: -2, Length: 2}, {Offset: 3, Length: 1}}, Positive: []float64{2, 1, 2},
		NegativeSpans: []model.Span{{Offset: 4, Length: 1}}, Negative: []float64{4}, Exemplars: []model.Exemplar{exemplar},
	}
	custom := &model.NativeHistogram{
		Schema: model.CustomBucketsSchema, Count: 5, Sum: 9, PositiveSpans: []model.Span{{Offset: 0, Length: 1}, {Offset: 1, Length: 1}}, Positive: []float64{2, 3}, CustomBounds: []float64{1, 2},
	}
	bounds := must(model.NewBounds([]float64{0.5, 4}))
	both := &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 4}, Count: 10, Sum: 9, Native: native}
	held := must(model.NewGaugeHistogramFamily("held", "Held."))
	fail(held.Add(nil, []model.Bucket{{Upper: 1, Cumulative: 2}, {Upper: math.Inf(1), Cumulative: 3}}, model.WithSum(4)))
	info := must(model.NewInfoFamily("build", "Build."))
	fail(info.Add(nil, map[string]string{"version": "1"}))
	states := must(model.NewStateSetFamily("mode", "Mode.", model.WithLabelNames("of")))
	fail(states.Add([]string{"x"}, map[string]bool{"on": true, "off": false}))
	loose := newFamily("odd", model.Gauge)
	loose.AddSample("odd_other", map[string]string{"a": "b"}, 5)
	scoped := must(model.NewCounterFamily("lib", "Library.", model.WithLabelNames("otel_scope_name", "otel_scope_version", "otel_scope_schema_url", "otel_scope_team", "code")))
	fail(scoped.Add([]string{"lib", "v1", "https://s", "x", "200"}, 1))
	fail(scoped.Add([]string{"", "", "", "", "201"}, 2))
	fail(scoped.Add([]string{"", "v2", "", "", "202"}, 3))
	restricted, _ := histogram.Family().Restrict(func(name string) bool { return name == "size_bytes_count" })
	return []*model.Family{
		counter.Family(), gauge.Family(), unknown.Family(), summary.Family(), histogram.Family(),
		with(newFamily("latency_seconds", model.Histogram), model.Point{Created: model.TimestampOf(created), Histogram: &model.HistogramValue{Native: native}}),
		with(newFamily("custom", model.Histogram), model.Point{Histogram: &model.HistogramValue{Native: custom}}),
		with(newFamily("both", model.Histogram), model.Point{Has: model.Histogram.Parts(), Histogram: both}),
		held.Family(), info.Family(), states.Family(), loose, scoped.Family(), restricted.Renamed("restricted"),
	}
}

// unfit are families that OTLP cannot have, each of a data point.
func unfit() []*model.Family {
	broken := func(n model.NativeHistogram) model.Point {
		return model.Point{Histogram: &model.HistogramValue{Native: &n}}
	}
	falling := model.HistogramValue{Bounds: must(model.NewBounds([]float64{1, 2})), Cumulative: []float64{3, 2}, Count: 3}
	short := model.HistogramValue{Bounds: must(model.NewBounds([]float64{1, 2})), Cumulative: []float64{3}, Count: 3}
	return []*model.Family{
		with(newFamily("early", model.Gauge), model.Point{Has: model.PartValue, Timestamp: model.Unix(-5, 0)}),
		with(newFamily("late", model.Gauge), model.Point{Has: model.PartValue, Timestamp: model.Unix(1<<40, 0)}),
		with(newFamily("half", model.Summary), model.Point{Has: model.PartCount, Summary: &model.SummaryValue{Count: 0.5}}),
		with(newFamily("falling", model.Histogram), model.Point{Has: model.Histogram.Parts(), Histogram: &falling}),
		with(newFamily("short", model.Histogram), model.Point{Has: model.Histogram.Parts(), Histogram: &short}),
		with(newFamily("none", model.Histogram), model.Point{Has: model.Histogram.Parts()}),
		with(newFamily("float", model.Histogram), broken(model.NativeHistogram{Count: 2.5, PositiveSpans: []model.Span{{Length: 1}}, Positive: []float64{2.5}, IsFloat: true})),
		with(newFamily("spans", model.Histogram), broken(model.NativeHistogram{Count: 1, PositiveSpans: []model.Span{{Length: 1 << 31}}, Positive: []float64{1}})),
		with(newFamily("beyond", model.Histogram), broken(model.NativeHistogram{Count: 1, PositiveSpans: []model.Span{{Offset: math.MaxInt32, Length: 1}, {Offset: math.MaxInt32, Length: 1}}, Positive: []float64{1, 1}})),
		with(newFamily("bounds", model.Histogram), broken(model.NativeHistogram{Schema: model.CustomBucketsSchema, Count: 1, PositiveSpans: []model.Span{{Length: 9}}, Positive: []float64{1}})),
		with(newFamily("gauge", model.GaugeHistogram), broken(model.NativeHistogram{Count: 1, PositiveSpans: []model.Span{{Length: 1}}, Positive: []float64{1}})),
	}
}

// refused are families of which the collection leaves out the only series, because no page
// could have its labels.
func refused() []*model.Family {
	return []*model.Family{
		with(newFamily("name", model.Gauge), model.Point{Labels: model.LabelPairs([]string{"__name__"}, []string{"x"}), Has: model.PartValue}),
		with(newFamily("states", model.StateSet), model.Point{Labels: model.LabelPairs([]string{"states"}, []string{"x"}), Has: model.PartValue, States: []model.State{{Name: "on"}}}),
		with(newFamily("twice", model.Gauge), model.Point{Labels: model.LabelPairs([]string{"a", "a"}, []string{"x", "y"}), Has: model.PartValue}),
	}
}

// these is a collector of families.
func these(families ...*model.Family) telltale.Collector {
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range families {
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})
}

// nowOr spells a time, "now" if it is of this test.
func nowOr(at uint64) string {
	if t := time.Unix(0, int64(at)); t.Year() > 2025 {
		return "now"
	}
	return fmt.Sprint(at)
}

// All kinds of data points are sent, with all that they have.
func TestFamilies(t *testing.T) {
	for name, opts := range map[string][]otlp.TargetOption{
		"families":         nil,
		"families-classic": {otlp.WithClassicBuckets(), otlp.WithoutGzip()},
	} {
		b := newBackend(t)
		target := must(otlp.NewTarget(b.URL, append(opts, otlp.WithResource(map[string]string{"service.name": "shop", "service.instance.id": "7"}))...))
		if err := target.Push(t.Context(), these(families()...)); err != nil {
			t.Fatal(err)
		}
		b.check(t)
		var lines []string
		for _, data := range b.all {
			lines = append(lines, spell(data, nowOr)...)
		}
		checkGolden(t, name, strings.Join(lines, "\n")+"\n")
	}
}

// What OTLP cannot have is left out, counted and told, and costs nothing else. What the
// collection has left out is told.
func TestUnfit(t *testing.T) {
	skipped := unfit()
	for i, f := range append(skipped, refused()...) {
		b := newBackend(t)
		target := must(otlp.NewTarget(b.URL))
		err := target.Push(t.Context(), these(newFamily("empty", model.Gauge), f, with(newFamily("good", model.Gauge), model.Point{Has: model.PartValue, Value: 7})))
		if err == nil || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("%s: %v", f.Name, err)
		}
		if got := b.of("good{}"); len(got) != 1 || got[0].value != 7 || len(b.points) != 1 {
			t.Errorf("%s: received %v", f.Name, b.points)
		}
		reasons := health(t, target, "skipped_total", "invalid") + health(t, target, "skipped_total", "unsupported")
		if (reasons == 1) != (i < len(skipped)) {
			t.Errorf("%s: %v are counted as skipped", f.Name, reasons)
		}
		b.check(t)
	}
}

// health returns the value of a family of health, by result or reason, or in all.
func health(t *testing.T, of otlp.Observed, name, by string) float64 {
	t.Helper()
	sum := 0.0
	err := otlp.Health(of).Collect(t.Context(), func(f *model.Family) error {
		for s := range f.Samples() {
			result, _ := s.Labels.Get("result")
			reason, _ := s.Labels.Get("reason")
			if s.Name == "telltale_otlp_"+name && (by == "" || result == by || reason == by) {
				sum += s.Value
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
