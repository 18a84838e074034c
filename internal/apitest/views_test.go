package apitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

type labelMap = map[string]string

// labelled and prefixed make views that cannot fail.
func labelled(c telltale.Collector, labels labelMap) telltale.Collector {
	return telltale.Must(telltale.Labelled(c, labels))
}

func prefixed(c telltale.Collector, prefix string) telltale.Collector {
	return telltale.Must(telltale.Prefixed(c, prefix))
}

func merge(c ...telltale.Collector) telltale.Collector { return telltale.Must(telltale.Merge(c...)) }

func TestViewsOfEveryType(t *testing.T) {
	labels := labelMap{"y": "2", "x": "1"}
	tests := []struct {
		name string
		view func(c telltale.Collector) telltale.Collector
		want string
	}{
		{"Labelled", func(c telltale.Collector) telltale.Collector { return labelled(c, labels) },
			`# TYPE target_info gauge
target_info{x="1",y="2",env="test"} 1.0
# TYPE g gauge
g{x="1",y="2"} 1.0
# TYPE c_total counter
c_total{x="1",y="2"} 2.0
# TYPE h histogram
h_bucket{x="1",y="2",le="1.0"} 0.0
h_bucket{x="1",y="2",le="+Inf"} 1.0
h_count{x="1",y="2"} 1.0
h_sum{x="1",y="2"} 3.0
# TYPE s summary
s_count{x="1",y="2"} 1.0
s_sum{x="1",y="2"} 4.0
# TYPE i_info gauge
i_info{x="1",y="2",version="5"} 1.0
# TYPE e gauge
e{x="1",y="2",e="on"} 1.0
e{x="1",y="2",e="off"} 0.0
`},
		{"Prefixed", func(c telltale.Collector) telltale.Collector { return prefixed(c, "p_") },
			`# TYPE p_target_info gauge
p_target_info{env="test"} 1.0
# TYPE p_g gauge
p_g 1.0
# TYPE p_c_total counter
p_c_total 2.0
# TYPE p_h histogram
p_h_bucket{le="1.0"} 0.0
p_h_bucket{le="+Inf"} 1.0
p_h_count 1.0
p_h_sum 3.0
# TYPE p_s summary
p_s_count 1.0
p_s_sum 4.0
# TYPE p_i_info gauge
p_i_info{version="5"} 1.0
# TYPE p_e gauge
p_e{p_e="on"} 1.0
p_e{p_e="off"} 0.0
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			view := tt.view(zoo())
			wantPage(t, view, tt.want)
			outer := telltale.NewRegistry()
			register(t, outer, view)
			wantPage(t, outer, tt.want)
		})
	}
}

func TestViewsCompose(t *testing.T) {
	vec := telltale.Must(telltale.NewGaugeVec("g", "", []string{"own"}, telltale.Unregistered(), telltale.WithConstLabels(labelMap{"const": "0"})))
	vec.With(`a"b`).Set(1)
	const own = `const="0",own="a\"b"`
	tests := []struct {
		name string
		view telltale.Collector
		want string
	}{
		{"labels on labels", labelled(labelled(vec, labelMap{"in": "1"}), labelMap{"out": "2"}), `g{` + own + `,in="1",out="2"} 1.0`},
		{"prefix on prefix", prefixed(prefixed(vec, "in_"), "out_"), `out_in_g{` + own + `} 1.0`},
		{"labels on a prefix", labelled(prefixed(vec, "p_"), labelMap{"l": "\n"}), `p_g{` + own + `,l="\n"} 1.0`},
		{"a prefix on labels", prefixed(labelled(vec, labelMap{"l": "v"}), "p_"), `p_g{` + own + `,l="v"} 1.0`},
		{"no labels", labelled(vec, nil), `g{` + own + `} 1.0`},
		{"no prefix", prefixed(vec, ""), `g{` + own + `} 1.0`},
		{"a series stands for its family", labelled(vec.With(`a"b`), labelMap{"l": "v"}), `g{` + own + `,l="v"} 1.0`},
		{"restricted inside", prefixed(telltale.Restrict(vec, "g"), "p_"), `p_g{` + own + `} 1.0`},
		{"restricted outside", telltale.Restrict(prefixed(vec, "p_"), "p_g"), `p_g{` + own + `} 1.0`},
		{"restricted by the name inside", telltale.Restrict(prefixed(vec, "p_"), "g"), ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := ""
			if name, _, ok := strings.Cut(tt.want, "{"); ok {
				want = "# TYPE " + name + " gauge\n" + tt.want + "\n"
			}
			wantPage(t, tt.view, want)
			reg, nested := telltale.NewRegistry(), telltale.NewRegistry()
			register(t, reg, tt.view)
			register(t, nested, reg)
			wantPage(t, reg, want)
			wantPage(t, nested, want)
		})
	}
}

func TestViewsClaimTheNamesTheyShow(t *testing.T) {
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg)))
	register(t, reg, prefixed(c, "p_"), prefixed(c, "q_"))
	wantDuplicate(t, reg.Register(prefixed(c, "p_")), "p_c", "p_c_created", "p_c_total")
	wantDuplicate(t, reg.Register(labelled(c, labelMap{"l": "v"})), "c", "c_created", "c_total")
	wantDuplicate(t, reg.Register(merge(described(gauge("free", 1)), c)), "c", "c_created", "c_total")
	wantDuplicate(t, reg.Register(telltale.Restrict(c, "c_total")), "c", "c_created", "c_total")
	register(t, reg, telltale.Restrict(c, "nothing"), described(gauge("free", 1)))
	wantNames(t, "families", familyNames(t, reg), "c", "p_c", "q_c", "free")
}

