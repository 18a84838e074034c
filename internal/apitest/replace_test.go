package apitest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

func TestReplace(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"l"})
	v.With("old").Add(5)
	v.With("both").Add(6)
	v.Replace(func(next *telltale.CounterVec) {
		if next.Len() != 0 {
			t.Errorf("the new family begins with %d series", next.Len())
		}
		next.With("new").Add(1)
		next.With("both").Add(0.5)
		next.With("gone").Inc()
		next.Remove("gone")
		wantSeries(t, next, `l="new"`, `l="both"`)
		if d := next.Describe(); len(d) != 1 || d[0].Name != "c" {
			t.Errorf("it is described as %v", d)
		}
		wantSeries(t, v, `l="old"`, `l="both"`)
	})
	wantPage(t, reg, "# TYPE c_total counter\nc_total{l=\"new\"} 1.0\nc_total{l=\"both\"} 0.5\n")
	v.With("new").Inc()
	v.With("later").Inc()
	wantPage(t, reg, "# TYPE c_total counter\nc_total{l=\"new\"} 2.0\nc_total{l=\"both\"} 0.5\nc_total{l=\"later\"} 1.0\n")
	w.want(t)
}

func TestReplaceThroughCurriedAndTyped(t *testing.T) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"method", "path", "code"}, telltale.Unregistered()))
	v.With("GET", "/", "200").Inc()
	curry(t, v, "method", "PUT").Replace(func(next *telltale.CounterVec) { next.With("/x", "500").Inc() })
	wantSeries(t, v, `method="PUT",path="/x",code="500"`)
	of := telltale.Must(telltale.NewCounterOf[route]("c", "", telltale.Unregistered()))
	of.With(route{"GET", "/", 200}).Inc()
	of.Replace(func(next *telltale.CounterOf[route]) { next.With(route{"PUT", "/y", 1}).Inc() })
	wantSeries(t, of, `method="PUT",path="/y",code="1"`)
}

func TestReplaceThatPanics(t *testing.T) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered()))
	v.With("old").Inc()
	func() {
		defer func() { _ = recover() }()
		v.Replace(func(next *telltale.CounterVec) {
			next.With("new").Inc()
			panic("at the disco")
		})
	}()
	wantSeries(t, v, `l="old"`)
	v.With("more").Inc()
	v.Replace(func(next *telltale.CounterVec) {
		v.Replace(func(next *telltale.CounterVec) { next.With("inner").Inc() })
		next.With("outer").Inc()
	})
	wantSeries(t, v, `l="outer"`)
}

// A caller that keeps next can no longer reach the family through it.
func TestReplaceKeptNext(t *testing.T) {
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered()))
	var kept *telltale.CounterVec
	v.Replace(func(next *telltale.CounterVec) {
		kept = next
		next.With("x").Inc()
	})
	kept.With("y").Inc()
	kept.With("x").Add(100)
	kept.Remove("x")
	kept.Clear()
	if _, values := seriesOf(t, v); len(values) != 1 || values[`l="x"`] != 1 {
		t.Errorf("the family became %v", values)
	}
}

// No scrape, of whatever kind, sees the family absent, incomplete or mixed.
func TestReplaceIsOneStep(t *testing.T) {
	const series, replacements = 700, 60 // more than one slab
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l", "generation"}, telltale.In(reg)))
	replace := func(generation int) {
		v.Replace(func(next *telltale.GaugeVec) {
			for i := range series {
				next.With(fmt.Sprint(i), fmt.Sprint(generation)).Set(float64(generation))
			}
		})
	}
	replace(0)
	var done atomic.Bool
	check := func(what string, lines []string) {
		if len(lines) != series {
			t.Errorf("%s: %d series, want %d", what, len(lines), series)
			return
		}
		_, want, _ := strings.Cut(lines[0], `generation=`)
		for _, line := range lines {
			if _, got, _ := strings.Cut(line, `generation=`); got != want {
				t.Errorf("%s: generation %s stands beside %s", what, got, want)
				return
			}
		}
	}
	together(4, func(g int) {
		switch g {
		case 0:
			defer done.Store(true)
			for i := range replacements {
				replace(i + 1)
			}
		case 1: // a creator, whose series is gone with the next replacement
			for !done.Load() {
				v.With("0", "0").Add(0)
			}
		case 2:
			for !done.Load() {
				var text bytes.Buffer
				if err := telltale.WriteLatest(context.Background(), &text, reg.Restricted("g")); err != nil {
					t.Error(err)
				}
				var lines []string
				for line := range strings.Lines(text.String()) {
					if line[0] != '#' && !strings.HasPrefix(line, `g{l="0",generation="0"}`) {
						lines = append(lines, line)
					}
				}
				if strings.Contains(text.String(), `generation="0"} 0.0`) && len(lines) < series {
					continue // the creator's, before or after generation 0 itself
				}
				check("text", lines)
			}
		case 3:
			for !done.Load() {
				for f, err := range reg.Families(t.Context()) {
					if err != nil {
						t.Error(err)
					}
					var lines []string
					for s := range f.Samples() {
						if !strings.Contains(s.Labels.Text(), `generation="0"`) {
							lines = append(lines, s.Labels.Text()+" "+model.FormatValue(s.Value))
						}
					}
					if len(lines) > 0 {
						check("families", lines)
					}
				}
			}
		}
	})
}
