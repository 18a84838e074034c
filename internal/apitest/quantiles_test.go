package apitest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
)

func newQuantiles(t *testing.T, opts ...telltale.SummaryOption) *telltale.Summary {
	t.Helper()
	s, err := telltale.NewSummary("s", "", append(opts, telltale.Unregistered())...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestQuantilesPage(t *testing.T) {
	s := newQuantiles(t, telltale.WithQuantiles(0.99, 0.5))
	wantPage(t, s, "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns{quantile=\"0.99\"} NaN\ns_count 0.0\ns_sum 0.0\n")
	s.Observe(math.NaN()) // counts in no quantile
	s.Observe(0)
	wantPage(t, s, "# TYPE s summary\ns{quantile=\"0.5\"} 0.0\ns{quantile=\"0.99\"} 0.0\ns_count 2.0\ns_sum NaN\n")
}

// Quantiles are within the documented error of exact ones, for any distribution.
func TestQuantileError(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	levels := []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1}
	for name, draw := range map[string]func() float64{
		"uniform":     random.Float64,
		"exponential": random.ExpFloat64,
		"normal":      func() float64 { return 100 + random.NormFloat64() },
		"lognormal":   func() float64 { return math.Exp(2 * random.NormFloat64()) },
		"Pareto":      func() float64 { return math.Pow(1-random.Float64(), -1/1.5) },
		"two peaks":   func() float64 { return []float64{1e-3, 1e3}[random.IntN(2)] * (1 + random.Float64()) },
		"both signs":  func() float64 { return random.NormFloat64() },
		"constant":    func() float64 { return 42 },
	} {
		for _, within := range []float64{0.05, 0.01, 0.0015} {
			s := newQuantiles(t, telltale.WithQuantiles(levels...), telltale.WithQuantileError(within))
			values := make([]float64, 10_000)
			for i := range values {
				values[i] = draw()
				s.Observe(values[i])
			}
			slices.Sort(values)
			for _, q := range only(t, s).Summary.Quantiles {
				want := values[int(q.Q*float64(len(values)-1))]
				if math.Abs(q.V-want) > within*math.Abs(want)*(1+1e-9) {
					t.Errorf("%s within %v: quantile %v is %v, want %v", name, within, q.Q, q.V, want)
				}
			}
		}
	}
}

func TestQuantilesAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * time.Second) // away from the time at which the window moves
		s := newQuantiles(t, telltale.WithQuantiles(0, 1), telltale.WithMaxAge(3*time.Minute), telltale.WithAgeBuckets(3))
		between := func(when string, low, high float64) {
			t.Helper()
			got := only(t, s).Summary
			for i, want := range []float64{low, high} {
				if v := got.Quantiles[i].V; math.Abs(v-want) > 0.01*want || math.IsNaN(v) != math.IsNaN(want) {
					t.Errorf("%s: %+v, want from %v to %v", when, got.Quantiles, low, high)
				}
			}
		}
		s.Observe(1)
		time.Sleep(time.Minute)
		s.Observe(10)
		between("in the second minute", 1, 10)
		time.Sleep(2 * time.Minute)
		between("in the fourth minute", 10, 10)
		time.Sleep(time.Minute)
		between("in the fifth minute", math.NaN(), math.NaN())
		if s.Count() != 2 || s.Sum() != 11 {
			t.Errorf("%d observations of %v", s.Count(), s.Sum())
		}
		time.Sleep(10 * time.Minute) // until the clock has stopped
	})
}

