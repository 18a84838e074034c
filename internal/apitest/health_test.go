package apitest

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

// declaredReasons reads the values of the constants of type Reason.
func declaredReasons(t *testing.T) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) == 0 || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return true
	})
	if len(values) < 15 {
		t.Fatalf("found only the reasons %q", values)
	}
	return values
}

func TestFaultsOfEachReasonExistFromZero(t *testing.T) {
	reg := telltale.NewRegistry()
	register(t, reg, reg.Health())
	for _, reason := range declaredReasons(t) {
		if v, ok := reg.SampleValue("telltale_faults_total", labelMap{"reason": reason}); !ok || v != 0 {
			t.Errorf("the faults %q are %v, %t", reason, v, ok)
		}
	}
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Add(-1)
	if v, ok := reg.SampleValue("telltale_faults_total", labelMap{"reason": "negative"}); !ok || v != 1 {
		t.Errorf("the fault is counted as %v, %t", v, ok)
	}
}

func collectorStats(t *testing.T, reg *telltale.Registry, name string) telltale.CollectorStats {
	t.Helper()
	for _, c := range reg.Stats().Custom {
		if c.Collector == name {
			return c
		}
	}
	t.Fatalf("there is no collector %s: %+v", name, reg.Stats().Custom)
	return telltale.CollectorStats{}
}

// wave is a collector whose behaviour can be changed.
type wave struct{ collect collectFunc }

func (w *wave) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return w.collect(ctx, emit)
}

func TestHealthOfCollectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged(t)
		reg := telltale.NewRegistry()
		w := &wave{func(_ context.Context, emit func(*model.Family) error) error {
			time.Sleep(2 * time.Second)
			return emitting(gauge("a", 1), gauge("b", 1))(t.Context(), emit)
		}}
		labelled := telltale.Must(telltale.Labelled(w, map[string]string{"l": "v"}))
		register(t, reg, labelled, new(database), new(database), reg.Health(), telltale.NewRegistry())
		telltale.Must(telltale.NewGauge("g", "", telltale.In(reg)))
		other := telltale.NewRegistry() // whose scrapes run none of the collectors
		register(t, other, reg.Health())
		health := func() string {
			return page(t, other.Restricted(
				"telltale_collector_success", "telltale_collector_duration_seconds", "telltale_collector_families",
				"telltale_collector_faults_total", "telltale_collector_last_error_timestamp_seconds"))
		}
		const (
			of   = `{collector="*apitest.wave"} `
			down = `{collector="*apitest.database"} `
			also = `{collector="*apitest.database#2"} `
		)
		stats := reg.Stats().Custom
		if len(stats) != 3 || stats[0].Collector != "*apitest.wave" || stats[1].Collector != "*apitest.database" || stats[2].Collector != "*apitest.database#2" {
			t.Fatalf("got %+v", stats)
		}
		began := time.Now()
		page(t, reg)
		wantText(t, health(), "# TYPE telltale_collector_success gauge\n"+
			"telltale_collector_success"+of+"1.0\ntelltale_collector_success"+down+"0.0\ntelltale_collector_success"+also+"0.0\n"+
			"# TYPE telltale_collector_duration_seconds gauge\n"+
			"telltale_collector_duration_seconds"+of+"2.0\ntelltale_collector_duration_seconds"+down+"0.0\ntelltale_collector_duration_seconds"+also+"0.0\n"+
			"# TYPE telltale_collector_families gauge\n"+
			"telltale_collector_families"+of+"2.0\ntelltale_collector_families"+down+"0.0\ntelltale_collector_families"+also+"0.0\n"+
			"# TYPE telltale_collector_faults_total counter\n"+
			"telltale_collector_faults_total"+of+"0.0\ntelltale_collector_faults_total"+down+"1.0\ntelltale_collector_faults_total"+also+"1.0\n"+
			"# TYPE telltale_collector_last_error_timestamp_seconds gauge\n"+
			"telltale_collector_last_error_timestamp_seconds"+of+"0.0\n"+
			"telltale_collector_last_error_timestamp_seconds"+down+seconds(began)+"\n"+
			"telltale_collector_last_error_timestamp_seconds"+also+seconds(began)+"\n")

		for _, tt := range []struct {
			name     string
			collect  collectFunc
			success  bool
			families int
			faults   uint64
		}{
			{"it is whole again", emitting(gauge("a", 1)), true, 1, 0},
			{"it panics half way", func(ctx context.Context, emit func(*model.Family) error) error {
				_ = emit(gauge("a", 1))
				panic("at the disco")
			}, false, 1, 1},
			{"a name is another's", emitting(gauge("g", 1)), false, 1, 1},
			{"the view's label clashes", func(ctx context.Context, emit func(*model.Family) error) error {
				f := family("a", model.Gauge)
				f.AddSample("a", map[string]string{"l": "x"}, 1)
				return emit(f)
			}, false, 1, 1},
			{"one series after another repeats", func(_ context.Context, emit func(*model.Family) error) error {
				f := family("a", model.Gauge)
				for range 1001 {
					f.AddSample("a", nil, 1)
				}
				return emit(f)
			}, false, 1, 1000},
			{"it hangs", func(ctx context.Context, emit func(*model.Family) error) error {
				<-ctx.Done()
				return ctx.Err()
			}, false, 0, 1},
			{"it ends", emitting(), true, 0, 0},
		} {
			before := collectorStats(t, reg, "*apitest.wave")
			w.collect = tt.collect
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			_ = reg.Collect(ctx, readAll)
			cancel()
			synctest.Wait()
			got := collectorStats(t, reg, "*apitest.wave")
			if got.Success != tt.success || got.Families != tt.families || got.Faults-before.Faults != tt.faults || got.Scrapes != before.Scrapes+1 {
				t.Errorf("%s: got %+v after %+v", tt.name, got, before)
			}
			if tt.name == "it hangs" && got.Duration != 3*time.Second {
				t.Errorf("it hung for %v", got.Duration)
			}
			time.Sleep(time.Hour)
		}
		if got := collectorStats(t, reg, "*apitest.database").LastError; got.Before(began) {
			t.Errorf("the last error was at %v", got)
		}
	})
}

