package clientgolang_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/collectors"
	"telltale/model"
	"telltale/scrapehttp"
)

var positiveInfinity = math.Inf(1)

// faults are what a registry reports.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *faults) all() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// registryWith returns a telltale registry with the collectors, and its faults.
func registryWith(t testing.TB, cs ...telltale.Collector) (*telltale.Registry, *faults) {
	t.Helper()
	var f faults
	reg := telltale.NewRegistry(telltale.WithErrorHook(f.add))
	for _, c := range cs {
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	return reg, &f
}

func families(t testing.TB, c telltale.Collector) (names []string) {
	t.Helper()
	if err := c.Collect(context.Background(), func(f *model.Family) error {
		names = append(names, f.Name)
		return nil
	}); err != nil {
		t.Error(err)
	}
	return names
}

func TestPagesOfGatherersAreThoseOfPromhttp(t *testing.T) {
	for name, accept := range accepts {
		for seed := range uint64(3) {
			t.Run(name, func(t *testing.T) {
				t.Log("seed", seed)
				from := corpus(t, seed)
				reg, faults := registryWith(t, clientgolang.FromGatherer(from))
				comparePages(t, page(t, scrapehttp.Handler(reg), accept), page(t, promhttp.HandlerFor(from, promhttp.HandlerOpts{}), accept))
				if all := faults.all(); len(all) > 0 {
					t.Errorf("faults %v", all)
				}
			})
		}
	}
}

// Lent families, for which there is no room to copy them, are the same.
// With short bounds the text page has the very series of promhttp's, as Prometheus before
// version 3 stores them.
func TestShortBoundsAreThoseOfPromhttp(t *testing.T) {
	from := prometheus.NewRegistry()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "H.", Buckets: []float64{-1, 0, 0.25, 1, 2.5, 10, 1e5, 1e6, 12345678, 1e21}})
	s := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Help: "S.", Objectives: map[float64]float64{0: 0, 0.5: 0.1, 1: 0}})
	from.MustRegister(h, s)
	s.Observe(1)
	reg, _ := registryWith(t, clientgolang.FromGatherer(from))
	series := func(h http.Handler) (all []string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for line := range strings.Lines(w.Body.String()) {
			all = append(all, line[:strings.LastIndex(line, " ")])
		}
		slices.Sort(all)
		return all
	}
	got, want := series(scrapehttp.Handler(reg, scrapehttp.WithShortBounds())), series(promhttp.HandlerFor(from, promhttp.HandlerOpts{}))
	if !slices.Equal(got, want) {
		t.Errorf("series\n%q, want\n%q", got, want)
	}
}

func TestPagesWithoutCopies(t *testing.T) {
	from := corpus(t, 7)
	reg := telltale.NewRegistry(telltale.WithRetention(0))
	if err := reg.Register(clientgolang.FromGatherer(from)); err != nil {
		t.Fatal(err)
	}
	comparePages(t, page(t, scrapehttp.Handler(reg), accepts["protobuf"]), page(t, promhttp.HandlerFor(from, promhttp.HandlerOpts{}), accepts["protobuf"]))
}

func TestGaugeHistogramsAndFloatHistograms(t *testing.T) {
	n, two := uint64(3), 2.5
	zero, schema, length := 1e-9, int32(1), uint32(2)
	from := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		name := "sizes"
		return []*dto.MetricFamily{{Name: &name, Type: dto.MetricType_GAUGE_HISTOGRAM.Enum(), Metric: []*dto.Metric{{Histogram: &dto.Histogram{
			SampleCountFloat: &two, SampleSum: &two, ZeroThreshold: &zero, Schema: &schema,
			PositiveSpan: []*dto.BucketSpan{{Length: &length}}, PositiveCount: []float64{0.5, 2},
			Bucket: []*dto.Bucket{{UpperBound: &two, CumulativeCount: &n}},
		}}}}}, nil
	})
	var got *model.Family
	if err := clientgolang.FromGatherer(from).Collect(context.Background(), func(f *model.Family) error { got = f.Clone(); return nil }); err != nil {
		t.Fatal(err)
	}
	if got.Type != model.GaugeHistogram {
		t.Errorf("type %v", got.Type)
	}
	var scratch model.Point
	_ = got.Visit(&scratch, func(p *model.Point) error {
		h := p.Histogram
		if p.Has != model.PartBucket|model.PartGCount|model.PartGSum || h.Count != two || !slices.Equal(h.Cumulative, []float64{3, two}) {
			t.Errorf("classic part %v %+v", p.Has, h)
		}
		if h.Native == nil || !h.Native.IsFloat || !slices.Equal(h.Native.Positive, []float64{0.5, 2}) || h.Native.Count != two {
			t.Errorf("native part %+v", h.Native)
		}
		return nil
	})
}

func TestUnfitMetricsAreLeftOutAlone(t *testing.T) {
	from := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return spoiltFamilies(), errHalf })
	c := clientgolang.FromGatherer(from)
	left := make(map[string]int)
	err := c.Collect(context.Background(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) error {
			if x, _ := p.Labels.Get("x"); x != "good" {
				t.Errorf("%s%v is there", f.Name, p.Labels)
			}
			left[f.Name]++
			return nil
		})
	})
	if left["gauges"] != 1 || left["histograms"] != 1 || left["summaries"] != 1 || len(left) != 3 {
		t.Errorf("left is %v", left)
	}
	if !errors.Is(err, errHalf) || !strings.Contains(err.Error(), "more metrics are left out") || !strings.Contains(err.Error(), `has the label "x" twice`) {
		t.Errorf("error %v", err)
	}
	reg, faults := registryWith(t, c)
	if names := families(t, reg); !slices.Equal(names, []string{"gauges", "histograms", "summaries"}) {
		t.Errorf("families %q", names)
	}
	if all := faults.all(); len(all) != 1 || !errors.Is(all[0], errHalf) {
		t.Errorf("faults %v", all)
	}
}

