package e2e

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push/otlp"
)

const otlpPath = "/api/v1/otlp/v1/metrics"

// otlpFamilies are of all types, with starts, and exemplars after a time.
func otlpFamilies(t *testing.T, began, seen time.Time) []*model.Family {
	t.Helper()
	x := func(n int, v float64) model.Exemplar {
		return model.Exemplar{Labels: model.LabelsOf(map[string]string{"trace_id": fmt.Sprintf("%032x", n), "user": "u7"}), Value: v, Timestamp: model.TimestampOf(seen.Add(time.Duration(n) * time.Millisecond))}
	}
	point := func(f *model.Family, q model.Point) *model.Family { f.Append(q); return f }
	x1, x2 := x(1, 1), x(2, 0.25)
	bounds, err := model.NewBounds([]float64{0.5, 1, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	created := model.TimestampOf(began)
	native := &model.NativeHistogram{
		Schema: 2, ZeroThreshold: 1e-128, ZeroCount: 1, Count: 10, Sum: 21.5, Exemplars: []model.Exemplar{x(3, 3), x(4, 4)},
		PositiveSpans: []model.Span{{Offset: -1, Length: 2}, {Offset: 2, Length: 1}}, Positive: []float64{2, 1, 3},
		NegativeSpans: []model.Span{{Offset: 0, Length: 1}}, Negative: []float64{3},
	}
	return []*model.Family{
		point(&model.Family{Name: "requests", Help: "R.", Type: model.Counter}, model.Point{Labels: model.LabelPairs([]string{"path"}, []string{"a\"\\\nü"}), Has: model.PartTotal, Value: 7.5, Created: created, Exemplar: &x1}),
		point(&model.Family{Name: "sold_joules", Type: model.Counter, Unit: "joules"}, model.Point{Has: model.PartTotal, Value: 1e300}),
		point(&model.Family{Name: "heat_celsius", Help: "H.", Type: model.Gauge, Unit: "celsius"}, model.Point{Has: model.PartValue, Value: math.Inf(1)}),
		point(&model.Family{Name: "speed_bytes_per_second", Type: model.Gauge, Unit: "bytes_per_second"}, model.Point{Has: model.PartValue, Value: 5e-324}),
		point(&model.Family{Name: "full_ratio", Type: model.Gauge, Unit: "ratio"}, model.Point{Has: model.PartValue, Value: 0.5}),
		point(&model.Family{Name: "wait_seconds", Type: model.Summary, Unit: "seconds"}, model.Point{Has: model.Summary.Parts() &^ model.PartCreated, Created: created, Summary: &model.SummaryValue{Count: 3, Sum: 1.5, Quantiles: []model.Quantile{{Q: 0.5, V: 0.25}}}}),
		point(&model.Family{Name: "size", Type: model.Histogram}, model.Point{Has: model.Histogram.Parts() &^ model.PartCreated, Created: created, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 3, 4}, Count: 4, Sum: 9, Exemplars: []*model.Exemplar{&x2}}}),
		point(&model.Family{Name: "latency", Type: model.Histogram}, model.Point{Created: created, Histogram: &model.HistogramValue{Native: native}}),
		point(&model.Family{Name: "held", Type: model.GaugeHistogram}, model.Point{Has: model.GaugeHistogram.Parts(), Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 3, 4}, Count: 4, Sum: 9}}),
		point(&model.Family{Name: "build", Type: model.Info}, model.Point{Has: model.PartInfo, Value: 1, Info: model.LabelPairs([]string{"version"}, []string{"3"})}),
		point(&model.Family{Name: "mode", Type: model.StateSet}, model.Point{Has: model.PartValue, States: []model.State{{Name: "on", On: true}, {Name: "off"}}}),
		point(&model.Family{Name: "wörter.β", Type: model.Unknown}, model.Point{Labels: model.LabelPairs([]string{"a.b"}, []string{"c"}), Has: model.PartValue, Value: 1}),
	}
}

// A Prometheus 3 has all that it is sent by OTLP, under the names that it has, whether it
// adds suffixes or not; by default it changes some names.
func TestOTLPPrometheus3(t *testing.T) {
	for _, strategy := range []string{"NoTranslation", "NoUTF8EscapingWithSuffixes", "UnderscoreEscapingWithSuffixes"} {
		t.Run(strategy, func(t *testing.T) { otlpToPrometheus3(t, strategy) })
	}
}

