package remotewrite_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push/remotewrite"
)

var (
	created  = time.UnixMilli(1_700_000_000_123)
	exemplar = model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": "t1"}), Value: 0.4, Timestamp: model.Unix(1_700_000_001, 0)}
)

// families are of all types.
func families() []*model.Family {
	counter := must(model.NewCounterFamily("requests", "All \"requests\".", model.WithLabelNames("path", "A", "empty")))
	fail(counter.Add([]string{"a\"\\\n", "x", ""}, 3, model.WithCreated(created), model.WithExemplar(exemplar)))
	gauge := must(model.NewGaugeFamily("temp_celsius", "Heat.", model.WithLabelNames("job"), model.WithUnit("celsius")))
	fail(gauge.Add([]string{"own"}, math.NaN()))
	unknown := must(model.NewUnknownFamily("what.ever", ""))
	fail(unknown.Add(nil, math.Inf(-1)))
	summary := must(model.NewSummaryFamily("wait_seconds", "Waits.", model.WithLabelNames("q")))
	fail(summary.Add([]string{"z"}, 4, 2.5, []model.Quantile{{Q: 0.5, V: 1}, {Q: 1, V: 2}}, model.WithCreated(created)))
	older := exemplar
	older.Timestamp, older.Older = model.Unix(1_700_000_002, 0), &exemplar
	histogram := must(model.NewHistogramFamily("size_bytes", "Sizes.", model.WithLabelNames("zone")))
	fail(histogram.Add([]string{"eu"}, []model.Bucket{{Upper: 1, Cumulative: 2, Exemplar: &older}, {Upper: math.Inf(1), Cumulative: 3}}, model.WithSum(7), model.WithCreated(created)))
	native := must(model.NewFamily("latency_seconds", "Latency.", model.Histogram))
	native.Append(model.Point{Created: model.TimestampOf(created), Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
		Schema: 3, ZeroThreshold: 0.25, ZeroCount: 1, Count: 6, Sum: 9, PositiveSpans: []model.Span{{Offset: -2, Length: 2}, {Offset: 3, Length: 1}}, Positive: []float64{2, 1, 2},
		Exemplars: []model.Exemplar{exemplar},
	}}})
	custom := must(model.NewFamily("custom", "Custom.", model.GaugeHistogram))
	custom.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
		Schema: model.CustomBucketsSchema, Count: 2.5, Sum: 9, PositiveSpans: []model.Span{{Offset: 0, Length: 2}}, Positive: []float64{2, 0.5}, CustomBounds: []float64{1, 2}, IsFloat: true,
	}}})
	info := must(model.NewInfoFamily("build", "Build."))
	fail(info.Add(nil, map[string]string{"version": "1"}))
	states := must(model.NewStateSetFamily("mode", "Mode."))
	fail(states.Add(nil, map[string]bool{"on": true, "off": false}))
	loose := must(model.NewFamily("odd", "Odd.", model.Gauge))
	loose.AddSample("odd_other", map[string]string{"a": "b"}, 5)
	wrong := must(model.NewFamily("wrong", "", model.Histogram))
	wrong.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{Schema: 99}}})
	clash := must(model.NewFamily("clash", "", model.Gauge))
	clash.Append(model.Point{Labels: model.LabelPairs([]string{"__name__"}, []string{"x"}), Has: model.PartValue})
	return []*model.Family{counter.Family(), gauge.Family(), unknown.Family(), summary.Family(), histogram.Family(), native, custom, info.Family(), states.Family(), loose, wrong, clash}
}

func fail(err error) {
	if err != nil {
		panic(err)
	}
}

// All kinds of series are sent, with all that they have, once and sorted.
func TestFamilies(t *testing.T) {
	for _, version := range []remotewrite.Version{remotewrite.Version2, remotewrite.Version1} {
		b := newBackend(t)
		c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			for _, f := range families() {
				if err := emit(f); err != nil {
					return err
				}
			}
			return nil
		})
		s := start(t, c, b.URL, remotewrite.WithLabels(map[string]string{"job": "j", "host": "h"}), remotewrite.WithVersion(version), remotewrite.WithoutLastMarkers(), remotewrite.WithShards(3))
		await(t, "samples", func() bool { return len(b.of(`__name__="build_info",host="h",job="j",version="1"`)) > 2 })
		if err := s.end(t); err != nil {
			t.Fatal(err)
		}
		b.check(t)
		var got []string
		for name, all := range b.series {
			p := all[0]
			line := name + " "
			if p.text != "" {
				line += fmt.Sprintf("%s sum %v", p.text, math.Float64frombits(p.bits))
			} else {
				line += model.FormatValue(math.Float64frombits(p.bits))
			}
			if p.start != 0 {
				line += fmt.Sprint(" since ", p.start)
			}
			if len(p.exemplars) > 0 {
				line += fmt.Sprint(" ", p.exemplars)
			}
			if len(all[1].exemplars) > 0 {
				line += " and again"
			}
			got = append(got, line)
		}
		slices.Sort(got)
		checkGolden(t, "families-"+string(version), strings.Join(got, "\n")+"\n\n"+metadata(b))
		if n := s.health(t, "skipped_total", ""); n == 0 {
			t.Error("nothing counts as skipped")
		}
	}
}

func metadata(b *backend) string {
	var all []string
	for name, m := range b.metadata {
		all = append(all, name+" "+fmt.Sprintf("%q", m))
	}
	slices.Sort(all)
	return strings.Join(all, "\n") + "\n"
}
