package apitest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// zoo is a registry with an instrument of every kind.
func zoo() *telltale.Registry {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
	in := telltale.In(reg)
	telltale.Must(telltale.NewGauge("g", "", in)).Set(1)
	telltale.Must(telltale.NewCounter("c", "", in)).Add(2)
	telltale.Must(telltale.NewHistogram("h", "", in, telltale.WithBuckets(1))).Observe(3)
	telltale.Must(telltale.NewSummary("s", "", in)).Observe(4)
	info := telltale.Must(telltale.NewInfo("i", "", in))
	telltale.Must(info, info.Set(labelMap{"version": "5"}))
	telltale.Must(telltale.NewEnum("e", "", []string{"on", "off"}, in))
	return reg
}

func TestRestricted(t *testing.T) {
	const (
		gaugeLines     = "# TYPE g gauge\ng 1.0\n"
		counterLines   = "# TYPE c_total counter\nc_total 2.0\n"
		histogramHead  = "# TYPE h histogram\n"
		bucketLines    = "h_bucket{le=\"1.0\"} 0.0\nh_bucket{le=\"+Inf\"} 1.0\n"
		summaryHead    = "# TYPE s summary\n"
		infoLines      = "# TYPE i_info gauge\ni_info{version=\"5\"} 1.0\n"
		enumLines      = "# TYPE e gauge\ne{e=\"on\"} 1.0\ne{e=\"off\"} 0.0\n"
		histogramLines = histogramHead + bucketLines + "h_count 1.0\nh_sum 3.0\n"
	)
	tests := []struct {
		names string
		want  string
	}{
		{"g", gaugeLines},
		{"c_total", counterLines},
		{"c", counterLines},
		{"c_created", ""}, // text has no such sample
		{"h", histogramLines},
		{"h_bucket", histogramHead + bucketLines},
		{"h_count", histogramHead + "h_count 1.0\n"},
		{"h_sum", histogramHead + "h_sum 3.0\n"},
		{"h_sum h_count", histogramHead + "h_count 1.0\nh_sum 3.0\n"},
		{"h h_sum", histogramLines},
		{"s_sum", summaryHead + "s_sum 4.0\n"},
		{"s", summaryHead + "s_count 1.0\ns_sum 4.0\n"},
		{"i", infoLines},
		{"i_info", infoLines},
		{"e", enumLines},
		{"target_info", targetPage},
		{"target", targetPage},
		{"c_total g", gaugeLines + counterLines}, // in the registry's order
		{"g g g", gaugeLines},
		{"target_info e g", targetPage + gaugeLines + enumLines},
		{"nothing", ""},
		{"g_total h_", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.names, func(t *testing.T) {
			wantPage(t, zoo().Restricted(strings.Fields(tt.names)...), tt.want)
		})
		t.Run("nested, "+tt.names, func(t *testing.T) {
			outer := telltale.NewRegistry()
			register(t, outer, zoo())
			wantPage(t, outer.Restricted(strings.Fields(tt.names)...), tt.want)
		})
		t.Run("by Restrict, "+tt.names, func(t *testing.T) {
			merged := telltale.Must(telltale.Merge(zoo()))
			wantPage(t, telltale.Restrict(merged, strings.Fields(tt.names)...), tt.want)
		})
		t.Run("prefixed, "+tt.names, func(t *testing.T) {
			var prefixed []string
			for name := range strings.FieldsSeq(tt.names) {
				prefixed = append(prefixed, "p_"+name)
			}
			outer := telltale.NewRegistry()
			register(t, outer, telltale.Must(telltale.Prefixed(zoo(), "p_")))
			all := familyNames(t, outer)
			for _, name := range familyNames(t, outer.Restricted(prefixed...)) {
				if !slices.Contains(all, name) {
					t.Errorf("the restricted view has %q, the registry has not", name)
				}
			}
			got := strings.NewReplacer("\np_", "\n", " p_", " ", "{p_e=", "{e=").Replace("\n" + page(t, outer.Restricted(prefixed...)))
			wantText(t, got[1:], tt.want)
		})
	}
}

