package apitest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// Collectors run concurrently: every collector waits for the others to have
// begun.
func TestCollectorsRunSideBySideAndAreWrittenInOrder(t *testing.T) {
	const n = 5
	reg := telltale.NewRegistry()
	var begun sync.WaitGroup
	begun.Add(n)
	done := make([]chan struct{}, n+1)
	for i := range done {
		done[i] = make(chan struct{})
	}
	close(done[n])
	for i := range n {
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			begun.Done()
			begun.Wait()
			<-done[i+1] // the last registered is the first to finish
			defer close(done[i])
			return emit(gauge(fmt.Sprintf("m%d", i), 1))
		}))
	}
	result := make(chan []string, 1)
	go func() { result <- familyNames(t, reg) }()
	wantNames(t, "families", await(t, "the scrape", result), "m0", "m1", "m2", "m3", "m4")
}

func TestErrorHookThatPanics(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) { panic("in the hook") }))
	register(t, reg,
		telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return errNoConnection }),
		nameless(gauge("m", 1)), nameless(gauge("m", 2)))
	wantPage(t, reg, gaugePage("m", "1.0"))
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	c.Add(-1)
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonError: 1, telltale.ReasonRepeatedFamily: 1, telltale.ReasonNegative: 1})
}

// A hook may use the registry that calls it.
func TestErrorHookMayUseTheRegistry(t *testing.T) {
	var reg *telltale.Registry
	var saw uint64
	reg = telltale.NewRegistry(telltale.WithErrorHook(func(error) {
		saw = reg.Stats().Faults[telltale.ReasonNegative]
		reg.SampleValue("c_total", nil)
	}))
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Add(-1)
	if saw != 1 {
		t.Errorf("the hook saw %d faults counted, want its own", saw)
	}
}

func TestRecursion(t *testing.T) {
	t.Run("a collector that collects its registry", func(t *testing.T) {
		reg, w := between(t, nameless())
		register(t, reg, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
			n := 0
			err := reg.Collect(ctx, func(*model.Family) error { n++; return nil })
			return errors.Join(err, emit(gauge("families", float64(n))))
		}))
		wantPage(t, reg, around("")+gaugePage("families", "2.0"))
		w.want(t, telltale.ReasonRecursion)
	})
	t.Run("through another registry", func(t *testing.T) {
		one, two := telltale.NewRegistry(), telltale.NewRegistry()
		collects := func(r *telltale.Registry) telltale.Collector {
			return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
				return r.Collect(ctx, emit)
			})
		}
		register(t, one, collects(two), nameless(gauge("a", 1)))
		register(t, two, collects(one), nameless(gauge("b", 1)))
		wantNames(t, "families", familyNames(t, one), "a", "b")
	})
	t.Run("through a view that no registry holds", func(t *testing.T) {
		var view telltale.Collector
		view = merge(telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
			return view.Collect(ctx, emit)
		}))
		err := view.Collect(t.Context(), func(*model.Family) error { return nil })
		var outer, inner *telltale.Fault // the collector fails because its view does
		if !errors.As(err, &outer) || !errors.As(outer.Err, &inner) || inner.Reason != telltale.ReasonRecursion {
			t.Errorf("got error %v, want a Fault of the recursion", err)
		}
	})
}

// The Go collector of client_golang has such a pair: both are named x in
// OpenMetrics, and only text distinguishes them.
func TestCounterBesideAGaugeOfItsName(t *testing.T) {
	g, c := gauge("x", 1), textCounter("x_total", 2)
	bare := family("x", model.Counter)
	bare.AddSample("x_total", nil, 2)
	const (
		textGauge          = "# TYPE x gauge\nx 1.0\n"
		textCounterLines   = "# TYPE x_total counter\nx_total 2.0\n"
		openMetricsCounter = "# TYPE x_total unknown\nx_total 2.0\n"
	)
	orders := []struct {
		name     string
		families []*model.Family
		text, om string
	}{
		{"gauge first", []*model.Family{g, c}, textGauge + textCounterLines, textGauge + openMetricsCounter},
		{"counter first", []*model.Family{c, g}, textCounterLines + textGauge, openMetricsCounter + textGauge},
		{"gauge first, the counter named as OpenMetrics has it", []*model.Family{g, bare}, textGauge + textCounterLines, textGauge + openMetricsCounter},
		{"counter first, named as OpenMetrics has it", []*model.Family{bare, g}, textCounterLines + textGauge, openMetricsCounter + textGauge},
	}
	for _, tt := range orders {
		ways := map[string]telltale.Collector{
			"described": described(tt.families...),
			"prefixed":  telltale.Must(telltale.Prefixed(described(tt.families...), "")),
		}
		for way, collector := range ways {
			t.Run(way+", "+tt.name, func(t *testing.T) {
				reg, nested := telltale.NewRegistry(), telltale.NewRegistry()
				register(t, reg, collector)
				register(t, nested, reg)
				for _, r := range []*telltale.Registry{reg, nested} {
					wantPage(t, r, tt.text)
					wantText(t, openMetrics(t, r), tt.om+"# EOF\n")
					wantFaults(t, r, nil)
				}
				outer := telltale.NewRegistry()
				register(t, outer, prefixed(reg, "p_"))
				wantPage(t, outer, strings.NewReplacer("\nx", "\np_x", " x", " p_x").Replace(tt.text))
			})
		}
	}
	t.Run("without names, gauge first", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, nameless(g, c))
		wantPage(t, reg, textGauge+textCounterLines)
		wantText(t, openMetrics(t, reg), textGauge+openMetricsCounter+"# EOF\n")
		wantFaults(t, reg, nil)
	})
	t.Run("of two collectors", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, described(g))
		wantDuplicate(t, reg.Register(described(c)), "x")
		register(t, reg, nameless(c)) // which describes nothing before the scrape
		wantPage(t, reg, textGauge+textCounterLines)
	})
}

