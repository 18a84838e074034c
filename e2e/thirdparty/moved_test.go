package thirdparty

import (
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"telltale"
	"telltale/bridge/clientgolang"
	telltalecollectors "telltale/collectors"
	"telltale/scrapehttp"
)

// both registers with two registerers, so that one program's metrics are on the pages
// of two registries.
type both struct{ before, after prometheus.Registerer }

func (b both) Register(c prometheus.Collector) error {
	return errors.Join(b.before.Register(c), b.after.Register(c))
}

func (b both) MustRegister(cs ...prometheus.Collector) {
	b.before.MustRegister(cs...)
	b.after.MustRegister(cs...)
}

func (b both) Unregister(c prometheus.Collector) bool {
	before, after := b.before.Unregister(c), b.after.Unregister(c)
	return before && after
}

// strict returns a registry whose faults fail the test.
func strict(t *testing.T) *telltale.Registry {
	return telltale.NewRegistry(telltale.WithErrorHook(func(err error) { t.Error(err) }))
}

// The packages register with a telltale registry instead of client_golang's: its page
// has the same samples, and so has promhttp's page of the telltale registry.
func TestPackagesThatTakeARegisterer(t *testing.T) {
	old, reg := prometheus.NewRegistry(), strict(t)
	serve(t, both{old, clientgolang.Registerer(reg)})
	before := promhttp.HandlerFor(old, promhttp.HandlerOpts{EnableOpenMetrics: true})
	samePages(t, before, scrapehttp.Handler(reg), "provider_grpc_server_handled_total", "grpc_client_handled_total", "pgxpool_acquire_count", "go_sql_wait_count_total", "raft_apply", "raft_commit")
	samePages(t, before, promhttp.HandlerFor(clientgolang.ToGatherer(reg), promhttp.HandlerOpts{}), "raft_apply")
}

// What packages registered with the default registry by themselves is on a telltale
// page by one line, with the runtime's families from telltale's collectors.
func TestPackagesThatRegisterByImport(t *testing.T) {
	own := prometheus.NewRegistry()
	serve(t, own)
	reg := strict(t)
	if err := telltalecollectors.Register(reg); err != nil {
		t.Fatal(err)
	}
	for _, g := range []prometheus.Gatherer{prometheus.DefaultGatherer, own} {
		if err := reg.Register(clientgolang.FromGatherer(g)); err != nil {
			t.Fatal(err)
		}
	}
	before := promhttp.HandlerFor(prometheus.Gatherers{withoutRuntime{prometheus.DefaultGatherer}, own}, promhttp.HandlerOpts{})
	after := promhttp.HandlerFor(withoutRuntime{clientgolang.ToGatherer(reg)}, promhttp.HandlerOpts{})
	samePages(t, before, after, "grpc_server_handled_total", "grpc_server_started_total", "grpc_client_handled_total")
	page := string(body(t, scrapehttp.Handler(reg), textFormat))
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if n := strings.Count("\n"+page, "\n"+name+" "); n != 1 {
			t.Errorf("%d samples %s on the page, want 1", n, name)
		}
	}
}

// The functions of client_golang's testutil work on what has moved.
func TestTestutilOnMovedMetrics(t *testing.T) {
	reg := strict(t)
	serve(t, clientgolang.Registerer(reg))
	err := testutil.GatherAndCompare(clientgolang.ToGatherer(reg), strings.NewReader(`
		# HELP raft_apply raft_apply
		# TYPE raft_apply counter
		raft_apply{peer_id="a \"quoted\" \\ value"} 3
		# HELP pgxpool_acquire_count Cumulative count of successful acquires from the pool.
		# TYPE pgxpool_acquire_count counter
		pgxpool_acquire_count{db_name="orders"} 6
	`), "raft_apply", "pgxpool_acquire_count")
	if err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(clientgolang.ToGatherer(reg), "provider_grpc_server_started_total"); n != 3 || err != nil { // Check, List, Watch
		t.Errorf("%d methods of a server with three: %v", n, err)
	}
}

