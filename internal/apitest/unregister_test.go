package apitest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

func TestRegistryMayBeUsedFromWithin(t *testing.T) {
	t.Run("Describe", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, &describer{func() []*model.Family {
			register(t, reg, described(gauge("other", 1)))
			reg.SampleValue("other", nil)
			return []*model.Family{family("m", model.Gauge)}
		}})
		wantPage(t, reg, gaugePage("other", "1.0"))
	})
	t.Run("Collect at registration", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithAutoDescribe())
		registered := false
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			if !registered {
				registered = true
				register(t, reg, described(gauge("other", 1)))
			}
			return emit(gauge("m", 2))
		}))
		wantPage(t, reg, gaugePage("other", "1.0", "m", "2.0"))
	})
	t.Run("Collect at a scrape, which does not see the change", func(t *testing.T) {
		reg := telltale.NewRegistry()
		late := described(gauge("late", 1))
		var scrapes atomic.Int64
		register(t, reg, telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			if scrapes.Add(1) == 1 {
				register(t, reg, late)
			} else if err := reg.Unregister(late); err != nil {
				t.Errorf("Unregister: %v", err)
			}
			return emit(gauge("m", 1))
		}))
		wantNames(t, "first scrape", familyNames(t, reg), "m")
		wantNames(t, "second scrape", familyNames(t, reg), "m", "late")
		register(t, reg, late) // or the third could not unregister it
		wantNames(t, "third scrape", familyNames(t, reg), "m", "late")
	})
	t.Run("emit", func(t *testing.T) {
		reg := telltale.NewRegistry()
		register(t, reg, described(gauge("m", 1)))
		err := reg.Collect(t.Context(), func(*model.Family) error {
			register(t, reg, described(gauge("other", 1)))
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func describedNames(d telltale.Describer) []string {
	var names []string
	for _, f := range d.Describe() {
		names = append(names, f.Name)
	}
	return names
}

func TestUnregister(t *testing.T) {
	t.Run("frees the names", func(t *testing.T) {
		reg, c := telltale.NewRegistry(), described(family("m", model.Histogram))
		register(t, reg, c)
		if err := reg.Unregister(c); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range suffixes {
			if err := reg.Register(described(gauge("m"+suffix, 1))); err != nil {
				t.Errorf("m%s is still claimed: %v", suffix, err)
			}
		}
	})
	t.Run("of what is not registered", func(t *testing.T) {
		reg, c := telltale.NewRegistry(), described(gauge("m", 1))
		if err := reg.Unregister(c); !errors.Is(err, telltale.ErrNotRegistered) {
			t.Errorf("got error %v, want ErrNotRegistered", err)
		}
		register(t, reg, c)
		if err := reg.Unregister(c); err != nil {
			t.Fatal(err)
		}
		if err := reg.Unregister(c); !errors.Is(err, telltale.ErrNotRegistered) {
			t.Errorf("the second time: got error %v, want ErrNotRegistered", err)
		}
	})
	t.Run("of what cannot be registered", func(t *testing.T) {
		for _, c := range []telltale.Collector{nil, (*telltale.Counter)(nil), comparableNot{}} {
			if err := telltale.NewRegistry().Unregister(c); err == nil {
				t.Errorf("Unregister(%T) returned no error", c)
			}
		}
	})
	t.Run("frees the names of then, not of now", func(t *testing.T) {
		reg := telltale.NewRegistry()
		name := "before"
		c := &describer{func() []*model.Family { return []*model.Family{family(name, model.Gauge)} }}
		register(t, reg, c)
		name = "after"
		if err := reg.Unregister(c); err != nil {
			t.Fatal(err)
		}
		register(t, reg, described(gauge("before", 1)), described(gauge("after", 1)))
	})
	t.Run("keeps the order of the rest, however many go", func(t *testing.T) {
		reg := telltale.NewRegistry()
		var all []telltale.Collector
		var left []string
		for i := range 100 {
			name := fmt.Sprintf("m%02d", 99-i)
			all = append(all, described(gauge(name, 1)))
			if i%7 == 0 {
				left = append(left, name)
			}
		}
		register(t, reg, all...)
		for i, c := range all {
			if i%7 == 0 {
				continue
			}
			if err := reg.Unregister(c); err != nil {
				t.Fatal(err)
			}
		}
		register(t, reg, described(gauge("last", 1)))
		left = append(left, "last")
		wantNames(t, "collected", familyNames(t, reg), left...)
		slices.Reverse(left)
		wantNames(t, "restricted", familyNames(t, reg.Restricted(left...)), familyNames(t, reg)...)
	})
	t.Run("goes through a view", func(t *testing.T) {
		reg := telltale.NewRegistry()
		view := telltale.Must(telltale.Prefixed(described(gauge("m", 1)), "p_"))
		register(t, reg, view)
		if err := reg.Unregister(view); err != nil {
			t.Fatal(err)
		}
		wantPage(t, reg, "")
	})
}

type byQueue struct {
	Queue string `label:"queue"`
}

// An instrument is identified by its core, whatever handle is used.
func TestIdentityOfInstruments(t *testing.T) {
	handles := func(reg *telltale.Registry) map[string]telltale.Collector {
		vec := telltale.Must(telltale.NewCounterVec("jobs", "", []string{"queue"}, telltale.In(reg)))
		return map[string]telltale.Collector{
			"the vec":        vec,
			"a series":       vec.With("a"),
			"a curried vec":  telltale.Must(vec.Curry(map[string]string{"queue": "a"})),
			"the typed form": telltale.Must(telltale.NewCounterOf[byQueue]("jobs", "", telltale.In(reg))),
			"a typed series": telltale.Must(telltale.NewCounterOf[byQueue]("jobs", "", telltale.In(reg))).With(byQueue{"b"}),
		}
	}
	for name := range handles(telltale.NewRegistry()) {
		t.Run(name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			handle := handles(reg)[name]
			wantDuplicate(t, reg.Register(handle), "jobs", "jobs_created", "jobs_total")
			if err := reg.Unregister(handle); err != nil {
				t.Errorf("Unregister: %v", err)
			}
			wantPage(t, reg, "")
			register(t, reg, handle)
			wantPage(t, reg, "# TYPE jobs_total counter\njobs_total{queue=\"a\"} 0.0\njobs_total{queue=\"b\"} 0.0\n")
		})
	}
}

func TestInstrumentInSeveralRegistries(t *testing.T) {
	one, two := telltale.NewRegistry(), telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounter("c", "", telltale.In(one)))
	register(t, two, c)
	c.Inc()
	if err := one.Unregister(c); err != nil {
		t.Fatal(err)
	}
	wantPage(t, one, "")
	wantPage(t, two, "# TYPE c_total counter\nc_total 1.0\n")
}