// A gauge's function is user code: it is called once for each scrape, and its
// failure affects no other family.
func TestGaugeFunctionsAreCustomCollectors(t *testing.T) {
	reg, w := between(t, nameless())
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	var calls atomic.Int64
	g.SetFunc(func() float64 { return float64(calls.Add(1)) })
	for i := 1; i <= 3; i++ {
		wantPage(t, reg, around("")+gaugePage("g", fmt.Sprintf("%d.0", i)))
	}
	w.want(t)
	g.SetFunc(func() float64 { panic("at the disco") })
	wantPage(t, reg, around(""))
	w.want(t, telltale.ReasonPanic)
	g.SetFunc(nil)
	g.Set(5)
	wantPage(t, reg, around("")+gaugePage("g", "5.0"))
}

func TestCallbacks(t *testing.T) {
	var calls atomic.Int64
	reg, w := between(t, nameless())
	labels := []string{"queue"}
	telltale.Must(telltale.NewGaugeFunc("depth", "", labels, func(_ context.Context, observe telltale.Observe) error {
		calls.Add(1)
		return errors.Join(observe(1, "a"), observe(2, "b"), observe(3, "b"))
	}, telltale.In(reg), telltale.WithConstLabels(labelMap{"const": "c"})))
	telltale.Must(telltale.NewCounterFunc("done_total", "", nil, telltale.SingleValue(func() float64 { return 4 }), telltale.In(reg)))
	telltale.Must(telltale.NewCounterFunc("bad", "", nil, telltale.SingleValue(func() float64 { return math.NaN() }), telltale.In(reg)))
	wantPage(t, reg, around("")+
		"# TYPE depth gauge\ndepth{const=\"c\",queue=\"a\"} 1.0\ndepth{const=\"c\",queue=\"b\"} 2.0\n"+
		"# TYPE done_total counter\ndone_total 4.0\n# TYPE bad_total counter\n")
	if calls.Load() != 1 {
		t.Errorf("the callback was called %d times in one scrape", calls.Load())
	}
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonRepeatedSeries: 1, telltale.ReasonError: 1})
	if n := len(w.heard()); n != 2 {
		t.Errorf("the hook heard %d faults, want 2", n)
	}
	wantPage(t, reg.Restricted("done_total"), "# TYPE done_total counter\ndone_total 4.0\n")
	if calls.Load() != 1 {
		t.Error("a callback that was not wanted was called")
	}
}

func TestStats(t *testing.T) {
	reg := telltale.NewRegistry()
	vec := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	vec.With("a")
	vec.With("b")
	telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg)))
	c := nameless(gauge("m", 1))
	register(t, reg, c, telltale.NewRegistry())
	page(t, reg)
	page(t, reg.Restricted("m"))
	if err := reg.Unregister(c); err != nil {
		t.Fatal(err)
	}
	stats := reg.Stats()
	if stats.Collectors != 3 || stats.Series != 3 || stats.Scrapes != 2 || stats.Hanging != 0 || len(stats.Faults) != 0 {
		t.Errorf("got %+v; want 3 collectors, 3 series, 2 scrapes and nothing else", stats)
	}
	vec.With("a").Add(-1)
	if stats.Faults[telltale.ReasonNegative] != 0 {
		t.Error("stats that were returned change")
	}
}

func TestHealth(t *testing.T) {
	reg := telltale.NewRegistry()
	health := reg.Health()
	wantPage(t, reg, "") // it does not appear by itself
	register(t, reg, health)
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Add(-1)
	text := page(t, reg)
	for _, want := range []string{
		gaugePage("telltale_collectors", "2.0", "telltale_series", "1.0", "telltale_hanging_collectors", "0.0"),
		"# TYPE telltale_scrapes_total counter\ntelltale_scrapes_total 2.0\n# TYPE telltale_faults_total counter\n",
		"telltale_faults_total{reason=\"negative\"} 1.0\n",
		"# TYPE c_total counter\nc_total 0.0\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page\n%s\nhas no\n%s", text, want)
		}
	}
	wantDuplicate(t, reg.Register(described(gauge("telltale_series", 1))), "telltale_series")
	other := telltale.NewRegistry()
	register(t, other, health) // of another registry than its own
	wantNames(t, "families", familyNames(t, other.Restricted("telltale_series")), "telltale_series")
}

func TestMisuseInStrictModePanics(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStrict())
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	defer func() {
		fault, ok := recover().(*telltale.Fault)
		if !ok || fault.Reason != telltale.ReasonNegative {
			t.Errorf("recovered %v, want a Fault", fault)
		}
	}()
	c.Add(-1)
}
