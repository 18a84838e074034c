package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// What shows all processes' metrics is refused by a registry that does so, in
// whatever it is wrapped.
func TestStoreRegistryRefusesItsOwnDirectory(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir)
	collector := telltale.Must(multiprocess.NewCollector(dir))
	around := telltale.NewRegistry()
	if err := around.Register(collector); err != nil {
		t.Fatal(err)
	}
	other := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	for _, test := range []struct {
		name string
		c    telltale.Collector
	}{
		{"prefixed", telltale.Must(telltale.Prefixed(collector, "all_"))},
		{"labelled", telltale.Must(telltale.Labelled(collector, map[string]string{"a": "b"}))},
		{"merged", telltale.Must(telltale.Merge(collector))},
		{"restricted", telltale.Restrict(collector, "hits")},
		{"a collector's view", collector.Restricted("hits")},
		{"in a registry", around},
		{"in a restricted registry", around.Restricted("hits")},
		{"a registry with the store", telltale.NewRegistry(telltale.WithStore(store))},
		{"a registry with a store of the directory", other},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := telltale.NewRegistry(telltale.WithStore(store)).Register(test.c); err == nil || !strings.Contains(err.Error(), "twice") {
				t.Errorf("Register: %v", err)
			}
			reg := telltale.NewRegistry()
			if err := reg.Register(test.c); err != nil {
				t.Fatal(err)
			}
			if err := reg.UseStore(store); err == nil || !strings.Contains(err.Error(), "twice") {
				t.Errorf("UseStore: %v", err)
			}
		})
	}
}

// What is known of many processes is shown by whoever is asked, and published by
// nobody: it would count once for each process.
func TestStoreRegistryShowsOtherDirectories(t *testing.T) {
	there, here := sharedDir(t), sharedDir(t)
	away := telltale.NewRegistry(telltale.WithStore(openStore(t, there)))
	telltale.Must(telltale.NewCounter("jobs", "", telltale.In(away))).Add(3)
	collector := telltale.Must(telltale.Prefixed(telltale.Must(multiprocess.NewCollector(there)), "other_"))

	var regs []*telltale.Registry
	for range 2 {
		reg := telltale.NewRegistry(telltale.WithStore(openStore(t, here)))
		telltale.Must(telltale.NewCounter("hits", "", telltale.In(reg))).Inc()
		for _, c := range []telltale.Collector{collector, away} {
			if err := reg.Register(c); err != nil {
				t.Fatal(err)
			}
		}
		regs = append(regs, reg)
	}
	const want = "hits_total 2.0\nother_jobs_total 3.0\njobs_total 3.0\n"
	for range 3 {
		for _, reg := range regs {
			if got := pageLines(t, reg); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
			if v, ok := reg.SampleValue("other_jobs_total", nil); v != 3 || !ok {
				t.Errorf("other_jobs_total is %v, %v", v, ok)
			}
		}
	}
	if got := pageLines(t, telltale.Must(multiprocess.NewCollector(here))); got != "hits_total 2.0\n" {
		t.Errorf("the directory has:\n%s", got)
	}
}

// A collector that fails, or is too slow, leaves what it has published: totals do
// not fall. One that is taken out takes it along.
func TestPublishedWhileCollectorFails(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir)
	reg := telltale.NewRegistry(telltale.WithStore(store))
	jobs := telltale.Must(model.NewCounterFamily("jobs", ""))
	if err := jobs.Add(nil, 3); err != nil {
		t.Fatal(err)
	}
	type conduct struct { // of the collector, which the store runs, too
		failure error
		wait    chan struct{}
	}
	ready := make(chan struct{})
	close(ready)
	var does atomic.Pointer[conduct]
	does.Store(&conduct{nil, ready})
	collector := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		now := does.Load()
		select {
		case <-now.wait:
		case <-ctx.Done():
		}
		if now.failure != nil {
			return now.failure
		}
		return emit(jobs.Family())
	})
	if err := reg.Register(collector); err != nil {
		t.Fatal(err)
	}
	others := telltale.Must(multiprocess.NewCollector(dir))
	check := func(when, want string) {
		t.Helper()
		if got := pageLines(t, others); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	collect := func() { _ = pageLines(t, reg) }
	collect()
	check("at first", "jobs_total 3.0\n")

	does.Store(&conduct{errors.New("broken"), ready})
	collect()
	check("failed", "jobs_total 3.0\n")
	collect()
	check("failed again", "jobs_total 3.0\n")

	wait := make(chan struct{})
	does.Store(&conduct{nil, wait})
	late, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	if err := reg.Collect(late, func(*model.Family) error { return nil }); err != nil {
		t.Fatal(err)
	}
	check("too slow", "jobs_total 3.0\n")
	close(wait)

	if err := reg.Unregister(collector); err != nil {
		t.Fatal(err)
	}
	collect()
	check("unregistered", "")
}

