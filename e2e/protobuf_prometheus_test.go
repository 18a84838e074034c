package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

// largeSeries is how many series a family has that takes several messages.
const largeSeries = 20_000

// TestPrometheusScrapesProtobuf has a Prometheus that asks for protobuf scrape
// native histograms and a family of several messages.
func TestPrometheusScrapesProtobuf(t *testing.T) {
	native := &model.Family{Name: "latency_seconds", Unit: "seconds", Help: "Time.", Type: model.Histogram}
	native.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
		Schema: 3, Count: 9, Sum: 12.5, ZeroThreshold: 1e-3, ZeroCount: 3, PositiveSpans: []model.Span{{Offset: -2, Length: 2}}, Positive: []float64{2, 4},
	}}})
	large := &model.Family{Name: "large", Type: model.Counter}
	for i := range largeSeries {
		large.Append(model.Point{Labels: model.LabelsOf(map[string]string{"series": fmt.Sprintf("%d of %s", i, strings.Repeat("many ", 10))}), Has: model.PartTotal, Value: 2})
	}
	registry := telltale.NewRegistry()
	for _, f := range []*model.Family{native, large} {
		if err := registry.Register(&ready{f}); err != nil {
			t.Fatal(err)
		}
	}
	telltale.Must(telltale.NewCounter("requests", "Requests.", telltale.In(registry))).Add(3)
	var inProtobuf, otherwise atomic.Int64
	pages := scrapehttp.Handler(registry)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(w, r)
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/vnd.google.protobuf") {
			inProtobuf.Add(1)
		} else {
			otherwise.Add(1)
		}
	}))
	defer server.Close()
	p := startPrometheus(t, strings.TrimPrefix(server.URL, "http://"), "/metrics", "native-histograms")
	for expression, want := range map[string]float64{
		`histogram_count(latency_seconds)`: 9,
		`histogram_sum(latency_seconds)`:   12.5,
		`count(large_total)`:               largeSeries,
		`sum(large_total)`:                 2 * largeSeries,
		`requests_total`:                   3,
	} {
		var got float64
		p.await(t, expression, func(ctx context.Context) bool {
			var found bool
			got, found = p.number(ctx, expression)
			return found && got == want
		})
	}
	if inProtobuf.Load() == 0 || otherwise.Load() > 0 {
		t.Errorf("%d scrapes in protobuf, %d in other formats", inProtobuf.Load(), otherwise.Load())
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}