func TestViewsOfWhatHasNoNamesAreSeen(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, prefixed(nameless(gauge("m", 1)), "p_"))
	wantPage(t, reg, gaugePage("p_m", "1.0"))
	wantPage(t, reg.Restricted("p_m"), gaugePage("p_m", "1.0"))
}

func TestViewsAreDescribedByRegistriesThatAsk(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithAutoDescribe())
	register(t, reg, prefixed(nameless(gauge("m", 1)), "p_"))
	wantDuplicate(t, reg.Register(described(gauge("p_m", 2))), "p_m")
}

// A sample that fits no point of its family's type goes through views like any
// other.
func TestViewsOfLooseSamples(t *testing.T) {
	f := gauge("g", 1)
	f.AddSample("g_odd", labelMap{"own": "o"}, 2)
	view := prefixed(labelled(nameless(f), labelMap{"l": "v"}), "p_")
	want := "# TYPE p_g gauge\np_g{l=\"v\"} 1.0\np_g_odd{own=\"o\",l=\"v\"} 2.0\n"
	wantPage(t, view, want)
	reg := telltale.NewRegistry()
	register(t, reg, view)
	wantPage(t, reg, want)
	wantPage(t, reg.Restricted("p_g_odd"), "# TYPE p_g gauge\np_g_odd{own=\"o\",l=\"v\"} 2.0\n")
	wantFaults(t, reg, nil)
}