func otlpToPrometheus3(t *testing.T, strategy string) {
	p := runPrometheusWith(t, requirePrometheus3(t), "otlp: {translation_strategy: "+strategy+"}\n", "--web.enable-otlp-receiver",
		"--enable-feature=exemplar-storage,created-timestamp-zero-ingestion,type-and-unit-labels")
	began := time.Now().Add(-10 * time.Minute).Truncate(time.Millisecond)
	seen := time.Now().Add(-time.Second).Truncate(time.Millisecond)
	families := otlpFamilies(t, began, seen)
	target, err := otlp.NewTarget(p.base+otlpPath, otlp.WithResource(map[string]string{"service.name": "shop", "service.namespace": "eu", "service.instance.id": "7", "zone": "ü"}), otlp.WithMaxBytes(2000))
	if err != nil {
		t.Fatal(err)
	}
	var times [2]int64
	for i := range times {
		before := time.Now().UnixMilli()
		if err := target.Push(t.Context(), these(families...)); err != nil {
			t.Fatal(err)
		}
		times[i] = p.pushed(t, before, time.Now().UnixMilli())
	}
	got := map[string]string{}
	for _, s := range p.all(t, "eu/shop") {
		name := s.Metric["__name__"]
		if s.Metric["instance"] != "7" {
			t.Errorf("the instance is %q", s.Metric["instance"])
		}
		for _, label := range []string{"__name__", "job", "instance"} {
			delete(s.Metric, label)
		}
		got[seriesKey(name, s.Metric)] = strings.Join(s.spelled(), ", ")
	}
	compareStored(t, got, otlpStored(families, strategy, began, times))
	found, err := p.exemplars(t.Context(), began)
	if err != nil {
		t.Fatal(err)
	}
	var exemplars []string
	for _, e := range found {
		n, err := strconv.ParseUint(e.labels["trace_id"], 16, 64)
		if err != nil || e.labels["user"] != "u7" || int64(math.Round(e.at*1000)) != seen.UnixMilli()+int64(n) {
			t.Errorf("the exemplar %+v was not sent", e)
		}
		exemplars = append(exemplars, fmt.Sprint(e.series["__name__"], e.series["le"], " ", e.value))
	}
	slices.Sort(exemplars)
	if got, want := strings.Join(exemplars, ", "), "latency 3, latency 4, requests_total 1, size_bucket0.5 0.25"; got != want {
		t.Errorf("exemplars %s\nwant %s", got, want)
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}

// pushed returns the time of the newest samples, which lies between two.
func (p *scraper) pushed(t *testing.T, before, after int64) (newest int64) {
	t.Helper()
	for _, s := range p.all(t, "eu/shop") {
		lines := s.spelled()
		_, at, _ := strings.Cut(lines[len(lines)-1], " at ")
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		newest = max(newest, n)
	}
	if newest < before || newest > after {
		t.Fatalf("the samples are of %d, sent from %d to %d", newest, before, after)
	}
	return newest
}

// otlpStored returns what Prometheus has of families that were sent at times.
func otlpStored(families []*model.Family, strategy string, began time.Time, times [2]int64) map[string]string {
	twice := func(value string) string {
		return fmt.Sprintf("%s at %d, %s at %d", value, times[0], value, times[1])
	}
	want := map[string]string{`target_info{"zone"="ü"}`: twice("1")}
	for _, f := range families {
		typ := f.Type.String()
		switch f.Type {
		case model.GaugeHistogram, model.Info, model.StateSet, model.Unknown:
			typ = "gauge" // OTLP has no such types, and Prometheus does not read the metadata that says so
		}
		for s := range f.Samples() {
			if strings.HasSuffix(s.Name, "_created") {
				continue
			}
			text, zero := twice(fmt.Sprint(s.Value)), fmt.Sprintf("0 at %d, ", began.UnixMilli())
			if s.NativeHistogram != nil { // Prometheus has the buckets in the order of their bounds
				text, zero = twice("count 10 sum 21.5 3 1 2 1 3"), fmt.Sprintf("count 0 sum 0 at %d, ", began.UnixMilli())
			}
			series := s.Labels.Map()
			if le := series["le"]; typ == "histogram" && le != "" {
				series["le"] = strings.TrimSuffix(le, ".0") // as OTLP's receiver spells it
			}
			series["__type__"] = typ
			if f.Unit != "" && f.Unit != "ratio" { // which is the unit 1
				series["__unit__"] = f.Unit
			}
			name := s.Name
			if strategy == "UnderscoreEscapingWithSuffixes" {
				name = otlpTranslated(name)
				if v, ok := series["a.b"]; ok {
					delete(series, "a.b")
					series["a_b"] = v
				}
			}
			if slices.Contains([]string{"requests", "wait_seconds", "size", "latency"}, f.Name) {
				text = zero + text
			}
			want[seriesKey(name, series)] = text
		}
	}
	return want
}

// otlpTranslated returns what Prometheus by default makes of names: it leaves out what is
// not ASCII, and adds what time a unit is for again.
func otlpTranslated(name string) string {
	switch name {
	case "wörter.β":
		return "w_rter"
	case "speed_bytes_per_second":
		return "speed_bytes_per_second_per_second"
	}
	return name
}

// compareStored compares series with all that is stored of them.
func compareStored(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s has %q, want %q", key, got[key], want[key])
		}
	}
	for key := range got {
		if want[key] == "" {
			t.Errorf("%s has %q, which was not sent", key, got[key])
		}
	}
}

// Prometheus is killed and started again while a sender runs: it has each sample once.
func TestOTLPThroughKills(t *testing.T) {
	throughKills(t, "--web.enable-otlp-receiver", func(c telltale.Collector, base string) (runner, error) {
		return otlp.NewSender(c, base+otlpPath, otlp.WithInterval(50*time.Millisecond), otlp.WithFlushTimeout(patience),
			otlp.WithRetry(5*time.Millisecond, 100*time.Millisecond), otlp.WithResource(map[string]string{"service.name": "j"}), otlp.WithErrorHook(func(error) {}))
	})
}
