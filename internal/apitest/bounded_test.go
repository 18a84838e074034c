package apitest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// Of faults that a collector may have as many of as series, all are counted in
// every registry on the way, but only the first few are reported.
func TestFaultsOfACollectorAreToldAFewTimes(t *testing.T) {
	const many, told = 1000, 10
	repeating := family("repeating", model.Gauge)
	labelled := family("labelled", model.Gauge)
	for i := range many + 1 {
		repeating.AddSample("repeating", nil, 1)
		labelled.AddSample("labelled", labelMap{"added": string(rune('a' + i))}, 1)
	}
	for _, c := range []struct {
		name      string
		reason    telltale.Reason
		collector func() telltale.Collector
		count     uint64
	}{
		{"a series many times", telltale.ReasonRepeatedSeries, func() telltale.Collector { return nameless(repeating) }, many},
		{"series that have a label of the view", telltale.ReasonLabelClash, func() telltale.Collector {
			return telltale.Must(telltale.Labelled(nameless(labelled), map[string]string{"added": "x"}))
		}, many + 1},
		{"many nil families", telltale.ReasonInvalidFamily, func() telltale.Collector {
			return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
				for range many {
					_ = emit(nil)
				}
				return nil
			})
		}, many},
		{"families of one name", telltale.ReasonRepeatedFamily, func() telltale.Collector {
			return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
				for range many + 1 {
					_ = emit(gauge("one", 1))
				}
				return nil
			})
		}, many},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg, inner := between(t, c.collector())
			outer := telltale.NewRegistry()
			register(t, outer, reg)
			page(t, outer)
			wantFaults(t, reg, map[telltale.Reason]uint64{c.reason: c.count})
			wantFaults(t, outer, map[telltale.Reason]uint64{c.reason: c.count})
			faults := inner.heard()
			if len(faults) != told {
				t.Fatalf("%d faults were reported, want %d", len(faults), told)
			}
			for i, f := range faults {
				if f.Reason != c.reason || strings.Contains(f.Error(), "only counted") != (i == told-1) {
					t.Errorf("fault %d is %q, %v", i+1, f.Reason, f)
				}
			}
			page(t, outer) // the next collection reports again
			if n := len(inner.heard()); n != 2*told {
				t.Errorf("after a second collection %d faults were reported, want %d", n, 2*told)
			}
		})
	}
}

// The text of a fault is bounded, however long the names and values in it are.
func TestFaultsAreToldBriefly(t *testing.T) {
	for _, long := range []string{strings.Repeat("\n", 1<<20), "a" + strings.Repeat("é", 1<<20)} {
		repeating := family("repeating", model.Gauge)
		for range 2 {
			repeating.AddSample("repeating", labelMap{"a": long}, 1)
		}
		reg, w := between(t, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			_ = emit(repeating)
			_ = emit(&model.Family{Name: long, Type: 200})
			return errors.New(long)
		}))
		page(t, reg)
		for _, f := range w.want(t, telltale.ReasonRepeatedSeries, telltale.ReasonInvalidFamily, telltale.ReasonError) {
			if text := f.Error(); len(text) > 16<<10 || !strings.Contains(text, "bytes in all)") {
				t.Errorf("the text of a fault has %d bytes: ...%q", len(text), text[len(text)-100:])
			}
		}
	}
}

// A scrape that joins a run late also counts faults that the run has only
// counted.
func TestFaultsBeforeAScrapeJoinedAreCounted(t *testing.T) {
	const many = 1000
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for range many {
			_ = emit(nil)
		}
		begun <- struct{}{}
		<-finish
		return nil
	})
	first, second, w := telltale.NewRegistry(), telltale.NewRegistry(), &witness{}
	joined := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	register(t, first, c)
	register(t, joined, c)
	register(t, second, joined, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return nil }))
	_, one := scrapeInBackground(t, merge(nameless(gauge("first", 1)), first))
	await(t, "the collector", begun)
	in, two := scrapeInBackground(t, merge(nameless(gauge("second", 1)), second))
	await(t, "the second scrape", in)
	close(finish)
	await(t, "the first page", one)
	await(t, "the second page", two)
	wantFaults(t, joined, map[telltale.Reason]uint64{telltale.ReasonInvalidFamily: many})
	if n := len(w.heard()); n != 10 {
		t.Errorf("%d faults were reported, want 10", n)
	}
}

