package clientgolang_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"telltale"
	"telltale/bridge/clientgolang"
	"telltale/collectors"
	"telltale/model"
	"telltale/scrapehttp"
)

// made is a collector and how to register it.
type made struct {
	describe  string
	collector prometheus.Collector
	through   func(prometheus.Registerer) prometheus.Registerer
}

// randomCollector returns one of few, so that many clash in some way.
func randomCollector(rnd *rand.Rand) made {
	opts := prometheus.Opts{Name: []string{"alpha", "beta", "gamma_total"}[rnd.IntN(3)], Help: []string{"Help.", "Help.", "Help.", "Other."}[rnd.IntN(4)]}
	if rnd.IntN(3) == 0 {
		opts.ConstLabels = prometheus.Labels{"zone": []string{"a", "b"}[rnd.IntN(2)]}
	}
	var m made
	switch kind := rnd.IntN(6); kind {
	case 0:
		v := prometheus.NewCounterVec(prometheus.CounterOpts(opts), []string{"x"})
		v.WithLabelValues("1").Inc()
		m.collector = v
	case 1:
		m.collector = prometheus.NewCounter(prometheus.CounterOpts{Name: ""})
	case 2:
		one, two := opts, opts
		one.Name, two.Name = "alpha", "beta" // connects both
		m.collector = pair{prometheus.NewGauge(prometheus.GaugeOpts(one)), prometheus.NewGauge(prometheus.GaugeOpts(two))}
	default:
		m.collector = prometheus.NewGauge(prometheus.GaugeOpts(opts))
	}
	m.through = func(r prometheus.Registerer) prometheus.Registerer { return r }
	switch zone := []string{"a", "b"}[rnd.IntN(2)]; rnd.IntN(6) {
	case 0:
		m.describe, m.through = "with zone "+zone, func(r prometheus.Registerer) prometheus.Registerer {
			return prometheus.WrapRegistererWith(prometheus.Labels{"zone": zone}, r)
		}
	case 1:
		m.describe, m.through = "with prefix", func(r prometheus.Registerer) prometheus.Registerer {
			return prometheus.WrapRegistererWithPrefix("app_", prometheus.WrapRegistererWith(prometheus.Labels{"team": zone}, r))
		}
	}
	m.describe += fmt.Sprintf(" %T %+v", m.collector, opts)
	return m
}

// pair is a collector of two.
type pair [2]prometheus.Gauge

func (p pair) Describe(ch chan<- *prometheus.Desc) { p[0].Describe(ch); p[1].Describe(ch) }
func (p pair) Collect(ch chan<- prometheus.Metric) { p[0].Collect(ch); p[1].Collect(ch) }

// outcome is what a call of Register did.
func outcome(err error) string {
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		return fmt.Sprintf("%v: existing %p", err, already.ExistingCollector)
	}
	return fmt.Sprint(err)
}

// A telltale registry and one of client_golang that are told the same say the same and
// have the same page.
func TestRegistererDoesWhatARegistryDoes(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		reg, faults := registryWith(t)
		ours, theirs := clientgolang.Registerer(reg), prometheus.NewRegistry()
		var log []string
		var all []made
		for range 25 {
			m := randomCollector(rnd)
			if len(all) > 0 && rnd.IntN(3) == 0 {
				m = all[rnd.IntN(len(all))]
			}
			all = append(all, m)
			var got, want string
			if rnd.IntN(3) == 0 {
				log = append(log, "unregister "+m.describe)
				got, want = fmt.Sprint(m.through(ours).Unregister(m.collector)), fmt.Sprint(m.through(theirs).Unregister(m.collector))
			} else {
				log = append(log, "register "+m.describe)
				got, want = outcome(m.through(ours).Register(m.collector)), outcome(m.through(theirs).Register(m.collector))
			}
			if got != want {
				t.Fatalf("seed %d: %q, want %q, after\n%s", seed, got, want, strings.Join(log, "\n"))
			}
		}
		if _, err := theirs.Gather(); err != nil { // two types under one name, which differ by the order of collecting
			continue
		}
		got := page(t, scrapehttp.Handler(reg), accepts["protobuf"])
		want := page(t, promhttp.HandlerFor(theirs, promhttp.HandlerOpts{}), accepts["protobuf"])
		if len(want)+len(got) > 0 {
			comparePages(t, got, want)
		}
		if all := faults.all(); len(all) > 0 || t.Failed() {
			t.Fatalf("seed %d: faults %v, after\n%s", seed, all, strings.Join(log, "\n"))
		}
	}
}

func TestAlreadyRegisteredHasTheExistingCollector(t *testing.T) {
	reg, _ := registryWith(t)
	plain := clientgolang.Registerer(reg)
	wrapped := prometheus.WrapRegistererWithPrefix("app_", prometheus.WrapRegistererWith(prometheus.Labels{"a": "b"}, plain))
	for name, r := range map[string]prometheus.Registerer{"plain": plain, "wrapped": wrapped} {
		first := prometheus.NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs."})
		r.MustRegister(first)
		again := prometheus.NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs."})
		var already prometheus.AlreadyRegisteredError
		if err := r.Register(again); !errors.As(err, &already) || already.ExistingCollector != prometheus.Collector(first) {
			t.Errorf("%s: error %v, existing %v", name, err, already.ExistingCollector)
		}
		if !r.Unregister(again) || r.Unregister(again) {
			t.Errorf("%s: an equal collector does not unregister it once", name)
		}
	}
	if got := families(t, reg); len(got) > 0 {
		t.Errorf("families %q are left", got)
	}
	if n := reg.Stats().Collectors; n != 0 {
		t.Errorf("%d collectors are left in the registry", n)
	}
}