// Replace counts what fill counted, once, and takes all along that a heap has.
func TestStoreReplace(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	in := telltale.In(reg)
	labels := []string{"l"}
	hits := telltale.Must(telltale.NewCounterVec("hits", "", labels, in))
	took := telltale.Must(telltale.NewHistogramVec("took", "", labels, in, telltale.WithBuckets(1)))
	size := telltale.Must(telltale.NewSummaryVec("size", "", labels, in))
	depth := telltale.Must(telltale.NewGaugeVec("depth", "", labels, in, telltale.WithGaugeMode(telltale.ModeMostRecent)))
	others := telltale.Must(multiprocess.NewCollector(dir))
	trace := map[string]string{"trace": "x"}
	for round := range 3 {
		hits.Replace(func(v *telltale.CounterVec) {
			if err := v.With("a").AddWithExemplar(2, trace); err != nil {
				t.Error(err)
			}
		})
		took.Replace(func(v *telltale.HistogramVec) {
			if err := v.With("a").ObserveWithExemplar(2, trace); err != nil {
				t.Error(err)
			}
		})
		size.Replace(func(v *telltale.SummaryVec) { v.With("a").Observe(4) })
		depth.Replace(func(v *telltale.GaugeVec) { v.With("a").Set(0) })
		func() {
			defer func() { _ = recover() }()
			hits.Replace(func(v *telltale.CounterVec) {
				v.With("a").Inc()
				v.With("b").Inc()
				panic("fill failed")
			})
		}()
		hits.With("a").Inc()

		const want = `depth{l="a"} 0.0
hits_total{l="a"} 3.0
size_count{l="a"} 1.0
size_sum{l="a"} 4.0
took_bucket{l="a",le="1.0"} 0.0
took_bucket{l="a",le="+Inf"} 1.0
took_count{l="a"} 1.0
took_sum{l="a"} 2.0
`
		if got := pageLines(t, others); got != want {
			t.Errorf("round %d, got:\n%swant:\n%s", round, got, want)
		}
		if n := countExemplars(t, others); n != 2 {
			t.Errorf("round %d: %d exemplars, want 2", round, n)
		}
	}
}

// countExemplars returns how many exemplars a collector has.
func countExemplars(t *testing.T, c telltale.Collector) (n int) {
	t.Helper()
	if err := c.Collect(t.Context(), func(f *model.Family) error {
		for s := range f.Samples() {
			if s.Exemplar != nil {
				n++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// An instrument that is taken out and registered again counts on, in the store.
func TestStoreRegisteredAgain(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	e := newEverything(t, reg)
	e.use(t)
	others := telltale.Must(multiprocess.NewCollector(dir))
	before := pageLines(t, others)
	for round := range 3 {
		for _, c := range []telltale.Collector{e.counter, e.bytes, e.gauge, e.recent, e.latency, e.size, e.build, e.state} {
			if err := errors.Join(reg.Unregister(c), reg.Register(c)); err != nil {
				t.Fatal(err)
			}
		}
		e.check(t)
		if got := pageLines(t, others); got != before {
			t.Errorf("round %d, got:\n%swant:\n%s", round, got, before)
		}
		if n := countExemplars(t, others); n != 2 {
			t.Errorf("round %d: %d exemplars, want 2", round, n)
		}
	}
	e.bytes.Inc()
	if got := pageLines(t, others); !strings.Contains(got, "bytes_total 4.25\n") {
		t.Errorf("what was counted afterwards is not shown:\n%s", got)
	}
}

// A gauge's function says what others see. What the gauge is set to meanwhile is
// its value again when the function is taken away.
func TestStoreGaugeFunctions(t *testing.T) {
	for mode := telltale.ModeAll; mode <= telltale.ModeLiveMostRecent; mode++ {
		t.Run(mode.String(), func(t *testing.T) {
			dir := sharedDir(t)
			reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir, multiprocess.WithWriterName("w"))))
			g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg), telltale.WithGaugeMode(mode)))
			sample := "g "
			if mode == telltale.ModeAll || mode == telltale.ModeLiveAll {
				sample = `g{pid="w"} `
			}
			check := func(value string) {
				t.Helper()
				if got := pageLines(t, reg); got != sample+value+"\n" {
					t.Errorf("%q, want %s", got, value)
				}
			}
			g.Set(5)
			check("5.0")
			g.SetFunc(func() float64 { return 7 })
			check("7.0")
			g.Add(1)
			check("7.0")
			g.SetFunc(func() float64 { return 8 })
			check("8.0")
			if err := errors.Join(reg.Unregister(g), reg.Register(g)); err != nil {
				t.Fatal(err)
			}
			check("8.0")
			g.SetFunc(nil)
			check("6.0")
			g.Set(0)
			g.SetFunc(func() float64 { return 9 })
			check("9.0")
			g.SetFunc(nil)
			check("0.0")
		})
	}
}

// A function that another one has taken the place of while it was called says nothing to
// other processes any more.
func TestStoreGaugeFunctionThatIsLate(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	others := collector(t, dir)
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg), telltale.WithGaugeMode(telltale.ModeSum)))
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	g.SetFunc(func() float64 {
		begun <- struct{}{}
		<-finish
		return 7
	})
	collected := make(chan error, 1)
	go func() {
		_, err := telltale.GenerateLatest(reg)
		collected <- err
	}()
	<-begun
	g.SetFunc(func() float64 { return 8 })
	close(finish)
	if err := <-collected; err != nil {
		t.Fatal(err)
	}
	if got := pageLines(t, others); strings.Contains(got, "7.0") {
		t.Errorf("others see %q of a function that was replaced", got)
	}
	if got := pageLines(t, reg) + pageLines(t, others); got != "g 8.0\ng 8.0\n" {
		t.Errorf("the process and others see\n%s", got)
	}
}

