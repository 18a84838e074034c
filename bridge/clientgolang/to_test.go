package clientgolang_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/model"
	"telltale/scrapehttp"
)

// instruments returns a telltale registry with an instrument of each type.
func instruments(t testing.TB) *telltale.Registry {
	t.Helper()
	reg, _ := registryWith(t)
	in := telltale.In(reg)
	counters := telltale.Must(telltale.NewCounterVec("z_requests", "Requests.", []string{"path", "code"}, in))
	gauges := telltale.Must(telltale.NewGaugeVec("temperature", "A\nhelp.", []string{"room"}, in, telltale.WithUnit("celsius")))
	dotted := telltale.Must(telltale.NewGaugeVec("queue.length", "Needs quotes.", []string{"queue.name"}, in))
	classic := telltale.Must(telltale.NewHistogramVec("latency_seconds", "Classic.", []string{"path"}, in))
	native := telltale.Must(telltale.NewHistogramVec("native_seconds", "Native.", []string{"path"}, in, telltale.WithNativeBuckets(1.1)))
	summary := telltale.Must(telltale.NewSummary("rpc_seconds", "Summary.", in, telltale.WithQuantiles(0.5, 0.9)))
	telltale.Must(telltale.NewEnum("door", "State set.", []string{"open", "shut"}, in))
	_ = telltale.Must(telltale.NewInfo("build", "Info.", in)).Set(map[string]string{"version": "1.2"})
	for i, v := range hostile {
		counters.With(v, fmt.Sprint(i)).Add(float64(i))
		_ = counters.With("x", v).AddWithExemplar(2, map[string]string{"trace_id": "abc"})
		gauges.With(v).Set(float64(-i))
		dotted.With(v).Set(1)
		classic.With(v).Observe(float64(i))
		native.With(v).Observe(float64(i) - 2)
		summary.Observe(float64(i))
	}
	return reg
}

func gather(t testing.TB, g prometheus.Gatherer) []*dto.MetricFamily {
	t.Helper()
	got, err := g.Gather()
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestPromhttpServesATelltaleRegistry(t *testing.T) {
	for name, accept := range accepts {
		t.Run(name, func(t *testing.T) {
			reg := instruments(t)
			comparePages(t, page(t, promhttp.HandlerFor(clientgolang.ToGatherer(reg), promhttp.HandlerOpts{}), accept), page(t, scrapehttp.Handler(reg), accept))
		})
	}
}

func TestThereAndBack(t *testing.T) {
	for name, accept := range accepts {
		t.Run(name, func(t *testing.T) {
			from := corpus(t, 11)
			reg, _ := registryWith(t, clientgolang.FromGatherer(from))
			back := promhttp.HandlerFor(clientgolang.ToGatherer(reg), promhttp.HandlerOpts{})
			comparePages(t, page(t, back, accept), page(t, promhttp.HandlerFor(from, promhttp.HandlerOpts{}), accept))
		})
	}
}

// The order of families, series and labels is client_golang's own, which sorts what
// its registries gather.
func TestOrder(t *testing.T) {
	reg, sorts := instruments(t), prometheus.NewRegistry()
	unsorted := telltale.Must(telltale.NewGaugeVec("a_last", "Not sorted.", []string{"z", "a"}, telltale.In(reg)))
	if err := unsorted.Init([]string{"1", "2"}, []string{"2", "1"}, []string{"0", "3"}, []string{"3", "0"}); err != nil {
		t.Fatal(err)
	}
	sorts.MustRegister(clientgolang.ToCollector(reg))
	got, want := gather(t, clientgolang.ToGatherer(reg)), gather(t, sorts)
	if len(got) != len(want) {
		t.Fatalf("%d families, want %d", len(got), len(want))
	}
	key := func(m *dto.Metric) string { return fmt.Sprint(m.Label) }
	for i := range want {
		if got[i].GetName() != want[i].GetName() || !slices.EqualFunc(got[i].Metric, want[i].Metric, func(a, b *dto.Metric) bool { return key(a) == key(b) }) {
			t.Errorf("family %d is in another order:\n%v\n%v", i, got[i], want[i])
		}
	}
}

func TestRegistriesOfClientGolangTakeATelltaleRegistry(t *testing.T) {
	for name, accept := range accepts {
		t.Run(name, func(t *testing.T) {
			reg, to := instruments(t), prometheus.NewPedanticRegistry()
			to.MustRegister(clientgolang.ToCollector(reg))
			comparePages(t, page(t, promhttp.HandlerFor(to, promhttp.HandlerOpts{}), accept), page(t, scrapehttp.Handler(reg), accept))
		})
	}
}

func TestTestutil(t *testing.T) {
	reg, _ := registryWith(t)
	c := telltale.Must(telltale.NewCounterVec("jobs", "Jobs.", []string{"kind"}, telltale.In(reg)))
	c.With("b").Add(2)
	c.With("a").Inc()
	want := "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{kind=\"a\"} 1\njobs_total{kind=\"b\"} 2\n"
	if err := testutil.GatherAndCompare(clientgolang.ToGatherer(reg), strings.NewReader(want), "jobs_total"); err != nil {
		t.Error(err)
	}
	if err := testutil.CollectAndCompare(clientgolang.ToCollector(c), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if err := testutil.GatherAndCompare(clientgolang.ToGatherer(reg), strings.NewReader(strings.Replace(want, "2", "3", 1))); err == nil {
		t.Error("another value is not noticed")
	}
	if n, err := testutil.GatherAndCount(clientgolang.ToGatherer(reg)); n != 2 || err != nil {
		t.Errorf("%d series, error %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(clientgolang.ToGatherer(reg)); len(problems) > 0 || err != nil {
		t.Errorf("lint %v, error %v", problems, err)
	}
	only := telltale.Must(telltale.NewGauge("depth", "Depth.", telltale.Unregistered()))
	only.Set(7)
	if v := testutil.ToFloat64(clientgolang.ToCollector(only)); v != 7 {
		t.Errorf("value %v", v)
	}
}

// spoilt emits a good family, then what client_golang does not take, then fails.
var spoilt = telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
	f := &model.Family{Name: "values", Type: model.Gauge}
	for _, l := range []model.Labels{
		model.LabelPairs([]string{"a", "a"}, []string{"1", "2"}), model.LabelPairs([]string{"b", "a"}, []string{"x", "y"}),
		model.LabelPairs([]string{"a", "b"}, []string{"y", "x"}), model.LabelPairs([]string{"a"}, []string{"\xff"}),
	} {
		f.Append(model.Point{Labels: l, Has: model.PartValue, Value: 1})
	}
	if err := emit(f); err != nil {
		return err
	}
	panic("half way")
})

// What client_golang's model cannot hold is counted and told like other faults.
func TestWhatTheModelCannotHoldIsTold(t *testing.T) {
	var told []string
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { told = append(told, err.Error()) }))
	f := &model.Family{Name: "a", Type: model.Histogram}
	f.AddSample("a_odd", nil, 1)
	if err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return emit(f) })); err != nil {
		t.Fatal(err)
	}
	if _, err := clientgolang.ToGatherer(reg).Gather(); err != nil {
		t.Fatal(err)
	}
	if n := reg.Stats().Faults[telltale.ReasonFormat]; n != 1 || len(told) != 1 || !strings.Contains(told[0], `sample "a_odd" of family "a" was left out of a page in client_golang's model`) {
		t.Errorf("%d faults are counted, the hook heard %q", n, told)
	}
}

