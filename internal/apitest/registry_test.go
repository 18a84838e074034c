package apitest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// suffixes are all suffixes that samples add to their family's name.
var suffixes = []string{"", "_total", "_created", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"}

func TestRegisterClaimsAllNamesOfTheType(t *testing.T) {
	claims := map[model.Type][]string{
		model.Unknown:        {""},
		model.Counter:        {"", "_total", "_created"},
		model.Gauge:          {""},
		model.Summary:        {"", "_sum", "_count", "_created"},
		model.Histogram:      {"", "_bucket", "_sum", "_count", "_created"},
		model.GaugeHistogram: {"", "_bucket", "_gsum", "_gcount", "_sum", "_count"}, // in text it is a histogram
		model.Info:           {"", "_info"},
		model.StateSet:       {""},
	}
	for _, typ := range model.Types() {
		for _, suffix := range suffixes {
			t.Run(typ.String()+suffix, func(t *testing.T) {
				wide, narrow := described(family("m", typ)), described(family("m"+suffix, model.Gauge))
				for _, order := range [][]telltale.Collector{{wide, narrow}, {narrow, wide}} {
					reg := telltale.NewRegistry()
					register(t, reg, order[0])
					err := reg.Register(order[1])
					if slices.Contains(claims[typ], suffix) {
						wantDuplicate(t, err, "m"+suffix)
					} else if err != nil {
						t.Errorf("%s m and gauge m%s do not clash, but: %v", typ, suffix, err)
					}
				}
			})
		}
	}
}

// Instruments claim the names of their type, whatever form of the name the
// constructor is given.
func TestRegisterClaimsOfInstruments(t *testing.T) {
	instruments := map[string]func(in telltale.Option) error{
		"counter a":       func(in telltale.Option) error { _, err := telltale.NewCounter("a", "", in); return err },
		"counter a_total": func(in telltale.Option) error { _, err := telltale.NewCounter("a_total", "", in); return err },
		"gauge a":         func(in telltale.Option) error { _, err := telltale.NewGauge("a", "", in); return err },
		"histogram a":     func(in telltale.Option) error { _, err := telltale.NewHistogram("a", "", in); return err },
		"summary a":       func(in telltale.Option) error { _, err := telltale.NewSummary("a", "", in); return err },
		"info a":          func(in telltale.Option) error { _, err := telltale.NewInfo("a", "", in); return err },
		"enum a":          func(in telltale.Option) error { _, err := telltale.NewEnum("a", "", []string{"on"}, in); return err },
	}
	tests := []struct{ first, clash string }{
		{"counter a", "a"},
		{"counter a", "a_total"},
		{"counter a", "a_created"},
		{"counter a_total", "a"},
		{"counter a_total", "a_total"},
		{"gauge a", "a"},
		{"histogram a", "a_bucket"},
		{"histogram a", "a_count"},
		{"summary a", "a_sum"},
		{"info a", "a_info"},
		{"enum a", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.first+" then gauge "+tt.clash, func(t *testing.T) {
			reg := telltale.NewRegistry()
			if err := instruments[tt.first](telltale.In(reg)); err != nil {
				t.Fatal(err)
			}
			_, err := telltale.NewGauge(tt.clash, "held by another", telltale.In(reg))
			wantDuplicate(t, err, tt.clash)
		})
	}
}

func TestRegisterTwice(t *testing.T) {
	t.Run("a collector with names", func(t *testing.T) {
		reg, c := telltale.NewRegistry(), described(family("m", model.Counter))
		register(t, reg, c)
		wantDuplicate(t, reg.Register(c), "m", "m_created", "m_total")
	})
	t.Run("a collector without names", func(t *testing.T) {
		var calls atomic.Int64
		reg, c := telltale.NewRegistry(), counting(&calls)
		register(t, reg, c)
		duplicate := duplicateIn(t, reg.Register(c))
		if len(duplicate.Clashes) != 1 || duplicate.Clashes[0].Holder != c {
			t.Errorf("got clashes %v, want one that names the holder", duplicate.Clashes)
		}
		page(t, reg)
		if calls.Load() != 1 {
			t.Errorf("it was collected %d times, want once", calls.Load())
		}
	})
	t.Run("two collectors of one name with disjoint labels", func(t *testing.T) {
		reg, a, b := telltale.NewRegistry(), family("m", model.Gauge), family("m", model.Gauge)
		a.AddSample("m", map[string]string{"of": "a"}, 1)
		b.AddSample("m", map[string]string{"of": "b"}, 1)
		register(t, reg, described(a))
		wantDuplicate(t, reg.Register(described(b)), "m")
	})
}

func TestDuplicateErrorShowsBothSides(t *testing.T) {
	reg := telltale.NewRegistry()
	held := telltale.Must(telltale.NewCounterVec("jobs", "Jobs done.", []string{"queue"}, telltale.In(reg)))
	_, err := telltale.NewCounterVec("jobs", "Jobs done.", []string{"worker"}, telltale.In(reg))
	duplicate := duplicateIn(t, err, "jobs", "jobs_created", "jobs_total")
	for _, want := range []string{`"queue"`, `"worker"`, `"jobs_total"`, "Jobs done."} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if clash := duplicate.Clashes[0]; reg.Unregister(clash.Holder) != nil {
		t.Fatalf("the holder of %q cannot be unregistered: %v", clash.Name, err)
	}
	if err := reg.Unregister(held); !errors.Is(err, telltale.ErrNotRegistered) {
		t.Errorf("the error does not hold the registered collector: %v", err)
	}
}

func TestRegisterIsAtomic(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, described(gauge("taken", 1)))
	err := reg.Register(described(gauge("free", 1), gauge("taken", 2)))
	wantDuplicate(t, err, "taken")
	register(t, reg, described(gauge("free", 3)))
	wantPage(t, reg, gaugePage("taken", "1.0", "free", "3.0"))
}