func TestViewsThatCannotBe(t *testing.T) {
	un := telltale.Unregistered()
	counter := telltale.Must(telltale.NewCounter("c", "", un))
	vec := telltale.Must(telltale.NewCounterVec("c", "", []string{"own"}, un, telltale.WithConstLabels(labelMap{"const": ""})))
	histogram := telltale.Must(telltale.NewHistogram("h", "", un))
	summary := telltale.Must(telltale.NewSummary("s", "", un))
	enum := telltale.Must(telltale.NewEnum("e", "", []string{"on"}, un))
	tests := []struct {
		name string
		make func() (telltale.Collector, error)
	}{
		{"labels on nil", func() (telltale.Collector, error) { return telltale.Labelled(nil, labelMap{"l": "v"}) }},
		{"a prefix on nil", func() (telltale.Collector, error) { return telltale.Prefixed((*telltale.Gauge)(nil), "p_") }},
		{"nil among others", func() (telltale.Collector, error) { return telltale.Merge(counter, nil) }},
		{"what cannot be compared", func() (telltale.Collector, error) { return telltale.Prefixed(comparableNot{}, "p_") }},
		{"a prefix that is not UTF-8", func() (telltale.Collector, error) { return telltale.Prefixed(counter, "\xff") }},
		{"a label without a name", func() (telltale.Collector, error) { return telltale.Labelled(counter, labelMap{"": "v"}) }},
		{"a reserved label", func() (telltale.Collector, error) { return telltale.Labelled(counter, labelMap{"__l": "v"}) }},
		{"the instrument's own label", func() (telltale.Collector, error) { return telltale.Labelled(vec, labelMap{"own": "v"}) }},
		{"the instrument's constant label", func() (telltale.Collector, error) { return telltale.Labelled(vec, labelMap{"const": "v"}) }},
		{"the label of a view within", func() (telltale.Collector, error) {
			return telltale.Labelled(prefixed(labelled(counter, labelMap{"l": "v"}), "p_"), labelMap{"l": "w"})
		}},
		{"the own label of an instrument in a view", func() (telltale.Collector, error) {
			return telltale.Labelled(prefixed(vec, "p_"), labelMap{"own": "v"})
		}},
		{"le on a histogram", func() (telltale.Collector, error) { return telltale.Labelled(histogram, labelMap{"le": "1"}) }},
		{"quantile on a summary", func() (telltale.Collector, error) { return telltale.Labelled(summary, labelMap{"quantile": "1"}) }},
		{"its own name on an enum", func() (telltale.Collector, error) { return telltale.Labelled(enum, labelMap{"e": "on"}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if view, err := tt.make(); err == nil {
				t.Errorf("it was accepted; its page is\n%s", page(t, view))
			}
		})
	}
	t.Run("and labels that are fine there", func(t *testing.T) {
		labelled(counter, labelMap{"le": "1", "quantile": "2", "c": "3"})
	})
}

// Clashes of names described when a view is made or registered are found before
// the scrape.
func TestViewsWithReservedLabelsOfWhatIsDescribed(t *testing.T) {
	families := []*model.Family{gauge("g", 1), family("h", model.Histogram)}
	if _, err := telltale.Labelled(described(families...), labelMap{"le": "1"}); err == nil {
		t.Error("a view was made of it")
	}
	reg, c := telltale.NewRegistry(), &describer{func() []*model.Family { return nil }}
	view := labelled(c, labelMap{"le": "1"})
	c.describe = func() []*model.Family { return families }
	if reg.Register(view) == nil {
		t.Error("it was accepted")
	}
	register(t, reg, described(gauge("g", 1)))
}

// A view leaves out series that have the label it adds: the label would occur
// twice, and the whole page would be invalid.
func TestLabelClashAtTheScrape(t *testing.T) {
	clashing := family("m", model.Gauge)
	clashing.AddSample("m", labelMap{"l": "own"}, 1)
	clashing.AddSample("m", labelMap{"other": "o"}, 2)
	odd := gauge("odd", 1)
	odd.AddSample("odd_loose", labelMap{"l": "own"}, 2)
	info := telltale.Must(model.NewInfoFamily("build", ""))
	if err := info.Add(nil, labelMap{"l": "own"}); err != nil {
		t.Fatal(err)
	}
	nested := telltale.NewRegistry()
	register(t, nested, labelled(nameless(gauge("n", 1)), labelMap{"l": "inner"}))
	buckets := family("h", model.Histogram)
	buckets.AddSample("h_bucket", labelMap{"le": "+Inf"}, 1)
	phases := family("phase", model.StateSet)
	phases.AddSample("phase", labelMap{"app_phase": "x", "phase": "on"}, 1)
	phases.AddSample("phase", labelMap{"l": "x", "phase": "on"}, 1)
	added := labelMap{"l": "v"}
	tests := []struct {
		name string
		view telltale.Collector
		want string
	}{
		{"a series", labelled(nameless(clashing), added), "# TYPE m gauge\nm{other=\"o\",l=\"v\"} 2.0\n"},
		{"a loose sample", labelled(nameless(odd), added), "# TYPE odd gauge\nodd{l=\"v\"} 1.0\n"},
		{"an info's own labels", labelled(nameless(info.Family()), added), "# TYPE build_info gauge\n"},
		{"another view's labels", labelled(nested, added), ""},
		{"le of a histogram", labelled(nameless(buckets), labelMap{"le": "1"}), ""},
		{"the new name of a state set", prefixed(nameless(phases), "app_"), "# TYPE app_phase gauge\napp_phase{l=\"x\",app_phase=\"on\"} 1.0\n"},
		{"the state of a state set", labelled(nameless(family("l", model.StateSet)), added), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w witness
			reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
			register(t, reg, tt.view, described(gauge("rest", 1)))
			wantPage(t, reg, tt.want+gaugePage("rest", "1.0"))
			w.want(t, telltale.ReasonLabelClash)
		})
	}
}

