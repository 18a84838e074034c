package apitest

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"telltale"
	served "telltale/internal/patience"
	"telltale/model"
)

// waysToRead are ways of reading a gauge that has a function, all but Value.
var waysToRead = []struct {
	name string
	read func(ctx context.Context, t *testing.T, reg *telltale.Registry, g telltale.Collector) error
}{
	{"GenerateLatest of the gauge", func(ctx context.Context, _ *testing.T, _ *telltale.Registry, g telltale.Collector) error {
		return telltale.WriteLatest(ctx, discard{}, g)
	}},
	{"Collect of the gauge", func(ctx context.Context, _ *testing.T, _ *telltale.Registry, g telltale.Collector) error {
		return g.Collect(ctx, readAll)
	}},
	{"a registry", func(ctx context.Context, _ *testing.T, reg *telltale.Registry, _ telltale.Collector) error {
		return reg.Collect(ctx, readAll)
	}},
	{"Families", func(ctx context.Context, _ *testing.T, reg *telltale.Registry, _ telltale.Collector) error {
		for _, err := range reg.Families(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{"a restricted registry", func(ctx context.Context, _ *testing.T, reg *telltale.Registry, _ telltale.Collector) error {
		return reg.Restricted("g").Collect(ctx, readAll)
	}},
	{"a restricted gauge", func(ctx context.Context, _ *testing.T, _ *telltale.Registry, g telltale.Collector) error {
		return telltale.Restrict(g, "g").Collect(ctx, readAll)
	}},
	{"a prefixed gauge", func(ctx context.Context, _ *testing.T, _ *telltale.Registry, g telltale.Collector) error {
		return prefixed(g, "p_").Collect(ctx, readAll)
	}},
	{"a labelled registry", func(ctx context.Context, _ *testing.T, reg *telltale.Registry, _ telltale.Collector) error {
		return telltale.Must(telltale.Labelled(reg, map[string]string{"a": "b"})).Collect(ctx, readAll)
	}},
	{"merged", func(ctx context.Context, _ *testing.T, reg *telltale.Registry, g telltale.Collector) error {
		return merge(g, reg).Collect(ctx, readAll)
	}},
	{"a nested registry", func(ctx context.Context, t *testing.T, reg *telltale.Registry, _ telltale.Collector) error {
		outer := telltale.NewRegistry()
		register(t, outer, reg)
		return outer.Collect(ctx, readAll)
	}},
}

// readAll reads a family as an encoder does.
func readAll(f *model.Family) error {
	return f.Visit(new(model.Point), func(*model.Point) error { return nil })
}

// withFunction are collectors that run a function whose failure must be
// contained.
var withFunction = []struct {
	name string
	make func(f func() float64, in telltale.Option) telltale.Collector
}{
	{"SetFunc", func(f func() float64, in telltale.Option) telltale.Collector {
		g := telltale.Must(telltale.NewGauge("g", "", in))
		g.SetFunc(f)
		return g
	}},
	{"SetFunc of a series", func(f func() float64, in telltale.Option) telltale.Collector {
		v := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, in))
		v.With("1").Set(1)
		v.With("2").SetFunc(f)
		return v
	}},
	{"NewGaugeFunc", func(f func() float64, in telltale.Option) telltale.Collector {
		return telltale.Must(telltale.NewGaugeFunc("g", "", nil, telltale.SingleValue(f), in))
	}},
}

func TestFunctionsThatPanic(t *testing.T) {
	for _, kind := range withFunction {
		for _, way := range waysToRead {
			for name, f := range map[string]func() float64{
				"panic":  func() float64 { panic("at the disco") },
				"Goexit": func() float64 { runtime.Goexit(); return 0 },
			} {
				t.Run(strings.Join([]string{kind.name, way.name, name}, ", "), func(t *testing.T) {
					reg := telltale.NewRegistry()
					c := kind.make(f, telltale.In(reg))
					err := way.read(t.Context(), t, reg, c)
					var fault *telltale.Fault
					if errors.As(err, &fault) && fault.Reason == telltale.ReasonPanic {
						return // nothing else is on the page
					}
					if n := reg.Stats().Faults[telltale.ReasonPanic]; err != nil || n != 1 {
						t.Errorf("got error %v and %d panics counted", err, n)
					}
				})
			}
		}
	}
}

func TestFunctionsThatBlock(t *testing.T) {
	for _, kind := range withFunction {
		for _, way := range waysToRead {
			t.Run(kind.name+", "+way.name, func(t *testing.T) {
				blocked, release := make(chan struct{}, 10), make(chan struct{})
				defer close(release)
				reg := telltale.NewRegistry()
				c := kind.make(func() float64 { blocked <- struct{}{}; <-release; return 1 }, telltale.In(reg))
				ctx := newAlarm(served.With(t.Context(), 1))
				go func() {
					<-blocked
					ctx.ring()
				}()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_ = way.read(ctx, t, reg, c)
				}()
				await(t, "the scrape", ended)
				if n := reg.Stats().Hanging; n != 1 {
					t.Errorf("%d collectors hang, want 1", n)
				}
			})
		}
	}
}

