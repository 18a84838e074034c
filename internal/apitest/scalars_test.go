package apitest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
)

// asPoints collects c, by its scalars if it has them, or by its points alone.
func asPoints(t testing.TB, c telltale.Collector, byScalars bool) (points []string, runs int) {
	t.Helper()
	var scratch model.Point
	err := c.Collect(context.Background(), func(f *model.Family) error {
		visit := func(p *model.Point) error {
			points = append(points, fmt.Sprint(f.Name, p.Labels, p.Has, p.Created, p.Timestamp, p.Value, p.Exemplar))
			return nil
		}
		if !byScalars {
			return f.Visit(&scratch, visit)
		}
		return f.VisitScalars(&scratch, func(run []model.Scalar) error {
			runs++
			for i := range run {
				p := run[i].Point(f.Type)
				_ = visit(&p)
			}
			return nil
		}, visit)
	})
	if err != nil {
		t.Fatal(err)
	}
	return points, runs
}

// Counters and gauges give the same series in the same order as scalars and as
// points, whatever was done to them.
func TestScalarsOfInstruments(t *testing.T) {
	for range 50 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		reg := telltale.NewRegistry()
		c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
		g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"n"}, telltale.In(reg)))
		telltale.Must(telltale.NewCounter("alone", "", telltale.In(reg))).Add(3)
		telltale.Must(telltale.NewGauge("single", "", telltale.In(reg))).Set(-2.5)
		exemplars := random.IntN(2) * random.IntN(10)
		for range random.IntN(300) {
			n := fmt.Sprint(random.IntN(150))
			switch random.IntN(12) {
			case 0:
				c.Remove(n)
			case 1:
				g.Remove(n)
			case 2:
				c.With(n).Add(0.5)
			case 3:
				c.With(n).Add(1 << 40)
			case 4:
				if exemplars--; exemplars >= 0 {
					if err := c.With(n).AddWithExemplar(2, map[string]string{"trace": n}); err != nil {
						t.Fatal(err)
					}
				}
			case 5:
				var both sync.WaitGroup
				for range 2 { // so that it may get lanes
					both.Go(func() {
						for range 200 {
							g.With(n).Add(1)
						}
					})
				}
				both.Wait()
			case 6, 7:
				g.With(n).Set(random.NormFloat64())
			default:
				c.With(n).Inc()
			}
		}
		want, _ := asPoints(t, reg, false)
		got, runs := asPoints(t, reg, true)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: scalars and points are\n%q\nwant\n%q", seed, got, want)
		}
		if runs < 2 {
			t.Fatalf("seed %d: %d runs of scalars, want some for each family", seed, runs)
		}
	}
}

// Series that stay are visited once each, with their own labels and values,
// while others come and go.
func TestScalarsWhileChanging(t *testing.T) {
	const stay = 100
	reg := telltale.NewRegistry()
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n", "again"}, telltale.In(reg)))
	for n := range stay {
		c.With(fmt.Sprint(n), fmt.Sprint(n)).Add(float64(n))
		c.With(fmt.Sprint("passing", n), fmt.Sprint(n)).Add(float64(n))
	}
	var done atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		for !done.Load() {
			for n := range stay {
				c.Remove(fmt.Sprint("passing", n), fmt.Sprint(n))
			}
			for n := range stay {
				c.With(fmt.Sprint("passing", n), fmt.Sprint(n)).Add(float64(n))
			}
		}
	})
	defer writer.Wait()
	defer done.Store(true)
	var scratch model.Point
	for range 200 {
		met := make(map[string]int)
		check := func(labels model.Labels, v float64) {
			n, _ := labels.Get("again")
			met[labels.String()]++
			if v != 0 && fmt.Sprint(v) != n { // 0 if it was just made
				t.Errorf("%s has the value %v", labels, v)
			}
		}
		err := reg.Collect(context.Background(), func(f *model.Family) error {
			return f.VisitScalars(&scratch, func(run []model.Scalar) error {
				for i := range run {
					check(run[i].Labels, run[i].Value)
				}
				return nil
			}, func(p *model.Point) error {
				check(p.Labels, p.Value)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for labels, times := range met {
			if times > 1 {
				t.Fatalf("%s is met %d times", labels, times)
			}
		}
		for n := range stay {
			labels := model.LabelPairs([]string{"n", "again"}, []string{fmt.Sprint(n), fmt.Sprint(n)})
			if times := met[labels.String()]; times != 1 {
				t.Fatalf("%s is met %d times", labels, times)
			}
		}
	}
}