// However often a format walks a family, each series that a view leaves out is one fault
// of the page.
func TestLabelClashesAreCountedOncePerPage(t *testing.T) {
	infos := telltale.Must(telltale.NewInfoVec("build", "", []string{"n"}, telltale.Unregistered()))
	clashing := family("m", model.Histogram)
	for i := range 5 {
		labels := labelMap{"l": fmt.Sprint(i), "x.y": "z"}
		if err := infos.With(fmt.Sprint(i)).Set(labels); err != nil {
			t.Fatal(err)
		}
		labels["le"] = "+Inf"
		clashing.AddSample("m_bucket", labels, 1)
	}
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	register(t, reg, labelled(infos, labelMap{"l": "v"}), labelled(nameless(clashing), labelMap{"l": "v"}))
	want := uint64(0)
	for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf} {
		for _, scheme := range []model.Escaping{model.Underscores, model.Dots, model.AllowUTF8} {
			e := exposition.NewEncoder(io.Discard, format.WithEscaping(scheme), exposition.WithDropped(func(exposition.Drop) {}))
			if err := errors.Join(reg.Collect(t.Context(), e.Encode), e.Close()); err != nil {
				t.Fatal(err)
			}
			if want += 10; reg.Stats().Faults[telltale.ReasonLabelClash] != want {
				t.Fatalf("%s: %v, want %d", format.WithEscaping(scheme), reg.Stats().Faults, want)
			}
		}
	}
}

func TestMerge(t *testing.T) {
	t.Run("keeps the order of its parts", func(t *testing.T) {
		inner := telltale.NewRegistry()
		telltale.Must(telltale.NewGauge("b", "", telltale.In(inner)))
		c := telltale.Must(telltale.NewGauge("c", "", telltale.Unregistered()))
		wantNames(t, "families", familyNames(t, merge(c, inner, nameless(gauge("a", 1)))), "c", "b", "a")
	})
	t.Run("of nothing", func(t *testing.T) {
		wantPage(t, merge(), "")
	})
	t.Run("leaves out what comes a second time", func(t *testing.T) {
		one, two := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, one, described(gauge("m", 1)))
		register(t, two, described(gauge("m", 2)), described(gauge("n", 3)))
		wantPage(t, merge(one, two), gaugePage("m", "1.0", "n", "3.0"))
		wantFaults(t, one, map[telltale.Reason]uint64{telltale.ReasonRepeatedFamily: 1})
	})
	t.Run("may have one collector twice, seen differently", func(t *testing.T) {
		c := nameless(gauge("m", 1))
		wantPage(t, merge(prefixed(c, "a_"), prefixed(c, "b_")), gaugePage("a_m", "1.0", "b_m", "1.0"))
	})
	t.Run("without a registry in it returns faults as errors", func(t *testing.T) {
		failing := errors.New("no connection")
		m := merge(nameless(gauge("a", 1)), telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return failing }), nameless(gauge("b", 2)))
		var names []string
		err := m.Collect(t.Context(), func(f *model.Family) error {
			names = append(names, f.Name)
			return nil
		})
		wantNames(t, "families", names, "a", "b")
		if !errors.Is(err, failing) {
			t.Errorf("got error %v, want the collector's", err)
		}
	})
}

