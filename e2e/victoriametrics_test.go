package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"telltale/model"
	"telltale/push/remotewrite"
)

// A current VictoriaMetrics answers a request of remote write 2.0 with success and stores
// nothing. It has all that it is sent even so, because the sender turns to 1.0.
func TestRemoteWriteVictoriaMetrics(t *testing.T) {
	program := requireBuilt(t, "victoriametrics", "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics")
	p, base := server(t, "VictoriaMetrics", program, "/health", func(address string) []string {
		return []string{"-storageDataPath=" + t.TempDir(), "-httpListenAddr=" + address, "-loggerLevel=WARN", "-memory.allowedBytes=128MB"}
	})
	bounds, err := model.NewBounds([]float64{0.5, 2})
	if err != nil {
		t.Fatal(err)
	}
	point := func(f *model.Family, q model.Point) *model.Family { f.Append(q); return f }
	families := []*model.Family{
		point(&model.Family{Name: "requests", Type: model.Counter}, model.Point{Labels: model.LabelPairs([]string{"path"}, []string{"a\"\\\nü"}), Has: model.PartTotal, Value: 7.5, Created: model.Unix(1.7e9, 0)}),
		point(&model.Family{Name: "heat", Type: model.Gauge}, model.Point{Has: model.PartValue, Value: -3}),
		point(&model.Family{Name: "size", Type: model.Histogram}, model.Point{Has: model.Histogram.Parts() &^ model.PartCreated, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1, 4}, Count: 5, Sum: 9}}),
		point(&model.Family{Name: "wait", Type: model.Summary}, model.Point{Has: model.Summary.Parts() &^ model.PartCreated, Summary: &model.SummaryValue{Count: 3, Sum: 1.5, Quantiles: []model.Quantile{{Q: 0.5, V: 0.25}}}}),
	}
	want := map[string]string{
		"requests_total" + labelText(map[string]string{"path": "a\"\\\nü"}): "7.5", "heat{}": "-3",
		`size_bucket{"le"="0.5"}`: "1", `size_bucket{"le"="2.0"}`: "4", `size_bucket{"le"="+Inf"}`: "5", "size_count{}": "5", "size_sum{}": "9",
		`wait{"quantile"="0.5"}`: "0.25", "wait_count{}": "3", "wait_sum{}": "1.5",
	}
	export := func(job string) map[string]string {
		t.Helper()
		for _, path := range []string{"/internal/force_flush", "/api/v1/export?match[]=" + url.QueryEscape(fmt.Sprintf("{job=%q}", job))} {
			body, err := get(t.Context(), base+path, "")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(path, "export") {
				continue
			}
			found := map[string]string{}
			decoder := json.NewDecoder(strings.NewReader(string(body)))
			for decoder.More() {
				var s struct {
					Metric map[string]string
					Values []json.Number
				}
				if err := decoder.Decode(&s); err != nil {
					t.Fatal(err)
				}
				name := s.Metric["__name__"]
				delete(s.Metric, "__name__")
				delete(s.Metric, "job")
				found[name+labelText(s.Metric)] = fmt.Sprint(s.Values)
			}
			return found
		}
		return nil
	}
	// By 2.0 alone the sender says that nothing is stored, instead of losing it in silence.
	target, err := remotewrite.NewTarget(base+"/api/v1/write", remotewrite.WithVersion(remotewrite.Version2), remotewrite.WithLabels(map[string]string{"job": "two"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Push(t.Context(), these(families...)); err == nil {
		t.Error("by version 2.0 alone there is no error")
	}
	sendOnce(t, these(families...), base+"/api/v1/write", remotewrite.WithLabels(map[string]string{"job": "found out"}))
	var got map[string]string
	p.await(t, "to show what it was sent", func(context.Context) bool {
		got = export("found out")
		return len(got) >= len(want)
	})
	for series, value := range want {
		if got[series] != "["+value+"]" {
			t.Errorf("%s has %s, want [%s]", series, got[series], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("there are %d series, want %d: %v", len(got), len(want), got)
	}
	if two := export("two"); len(two) != 0 {
		t.Errorf("what was sent by version 2.0 is stored: %v; the sender need not take its answer for a failure", two)
	}
}