// panicking, failing and slow collectors of client_golang
type collectorFunc func(chan<- prometheus.Metric)

func (collectorFunc) Describe(chan<- *prometheus.Desc)      {}
func (c collectorFunc) Collect(ch chan<- prometheus.Metric) { c(ch) }

type panicsInDescribe struct{ collectorFunc }

func (panicsInDescribe) Describe(chan<- *prometheus.Desc) { panic("describe") }

func TestBadCollectorsCostOnlyThemselves(t *testing.T) {
	desc := prometheus.NewDesc("broken", "Broken.", nil, nil)
	for name, c := range map[string]telltale.Collector{
		"panicking collector": clientgolang.FromCollector(collectorFunc(func(chan<- prometheus.Metric) { panic("collect") })),
		"panicking gatherer":  clientgolang.FromGatherer(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { panic("gather") })),
		"invalid metric": clientgolang.FromCollector(collectorFunc(func(ch chan<- prometheus.Metric) {
			ch <- prometheus.NewInvalidMetric(desc, errHalf)
		})),
		"panics in Describe":  clientgolang.FromCollector(panicsInDescribe{}),
		"invalid description": clientgolang.FromCollector(prometheus.NewCounter(prometheus.CounterOpts{Name: ""})),
		"nil collector":       clientgolang.FromCollector(nil),
		"nil gatherer":        clientgolang.FromGatherer(nil),
	} {
		t.Run(name, func(t *testing.T) {
			good := prometheus.NewGauge(prometheus.GaugeOpts{Name: "good"})
			reg, faults := registryWith(t, c, clientgolang.FromCollector(good))
			for range 2 {
				if got := families(t, reg); !slices.Equal(got, []string{"good"}) {
					t.Errorf("families %q", got)
				}
			}
			if len(faults.all()) == 0 {
				t.Error("no fault")
			}
		})
	}
}

func TestHungCollectorsAreLeftOut(t *testing.T) { synctest.Test(t, hungCollectors) }

// hungCollectors is in a bubble, whose time goes on when all wait but for the time.
func hungCollectors(t *testing.T) {
	release, calls := make(chan struct{}), make(chan struct{}, 100)
	defer close(release)
	hung := collectorFunc(func(chan<- prometheus.Metric) { calls <- struct{}{}; <-release })
	good := prometheus.NewGauge(prometheus.GaugeOpts{Name: "good"})
	reg, _ := registryWith(t, clientgolang.FromCollector(hung), clientgolang.FromCollector(good))
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		var names []string
		err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil })
		cancel()
		if err != nil || len(calls) > 1 {
			t.Errorf("error %v, %d calls", err, len(calls))
		}
	}
}

func TestRuntimeFamiliesComeFromOneSide(t *testing.T) {
	from := prometheus.NewRegistry()
	from.MustRegister(promcollectors.NewGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "go_sql_open_connections"}), prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_orders"}))
	if got, want := families(t, clientgolang.FromGatherer(from)), []string{"go_sql_open_connections", "process_orders"}; !slices.Equal(got, want) {
		t.Errorf("families %q, want %q", got, want)
	}
	if got := families(t, clientgolang.FromGatherer(from, clientgolang.WithRuntime())); !slices.Contains(got, "go_goroutines") || !slices.Contains(got, "process_cpu_seconds_total") {
		t.Errorf("with the option there is only %q", got)
	}
	if got := families(t, clientgolang.FromCollector(promcollectors.NewGoCollector())); !slices.Contains(got, "go_goroutines") {
		t.Errorf("the Go collector by itself has only %q", got)
	}
	reg, faults := registryWith(t)
	if err := collectors.Register(reg); err != nil {
		t.Fatal(err)
	}
	if err := reg.Register(clientgolang.FromGatherer(from)); err != nil {
		t.Fatal(err)
	}
	families(t, reg)
	if all := faults.all(); len(all) > 0 {
		t.Errorf("the standard sets of both sides clash: %v", all)
	}
}

// The collector of a registry that asks for descriptions is collected for names that
// were not there when it was registered.
func TestLateFamiliesAreFound(t *testing.T) {
	from := prometheus.NewRegistry()
	reg := telltale.NewRegistry(telltale.WithAutoDescribe())
	if err := reg.Register(clientgolang.FromGatherer(from)); err != nil {
		t.Fatal(err)
	}
	late := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "late_seconds"})
	from.MustRegister(late)
	late.Observe(1)
	if v, ok := reg.SampleValue("late_seconds_count", nil); !ok || v != 1 {
		t.Errorf("the sample is %v %v", v, ok)
	}
}

func TestClashesAreTold(t *testing.T) {
	from := prometheus.NewRegistry()
	from.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "requests_total"}), prometheus.NewGauge(prometheus.GaugeOpts{Name: "other"}))
	reg, faults := registryWith(t)
	telltale.Must(telltale.NewCounter("requests", "Requests.", telltale.In(reg))).Add(4)
	if err := reg.Register(clientgolang.FromGatherer(from)); err != nil {
		t.Fatal(err)
	}
	if got := families(t, reg); !slices.Equal(got, []string{"requests", "other"}) {
		t.Errorf("families %q", got)
	}
	var fault *telltale.Fault
	if all := faults.all(); len(all) != 1 || !errors.As(all[0], &fault) || fault.Reason != telltale.ReasonRepeatedFamily || fault.Family != "requests_total" || !strings.Contains(fault.Error(), "Prefixed") {
		t.Errorf("faults %v", all)
	}
}