// withoutRuntime leaves out families that differ from scrape to scrape, or come from
// telltale's own collectors.
type withoutRuntime struct{ prometheus.Gatherer }

func (w withoutRuntime) Gather() ([]*dto.MetricFamily, error) {
	all, err := w.Gatherer.Gather()
	return slices.DeleteFunc(all, func(f *dto.MetricFamily) bool {
		name := f.GetName()
		return strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "go_sql_") ||
			strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "telltale_")
	}), err
}

const (
	textFormat     = "text/plain;version=0.0.4"
	protobufFormat = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// samePages fails the test if two pages differ in a sample, a type or a help text, or,
// in protobuf, in anything. Families of these names must be there.
func samePages(t *testing.T, before, after http.Handler, names ...string) {
	t.Helper()
	for _, format := range []string{textFormat, protobufFormat} {
		want, got := families(t, before, format), families(t, after, format)
		for _, name := range names {
			if want[name] == nil {
				t.Errorf("the page before has no %s", name)
			}
		}
		compareSamples(t, samples(t, got), samples(t, want))
		for name, w := range want {
			if g := got[name]; !proto.Equal(g, w) {
				t.Errorf("%s: the family is\n%s\nwas\n%s", format, prototext.Format(g), prototext.Format(w))
			}
		}
	}
}

func compareSamples(t *testing.T, got, want map[string]model.SampleValue) {
	t.Helper()
	for sample, w := range want {
		if g, ok := got[sample]; !ok || !g.Equal(w) {
			t.Errorf("%s is %v (%t), was %v", sample, g, ok, w)
		}
	}
	for sample := range got {
		if _, ok := want[sample]; !ok {
			t.Errorf("%s was not there", sample)
		}
	}
}

// samples returns the flat samples of families, as Prometheus's libraries expand them.
func samples(t *testing.T, all map[string]*dto.MetricFamily) map[string]model.SampleValue {
	t.Helper()
	flat := make(map[string]model.SampleValue)
	extracted, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, slices.Collect(maps.Values(all))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range extracted {
		flat[s.Metric.String()] = s.Value
	}
	if len(flat) < 20 {
		t.Errorf("only %d samples", len(flat))
	}
	return flat
}

// families returns what prometheus/common reads on the page of a handler. Series, and
// labels within them, are sorted: their order has no meaning. The bucket +Inf of a
// histogram, which client_golang leaves to the count in protobuf, is left out.
func families(t *testing.T, h http.Handler, format string) map[string]*dto.MetricFamily {
	t.Helper()
	decoder := expfmt.NewDecoder(strings.NewReader(string(body(t, h, format))), expfmt.NewFormat(map[string]expfmt.FormatType{
		textFormat: expfmt.TypeTextPlain, protobufFormat: expfmt.TypeProtoDelim}[format]))
	all := make(map[string]*dto.MetricFamily)
	for {
		f := new(dto.MetricFamily)
		err := decoder.Decode(f)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range f.Metric {
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
		}
		slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return strings.Compare(labels(a), labels(b)) })
		for _, m := range f.Metric {
			if b := m.Histogram.GetBucket(); len(b) > 0 && math.IsInf(b[len(b)-1].GetUpperBound(), 1) && b[len(b)-1].Exemplar == nil {
				if n := b[len(b)-1].GetCumulativeCount(); n != m.Histogram.GetSampleCount() {
					t.Errorf("%s: %d observations in all buckets, %d in all", f.GetName(), n, m.Histogram.GetSampleCount())
				}
				m.Histogram.Bucket = b[:len(b)-1]
			}
		}
		all[f.GetName()] = f
	}
}

func labels(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.Label {
		b.WriteString(l.GetName() + "\xff" + l.GetValue() + "\xff")
	}
	return b.String()
}

func body(t *testing.T, h http.Handler, accept string) []byte {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}