// A function that a gauge is given during a scrape is called by the next scrape;
// this one has the gauge's own value.
func TestSetFuncDuringAScrape(t *testing.T) {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("a", "", telltale.In(reg)))
	g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
	g.Set(5)
	var got []*model.Family
	err := reg.Collect(t.Context(), func(f *model.Family) error {
		g.SetFunc(func() float64 { return 7 })
		got = append(got, f.Clone())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, page(t, nameless(got...)), gaugePage("a", "0.0", "g", "5.0"))
	wantPage(t, reg, gaugePage("a", "0.0", "g", "7.0"))
	wantPage(t, g, gaugePage("g", "7.0"))
	if v := g.Value(); v != 7 {
		t.Errorf("Value returned %v", v)
	}
	g.SetFunc(nil)
	wantPage(t, reg, gaugePage("a", "0.0", "g", "5.0"))
}

// A collector that collects its own registry, in any way, is left out of that
// collection, and a fault is reported.
func TestCollectorsThatCollectThemselves(t *testing.T) {
	fresh := context.Background
	for _, tt := range []struct {
		name    string
		collect func(ctx context.Context, reg *telltale.Registry) error
	}{
		{"with its context", func(ctx context.Context, reg *telltale.Registry) error { return reg.Collect(ctx, readAll) }},
		{"with a context of its own", func(_ context.Context, reg *telltale.Registry) error { return reg.Collect(fresh(), readAll) }},
		{"as a page", func(_ context.Context, reg *telltale.Registry) error {
			_, err := telltale.GenerateLatest(reg)
			return err
		}},
		{"for a value", func(_ context.Context, reg *telltale.Registry) error { reg.SampleValue("part", nil); return nil }},
		{"restricted", func(_ context.Context, reg *telltale.Registry) error {
			return reg.Restricted("before", "part").Collect(fresh(), readAll)
		}},
		{"through a view", func(_ context.Context, reg *telltale.Registry) error {
			return prefixed(reg, "p_").Collect(fresh(), readAll)
		}},
		{"from another goroutine", func(_ context.Context, reg *telltale.Registry) error {
			ended := make(chan error)
			go func() { ended <- reg.Collect(fresh(), readAll) }()
			return <-ended
		}},
		{"from several goroutines", func(_ context.Context, reg *telltale.Registry) error {
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { _ = reg.Collect(fresh(), readAll) })
			}
			all.Wait()
			return nil
		}},
		{"from a source", func(context.Context, *telltale.Registry) error { return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var reg *telltale.Registry
			reg, w := between(t, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
				if err := tt.collect(ctx, reg); err != nil {
					return err
				}
				if tt.name == "from a source" {
					return emit(failingFrom(0, func() error { return reg.Collect(fresh(), readAll) }).family())
				}
				return emit(gauge("part", 1))
			}))
			for range 2 {
				got := page(t, reg)
				if !strings.Contains(got, "\npart 1.0\n") && !strings.Contains(got, "\nsourced") || !strings.HasSuffix(got, gaugePage("after", "1.0")) {
					t.Errorf("got page\n%s", got)
				}
			}
			for _, fault := range w.heard() {
				if fault.Reason != telltale.ReasonRecursion {
					t.Errorf("the hook heard %v", fault)
				}
			}
			if len(w.heard()) == 0 {
				t.Error("the hook heard nothing")
			}
		})
	}
}

