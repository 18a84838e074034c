package exponential_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

func TestExemplars(t *testing.T) {
	type add struct {
		value  float64
		second int
	}
	for name, c := range map[string]struct {
		limit  int
		maxAge time.Duration
		adds   []add
		want   []float64 // by time
	}{
		"none":                             {0, time.Minute, []add{{1, 0}}, nil},
		"fewer than the limit, by time":    {3, time.Minute, []add{{3, 1}, {1, 2}, {2, 0}}, []float64{2, 3, 1}},
		"one is the newest":                {1, time.Minute, []add{{1, 0}, {100, 1}, {5, 2}}, []float64{5}},
		"older of the closest":             {3, time.Minute, []add{{1, 0}, {100, 1}, {110, 2}, {10000, 3}}, []float64{1, 110, 10000}},
		"older of the closest, other side": {3, time.Minute, []add{{1, 0}, {110, 1}, {100, 2}, {10000, 3}}, []float64{1, 100, 10000}},
		"neighbour of the new one":         {3, time.Minute, []add{{1, 0}, {100, 2}, {10000, 1}, {101, 3}}, []float64{1, 10000, 101}},
		"by ratio, not by difference":      {3, time.Minute, []add{{0.001, 0}, {0.1, 1}, {1000, 2}, {1100, 3}}, []float64{0.001, 0.1, 1100}},
		"an old one":                       {3, time.Minute, []add{{1, 0}, {100, 70}, {110, 71}, {10000, 72}}, []float64{100, 110, 10000}},
		"always the oldest":                {2, -1, []add{{1, 0}, {100, 1}, {101, 2}}, []float64{100, 101}},
		"the same value":                   {2, time.Minute, []add{{5, 0}, {1, 1}, {5, 2}}, []float64{1, 5}},
		"both signs and zero":              {4, time.Minute, []add{{-1, 0}, {0, 1}, {1, 2}, {-1.1, 3}, {1000, 4}}, []float64{0, 1, -1.1, 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			var e exponential.Exemplars
			for _, a := range c.adds {
				e.Add(&model.Exemplar{Value: a.value, Timestamp: model.Unix(int64(a.second), 0)}, c.limit, c.maxAge)
			}
			var got []float64
			for _, x := range e.AppendTo(nil) {
				got = append(got, x.Value)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestExemplarsUnderConcurrency(t *testing.T) {
	const limit = 10
	var e exponential.Exemplars
	var done sync.WaitGroup
	for g := range 4 {
		done.Go(func() {
			for i := range 1000 {
				e.Add(&model.Exemplar{Value: float64(i * g), Timestamp: model.Unix(int64(i), 0)}, limit, time.Minute)
				if n := len(e.AppendTo(nil)); n > limit {
					t.Errorf("%d exemplars", n)
				}
			}
		})
	}
	done.Wait()
	if n := len(e.AppendTo(nil)); n != limit {
		t.Errorf("%d exemplars, want %d", n, limit)
	}
}