// comparableNot is a collector that cannot be the key of a map.
type comparableNot struct{ families []*model.Family }

func (c comparableNot) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return emitting(c.families...)(ctx, emit)
}

func (c comparableNot) Describe() []*model.Family { return c.families }

// hidesUncomparable is comparable only to the compiler.
type hidesUncomparable struct{ inner any }

func (hidesUncomparable) Collect(context.Context, func(*model.Family) error) error { return nil }

// funcCollector is a function with a method.
type funcCollector func()

func (funcCollector) Collect(context.Context, func(*model.Family) error) error { return nil }

// describer describes by a function and emits nothing.
type describer struct{ describe func() []*model.Family }

func (*describer) Collect(context.Context, func(*model.Family) error) error { return nil }

func (d *describer) Describe() []*model.Family { return d.describe() }

func TestRegisterRefuses(t *testing.T) {
	failing := errors.New("no connection")
	tests := []struct {
		name      string
		collector telltale.Collector
		want      string // in the error
	}{
		{"nil", nil, "nil"},
		{"a nil pointer", (*describer)(nil), "nil"},
		{"a nil instrument", (*telltale.Counter)(nil), "nil"},
		{"an instrument that no constructor made", &telltale.Counter{}, "constructor"},
		{"a struct that cannot be compared", comparableNot{[]*model.Family{gauge("m", 1)}}, "compared"},
		{"a struct whose content cannot be compared", hidesUncomparable{[]int{1}}, "compared"},
		{"a function", funcCollector(func() {}), "compared"},
		{"a Describe that panics", &describer{func() []*model.Family { panic("at the disco") }}, "at the disco"},
		{"a Describe with a nil family", &describer{func() []*model.Family { return []*model.Family{family("m", model.Gauge), nil} }}, "nil family"},
		{"a family without a name", described(family("m", model.Gauge), &model.Family{Type: model.Gauge}), "empty"},
		{"a family whose name is not UTF-8", described(family("m", model.Gauge), &model.Family{Name: "\xff"}), "UTF-8"},
		{"a family of no type", described(family("m", model.Gauge), &model.Family{Name: "x", Type: 99}), "type"},
		{"a collector that fails when asked for its names", telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			return errors.Join(emit(gauge("m", 1)), failing)
		}), "no connection"},
		{"a collector that panics when asked for its names", telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			_ = emit(gauge("m", 1))
			panic("at the disco")
		}), "at the disco"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg := telltale.NewRegistry(telltale.WithAutoDescribe())
			err := reg.Register(tt.collector)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that says %q", err, tt.want)
			}
			if n := reg.Stats().Collectors; n != 0 {
				t.Errorf("the registry holds %d collectors after the failure", n)
			}
			if err := reg.Register(described(gauge("m", 1))); err != nil {
				t.Errorf("a name stayed claimed after the failure: %v", err)
			}
		})
	}
}