// Two collectors collect the registry in which both are: neither may wait for
// the other.
func TestCollectorsThatCollectEachOther(t *testing.T) {
	for _, own := range []bool{false, true} {
		var reg *telltale.Registry
		both := make(chan struct{}, 2)
		collector := func(name string) telltale.Collector {
			first := true
			return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
				if first {
					both <- struct{}{}
					for len(both) < 2 {
						runtime.Gosched()
					}
				}
				first = false
				if own {
					ctx = context.Background()
				}
				if err := reg.Collect(ctx, readAll); err != nil {
					return err
				}
				return emit(gauge(name, 1))
			})
		}
		reg = telltale.NewRegistry()
		register(t, reg, collector("a"), collector("b"))
		for range 3 {
			wantPage(t, reg, gaugePage("a", "1.0", "b", "1.0"))
		}
		if reg.Stats().Faults[telltale.ReasonRecursion] == 0 {
			t.Error("no recursion was counted")
		}
	}
}

// Faults of a nested registry are counted and reported by it and by the
// registries around it, once each.
func TestFaultsOfNestedRegistries(t *testing.T) {
	var inner, middle, outer witness
	child := telltale.NewRegistry(telltale.WithErrorHook(inner.hear))
	parent := telltale.NewRegistry(telltale.WithErrorHook(middle.hear))
	top := telltale.NewRegistry(telltale.WithErrorHook(outer.hear))
	register(t, child, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		return errors.Join(emit(nil), errNoConnection)
	}), nameless(gauge("twice", 1)), nameless(gauge("twice", 2)))
	register(t, parent, prefixed(child, "p_"))
	register(t, top, parent)
	page(t, top)
	for _, w := range []*witness{&inner, &middle, &outer} {
		reasons := map[telltale.Reason]int{}
		for _, fault := range w.heard() {
			reasons[fault.Reason]++
		}
		if len(reasons) != 3 || reasons[telltale.ReasonError] != 1 || reasons[telltale.ReasonInvalidFamily] != 1 || reasons[telltale.ReasonRepeatedFamily] != 1 {
			t.Errorf("heard %v", reasons)
		}
	}
	for _, reg := range []*telltale.Registry{child, parent, top} {
		wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonError: 1, telltale.ReasonInvalidFamily: 1, telltale.ReasonRepeatedFamily: 1})
	}
	page(t, child)
	wantFaults(t, top, map[telltale.Reason]uint64{telltale.ReasonError: 1, telltale.ReasonInvalidFamily: 1, telltale.ReasonRepeatedFamily: 1})
}

// A fault that a run had before another registry's scrape joined it is counted
// in that registry too.
func TestFaultsOfSharedRuns(t *testing.T) {
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	c := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		_ = emit(nil)
		return emittingSlowly(begun, finish, gauge("late", 1))(ctx, emit)
	})
	a, _ := between(t, c)
	b, _ := between(t, c)
	_, one := scrapeInBackground(t, a)
	await(t, "the collector", begun)
	began, two := scrapeInBackground(t, b)
	await(t, "the other registry's scrape", began)
	close(finish)
	for _, page := range []<-chan string{one, two} {
		wantText(t, await(t, "the page", page), around(gaugePage("late", "1.0")))
	}
	for _, reg := range []*telltale.Registry{a, b} {
		wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonInvalidFamily: 1})
	}
}