// A collector that keeps its emit function for ever retains no families by it.
func TestLateEmitsAreToldAFewTimes(t *testing.T) {
	const many = 1000
	var kept func(*model.Family) error
	reg, w := between(t, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		kept = emit
		return nil
	}))
	page(t, reg)
	for range many {
		if kept(gauge("late", 1)) == nil {
			t.Fatal("a late emit returned no error")
		}
	}
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonLate: many})
	if n := len(w.heard()); n != 10 {
		t.Errorf("%d faults were reported, want 10", n)
	}
}

// uncertain is a collector that may be unequal to itself, or not comparable.
type uncertain struct {
	of   any
	mark *mark
}

func (uncertain) Collect(_ context.Context, emit func(*model.Family) error) error {
	return emit(gauge("uncertain", 1))
}

// A collector that does not equal itself is not registered. In views it is
// collected, and forgotten when its run has ended.
func TestCollectorsThatAreEqualToNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   any
	}{
		{"a NaN", math.NaN()},
		{"an array with a NaN", [2]float64{1, math.NaN()}},
		{"a complex NaN", complex(0, math.NaN())},
		{"a slice", []int{1}},
		{"a map in a struct", struct{ m map[string]int }{}},
		{"a function", func() {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantForgotten(t, func(m *mark) {
				c := uncertain{tt.of, m}
				reg := telltale.NewRegistry()
				if err := reg.Register(c); err == nil || !strings.Contains(err.Error(), "cannot be compared") {
					t.Errorf("Register returned %v", err)
				}
				if err := reg.Unregister(c); err == nil || errors.Is(err, telltale.ErrNotRegistered) {
					t.Errorf("Unregister returned %v", err)
				}
				for range 3 {
					wantPage(t, merge(c), gaugePage("uncertain", "1.0"))
					wantPage(t, telltale.Restrict(c, "uncertain"), gaugePage("uncertain", "1.0"))
					wantPage(t, telltale.Restrict(c, "other"), "")
					n := 0
					if err := countFamilies(telltale.Restrict(c, "uncertain"), &n); n != 1 || err != nil {
						t.Errorf("a restricted view has %d families, error %v", n, err)
					}
				}
			})
		})
	}
}

func TestRestrictNothing(t *testing.T) {
	for _, c := range []telltale.Collector{nil, (*uncertain)(nil)} {
		n := 0
		err := countFamilies(telltale.Restrict(c, "x"), &n)
		if n != 0 || err == nil || !strings.Contains(err.Error(), "nil") || strings.Contains(err.Error(), "panic") {
			t.Errorf("a view of a nil %T has %d families, error %v", c, n, err)
		}
	}
}

// A source that calls emit waits for itself, until no scrape waits for it.
func TestSourceThatEmits(t *testing.T) {
	for _, retention := range []int{telltale.DefaultRetention, 0} {
		wantForgotten(t, func(m *mark) {
			walked, stuck := make(chan struct{}, 10), make(chan error, 10)
			reg := telltale.NewRegistry(telltale.WithRetention(retention))
			register(t, reg, marked(m, func(_ context.Context, emit func(*model.Family) error) error {
				return emit(family("outer", model.Gauge).WithPoints(sourceFunc(func(func(*model.Point) error) error {
					walked <- struct{}{}
					err := emit(gauge("inner", 1))
					stuck <- err
					return err
				})))
			}))
			ctx := newAlarm(t.Context())
			done := make(chan error, 1)
			go func() { done <- reg.Collect(ctx, func(*model.Family) error { return nil }) }()
			await(t, "the walk", walked)
			ctx.ring()
			if err := await(t, "the scrape", done); err != nil {
				t.Errorf("Collect returned %v", err)
			}
			if await(t, "the inner emit", stuck) == nil {
				t.Error("the inner emit returned no error")
			}
		})
	}
}

