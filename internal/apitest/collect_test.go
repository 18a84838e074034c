package apitest

import (
	"context"
	"errors"
	"testing"

	"telltale"
	"telltale/model"
)

func TestLegacyNames(t *testing.T) {
	tests := []struct {
		name    string
		attempt func(in telltale.Option) error
		legacy  bool
	}{
		{"a legacy name", newGauge("app:queue_1", ""), true},
		{"a dot in the name", newGauge("app.queue", ""), false},
		{"a digit first", newGauge("1st", ""), false},
		{"a dot in a label", func(in telltale.Option) error {
			_, err := telltale.NewGaugeVec("g", "", []string{"host.name"}, in)
			return err
		}, false},
		{"a colon in a label", func(in telltale.Option) error {
			_, err := telltale.NewGaugeVec("g", "", []string{"a:b"}, in)
			return err
		}, false},
		{"a dot in a constant label", newGauge("g", "", telltale.WithConstLabels(map[string]string{"a.b": ""})), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.attempt(telltale.In(telltale.NewRegistry())); err != nil {
				t.Errorf("a registry of UTF-8 names refused it: %v", err)
			}
			if err := tt.attempt(telltale.In(telltale.NewRegistry(telltale.WithLegacyNamesOnly()))); (err == nil) != tt.legacy {
				t.Errorf("a registry of legacy names returned %v, want it accepted: %t", err, tt.legacy)
			}
		})
	}
	t.Run("a custom collector's family", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithLegacyNamesOnly())
		if reg.Register(described(gauge("a.b", 1))) == nil {
			t.Error("it was accepted")
		}
	})
	t.Run("target info", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithLegacyNamesOnly())
		if reg.SetTargetInfo(map[string]string{"service.name": "x"}) == nil {
			t.Error("it was accepted")
		}
		if err := reg.SetTargetInfo(map[string]string{"service_name": "x"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a label that a view adds", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithLegacyNamesOnly())
		view := telltale.Must(telltale.Labelled(telltale.Must(telltale.NewGauge("g", "", telltale.Unregistered())), map[string]string{"a.b": ""}))
		if reg.Register(view) == nil {
			t.Error("it was accepted")
		}
	})
}

// A family built by hand keeps its name and its unit, which are not added twice.
func TestNamesOfCustomFamilies(t *testing.T) {
	tests := []struct {
		name, unit string
		typ        model.Type
		want       string
	}{
		{"x_total", "", model.Counter, "# TYPE x_total counter\nx_total 1.0\n"},
		{"x", "", model.Counter, "# TYPE x_total counter\nx_total 1.0\n"},
		{"bytes", "bytes", model.Gauge, "# TYPE bytes gauge\nbytes 1.0\n"},
		{"size", "bytes", model.Gauge, "# TYPE size_bytes gauge\nsize_bytes 1.0\n"},
		{"size_bytes", "bytes", model.Gauge, "# TYPE size_bytes gauge\nsize_bytes 1.0\n"},
		{"sent_bytes_total", "bytes", model.Counter, "# TYPE sent_bytes_total counter\nsent_bytes_total 1.0\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := family(tt.name, tt.typ, model.WithUnit(tt.unit))
			f.AddSample(f.SampleName(), nil, 1)
			reg := telltale.NewRegistry()
			register(t, reg, described(f))
			wantPage(t, reg, tt.want)
		})
	}
}

func TestCollect(t *testing.T) {
	t.Run("in the order of registration, then of creation", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
		vec := telltale.Must(telltale.NewGaugeVec("z", "", []string{"l"}, telltale.In(reg)))
		register(t, reg, nameless(gauge("b", 1), gauge("a", 2)))
		telltale.Must(telltale.NewGauge("y", "", telltale.In(reg)))
		vec.With("2").Set(1)
		vec.With("1").Set(2)
		want := "# TYPE target_info gauge\ntarget_info{env=\"test\"} 1.0\n" +
			"# TYPE z gauge\nz{l=\"2\"} 1.0\nz{l=\"1\"} 2.0\n" +
			gaugePage("b", "1.0", "a", "2.0", "y", "0.0")
		for range 3 {
			wantPage(t, reg, want)
		}
	})
	t.Run("stops at emit's error and returns it", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, described(gauge("a", 1)), described(gauge("b", 1)), nameless(gauge("c", 1)))
		for stop := 1; stop <= 3; stop++ {
			enough, calls := errors.New("enough"), 0
			err := reg.Collect(t.Context(), func(*model.Family) error {
				if calls++; calls == stop {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) || calls != stop {
				t.Errorf("emit called %d times, error %v; want %d times and emit's error", calls, err, stop)
			}
		}
		wantFaults(t, reg, nil)
	})
}

func TestFamilies(t *testing.T) {
	t.Run("are copies, safe to keep", func(t *testing.T) {
		reg := telltale.NewRegistry()
		g := telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
		reused := family("r", model.Gauge)
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			*reused = *gauge("r", 1)
			if err := emit(reused); err != nil {
				return err
			}
			*reused = *gauge("again", 2)
			return emit(reused)
		}))
		g.Set(1)
		var kept []*model.Family
		for f, err := range reg.Families(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, f)
		}
		g.Set(5)
		*reused = *gauge("gone", 9)
		wantPage(t, nameless(kept...), gaugePage("g", "1.0", "r", "1.0", "again", "2.0"))
	})
	t.Run("may be left early", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, described(gauge("a", 1)), described(gauge("b", 1)))
		n := 0
		for _, err := range reg.Families(t.Context()) {
			if n++; err != nil {
				t.Errorf("got error %v", err)
			}
			break
		}
		if n != 1 {
			t.Errorf("the loop ran %d times after break", n)
		}
	})
	t.Run("end with the error", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithStrict())
		failing := errors.New("no connection")
		register(t, reg, described(gauge("a", 1)), telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return failing }))
		var names []string
		var last error
		for f, err := range reg.Families(t.Context()) {
			if last = err; err == nil {
				names = append(names, f.Name)
			} else if f != nil {
				t.Error("the error came with a family")
			}
		}
		wantNames(t, "families", names, "a")
		if !errors.Is(last, failing) {
			t.Errorf("got error %v last, want the collector's", last)
		}
	})
}

func TestRegistryDescribe(t *testing.T) {
	reg, inner := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"a": "b"})), telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("inner", "", telltale.In(inner)))
	telltale.Must(telltale.NewCounter("outer", "", telltale.In(reg)))
	panicking := false
	register(t, reg, inner, nameless(gauge("unknown", 1)), &describer{func() []*model.Family {
		if panicking {
			panic("at the disco")
		}
		return []*model.Family{family("custom", model.Gauge)}
	}})
	wantNames(t, "described", describedNames(reg), "target", "outer", "inner", "custom")
	for _, f := range reg.Describe() {
		for s := range f.Samples() {
			t.Errorf("the described family %q has the sample %v", f.Name, s)
		}
	}
	panicking = true
	wantNames(t, "described when one panics now", describedNames(reg), "target", "outer", "inner", "custom")

	asking := telltale.NewRegistry(telltale.WithAutoDescribe())
	register(t, asking, nameless(gauge("asked", 1)))
	wantNames(t, "described by being asked", describedNames(asking), "asked")
}

// Two UTF-8 names that an escaping scheme makes equal both stay, except on the
// page under that scheme.
func TestNamesThatEscapingMakesTheSame(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, described(gauge("a.b", 1)), described(gauge("a/b", 2)))
	wantNames(t, "families", familyNames(t, reg), "a.b", "a/b")
	wantPage(t, reg, gaugePage("a_b", "1.0"))
}
