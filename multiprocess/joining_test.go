package multiprocess_test

import (
	"context"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

func sharedRegistry(t *testing.T, dir string) *telltale.Registry {
	t.Helper()
	store, err := multiprocess.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
}

func ofPool(pool string) telltale.Option {
	return telltale.WithConstLabels(map[string]string{"pool": pool})
}

// joinedLines are the lines of a page that have a name.
func joinedLines(t *testing.T, c telltale.Collector, name string) string {
	t.Helper()
	text, err := telltale.GenerateLatest(c)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, name) && !strings.HasPrefix(line, "# HELP") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Families of one definition that differ in a constant label are one on the page of a
// store, whether their values lie in it or are published.
func TestConstantLabelsJoinInAStore(t *testing.T) {
	const both = "# TYPE jobs_total counter\n" + `jobs_total{pool="a"} 1.0` + "\n" + `jobs_total{pool="b"} 2.0` + "\n"
	emits := func(value float64) telltale.Collector {
		return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			f, err := model.NewFamily("jobs", "", model.Counter)
			if err != nil {
				return err
			}
			f.AddSample("jobs_total", nil, value)
			return emit(f)
		})
	}
	pool := func(c telltale.Collector, pool string) telltale.Collector {
		return telltale.Must(telltale.Labelled(c, map[string]string{"pool": pool}))
	}
	counter := func(value float64, opts ...telltale.CounterOption) *telltale.Counter {
		c := telltale.Must(telltale.NewCounter("jobs", "", opts...))
		c.Add(value)
		return c
	}
	for _, tt := range []struct {
		name string
		fill func(t *testing.T, reg *telltale.Registry)
	}{
		{"instruments", func(_ *testing.T, reg *telltale.Registry) {
			counter(1, telltale.In(reg), ofPool("a"))
			counter(2, telltale.In(reg), ofPool("b"))
		}},
		{"an instrument, and one that was made elsewhere", func(t *testing.T, reg *telltale.Registry) {
			counter(1, telltale.In(reg), ofPool("a"))
			if err := reg.Register(counter(2, telltale.Unregistered(), ofPool("b"))); err != nil {
				t.Fatal(err)
			}
		}},
		{"custom collectors", func(t *testing.T, reg *telltale.Registry) {
			for name, v := range map[string]float64{"a": 1, "b": 2} {
				if err := reg.Register(pool(emits(v), name)); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"functions", func(t *testing.T, reg *telltale.Registry) {
			for name, v := range map[string]float64{"a": 1, "b": 2} {
				telltale.Must(telltale.NewCounterFunc("jobs", "", nil, telltale.SingleValue(func() float64 { return v }), telltale.In(reg), ofPool(name)))
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			reg := sharedRegistry(t, dir)
			tt.fill(t, reg)
			for range 2 {
				if got := joinedLines(t, reg, "jobs"); got != both {
					t.Errorf("got\n%s\nwant\n%s", got, both)
				}
			}
			if got := joinedLines(t, sharedRegistry(t, dir), "jobs"); got != both {
				t.Errorf("another process: got\n%s\nwant\n%s", got, both)
			}
		})
	}
	t.Run("two stores under views", func(t *testing.T) {
		a, b := sharedRegistry(t, t.TempDir()), sharedRegistry(t, t.TempDir())
		counter(1, telltale.In(a))
		counter(2, telltale.In(b))
		plain := telltale.NewRegistry(telltale.WithStrict())
		counter(3, telltale.In(plain))
		all := telltale.Must(telltale.Merge(pool(a, "a"), pool(b, "b"), pool(plain, "c")))
		for range 2 {
			if got, want := joinedLines(t, all, "jobs"), both+`jobs_total{pool="c"} 3.0`+"\n"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if got, want := joinedLines(t, telltale.Restrict(all, "jobs_total"), "jobs"), both+`jobs_total{pool="c"} 3.0`+"\n"; got != want {
				t.Errorf("restricted: got\n%s\nwant\n%s", got, want)
			}
		}
	})
}
