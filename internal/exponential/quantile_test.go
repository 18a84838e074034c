package exponential_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"telltale/internal/exponential"
)

// distributions are what quantiles are asked of.
var distributions = map[string]func(*rand.Rand) float64{
	"uniform":       func(r *rand.Rand) float64 { return r.Float64() },
	"normal":        func(r *rand.Rand) float64 { return r.NormFloat64() },
	"far normal":    func(r *rand.Rand) float64 { return 1e6 + r.NormFloat64() },
	"exponential":   func(r *rand.Rand) float64 { return r.ExpFloat64() / 100 },
	"lognormal":     func(r *rand.Rand) float64 { return math.Exp(2 * r.NormFloat64()) },
	"Pareto":        func(r *rand.Rand) float64 { return math.Pow(r.Float64(), -3) },
	"huge range":    func(r *rand.Rand) float64 { return math.Exp2(2000*r.Float64() - 1000) },
	"both signs":    func(r *rand.Rand) float64 { return math.Copysign(math.Exp(5*r.NormFloat64()), r.Float64()-0.7) },
	"negative":      func(r *rand.Rand) float64 { return -r.ExpFloat64() },
	"many zeros":    func(r *rand.Rand) float64 { return max(0, r.NormFloat64()) },
	"zero":          func(*rand.Rand) float64 { return 0 },
	"constant":      func(*rand.Rand) float64 { return 0.25 },
	"two modes":     func(r *rand.Rand) float64 { return 0.001*(1+r.Float64()) + float64(r.IntN(2)) },
	"whole numbers": func(r *rand.Rand) float64 { return float64(r.IntN(20)) },
	"infinities":    func(r *rand.Rand) float64 { return 1 / float64(r.IntN(5)) },
}

func TestQuantile(t *testing.T) {
	qs := []float64{0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1}
	for name, draw := range distributions {
		for _, o := range []exponential.Options{
			{Schema: exponential.SchemaWithin(0.01), MaxBuckets: 8192},
			{Schema: exponential.MaxSchema, MaxBuckets: 64}, // has to lose resolution
		} {
			for _, n := range []int{1, 2, 10, 5000} {
				random := rand.New(rand.NewPCG(uint64(n), 1))
				h, values := exponential.New(&o), make([]float64, n)
				for i := range values {
					values[i] = draw(random)
					h.Observe(values[i])
				}
				h.Observe(math.NaN()) // does not count
				slices.Sort(values)
				var s exponential.Snapshot
				h.Read(&s)
				if o.MaxBuckets > 8000 && exponential.RelativeError(s.Schema) > 0.01 {
					t.Errorf("%s: the relative error is %v", name, exponential.RelativeError(s.Schema))
				}
				for _, q := range qs {
					got, want := s.Quantile(q), values[int(q*float64(n-1))]
					if math.Abs(want) <= s.ZeroThreshold {
						want = 0
					}
					if got != want && !(math.Abs(got-want) <= exponential.RelativeError(s.Schema)*math.Abs(want)*(1+1e-12)) {
						t.Errorf("%s, %d values, at most %d buckets: quantile %v is %v, want %v within %v",
							name, n, o.MaxBuckets, q, got, want, exponential.RelativeError(s.Schema))
					}
				}
			}
		}
	}
}

func TestQuantileOfNothing(t *testing.T) {
	s := snapshotOf(exponential.Options{}, []float64{math.NaN()})
	if got := s.Quantile(0.5); got == got {
		t.Errorf("without observations: %v", got)
	}
	s = snapshotOf(exponential.Options{}, []float64{1})
	for _, q := range []float64{-0.1, 1.1, math.NaN()} {
		if got := s.Quantile(q); got == got {
			t.Errorf("quantile %v: %v", q, got)
		}
	}
}
