package apitest

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

var inf = math.Inf(1)

func newLoneHistogram(t *testing.T, bounds ...float64) *telltale.Histogram {
	t.Helper()
	h, err := telltale.NewHistogram("h", "", telltale.Unregistered(), telltale.WithBuckets(bounds...))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistogramPage(t *testing.T) {
	h := newLoneHistogram(t, 0.5, 1, 1e6)
	for _, v := range []float64{0.5, 0.50001, 1, -3, 1e6, 1e7} {
		h.Observe(v)
	}
	wantPage(t, h, `# TYPE h histogram
h_bucket{le="0.5"} 2.0
h_bucket{le="1.0"} 4.0
h_bucket{le="1e+06"} 5.0
h_bucket{le="+Inf"} 6.0
h_count 6.0
h_sum 1.099999900001e+07
`)
	if h.Count() != 6 || h.Sum() != 10999999.00001 {
		t.Errorf("Count() = %d, Sum() = %v", h.Count(), h.Sum())
	}
}

// upTo returns the bounds 1 to n.
func upTo(n int) (bounds []float64) {
	for i := range n {
		bounds = append(bounds, float64(i+1))
	}
	return bounds
}

func TestHistogramBuckets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bounds []float64
		want   []float64 // nil for an error
	}{
		{"one", []float64{1}, []float64{1, inf}},
		{"+Inf given", []float64{1, inf}, []float64{1, inf}},
		{"negative", []float64{-1, 0, 1}, []float64{-1, 0, 1, inf}},
		{"many", telltale.Must(telltale.LinearBuckets(0, 1, 100)), append(telltale.Must(telltale.LinearBuckets(0, 1, 100)), inf)},
		{"none", []float64{}, nil},
		{"only +Inf", []float64{inf}, nil},
		{"unsorted", []float64{2, 1}, nil},
		{"equal", []float64{1, 1}, nil},
		{"NaN", []float64{1, math.NaN()}, nil},
		{"+Inf twice", []float64{1, inf, inf}, nil},
		{"+Inf first", []float64{inf, 1}, nil},
		{"-Inf", []float64{-inf, 1}, nil},
		{"only -Inf", []float64{-inf}, nil},
		{"both zeros", []float64{math.Copysign(0, -1), 0}, nil},
		{"as many as may be", upTo(telltale.MaxBuckets), append(upTo(telltale.MaxBuckets), inf)},
		{"too many", upTo(telltale.MaxBuckets + 1), nil},
	} {
		h, err := telltale.NewHistogram("h", "", telltale.Unregistered(), telltale.WithBuckets(tt.bounds...))
		if tt.want == nil {
			if err == nil {
				t.Errorf("%s: bounds %v are accepted", tt.name, tt.bounds)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := only(t, h).Histogram.Bounds.Upper(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: bounds %v, want %v", tt.name, got, tt.want)
		}
	}
	byDefault := telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered()))
	want := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, inf}
	if got := only(t, byDefault).Histogram.Bounds.Upper(); !slices.Equal(got, want) {
		t.Errorf("by default the bounds are %v, want %v", got, want)
	}
	if _, err := telltale.NewHistogramVec("h", "", []string{"le"}, telltale.Unregistered()); err == nil {
		t.Error("a label le is accepted")
	}
	given := []float64{1, 2}
	option := telltale.WithBuckets(given...)
	given[1] = 0
	if _, err := telltale.NewHistogram("h", "", telltale.Unregistered(), option); err != nil {
		t.Errorf("WithBuckets keeps the caller's slice: %v", err)
	}
}