func TestUnregisterHealth(t *testing.T) {
	reg, other := telltale.NewRegistry(), telltale.NewRegistry()
	register(t, reg, reg.Health())
	if err := reg.Register(reg.Health()); err == nil {
		t.Error("it was registered twice")
	}
	if err := reg.Unregister(other.Health()); !errors.Is(err, telltale.ErrNotRegistered) {
		t.Errorf("unregistering another registry's returned %v", err)
	}
	if err := reg.Unregister(reg.Health()); err != nil {
		t.Error(err)
	}
	wantPage(t, reg, "")
}

// Whatever a hook does, the page is complete.
func TestHooksThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, hook := range map[string]func(error){
		"panic":  func(error) { panic("at the disco") },
		"Goexit": func(error) { runtime.Goexit() },
		"block":  func(error) { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			reg := telltale.NewRegistry(telltale.WithErrorHook(hook))
			for range 5 {
				register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
					return errors.Join(emit(nil), errNoConnection)
				}))
			}
			register(t, reg, nameless(gauge("after", 1)))
			for range 2 {
				wantPage(t, reg, gaugePage("after", "1.0"))
			}
			wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonError: 10, telltale.ReasonInvalidFamily: 10})
		})
	}
}

// A hook may collect the registry that calls it.
func TestHookThatCollects(t *testing.T) {
	var reg *telltale.Registry
	var once sync.Once
	heard := make(chan error, 1)
	hook := func(error) { once.Do(func() { heard <- reg.Collect(context.Background(), readAll) }) }
	reg = telltale.NewRegistry(telltale.WithErrorHook(hook))
	register(t, reg, telltale.CollectorFunc(fails(func(func(*model.Family) error) error { return errNoConnection })))
	wantPage(t, reg, gaugePage("part", "1.0"))
	if err := await(t, "the hook", heard); err != nil {
		t.Errorf("the hook's Collect returned %v", err)
	}
}

// A misuse that no hook hears of is counted, and costs no description.
func TestMisuseWithoutAHookIsNotDescribed(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	v := telltale.Must(telltale.NewCounterVec("v", "", []string{"l"}, telltale.In(reg)))
	wrong := map[string]string{"m": "x"}
	for _, tt := range []struct {
		name string
		most float64
		f    func()
	}{
		{"a negative addition", 0, func() { c.Add(-1) }},
		{"the wrong number of values", 0, func() { v.With("1", "2").Inc() }},
		{"an unknown label", 0, func() { v.WithLabels(wrong).Inc() }},
		{"no such label to remove by", 0, func() { v.RemoveMatching(wrong) }},
		{"invalid UTF-8", 4, func() { v.With("a\xff").Inc() }}, // the value that is looked up instead
	} {
		tt.f()
		budget(t, tt.name, tt.most, tt.f)
	}
}

// A collector that emits any families, from goroutines and at any time, is
// contained.
func TestEmitWithoutRestraint(t *testing.T) {
	var late sync.WaitGroup
	ended := make(chan struct{})
	reg, _ := between(t, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for i := range 100 {
					if i%10 == 0 {
						_ = emit(nil)
					}
					_ = emit(failingFrom(0, func() error { panic("at the disco") }).family())
				}
			})
			late.Go(func() {
				<-ended
				_ = emit(nil)
				_ = emit(gauge("late", 1))
			})
		}
		all.Wait()
		return nil
	}), telltale.WithRetention(1<<10))
	wantPage(t, reg, around(""))
	close(ended)
	late.Wait()
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonInvalidFamily: 40, telltale.ReasonPanic: 400, telltale.ReasonLate: 8})
}

// Many families, kept or lent, do no harm.
func TestEmitManyFamilies(t *testing.T) {
	const families = 30_000
	for _, retention := range []int{telltale.DefaultRetention, 1 << 20, 0} {
		reg := telltale.NewRegistry(telltale.WithRetention(retention))
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			f := family("many", model.Gauge)
			for i := range families {
				f.Name = "many_" + strconv.Itoa(i)
				if err := emit(f); err != nil {
					return err
				}
			}
			return nil
		}))
		n := 0
		if err := countFamilies(reg, &n); err != nil || n != families {
			t.Errorf("with a retention of %d a scrape got %d families and error %v, want %d", retention, n, err, families)
		}
	}
}