// A goroutine that a collector has left behind may collect with the context of a
// run that is over, also while the collector runs again.
func TestContextOfAnEarlierRun(t *testing.T) {
	var kept context.Context
	g := newGate()
	c := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		if kept == nil {
			kept = context.WithoutCancel(ctx)
			return nil
		}
		return g.Collect(ctx, emit)
	})
	reg := telltale.NewRegistry()
	register(t, reg, c)
	page(t, reg)
	var result <-chan string
	eventually(t, "a second run", func() bool {
		_, result = scrapeInBackground(t, merge(nameless(gauge("first", 1)), reg))
		select {
		case <-g.begun:
			return true
		case <-result: // it has shared the first run
			return false
		}
	})
	families := make(chan int, 1)
	go func() {
		n := 0
		if err := reg.Collect(kept, func(*model.Family) error { n++; return nil }); err != nil {
			t.Error(err)
		}
		families <- n
	}()
	close(g.open)
	await(t, "the page", result)
	if n := await(t, "the scrape with the earlier run's context", families); n != 1 {
		t.Errorf("it got %d families, want 1", n)
	}
	wantFaults(t, reg, nil)
}

// The size of a copy counts everything that it contains.
func TestRetentionCountsAllThatIsCopied(t *testing.T) {
	const size = 1 << 20
	long := strings.Repeat("x", size)
	exemplar := &model.Exemplar{Labels: model.LabelPairs([]string{"trace"}, []string{long})}
	native := &model.NativeHistogram{PositiveSpans: []model.Span{{Length: size / 8}}, Positive: make([]float64, size/8)}
	histogram := func(h *model.HistogramValue) model.Point {
		return model.Point{Has: model.Histogram.Parts() &^ model.PartCreated, Histogram: h}
	}
	point := func(typ model.Type, p model.Point) *model.Family {
		f := family("large", typ)
		f.Append(p)
		return f
	}
	labels := model.LabelPairs([]string{"a"}, []string{long})
	quantiles, states := make([]model.Quantile, size/16), make([]model.State, size/16)
	for i := range quantiles {
		quantiles[i].Q, states[i].Name = float64(i)/size, strconv.Itoa(i)
	}
	for _, c := range []struct {
		name   string
		family *model.Family
	}{
		{"labels", point(model.Gauge, model.Point{Has: model.PartValue, Labels: labels})},
		{"a counter's exemplar", point(model.Counter, model.Point{Has: model.PartTotal, Exemplar: exemplar})},
		{"a bucket's exemplar", point(model.Histogram, histogram(&model.HistogramValue{Exemplars: []*model.Exemplar{exemplar}, Native: &model.NativeHistogram{}}))},
		{"native buckets", point(model.Histogram, histogram(&model.HistogramValue{Native: native}))},
		{"a native exemplar", point(model.Histogram, histogram(&model.HistogramValue{Native: &model.NativeHistogram{Exemplars: []model.Exemplar{*exemplar}}}))},
		{"quantiles", point(model.Summary, model.Point{Has: model.PartValue, Summary: &model.SummaryValue{Quantiles: quantiles}})},
		{"states", point(model.StateSet, model.Point{Has: model.PartValue, States: states})},
		{"an info", point(model.Info, model.Point{Has: model.PartInfo, Info: labels})},
		{"a loose sample's labels", family("large", model.Gauge).WithLoose([]model.Sample{{Name: "large", Labels: labels}})},
		{"a loose sample's name", family("large", model.Gauge).WithLoose([]model.Sample{{Name: long}})},
		{"a loose native histogram", family("large", model.Histogram).WithLoose([]model.Sample{{Name: "large", NativeHistogram: native}})},
		{"help", telltale.Must(model.NewFamily("large", long, model.Gauge))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for retention, kept := range map[int]bool{size / 2: false, 4 * size: true} {
				testRetention(t, c.family, retention, kept)
			}
		})
	}
}