func TestSpoiltFamiliesAreGathered(t *testing.T) {
	got, err := clientgolang.ToGatherer(spoilt).Gather()
	if err == nil || !strings.Contains(err.Error(), "half way") || !strings.Contains(err.Error(), `has the label "a" twice`) {
		t.Errorf("error %v", err)
	}
	if len(got) != 1 || len(got[0].Metric) != 2 {
		t.Errorf("gathered %v", got)
	}
	to := prometheus.NewRegistry()
	to.MustRegister(clientgolang.ToCollector(spoilt))
	if got, err := to.Gather(); len(got) != 1 || err == nil || !strings.Contains(err.Error(), "half way") {
		t.Errorf("through a registry: %v, error %v", got, err)
	}
	if _, err := clientgolang.ToGatherer(nil).Gather(); err == nil {
		t.Error("a nil collector is no error")
	}
}

func TestHungCollectorsDoNotHoldGather(t *testing.T) { synctest.Test(t, hungInGather) }

// hungInGather is in a bubble, whose time goes on when all wait but for the time.
func hungInGather(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hung := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { <-release; return nil })
	reg, faults := registryWith(t, hung)
	telltale.Must(telltale.NewGauge("good", "", telltale.In(reg)))
	if got := gather(t, clientgolang.ToGatherer(reg, clientgolang.WithTimeout(50*time.Millisecond))); len(got) != 1 || got[0].GetName() != "good" {
		t.Errorf("gathered %v", got)
	}
	if len(faults.all()) == 0 {
		t.Error("no fault")
	}
}

// Each of two registries has the other.
func TestCyclesEnd(t *testing.T) {
	theirs := prometheus.NewRegistry()
	theirs.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "theirs"}))
	reg, _ := registryWith(t, clientgolang.FromGatherer(theirs))
	telltale.Must(telltale.NewGauge("ours", "", telltale.In(reg)))
	theirs.MustRegister(clientgolang.ToCollector(reg, clientgolang.WithTimeout(100*time.Millisecond)))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var names []string
	if err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil }); err != nil || !slices.Contains(names, "ours") || !slices.Contains(names, "theirs") {
		t.Errorf("families %q, error %v", names, err)
	}
}

// A family beyond the size of a message of the format is one family.
func TestLargeFamilies(t *testing.T) {
	reg, _ := registryWith(t)
	vec := telltale.Must(telltale.NewGaugeVec("large", "", []string{"a"}, telltale.In(reg)))
	const series = 3000
	for i := range series {
		vec.With(fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1000))).Set(1)
	}
	got := gather(t, clientgolang.ToGatherer(reg))
	if len(got) != 1 || len(got[0].Metric) != series {
		t.Errorf("%d families", len(got))
	}
}

func TestConcurrentGathering(t *testing.T) {
	from := corpus(t, 3)
	reg, _ := registryWith(t, clientgolang.FromGatherer(from))
	to := prometheus.NewRegistry()
	to.MustRegister(clientgolang.ToCollector(reg))
	errs := make(chan error, 4)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				if got, err := to.Gather(); err != nil || len(got) < 10 {
					errs <- errors.Join(err, fmt.Errorf("%d families", len(got)))
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}