// Instruments come to a store and leave it while others count.
func TestStoreMovesUnderLoad(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	in := telltale.In(reg)
	latency := telltale.Must(telltale.NewHistogram("latency", "", in))
	size := telltale.Must(telltale.NewSummary("size", "", in))
	hits := telltale.Must(telltale.NewCounter("hits", "", in))
	level := telltale.Must(telltale.NewGauge("level", "", in, telltale.WithGaugeMode(telltale.ModeMostRecent)))
	stop := make(chan struct{})
	var done, counting sync.WaitGroup
	for range 4 {
		counting.Add(1)
		done.Go(func() {
			for first := true; ; first = false {
				latency.Observe(0.5)
				size.Observe(0.5)
				hits.Add(0.5)
				level.Add(1)
				if first {
					counting.Done()
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	counting.Wait() // on a busy machine all moves may be over before a goroutine begins
	done.Go(func() {
		for i := range 50 {
			level.SetFunc([]func() float64{nil, func() float64 { return 1 }}[i%2])
			_ = pageLines(t, reg)
		}
	})
	for range 50 {
		for _, c := range []telltale.Collector{latency, size, hits, level} {
			if err := errors.Join(reg.Unregister(c), reg.Register(c)); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	done.Wait()
	for what, n := range map[string]float64{"latency": latency.Sum(), "size": size.Sum(), "hits": hits.Value()} {
		if n <= 0 {
			t.Errorf("%s: %v", what, n)
		}
	}
	if v, ok := reg.SampleValue("hits_total", nil); !ok || v <= 0 || v > hits.Value() {
		t.Errorf("the store shows %v, %v of %v", v, ok, hits.Value())
	}
}

// A series that each process has for itself may be removed and made again, in
// rows that others had before, and is there once.
func TestStoreSeriesOfProcessComesBack(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir, multiprocess.WithWriterName("w"), multiprocess.WithoutFolding())
	reg := telltale.NewRegistry(telltale.WithStore(store))
	level := telltale.Must(telltale.NewGaugeVec("level", "", []string{"l"}, telltale.In(reg)))
	running := telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithErrorHook(func(err error) { t.Error(err) })))
	level.With("a").Set(1)
	level.With("b").Set(2)
	for round := range 4 {
		level.Remove("b")
		level.Remove("a")
		multiprocess.Rest(store)
		level.With("a").Set(float64(round))
		for _, c := range []telltale.Collector{reg, running, telltale.Must(multiprocess.NewCollector(dir))} {
			if got, want := pageLines(t, c), fmt.Sprintf("level{l=\"a\",pid=\"w\"} %d.0\n", round); got != want {
				t.Errorf("round %d: %q, want %q", round, got, want)
			}
		}
	}
	if n := running.Stats().Collisions; n != 0 {
		t.Errorf("%d collisions", n)
	}
}

// A label pid of the application gives way where each process has its own; what
// becomes one series for that is told and counted.
func TestStoreOwnPidLabel(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir, multiprocess.WithWriterName("w"), multiprocess.WithErrorHook(func(error) {}))
	level := telltale.Must(telltale.NewGaugeVec("level", "", []string{"a", "pid"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	level.With("1", "mine").Set(3)
	level.With("1", "other").Set(4)
	var told []string
	c := telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err.Error()) })))
	if got := pageLines(t, c); got != "level{a=\"1\",pid=\"w\"} 4.0\n" {
		t.Errorf("%q", got)
	}
	if n := c.Stats().Collisions; n != 1 || len(told) != 1 || !strings.Contains(told[0], "a writer has several") {
		t.Errorf("%d collisions, told %q", n, told)
	}
}

// A process whose segment somebody deletes goes on, and says so.
func TestStoreWithoutItsFile(t *testing.T) {
	dir := sharedDir(t)
	told := make(chan error, 10)
	store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(err error) { told <- err }))
	if err != nil {
		t.Fatal(err)
	}
	reg := telltale.NewRegistry(telltale.WithStore(store))
	hits := telltale.Must(telltale.NewCounterVec("hits", "", []string{"l"}, telltale.In(reg)))
	hits.With("a").Inc()
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	hits.With("a").Inc()
	hits.With("b").Inc()
	if !hits.Remove("b") {
		t.Error("b is not removed")
	}
	if got := pageLines(t, reg); got != "hits_total{l=\"a\"} 2.0\n" {
		t.Errorf("%q", got)
	}
	if err := store.Close(); err != nil { // which refreshes
		t.Error(err)
	}
	if err := <-told; !strings.Contains(err.Error(), "segment is gone") || !strings.Contains(err.Error(), store.String()) {
		t.Error(err)
	}
}