// testRetention checks whether a copy of the family is kept until a scrape comes to
// it, or the collector waits for the scrape in emit.
func testRetention(t *testing.T, f *model.Family, retention int, kept bool) {
	t.Helper()
	reg := telltale.NewRegistry(telltale.WithRetention(retention))
	telltale.Must(telltale.NewGauge("before", "", telltale.In(reg)))
	begun, emitted := make(chan struct{}), make(chan struct{})
	var taken atomic.Bool
	register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		close(begun)
		err := emit(f)
		if close(emitted); !kept && !taken.Load() {
			t.Errorf("with a retention of %d bytes emit returns before the family is read", retention)
		}
		return err
	}))
	err := reg.Collect(t.Context(), func(f *model.Family) error {
		if f.Name != "before" {
			taken.Store(true)
			return nil
		}
		await(t, "the collector", begun)
		if kept {
			await(t, "emit to return, because a copy is kept,", emitted)
		}
		for range 100 {
			runtime.Gosched() // for it to keep what it must not
		}
		return nil
	})
	if err != nil || !taken.Load() {
		t.Errorf("with a retention of %d bytes the family is read: %t, error %v", retention, taken.Load(), err)
	}
}

// All collectors of a registry together keep four times as much as one may, in
// each scrape.
func TestRetentionOfARegistry(t *testing.T) {
	const size, limit, collectors = 50_000, 100_000, 20
	const room = limit * 4 / (size + size/4) // the least number of collectors that have room
	reg := telltale.NewRegistry(telltale.WithRetention(limit))
	emitted := make(chan struct{}, collectors)
	for i := range collectors {
		f := family("large_"+string(rune('a'+i)), model.Gauge)
		f.AddSample(f.Name, labelMap{"a": strings.Repeat("x", size)}, 1)
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			err := emit(f)
			emitted <- struct{}{}
			return err
		}))
	}
	for range 3 {
		families := 0
		err := reg.Collect(t.Context(), func(*model.Family) error {
			if families++; families > 1 {
				return nil
			}
			n := room
			for range n {
				await(t, "a collector", emitted)
			}
			for range 100 {
				runtime.Gosched() // for others to keep what they must not
			}
			if n += len(emitted); n > 4*limit/size+1 { // the first is being read
				t.Errorf("%d families of %d bytes are kept, want %d bytes at most", n, size, 4*limit)
			}
			return nil
		})
		if err != nil || families != collectors {
			t.Errorf("%d families, error %v", families, err)
		}
		for range collectors - room {
			await(t, "the other collectors", emitted)
		}
	}
}

// A callback's function may report from goroutines, and after it has returned.
func TestObserveFromGoroutines(t *testing.T) {
	const goroutines, each = 4, 100
	late := make(chan telltale.Observe, 1)
	reg := telltale.NewRegistry()
	_, err := telltale.NewGaugeFunc("reported", "", []string{"n"}, func(_ context.Context, observe telltale.Observe) error {
		done := make(chan struct{})
		for g := range goroutines {
			go func() {
				defer func() { done <- struct{}{} }()
				for i := range each {
					if err := observe(1, string(rune('a'+g))+string(rune('a'+i))); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		for range goroutines {
			<-done
		}
		late <- observe
		return nil
	}, telltale.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page(t, reg), "\nreported{"); n != goroutines*each {
		t.Errorf("%d series, want %d", n, goroutines*each)
	}
	if err := (<-late)(1, "late"); err == nil {
		t.Error("a late report gave no error")
	}
}

// sourceFunc is a source that is a function.
type sourceFunc func(visit func(*model.Point) error) error

func (f sourceFunc) VisitPoints(_ *model.Point, visit func(*model.Point) error) error {
	return f(visit)
}