// In OpenMetrics a unit has a line of its own, which py loses here.
func TestRestrictedKeepsTheUnitAndHelp(t *testing.T) {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewSummary("wait", "How long.", telltale.In(reg), telltale.WithUnit("seconds"))).Observe(1)
	var got []string
	err := reg.Restricted("wait_seconds_sum").Collect(t.Context(), func(f *model.Family) error {
		got = append(got, f.Name, f.Help, f.Unit, f.Type.String())
		for s := range f.Samples() {
			got = append(got, s.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, "family", got, "wait_seconds", "How long.", "seconds", "summary", "wait_seconds_sum")
}

func TestRestrictedLeavesTheRegistryWhole(t *testing.T) {
	reg := zoo()
	before := page(t, reg)
	page(t, reg.Restricted("h_sum", "c_created"))
	wantPage(t, reg, before)
}

func TestRestrictedIsLive(t *testing.T) {
	reg := telltale.NewRegistry()
	view := reg.Restricted("m", "target_info")
	wantPage(t, view, "")
	c := described(gauge("m", 1))
	register(t, reg, c)
	wantPage(t, view, gaugePage("m", "1.0"))
	if err := reg.SetTargetInfo(map[string]string{"env": "test"}); err != nil {
		t.Fatal(err)
	}
	wantPage(t, view, targetPage+gaugePage("m", "1.0"))
	if err := reg.Unregister(c); err != nil {
		t.Fatal(err)
	}
	wantPage(t, view, targetPage)
}

func TestRestrictedOrderIsTheRegistrys(t *testing.T) {
	reg := telltale.NewRegistry()
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("m%02d", (i*17)%40))
		register(t, reg, described(gauge(names[i], 1)))
	}
	shuffled := slices.Sorted(slices.Values(names))
	for range 3 {
		wantNames(t, "families", familyNames(t, reg.Restricted(shuffled...)), names...)
	}
}

func TestRestrictedCallsOnlyOwners(t *testing.T) {
	tests := []struct {
		name     string
		restrict func(reg *telltale.Registry) telltale.Collector
		wanted   int64 // calls of the collector of m
		unnamed  int64 // calls of the collector without names
	}{
		{"by family", func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("m") }, 1, 1},
		{"by sample", func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("m_total") }, 1, 1},
		{"by a name that nobody has", func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("x") }, 0, 1},
		{"by no name", func(reg *telltale.Registry) telltale.Collector { return reg.Restricted() }, 0, 0},
		{"by two views, the outer narrower", func(reg *telltale.Registry) telltale.Collector {
			return reg.Restricted("m", "other").Restricted("m")
		}, 1, 1},
		{"by two views, the inner narrower", func(reg *telltale.Registry) telltale.Collector {
			return reg.Restricted("m").Restricted("m", "other")
		}, 1, 1},
		{"by two views that have nothing in common", func(reg *telltale.Registry) telltale.Collector {
			return reg.Restricted("m").Restricted("x")
		}, 0, 1},
		{"nested", func(reg *telltale.Registry) telltale.Collector {
			outer := telltale.NewRegistry()
			_ = outer.Register(reg)
			return outer.Restricted("m")
		}, 1, 1},
		{"nested twice under prefixes and labels", func(reg *telltale.Registry) telltale.Collector {
			inner, outer := telltale.NewRegistry(), telltale.NewRegistry()
			_ = inner.Register(telltale.Must(telltale.Prefixed(reg, "b_")))
			_ = outer.Register(telltale.Must(telltale.Labelled(telltale.Must(telltale.Prefixed(inner, "a_")), map[string]string{"l": "v"})))
			return outer.Restricted("a_b_m_total")
		}, 1, 1},
		{"under a prefix that the names lack", func(reg *telltale.Registry) telltale.Collector {
			return telltale.Restrict(telltale.Must(telltale.Prefixed(reg, "p_")), "m", "m_total")
		}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var wanted, others, unnamed atomic.Int64
			reg := telltale.NewRegistry()
			register(t, reg,
				counting(&others, gauge("other", 1)),
				counting(&wanted, family("m", model.Counter)),
				counting(&unnamed),
				counting(&others, gauge("another", 1)))
			page(t, tt.restrict(reg))
			if wanted.Load() != tt.wanted {
				t.Errorf("the collector of m was called %d times, want %d", wanted.Load(), tt.wanted)
			}
			if others.Load() != 0 {
				t.Errorf("collectors that were not wanted were called %d times", others.Load())
			}
			if unnamed.Load() != tt.unnamed {
				t.Errorf("the collector without names was called %d times, want %d", unnamed.Load(), tt.unnamed)
			}
		})
	}
}

func TestRestrictedAndCollectorsWithoutNames(t *testing.T) {
	reg := telltale.NewRegistry()
	c := nameless(gauge("a", 1), gauge("b", 2))
	register(t, reg, c)
	wantPage(t, reg.Restricted("b"), gaugePage("b", "2.0"))
	if err := reg.Unregister(c); err != nil {
		t.Fatal(err)
	}
	wantPage(t, reg.Restricted("b"), "")
}

// A name that a collector of the registry claims belongs to it in restricted
// views too, in whatever order collectors are asked.
func TestRestrictedResolvesClashesAsTheRegistryDoes(t *testing.T) {
	inner, outer := telltale.NewRegistry(), telltale.NewRegistry()
	register(t, inner, described(gauge("m", 1)))
	register(t, outer, inner, nameless(gauge("m", 2)), described(gauge("m", 3)))
	want := gaugePage("m", "3.0")
	wantPage(t, outer, want)
	wantPage(t, outer.Restricted("m"), want)
}