func TestNestedRegistries(t *testing.T) {
	t.Run("are live and keep their place", func(t *testing.T) {
		outer, inner := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, outer, described(gauge("a", 1)), inner, described(gauge("z", 1)))
		wantNames(t, "families", familyNames(t, outer), "a", "z")
		register(t, inner, described(gauge("m", 1)))
		wantNames(t, "families", familyNames(t, outer), "a", "m", "z")
	})
	t.Run("claim nothing, and lose to who claims", func(t *testing.T) {
		outer, inner := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, inner, described(gauge("m", 1)), described(gauge("n", 1)))
		register(t, outer, inner)
		c := described(gauge("m", 2))
		register(t, outer, c)
		wantPage(t, outer, gaugePage("n", "1.0", "m", "2.0"))
		if err := outer.Unregister(c); err != nil {
			t.Fatal(err)
		}
		wantPage(t, outer, gaugePage("m", "1.0", "n", "1.0"))
		wantFaults(t, outer, map[telltale.Reason]uint64{telltale.ReasonRepeatedFamily: 1})
	})
	t.Run("that clash with each other: the first has it", func(t *testing.T) {
		outer := telltale.NewRegistry()
		for _, name := range []string{"h", "h_sum", "h_total"} {
			inner := telltale.NewRegistry()
			if name == "h" {
				telltale.Must(telltale.NewSummary("h", "", telltale.In(inner))).Observe(1)
			} else {
				register(t, inner, described(gauge(name, 1)))
			}
			register(t, outer, inner)
		}
		wantPage(t, outer, "# TYPE h summary\nh_count 1.0\nh_sum 1.0\n"+gaugePage("h_total", "1.0"))
		wantFaults(t, outer, map[telltale.Reason]uint64{telltale.ReasonRepeatedFamily: 1})
	})
	t.Run("registered twice", func(t *testing.T) {
		outer, inner := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, outer, inner)
		wantDuplicate(t, outer.Register(inner))
		register(t, outer, prefixed(inner, "p_"))
	})
	t.Run("may share a registry", func(t *testing.T) {
		shared, left, right, top := telltale.NewRegistry(), telltale.NewRegistry(), telltale.NewRegistry(), telltale.NewRegistry()
		register(t, shared, described(gauge("m", 1)))
		register(t, left, prefixed(shared, "left_"))
		register(t, right, prefixed(shared, "right_"))
		register(t, top, left, right)
		wantPage(t, top, gaugePage("left_m", "1.0", "right_m", "1.0"))
	})
	t.Run("say what they hold", func(t *testing.T) {
		inner, outer := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, inner, described(gauge("m", 1)))
		register(t, outer, prefixed(inner, "p_"))
		wantNames(t, "described", describedNames(outer), "p_m")
	})
}

func TestCyclesAreRefused(t *testing.T) {
	wraps := map[string]func(r *telltale.Registry) telltale.Collector{
		"itself":            func(r *telltale.Registry) telltale.Collector { return r },
		"a restricted view": func(r *telltale.Registry) telltale.Collector { return r.Restricted("m") },
		"Restrict":          func(r *telltale.Registry) telltale.Collector { return r.Restricted("m").Restricted("m") },
		"Labelled":          func(r *telltale.Registry) telltale.Collector { return labelled(r, labelMap{"l": "v"}) },
		"Prefixed":          func(r *telltale.Registry) telltale.Collector { return prefixed(r, "p_") },
		"Merge":             func(r *telltale.Registry) telltale.Collector { return merge(nameless(), r) },
		"views of views":    func(r *telltale.Registry) telltale.Collector { return merge(prefixed(labelled(r, nil), "p_")) },
	}
	for name, wrap := range wraps {
		for depth := range 4 {
			t.Run(name, func(t *testing.T) {
				first := telltale.NewRegistry()
				last := first
				for range depth {
					outer := telltale.NewRegistry()
					register(t, outer, wrap(last))
					last = outer
				}
				err := first.Register(wrap(last))
				if err == nil {
					t.Fatalf("a cycle of %d registries was accepted", depth+1)
				}
				if n := first.Stats().Collectors; n != 0 {
					t.Errorf("the registry holds %d collectors after the failure", n)
				}
				wantPage(t, last, "")
			})
		}
	}
	t.Run("not what was one", func(t *testing.T) {
		a, b := telltale.NewRegistry(), telltale.NewRegistry()
		register(t, a, b)
		if err := a.Unregister(b); err != nil {
			t.Fatal(err)
		}
		register(t, b, a)
	})
}

// Of two registries that are registered with each other at the same moment, one
// must be refused.
func TestCyclesMadeConcurrentlyAreRefused(t *testing.T) {
	for range 3000 {
		regs := [3]*telltale.Registry{telltale.NewRegistry(), telltale.NewRegistry(), telltale.NewRegistry()}
		var accepted atomic.Int64
		var all sync.WaitGroup
		start := make(chan struct{})
		for i, r := range regs {
			all.Go(func() {
				<-start
				if r.Register(regs[(i+1)%len(regs)]) == nil {
					accepted.Add(1)
				}
			})
		}
		close(start)
		all.Wait()
		if accepted.Load() != 2 {
			t.Fatalf("%d of 3 registrations that make a circle were accepted, want 2", accepted.Load())
		}
		wantPage(t, merge(regs[0]), "")
	}
}