func seconds(t time.Time) string { return model.FormatValue(float64(t.UnixNano()) / 1e9) }

// Labels of collectors are few, stay what they are while the collector is registered,
// and are given again.
func TestHealthOfManyCollectors(t *testing.T) {
	logged(t)
	reg := telltale.NewRegistry()
	all := make([]telltale.Collector, 150)
	for i := range all {
		all[i] = new(database)
		register(t, reg, all[i])
	}
	if n := len(reg.Stats().Custom); n != telltale.MaxCollectorStats {
		t.Fatalf("%d collectors have statistics", n)
	}
	page(t, reg)
	for i, c := range all {
		if i%2 == 0 || i > 100 {
			if err := reg.Unregister(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	stats := reg.Stats().Custom
	if len(stats) != 50 || stats[0].Collector != "*apitest.database#2" || stats[0].Faults != 1 {
		t.Errorf("%d are left, the first of which is %+v", len(stats), stats[0])
	}
	register(t, reg, new(database))
	if got := collectorStats(t, reg, "*apitest.database"); got.Faults != 0 || got.Scrapes != 0 {
		t.Errorf("a new collector begins with %+v", got)
	}
}

// A collector in several views is one, until the last of them goes.
func TestHealthOfACollectorInViews(t *testing.T) {
	reg := telltale.NewRegistry()
	one, other := nameless(gauge("m", 1)), new(database)
	var views []telltale.Collector
	for i := range 2 {
		prefix := fmt.Sprintf("p%d_", i)
		views = append(views, telltale.Must(telltale.Merge(prefixed(one, prefix), prefixed(other, prefix))))
	}
	register(t, reg, views...)
	if n := len(reg.Stats().Custom); n != 2 {
		t.Errorf("%d collectors have statistics", n)
	}
	for i, left := range []int{2, 0} {
		if err := reg.Unregister(views[i]); err != nil {
			t.Fatal(err)
		}
		if n := len(reg.Stats().Custom); n != left {
			t.Errorf("%d collectors have statistics, not %d", n, left)
		}
	}
}