func TestRegisterReturnsTheDescribingError(t *testing.T) {
	failing := errors.New("no connection")
	reg := telltale.NewRegistry(telltale.WithAutoDescribe())
	err := reg.Register(telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return failing }))
	if !errors.Is(err, failing) {
		t.Errorf("got error %v, want it to wrap the collector's own", err)
	}
}

func TestAutoDescribe(t *testing.T) {
	t.Run("on: a collector without Describe is collected once and claims", func(t *testing.T) {
		var calls atomic.Int64
		reg := telltale.NewRegistry(telltale.WithAutoDescribe())
		register(t, reg, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
			calls.Add(1)
			return emitting(family("m", model.Counter))(ctx, emit)
		}))
		if calls.Load() != 1 {
			t.Errorf("it was collected %d times at registration, want once", calls.Load())
		}
		wantDuplicate(t, reg.Register(described(family("m_total", model.Gauge))), "m_total")
	})
	t.Run("off: it is not collected and claims nothing", func(t *testing.T) {
		var calls atomic.Int64
		reg := telltale.NewRegistry()
		c := counting(&calls)
		register(t, reg, c, described(gauge("m", 1)))
		if calls.Load() != 0 {
			t.Errorf("it was collected %d times at registration", calls.Load())
		}
	})
	t.Run("on: Describe goes before collecting", func(t *testing.T) {
		var calls atomic.Int64
		reg := telltale.NewRegistry(telltale.WithAutoDescribe())
		register(t, reg, counting(&calls, gauge("m", 1)))
		if calls.Load() != 0 {
			t.Errorf("a collector with Describe was collected %d times at registration", calls.Load())
		}
	})
	t.Run("on: a Describe that returns nothing is an answer", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithAutoDescribe())
		register(t, reg, &describer{func() []*model.Family { return nil }})
	})
	t.Run("off: Describe is used all the same", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, described(gauge("m", 1)))
		wantDuplicate(t, reg.Register(described(gauge("m", 1))), "m")
	})
	t.Run("on: a collector that emits nothing may register", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithAutoDescribe())
		register(t, reg, nameless())
		wantPage(t, reg, "")
	})
	t.Run("Default has it on", func(t *testing.T) {
		c := nameless(gauge("telltale_test_default", 1))
		register(t, telltale.Default, c)
		defer func() {
			if err := telltale.Default.Unregister(c); err != nil {
				t.Error(err)
			}
		}()
		wantDuplicate(t, telltale.Default.Register(described(gauge("telltale_test_default", 1))), "telltale_test_default")
	})
}

// A collector may describe a family twice, with samples or without; a scrape
// leaves the second one out.
func TestDescribeTheSameFamilyTwice(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, described(gauge("m", 1), gauge("m", 2)))
	wantPage(t, reg, gaugePage("m", "1.0"))
	wantFaults(t, reg, map[telltale.Reason]uint64{telltale.ReasonRepeatedFamily: 1})
}
