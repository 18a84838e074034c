package apitest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/rules"
)

// inPool returns a view that adds the label pool.
func inPool(c telltale.Collector, pool string) telltale.Collector {
	return telltale.Must(telltale.Labelled(c, map[string]string{"pool": pool}))
}

// ofPool makes an instrument's series have the label pool.
func ofPool(pool string) telltale.Option {
	return telltale.WithConstLabels(map[string]string{"pool": pool})
}

// hits is a custom collector's counter with a series for each of the labels' values.
func hits(values ...string) *model.Family {
	f := family("hits", model.Counter)
	for i, v := range values {
		f.AddSample("hits_total", map[string]string{"path": v}, float64(i+1))
	}
	return f
}

func TestFamiliesOfOneDefinitionJoin(t *testing.T) {
	counter := func(reg *telltale.Registry, opts ...telltale.CounterOption) *telltale.CounterVec {
		return telltale.Must(telltale.NewCounterVec("hits", "Hits.", []string{"path"}, append(opts, telltale.In(reg))...))
	}
	const both = "# TYPE hits_total counter\n" + `hits_total{path="/",pool="a"} 1.0` + "\n" + `hits_total{path="/",pool="b"} 1.0` + "\n"
	instrument := func() *telltale.Registry {
		reg := telltale.NewRegistry()
		counter(reg).With("/").Inc()
		return reg
	}
	for _, tt := range []struct {
		name string
		a, b func() telltale.Collector
	}{
		{"instruments of two registries", func() telltale.Collector { return instrument() }, func() telltale.Collector { return instrument() }},
		{"custom collectors", func() telltale.Collector { return nameless(hits("/")) }, func() telltale.Collector { return nameless(hits("/")) }},
		{"described custom collectors", func() telltale.Collector { return described(hits("/")) }, func() telltale.Collector { return described(hits("/")) }},
		{"an instrument and a custom collector", func() telltale.Collector { return instrument() }, func() telltale.Collector { return nameless(hits("/")) }},
		{"a custom collector and an instrument", func() telltale.Collector { return nameless(hits("/")) }, func() telltale.Collector { return instrument() }},
		{"a callback and an instrument", func() telltale.Collector {
			return telltale.Must(telltale.NewCounterFunc("hits", "", []string{"path"}, func(_ context.Context, observe telltale.Observe) error { return observe(1, "/") }, telltale.Unregistered()))
		}, func() telltale.Collector { return instrument() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			between := telltale.NewRegistry()
			telltale.Must(telltale.NewGauge("depth", "", telltale.In(between)))
			for name, all := range map[string]telltale.Collector{
				"merged":    merge(inPool(tt.a(), "a"), between, inPool(tt.b(), "b")),
				"nested":    registryOf(t, inPool(tt.a(), "a"), between, inPool(tt.b(), "b")),
				"viewed":    inEnv(merge(inPool(tt.a(), "a"), between, inPool(tt.b(), "b")), ""),
				"more than": merge(inPool(merge(tt.a()), "a"), registryOf(t, between, registryOf(t, inPool(tt.b(), "b")))),
			} {
				if got, want := page(t, all), both+gaugePage("depth", "0.0"); got != want {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
				}
			}
		})
	}
	t.Run("constant labels of instruments and labels of views", func(t *testing.T) {
		plain, constant := telltale.NewRegistry(), telltale.NewRegistry()
		counter(plain).With("/").Inc()
		counter(constant, ofPool("b")).With("/").Inc()
		wantPage(t, merge(inPool(plain, "a"), constant), "# TYPE hits_total counter\n"+
			`hits_total{path="/",pool="a"} 1.0`+"\n"+`hits_total{pool="b",path="/"} 1.0`+"\n")
	})
	t.Run("many of them", func(t *testing.T) {
		var parts []telltale.Collector
		for i := range 40 {
			reg := instrument()
			if i%3 == 0 {
				parts = append(parts, inPool(nameless(hits("/")), fmt.Sprint(i)))
				continue
			}
			parts = append(parts, inPool(reg, fmt.Sprint(i)))
		}
		got := page(t, merge(parts...))
		if strings.Count(got, "# TYPE") != 1 || strings.Count(got, "hits_total{") != 40 {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("under a prefix", func(t *testing.T) {
		wantPage(t, prefixed(merge(inPool(instrument(), "a"), inPool(nameless(hits("/")), "b")), "x_"), strings.ReplaceAll(both, "hits", "x_hits"))
	})
	t.Run("restricted", func(t *testing.T) {
		reg := registryOf(t, inPool(instrument(), "a"), inPool(described(hits("/")), "b"), described(gauge("m", 1)))
		wantPage(t, reg.Restricted("hits_total"), both)
		wantPage(t, reg.Restricted("hits"), both)
		if v, err := reg.Sample("hits_total", map[string]string{"pool": "b", "path": "/"}); v != 1 || err != nil {
			t.Errorf("Sample: %v, %v", v, err)
		}
	})
}

// inEnv is a view with a label that all series have, unless it is "".
func inEnv(c telltale.Collector, env string) telltale.Collector {
	if env == "" {
		return telltale.Must(telltale.Labelled(c, nil))
	}
	return telltale.Must(telltale.Labelled(c, map[string]string{"env": env}))
}

func registryOf(t *testing.T, collectors ...telltale.Collector) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	register(t, reg, collectors...)
	return reg
}

func TestInstrumentsOfOneDefinitionRegisterTwice(t *testing.T) {
	reg := telltale.NewRegistry()
	counter := func(pool string, opts ...telltale.CounterOption) (*telltale.Counter, error) {
		return telltale.NewCounter("jobs", "Jobs.", append(opts, telltale.In(reg), ofPool(pool))...)
	}
	a, b := telltale.Must(counter("a")), telltale.Must(counter("b"))
	telltale.Must(telltale.NewGauge("depth", "", telltale.In(reg)))
	c := telltale.Must(counter("c"))
	a.Inc()
	b.Add(2)
	c.Add(3)
	if telltale.Must(counter("b")) != b || telltale.Must(counter("c")) != c {
		t.Error("the same definition gave another counter")
	}
	lines := func(pools ...string) string {
		text := "# TYPE jobs_total counter\n"
		for _, p := range pools {
			text += fmt.Sprintf("jobs_total{pool=%q} %s\n", p, map[string]string{"a": "1.0", "b": "2.0", "c": "3.0"}[p])
		}
		return text
	}
	depth := gaugePage("depth", "0.0")
	wantPage(t, reg, lines("a", "b", "c")+depth)
	wantNames(t, "described", describedNames(reg), "jobs", "depth")
	wantPage(t, reg.Restricted("jobs_total"), lines("a", "b", "c"))
	if err := reg.Unregister(a); err != nil {
		t.Fatal(err)
	}
	wantPage(t, reg, lines("b")[:len(lines("b"))]+lines("c")[len(lines()):]+depth)
	if err := errors.Join(reg.Unregister(c), reg.Unregister(b)); err != nil {
		t.Fatal(err)
	}
	wantPage(t, reg, depth)
	telltale.Must(telltale.NewGauge("jobs", "", telltale.In(reg))) // the names are free

	for _, tt := range []struct {
		name, why string
		make      func(reg *telltale.Registry) error
	}{
		{"the same labels, another help", "no constant label has different values", func(reg *telltale.Registry) error {
			_, err := telltale.NewCounter("jobs", "Work.", telltale.In(reg), ofPool("a"))
			return err
		}},
		{"another help", "more than the values of constant labels", func(reg *telltale.Registry) error {
			_, err := telltale.NewCounter("jobs", "Work.", telltale.In(reg), ofPool("b"))
			return err
		}},
		{"another constant label", "the names of their constant labels differ", func(reg *telltale.Registry) error {
			_, err := telltale.NewCounter("jobs", "Jobs.", telltale.In(reg), telltale.WithConstLabels(map[string]string{"queue": "a"}))
			return err
		}},
		{"no constant label", "the names of their constant labels differ", func(reg *telltale.Registry) error {
			_, err := telltale.NewCounter("jobs", "Jobs.", telltale.In(reg))
			return err
		}},
		{"a label more", "more than the values of constant labels", func(reg *telltale.Registry) error {
			_, err := telltale.NewCounterVec("jobs", "Jobs.", []string{"queue"}, telltale.In(reg), ofPool("b"))
			return err
		}},
		{"another type", "more than the values of constant labels", func(reg *telltale.Registry) error {
			_, err := telltale.NewSummary("jobs", "Jobs.", telltale.In(reg), ofPool("b"))
			return err
		}},
		{"a view of another label", "their label names differ", func(reg *telltale.Registry) error {
			return reg.Register(telltale.Must(telltale.Labelled(telltale.Must(telltale.NewCounter("jobs", "", telltale.Unregistered())), map[string]string{"queue": "a"})))
		}},
		{"a view of a label more", "their label names differ", func(reg *telltale.Registry) error {
			return reg.Register(telltale.Must(telltale.Labelled(telltale.Must(telltale.NewCounter("jobs", "", telltale.Unregistered())), map[string]string{"pool": "b", "queue": "a"})))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			telltale.Must(telltale.NewCounter("jobs", "Jobs.", telltale.In(reg), ofPool("a")))
			before := page(t, reg)
			err := tt.make(reg)
			var duplicate *telltale.DuplicateError
			if !errors.As(err, &duplicate) || !strings.Contains(err.Error(), tt.why) || !strings.Contains(err.Error(), `constant labels {pool="a"}`) {
				t.Errorf("got error %v, want a DuplicateError with %q", err, tt.why)
			}
			wantPage(t, reg, before)
		})
	}
}

func TestFamiliesThatDoNotJoin(t *testing.T) {
	histogram := func(name string, bounds ...float64) telltale.Collector {
		h := telltale.Must(telltale.NewHistogram(name, "", telltale.Unregistered(), telltale.WithBuckets(bounds...)))
		return h
	}
	labelled := func(label string) *model.Family {
		f := family("m", model.Gauge)
		f.AddSample("m", map[string]string{label: "x"}, 1)
		return f
	}
	for _, tt := range []struct {
		name, why string
		a, b      telltale.Collector
	}{
		{"another type", "one is a gauge, the other a unknown", inPool(nameless(gauge("m", 1)), "a"), inPool(nameless(func() *model.Family {
			f := family("m", model.Unknown)
			f.AddSample("m", nil, 2)
			return f
		}()), "b")},
		{"another unit", "units differ", inPool(nameless(family("m_bytes", model.Gauge)), "a"), inPool(nameless(family("m_bytes", model.Gauge, model.WithUnit("bytes"))), "b")},
		{"other label names", "label names differ", inPool(nameless(labelled("x")), "a"), inPool(nameless(labelled("y")), "b")},
		{"other buckets", "buckets differ", inPool(histogram("h", 1, 2), "a"), inPool(histogram("h", 1, 3), "b")},
		{"the same labels", "no constant label", inPool(nameless(gauge("m", 1)), "a"), merge(inPool(nameless(gauge("n", 1)), "b"), inPool(nameless(gauge("m", 2)), "a"))},
		{"other rules of merging", "rules of merging", inPool(nameless(family("m", model.Gauge, model.WithMerge(model.MergeMax))), "a"), inPool(nameless(family("m", model.Gauge)), "b")},
		{"restricted", "leave out different samples", inPool(histogram("h", 1), "a"), inPool(telltale.Restrict(histogram("h", 1), "h_count"), "b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w witness
			reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
			register(t, reg, registryOf(t, tt.a), registryOf(t, tt.b))
			if got := page(t, reg); strings.Count(got, "# TYPE m")+strings.Count(got, "# TYPE h") != 1 || strings.Contains(got, `m{pool="b"`) {
				t.Errorf("got\n%s", got)
			}
			faults := w.want(t, telltale.ReasonRepeatedFamily)
			if !strings.Contains(faults[0].Error(), tt.why) {
				t.Errorf("got fault %v, want %q", faults[0], tt.why)
			}
		})
	}
	t.Run("described, at registration", func(t *testing.T) {
		reg := registryOf(t, inPool(histogram("h", 1, 2), "a"))
		err := reg.Register(inPool(histogram("h", 1, 3), "b"))
		_ = duplicateIn(t, err, "h", "h_bucket", "h_count", "h_created", "h_sum")
		if !strings.Contains(err.Error(), "their buckets differ") {
			t.Errorf("got error %v", err)
		}
	})
}

// Two collectors that emit the same families in different orders wait neither for each
// other nor for the scrapes that read them in either order.
func TestJoinedCollectorsDoNotWaitForEachOther(t *testing.T) {
	for name, retention := range map[string]int{"copied": telltale.DefaultRetention, "lent": 0} {
		t.Run(name, func(t *testing.T) {
			a, b := nameless(gauge("m", 1), gauge("n", 2)), nameless(gauge("n", 3), gauge("m", 4))
			pages := make(chan string)
			for i := range 8 {
				go func() {
					reg := telltale.NewRegistry(telltale.WithRetention(retention))
					first, second := inPool(a, "a"), inPool(b, "b")
					if i%2 == 1 {
						first, second = second, first
					}
					if err := errors.Join(reg.Register(first), reg.Register(second)); err != nil {
						t.Error(err)
					}
					for range 20 {
						text, err := telltale.GenerateLatest(reg)
						if err != nil {
							t.Error(err)
						}
						pages <- withoutHelp(string(text))
					}
				}()
			}
			for range 8 * 20 {
				got := await(t, "a page", pages)
				if strings.Count(got, "# TYPE m ") != 1 || strings.Count(got, "# TYPE n ") != 1 {
					t.Errorf("got\n%s", got)
				}
				if retention > 0 && (strings.Count(got, "m{") != 2 || strings.Count(got, "n{") != 2) {
					t.Errorf("got\n%s", got)
				}
			}
		})
	}
}

// What there is no room to keep until its turn is left out, and told.
func TestJoiningBeyondTheRetention(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear), telltale.WithRetention(0))
	register(t, reg, inPool(nameless(gauge("m", 1)), "a"), inPool(nameless(gauge("m", 2), gauge("n", 3)), "b"))
	wantPage(t, reg, "# TYPE m gauge\nm{pool=\"a\"} 1.0\n# TYPE n gauge\nn{pool=\"b\"} 3.0\n")
	if faults := w.want(t, telltale.ReasonRepeatedFamily); !strings.Contains(faults[0].Error(), "WithRetention") {
		t.Errorf("got fault %v", faults[0])
	}
}