func TestBucketHelpers(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  func() ([]float64, error)
		want []float64 // nil for an error
	}{
		{"linear", func() ([]float64, error) { return telltale.LinearBuckets(-1, 0.5, 4) }, []float64{-1, -0.5, 0, 0.5}},
		{"linear, one", func() ([]float64, error) { return telltale.LinearBuckets(3, 1, 1) }, []float64{3}},
		{"linear, none", func() ([]float64, error) { return telltale.LinearBuckets(0, 1, 0) }, nil},
		{"linear, no width", func() ([]float64, error) { return telltale.LinearBuckets(0, 0, 2) }, nil},
		{"linear, NaN", func() ([]float64, error) { return telltale.LinearBuckets(math.NaN(), 1, 2) }, nil},
		{"linear, NaN wide", func() ([]float64, error) { return telltale.LinearBuckets(0, math.NaN(), 2) }, nil},
		{"linear, too narrow to tell apart", func() ([]float64, error) { return telltale.LinearBuckets(1e18, 1, 3) }, nil},
		{"linear, infinite", func() ([]float64, error) { return telltale.LinearBuckets(0, inf, 2) }, nil},
		{"linear, too many", func() ([]float64, error) { return telltale.LinearBuckets(0, 1, telltale.MaxBuckets+1) }, nil},
		{"linear, more than memory", func() ([]float64, error) { return telltale.LinearBuckets(0, 1, math.MaxInt) }, nil},
		{"linear, fewer than none", func() ([]float64, error) { return telltale.LinearBuckets(0, 1, math.MinInt) }, nil},
		{"linear, from -Inf", func() ([]float64, error) { return telltale.LinearBuckets(-inf, 1, 2) }, nil},
		{"linear, one infinite", func() ([]float64, error) { return telltale.LinearBuckets(inf, 1, 1) }, nil},
		{"linear, the last infinite", func() ([]float64, error) { return telltale.LinearBuckets(0, math.MaxFloat64, 3) }, nil},
		{"linear, past the largest", func() ([]float64, error) { return telltale.LinearBuckets(0, 1e308, 5) }, nil},
		{"exponential", func() ([]float64, error) { return telltale.ExponentialBuckets(0.5, 2, 4) }, []float64{0.5, 1, 2, 4}},
		{"exponential, none", func() ([]float64, error) { return telltale.ExponentialBuckets(1, 2, 0) }, nil},
		{"exponential, from 0", func() ([]float64, error) { return telltale.ExponentialBuckets(0, 2, 2) }, nil},
		{"exponential, from NaN", func() ([]float64, error) { return telltale.ExponentialBuckets(math.NaN(), 2, 2) }, nil},
		{"exponential, factor 1", func() ([]float64, error) { return telltale.ExponentialBuckets(1, 1, 2) }, nil},
		{"exponential, past the largest", func() ([]float64, error) { return telltale.ExponentialBuckets(1, 1e300, 4) }, nil},
		{"exponential, too many", func() ([]float64, error) { return telltale.ExponentialBuckets(1, 1.01, telltale.MaxBuckets+1) }, nil},
		{"exponential, more than memory", func() ([]float64, error) { return telltale.ExponentialBuckets(1, 2, math.MaxInt) }, nil},
		{"exponential, the last infinite", func() ([]float64, error) { return telltale.ExponentialBuckets(1e308, 2, 2) }, nil},
		{"exponential, from infinity", func() ([]float64, error) { return telltale.ExponentialBuckets(inf, 2, 1) }, nil},
		{"exponential, infinite factor", func() ([]float64, error) { return telltale.ExponentialBuckets(1, inf, 2) }, nil},
		{"exponential, too close to tell apart", func() ([]float64, error) { return telltale.ExponentialBuckets(5e-324, 1.1, 3) }, nil},
		{"range, more than memory", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, 2, math.MaxInt) }, nil},
		{"range, too close to tell apart", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, math.Nextafter(1, 2), 3) }, nil},
		{"range, NaN", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, math.NaN(), 3) }, nil},
		{"range", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, 100, 3) }, []float64{1, 10, 100}},
		{"range, two", func() ([]float64, error) { return telltale.ExponentialBucketsRange(0.1, 7, 2) }, []float64{0.1, 7}},
		{"range, one", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, 100, 1) }, nil},
		{"range, from 0", func() ([]float64, error) { return telltale.ExponentialBucketsRange(0, 1, 3) }, nil},
		{"range, downwards", func() ([]float64, error) { return telltale.ExponentialBucketsRange(2, 1, 3) }, nil},
		{"range, infinite", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1, inf, 3) }, nil},
		{"range, wider than any ratio", func() ([]float64, error) { return telltale.ExponentialBucketsRange(1e-300, 1e300, 3) }, nil},
	} {
		got, err := tt.got()
		if (err != nil) != (tt.want == nil) || len(got) != len(tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, err, tt.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-9*math.Abs(tt.want[i]) {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

// Observations go to the right bucket, with fewer and with more bounds than are
// searched one by one.
func TestHistogramBucketOf(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 11, 23, 24, 25, 26, 160} {
		bounds := telltale.Must(telltale.LinearBuckets(-float64(n)/2, 1, n))
		h := newLoneHistogram(t, bounds...)
		want := make([]uint64, n+1)
		values := []float64{math.NaN(), inf, -inf, 0, math.Copysign(0, -1), 5e-324}
		for _, b := range bounds {
			values = append(values, b, math.Nextafter(b, inf), math.Nextafter(b, -inf))
		}
		for range 1000 {
			values = append(values, (random.Float64()-0.5)*2*float64(n))
		}
		for _, v := range values {
			h.Observe(v)
			at := sort.SearchFloat64s(bounds, v)
			if math.IsNaN(v) {
				at = n
			}
			want[at]++
		}
		cumulative, sum := only(t, h).Histogram.Cumulative, uint64(0)
		for i, w := range want {
			if sum += w; cumulative[i] != float64(sum) {
				t.Fatalf("%d bounds: bucket %d counts %v, want %d", n, i, cumulative[i], sum)
			}
		}
	}
}

func TestHistogramNaN(t *testing.T) {
	h := newLoneHistogram(t, 1)
	h.Observe(0.5)
	h.Observe(math.NaN())
	wantPage(t, h, "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1.0\nh_bucket{le=\"+Inf\"} 2.0\nh_count 2.0\nh_sum NaN\n")
}

func TestHistogramNegativeFirstBound(t *testing.T) {
	h := newLoneHistogram(t, -1, 1)
	h.Observe(-5)
	wantPage(t, h, "# TYPE h histogram\nh_bucket{le=\"-1.0\"} 1.0\nh_bucket{le=\"1.0\"} 1.0\nh_bucket{le=\"+Inf\"} 1.0\nh_count 1.0\n")
	if h.Sum() != -5 {
		t.Errorf("Sum() = %v, want -5", h.Sum())
	}
	p := only(t, h)
	if p.Has&model.PartSum != 0 {
		t.Error("the point has a sum")
	}
}

func TestHistogramExemplars(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(reg), telltale.WithBuckets(1, 2)))
	for _, tt := range []struct {
		v  float64
		id string
	}{{0.5, "a"}, {0.7, "b"}, {math.NaN(), "c"}} {
		if err := h.ObserveWithExemplar(tt.v, map[string]string{"id": tt.id}); err != nil {
			t.Error(err)
		}
	}
	if err := h.ObserveWithExemplar(1.5, map[string]string{"id": strings.Repeat("x", 127)}); err == nil {
		t.Error("129 characters are accepted")
	}
	if err := h.ObserveWithExemplar(1.5, map[string]string{"\xff": ""}); err == nil {
		t.Error("an invalid name is accepted")
	}
	w.want(t, telltale.ReasonExemplar, telltale.ReasonExemplar)
	v := only(t, h).Histogram
	if v.Count != 3 {
		t.Errorf("the count is %v after refused observations, want 3", v.Count)
	}
	for i, want := range []string{"b", "", "c"} {
		e := v.Exemplar(i)
		if want == "" {
			if e != nil {
				t.Errorf("bucket %d has the exemplar %v", i, e)
			}
			continue
		}
		if e == nil {
			t.Errorf("bucket %d has no exemplar, want %q", i, want)
			continue
		}
		if id, _ := e.Labels.Get("id"); id != want || !e.Timestamp.IsSet() {
			t.Errorf("bucket %d has the exemplar %+v, want %q", i, e, want)
		}
	}
}

func TestZeroHistogram(t *testing.T) {
	var h telltale.Histogram
	h.Observe(1)
	if err := h.ObserveWithExemplar(1, nil); err != nil {
		t.Error(err)
	}
	h.Time(func() {})
	if h.Count() != 0 || h.Sum() != 0 {
		t.Errorf("the zero Histogram observes: %d, %v", h.Count(), h.Sum())
	}
	wantPage(t, &h, "")
}