func TestRestrictedOfRestricted(t *testing.T) {
	tests := []struct{ first, second, want string }{
		{"g c_total", "g", gaugePage("g", "1.0")},
		{"g", "g c_total", gaugePage("g", "1.0")},
		{"h", "h_sum", "# TYPE h histogram\nh_sum 3.0\n"},
		{"h_sum", "h", "# TYPE h histogram\nh_sum 3.0\n"},
		{"h_sum", "h_count", ""},
		{"g", "c", ""},
	}
	for _, tt := range tests {
		t.Run(tt.first+" then "+tt.second, func(t *testing.T) {
			wantPage(t, zoo().Restricted(strings.Fields(tt.first)...).Restricted(strings.Fields(tt.second)...), tt.want)
		})
	}
}

// A counter that gave up its base name to a sibling is found by the names that
// it has on the page.
func TestRestrictedByTheTextNameOfACounter(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, described(gauge("x", 1), textCounter("x_total", 2)))
	wantPage(t, reg.Restricted("x_total"), "# TYPE x_total counter\nx_total 2.0\n")
	wantPage(t, reg.Restricted("x"), gaugePage("x", "1.0"))
}

// textCounter returns a counter family named as the text format names it.
func textCounter(name string, value float64) *model.Family {
	f := family(name, model.Counter)
	f.AddSample(name, nil, value)
	return f
}

// library is a Restrictor: a collector that can leave out families.
type library struct {
	asked  [][]string // what Restricted was called with, sorted
	whole  atomic.Int64
	parts  atomic.Int64
	refuse bool
}

func (l *library) Collect(ctx context.Context, emit func(*model.Family) error) error {
	l.whole.Add(1)
	return emitting(gauge("lib_a", 1), gauge("lib_b", 2))(ctx, emit)
}

func (l *library) Describe() []*model.Family {
	return []*model.Family{family("lib_a", model.Gauge), family("lib_b", model.Gauge)}
}

func (l *library) Restricted(names ...string) telltale.Collector {
	if l.refuse {
		panic("at the disco")
	}
	l.asked = append(l.asked, slices.Sorted(slices.Values(names)))
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		l.parts.Add(1)
		for _, f := range l.Describe() {
			if !slices.Contains(names, f.Name) {
				continue
			}
			if err := emit(gauge(f.Name, 3)); err != nil {
				return err
			}
		}
		return emit(gauge("lib_more", 4)) // a family that was not asked for
	})
}

func TestRestrictor(t *testing.T) {
	tests := []struct {
		name     string
		restrict func(reg *telltale.Registry) telltale.Collector
		asked    []string // what Restricted is called with; nil if it is not
		want     string
	}{
		{
			"the whole registry",
			func(reg *telltale.Registry) telltale.Collector { return reg },
			nil, gaugePage("lib_a", "1.0", "lib_b", "2.0"),
		},
		{
			"one name",
			func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("lib_a") },
			[]string{"lib_a"}, gaugePage("lib_a", "3.0"),
		},
		{
			"a name of it and one of another",
			func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("other", "lib_b") },
			[]string{"lib_b", "other"}, gaugePage("lib_b", "3.0"),
		},
		{
			"no name of it",
			func(reg *telltale.Registry) telltale.Collector { return reg.Restricted("other") },
			nil, "",
		},
		{
			"a prefixed name",
			func(reg *telltale.Registry) telltale.Collector {
				return telltale.Restrict(telltale.Must(telltale.Prefixed(reg, "p_")), "p_lib_a", "lib_b")
			},
			[]string{"lib_a"}, gaugePage("p_lib_a", "3.0"),
		},
		{
			"a view that no registry holds",
			func(*telltale.Registry) telltale.Collector { return nil }, // see below
			[]string{"lib_a"}, gaugePage("lib_a", "3.0"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lib, reg := &library{}, telltale.NewRegistry()
			register(t, reg, lib)
			view := tt.restrict(reg)
			if view == nil {
				view = telltale.Restrict(lib, "lib_a")
			}
			wantPage(t, view, tt.want)
			if tt.asked == nil {
				if len(lib.asked) > 0 {
					t.Errorf("Restricted was called with %q", lib.asked)
				}
				return
			}
			if len(lib.asked) != 1 || !slices.Equal(lib.asked[0], tt.asked) {
				t.Errorf("Restricted was called with %q, want once with %q", lib.asked, tt.asked)
			}
			if lib.whole.Load() != 0 || lib.parts.Load() != 1 {
				t.Errorf("the whole was collected %d times and the part %d times, want the part once", lib.whole.Load(), lib.parts.Load())
			}
		})
	}
}

func TestRestrictorThatPanics(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	register(t, reg, &library{refuse: true}, described(gauge("m", 1)))
	wantPage(t, reg.Restricted("lib_a", "m"), gaugePage("m", "1.0"))
	w.want(t, telltale.ReasonPanic)
}

func TestRestrictInstrument(t *testing.T) {
	vec := telltale.Must(telltale.NewSummaryVec("s", "", []string{"l"}, telltale.Unregistered()))
	vec.With("v").Observe(2)
	wantPage(t, telltale.Restrict(vec, "s_sum"), "# TYPE s summary\ns_sum{l=\"v\"} 2.0\n")
}