// A collector that hangs costs its own families, not those that join them.
func TestJoiningWithACollectorThatHangs(t *testing.T) {
	begun, finish, emitted := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 2)
	defer close(finish)
	alarm := newAlarm(t.Context())
	quick := func(f *model.Family) telltale.Collector {
		return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			defer func() { emitted <- struct{}{} }()
			return emit(f)
		})
	}
	m := merge(inPool(quick(gauge("m", 1)), "a"), inPool(telltale.CollectorFunc(emittingSlowly(begun, finish, gauge("m", 2))), "b"), inPool(quick(gauge("m", 3)), "c"))
	go func() {
		<-begun
		<-emitted
		<-emitted
		alarm.ring()
	}()
	var lines []string
	err := m.Collect(alarm, func(f *model.Family) error {
		for s := range f.Samples() {
			lines = append(lines, s.Labels.String())
		}
		return nil
	})
	wantNames(t, "series", lines, `{pool="a"}`, `{pool="c"}`)
	var fault *telltale.Fault
	if !errors.As(err, &fault) || fault.Reason != telltale.ReasonDeadline {
		t.Errorf("got error %v", err)
	}
}

// Families join within a view that relabels them, and it sees them as one.
func TestJoiningUnderRules(t *testing.T) {
	parts := func() telltale.Collector {
		a, b := telltale.NewRegistry(), nameless(gauge("m", 2), gauge("n", 3))
		telltale.Must(telltale.NewGauge("m", "", telltale.In(a))).Set(1)
		return merge(inPool(a, "a"), inPool(b, "b"))
	}
	rename := telltale.Must(rules.New(parts(), rules.Rename("m", "renamed")))
	wantPage(t, rename, "# TYPE renamed gauge\nrenamed{pool=\"a\"} 1.0\nrenamed{pool=\"b\"} 2.0\n# TYPE n gauge\nn{pool=\"b\"} 3.0\n")
	wantPage(t, inEnv(rename, "x"), "# TYPE renamed gauge\nrenamed{pool=\"a\",env=\"x\"} 1.0\nrenamed{pool=\"b\",env=\"x\"} 2.0\n# TYPE n gauge\nn{pool=\"b\",env=\"x\"} 3.0\n")
}