func TestQuantileOptions(t *testing.T) {
	quantiles := telltale.WithQuantiles(0.5)
	for _, tt := range []struct {
		name string
		opts []telltale.SummaryOption
		good bool
	}{
		{"one", []telltale.SummaryOption{quantiles}, true},
		{"the ends", []telltale.SummaryOption{telltale.WithQuantiles(0, 1)}, true},
		{"none", []telltale.SummaryOption{telltale.WithQuantiles()}, true},
		{"one twice", []telltale.SummaryOption{telltale.WithQuantiles(0.5, 0.5)}, false},
		{"above 1", []telltale.SummaryOption{telltale.WithQuantiles(99)}, false},
		{"below 0", []telltale.SummaryOption{telltale.WithQuantiles(-0.1)}, false},
		{"NaN", []telltale.SummaryOption{telltale.WithQuantiles(math.NaN())}, false},
		{"an age without quantiles", []telltale.SummaryOption{telltale.WithMaxAge(time.Minute)}, false},
		{"an error without quantiles", []telltale.SummaryOption{telltale.WithQuantileError(0.1)}, false},
		{"no age", []telltale.SummaryOption{quantiles, telltale.WithMaxAge(0)}, false},
		{"a negative age", []telltale.SummaryOption{quantiles, telltale.WithMaxAge(-1)}, false},
		{"no parts", []telltale.SummaryOption{quantiles, telltale.WithAgeBuckets(0)}, false},
		{"too many parts", []telltale.SummaryOption{quantiles, telltale.WithAgeBuckets(65)}, false},
		{"no error", []telltale.SummaryOption{quantiles, telltale.WithQuantileError(0)}, false},
		{"an error of 1", []telltale.SummaryOption{quantiles, telltale.WithQuantileError(1)}, false},
		{"an error of NaN", []telltale.SummaryOption{quantiles, telltale.WithQuantileError(math.NaN())}, false},
	} {
		_, err := telltale.NewSummary("s", "", append(tt.opts, telltale.Unregistered())...)
		switch {
		case (err == nil) != tt.good:
			t.Errorf("%s: %v", tt.name, err)
		case err != nil && !strings.Contains(err.Error(), `summary "s"`):
			t.Errorf("%s: the error does not name the summary: %v", tt.name, err)
		}
	}
}

func TestQuantileIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		opts []telltale.SummaryOption
		same bool
	}{
		"the same, in another order": {[]telltale.SummaryOption{telltale.WithQuantiles(0.9, 0.5)}, true},
		"the defaults spelled out": {[]telltale.SummaryOption{telltale.WithQuantiles(0.5, 0.9), telltale.WithMaxAge(10 * time.Minute),
			telltale.WithAgeBuckets(5), telltale.WithQuantileError(0.01)}, true},
		"others":        {[]telltale.SummaryOption{telltale.WithQuantiles(0.5)}, false},
		"another age":   {[]telltale.SummaryOption{telltale.WithQuantiles(0.5, 0.9), telltale.WithMaxAge(time.Hour)}, false},
		"another error": {[]telltale.SummaryOption{telltale.WithQuantiles(0.5, 0.9), telltale.WithQuantileError(0.02)}, false},
		"none":          {nil, false},
	} {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewSummary("s", "", telltale.In(reg), telltale.WithQuantiles(0.5, 0.9)))
		b, err := telltale.NewSummary("s", "", append(tt.opts, telltale.In(reg))...)
		if tt.same != (err == nil && a == b) {
			t.Errorf("%s: %p and %p, %v", name, a, b, err)
		}
		if err != nil && !strings.Contains(err.Error(), "quantiles [0.5 0.9] of 10m0s in 5 parts within 0.01") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQuantilesUnderContention(t *testing.T) {
	const goroutines, rounds = 8, 20_000
	s := newQuantiles(t, telltale.WithQuantiles(0, 0.5, 1))
	together(goroutines, func(i int) {
		for n := range rounds {
			s.Observe(float64(1 + n%100))
			if i == 0 && n%1000 == 0 {
				q := only(t, s).Summary.Quantiles
				if !(q[0].V <= q[1].V && q[1].V <= q[2].V) {
					t.Errorf("quantiles %v", q)
				}
			}
		}
	})
	got := only(t, s).Summary
	for i, want := range []float64{1, 50, 100} {
		if math.Abs(got.Quantiles[i].V-want) > 0.01*want {
			t.Errorf("quantiles %v", got.Quantiles)
		}
	}
	if got.Count != goroutines*rounds {
		t.Errorf("%v observations", got.Count)
	}
}
