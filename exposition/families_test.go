package exposition_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"telltale/model"
)

var (
	moment = time.Unix(1_700_000_000, 123_456_789)
	before = time.Unix(-1, 500_000_000) // half a second before the epoch
)

// families is what the golden files show: every type, and what is peculiar.
func families(t testing.TB) []*model.Family {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []*model.Family
	family := func(name, help string, typ model.Type, opts ...model.FamilyOption) *model.Family {
		t.Helper()
		f, err := model.NewFamily(name, help, typ, opts...)
		must(err)
		all = append(all, f)
		return f
	}
	trace := &model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": "abc"}), Value: 1, Timestamp: model.TimestampOf(moment)}

	// Plain types.
	requests := family("requests_total", "Requests served.\nA \\ and a \" stand here.", model.Counter)
	requests.Append(model.Point{
		Labels: model.LabelPairs([]string{"method", "path"}, []string{"GET", "/a\\b\"c\nd"}), Has: model.PartTotal,
		Value: 1027, Exemplar: trace, Created: model.TimestampOf(moment),
	})
	requests.Append(model.Point{
		Labels: model.LabelPairs([]string{"method", "path"}, []string{"POST", "ü,=}#"}), Has: model.PartTotal,
		Value: 12345678, Timestamp: model.TimestampOf(moment), Exemplar: &model.Exemplar{Value: 0.5},
	})
	received, err := model.NewCounterFamily("received", "Counted in a unit.", model.WithUnit("bytes"), model.WithValue(3))
	must(err)
	all = append(all, received.Family())
	temperature := family("temperature_celsius", "", model.Gauge, model.WithUnit("celsius"))
	for i, v := range []float64{-1e7, 0.1, math.Copysign(0, -1), math.NaN(), math.Inf(-1)} {
		temperature.Append(model.Point{Labels: model.LabelPairs([]string{"room"}, []string{string(rune('a' + i))}), Has: model.PartValue, Value: v})
	}
	temperature.AddSample("temperature_celsius", nil, 20, model.WithTimestamp(before))
	family("unused", "A family without series.", model.Gauge)
	unknown := family("seconds", "The whole name is the unit.", model.Unknown, model.WithUnit("seconds"))
	unknown.AddSample("seconds", nil, 1)
	summary, err := model.NewSummaryFamily("latency_seconds", "Quantiles.", model.WithUnit("seconds"), model.WithLabelNames("code"))
	must(err)
	must(summary.Add([]string{"200"}, 17, 324.5, []model.Quantile{{Q: 0.5, V: 1}, {Q: 1, V: math.NaN()}}, model.WithCreated(moment)))
	must(summary.Add([]string{"500"}, 0, 0, nil))
	all = append(all, summary.Family())

	// Histograms.
	histogram, err := model.NewHistogramFamily("size_bytes", "Buckets.", model.WithUnit("bytes"), model.WithLabelNames("code"))
	must(err)
	buckets := []model.Bucket{{Upper: 1, Cumulative: 1, Exemplar: trace}, {Upper: 2.5, Cumulative: 1}, {Upper: math.Inf(1), Cumulative: 3}}
	must(histogram.Add([]string{"200"}, buckets, model.WithSum(7.5), model.WithCreated(moment)))
	must(histogram.Add([]string{"500"}, buckets))
	all = append(all, histogram.Family())
	must(histogram.Add([]string{"native"}, nil, model.WithNative(&model.NativeHistogram{
		Schema: 3, ZeroThreshold: 1e-128, ZeroCount: 1, Count: 4, Sum: 2,
		PositiveSpans: []model.Span{{Offset: -2, Length: 1}, {Offset: 1, Length: 1}}, Positive: []float64{2, 1},
	})))
	negative := family("drift", "Bounds below zero.", model.Histogram)
	bounds, err := model.NewBounds([]float64{-1, 1})
	must(err)
	negative.Append(model.Point{
		Has:       model.PartBucket | model.PartCount | model.PartSum,
		Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 2}, Count: 3, Sum: -4},
	})
	waiting, err := model.NewGaugeHistogramFamily("waiting", "It may shrink.", model.WithLabelNames("queue"))
	must(err)
	must(waiting.Add([]string{"a"}, buckets, model.WithSum(2)))
	below := []model.Bucket{{Upper: -1, Cumulative: 1}, {Upper: math.Inf(1), Cumulative: 2}}
	must(waiting.Add([]string{"b"}, below, model.WithSum(-2)))
	all = append(all, waiting.Family())

	// Infos and state sets.
	info, err := model.NewInfoFamily("build", "Of this binary.", model.WithLabelNames("arch"))
	must(err)
	must(info.Add([]string{"amd64"}, map[string]string{"version": "1.0", "branch": "HEAD"}))
	all = append(all, info.Family())
	states, err := model.NewStateSetFamily("feature", "States.", model.WithLabelNames("env"))
	must(err)
	must(states.Add([]string{"prod"}, map[string]bool{"a": true, "b\n": false}))
	all = append(all, states.Family())

	// Literal families, restrictions and loose samples.
	connections := family("connections", "A counter without _total.", model.Counter)
	connections.AddSample("connections", nil, 2, model.WithExemplar(*trace))
	all = append(all, info.Family().Literal())
	all[len(all)-1].Name = "runtime_info"
	restricted := func(f *model.Family, name string, wanted ...string) {
		t.Helper()
		c := f.Clone()
		c.Name = name
		r, _ := c.Restrict(func(name string) bool {
			for _, w := range wanted {
				if name == w {
					return true
				}
			}
			return false
		})
		all = append(all, r)
	}
	restricted(histogram.Family(), "only_count_bytes", "only_count_bytes_count")
	restricted(histogram.Family(), "only_buckets_bytes", "only_buckets_bytes_bucket")
	restricted(waiting.Family(), "only_gcount", "only_gcount_gcount", "only_gcount_gsum")
	restricted(requests, "only_created", "only_created_created")
	restricted(requests, "nothing", "else")
	odd := family("odd", "Samples that do not fit.", model.Gauge)
	odd.AddSample("odd", nil, 1)
	odd.AddSample("odd_max", map[string]string{"le": "x"}, 2, model.WithTimestamp(moment))
	odd.AddSample("odd", map[string]string{"with": "exemplar"}, 3, model.WithExemplar(*trace))
	open := family("open_ended", "Buckets without +Inf.", model.Histogram)
	open.AddSample("open_ended_bucket", map[string]string{"le": "1"}, 1)
	open.AddSample("open_ended_count", nil, 2)
	open.AddSample("open_ended_sum", nil, 3)

	// Names outside the legacy set.
	dotted := family("my.metric", "Named in UTF-8.", model.Counter, model.WithUnit("seconds"))
	dotted.Append(model.Point{Labels: model.LabelPairs([]string{"http.status", "plain"}, []string{"200", "x"}), Has: model.PartTotal, Value: 1, Exemplar: trace})
	dotted.Append(model.Point{Has: model.PartTotal, Value: 2, Exemplar: &model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace.id": "d"}), Value: 2}})
	clash := family("my/metric", "Becomes my_metric, too.", model.Counter, model.WithUnit("seconds"))
	clash.AddSample("my/metric_seconds_total", nil, 3)
	labels := family("labels", "Label names that become equal.", model.Gauge)
	labels.AddSample("labels", map[string]string{"a.b": "1", "a/b": "2", "a_b": "3", "c": "4"}, 1)
	recording := family("job:up:sum", "A colon is legal here, in a label it is not.", model.StateSet)
	recording.Append(model.Point{Has: model.PartValue, States: []model.State{{Name: "on", On: true}}})
	fireworks, err := model.NewHistogramFamily("x花火\n\"", "Quotes in a name.", model.WithLabelNames("x1.st"))
	must(err)
	must(fireworks.Add([]string{"a"}, buckets, model.WithSum(1)))
	all = append(all, fireworks.Family())
	described := family("gc.info", "An info.", model.Info)
	described.Append(model.Point{Has: model.PartInfo, Value: 1, Info: model.LabelsOf(map[string]string{"go.version": "1.26"})})

	// What bypassed every check.
	all = append(all, &model.Family{Name: "bad\xff\nname", Help: "bad\xff\nhelp", Unit: "a\nb", Type: 99}, &model.Family{})
	long := family("long", "An exemplar with too much to say.", model.Counter)
	for _, n := range []int{128, 129} {
		e := &model.Exemplar{Labels: model.LabelsOf(map[string]string{"x": strings.Repeat("ü", n-2) + "\""}), Value: 1}
		long.Append(model.Point{Labels: model.LabelPairs([]string{"n"}, []string{model.FormatValue(float64(n))}), Has: model.PartTotal, Value: 1, Exemplar: e})
	}
	return all
}