func TestPromauto(t *testing.T) {
	reg, _ := registryWith(t)
	promauto.With(clientgolang.Registerer(reg)).NewHistogram(prometheus.HistogramOpts{Name: "latency_seconds"}).Observe(3)
	if v, err := reg.Sample("latency_seconds_bucket", map[string]string{"le": "5.0"}); v != 1 || err != nil {
		t.Errorf("bucket %v, error %v", v, err)
	}
}

func TestNamesOfTheRegistryAreRefusedWithACure(t *testing.T) {
	reg, _ := registryWith(t)
	telltale.Must(telltale.NewCounter("jobs", "Jobs.", telltale.In(reg)))
	telltale.Must(telltale.NewHistogram("size", "Sizes.", telltale.In(reg)))
	r := clientgolang.Registerer(reg)
	for _, name := range []string{"jobs_total", "jobs", "size", "size_bucket", "size_count"} {
		c := prometheus.NewGauge(prometheus.GaugeOpts{Name: name})
		if err := r.Register(c); err == nil || !strings.Contains(err.Error(), "WrapRegistererWithPrefix") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
		if err := prometheus.WrapRegistererWithPrefix("app_", r).Register(c); err != nil {
			t.Errorf("the cure for %s does not help: %v", name, err)
		}
	}
}

func TestBadCollectorsOfARegisterer(t *testing.T) { synctest.Test(t, badCollectors) }

// badCollectors is in a bubble, whose time goes on when all wait but for the time.
func badCollectors(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	reg, faults := registryWith(t)
	r := clientgolang.Registerer(reg)
	r.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "good"}),
		collectorFunc(func(chan<- prometheus.Metric) { panic("collect") }),
		collectorFunc(func(chan<- prometheus.Metric) { <-release }))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var names []string
	if err := reg.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil }); err != nil || !slices.Equal(names, []string{"good"}) {
		t.Errorf("families %q, error %v", names, err)
	}
	if len(faults.all()) < 2 {
		t.Errorf("faults %v", faults.all())
	}
	if err := r.Register(panicsInDescribe{}); err == nil || r.Register(nil) == nil || r.Unregister(nil) || r.Unregister(panicsInDescribe{}) {
		t.Errorf("error %v", err)
	}
}

func TestRuntimeFamiliesOfARegisterer(t *testing.T) {
	standard := []prometheus.Collector{promcollectors.NewGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{})}
	alone, faults := registryWith(t)
	clientgolang.Registerer(alone).MustRegister(standard...)
	if got := families(t, alone); !slices.Contains(got, "go_goroutines") || !slices.Contains(got, "go_memstats_alloc_bytes") || !slices.Contains(got, "go_memstats_alloc_bytes_total") {
		t.Errorf("families %q, faults %v", got, faults.all())
	}
	for _, theirsFirst := range []bool{true, false} {
		reg, faults := registryWith(t)
		r := clientgolang.Registerer(reg)
		if theirsFirst {
			r.MustRegister(standard...)
		}
		if err := collectors.Register(reg); err != nil {
			t.Fatal(err)
		}
		if !theirsFirst {
			r.MustRegister(standard...)
		}
		got := families(t, reg)
		seen := make(map[string]bool)
		for _, name := range got {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if all := faults.all(); len(all) > 0 || !seen["go_goroutines"] {
			t.Errorf("theirs first %v: faults %v", theirsFirst, all)
		}
	}
}

func TestRegistererIsSafeForConcurrentUse(t *testing.T) {
	reg, _ := registryWith(t)
	r := clientgolang.Registerer(reg)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 20 {
				c := prometheus.NewGauge(prometheus.GaugeOpts{Name: "shared", ConstLabels: prometheus.Labels{"worker": fmt.Sprint(worker), "i": fmt.Sprint(i)}})
				r.MustRegister(c)
				families(t, reg)
				if !r.Unregister(c) {
					t.Error("it was not registered")
				}
			}
		})
	}
	all.Wait()
	if n := reg.Stats().Collectors; n != 0 {
		t.Errorf("%d collectors are left", n)
	}
}

// Collectors with families in common are one family on the page, also where a later
// one connects them.
func TestCollectorsWithFamiliesInCommon(t *testing.T) {
	gauge := func(name, zone string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, ConstLabels: prometheus.Labels{"zone": zone}})
	}
	reg, faults := registryWith(t)
	ours, theirs := clientgolang.Registerer(reg), prometheus.NewRegistry()
	connecting := pair{gauge("alpha", "c"), gauge("beta", "c")}
	both := func(cs ...prometheus.Collector) { ours.MustRegister(cs...); theirs.MustRegister(cs...) }
	same := func() {
		t.Helper()
		comparePages(t, page(t, scrapehttp.Handler(reg), accepts["text"]), page(t, promhttp.HandlerFor(theirs, promhttp.HandlerOpts{}), accepts["text"]))
	}
	both(gauge("alpha", "a"), gauge("beta", "a"), gauge("alpha", "b"))
	same()
	both(connecting)
	same()
	if ours.Unregister(connecting) != theirs.Unregister(connecting) {
		t.Error("unregistering differs")
	}
	same()
	if all := faults.all(); len(all) > 0 {
		t.Errorf("faults %v", all)
	}
}
