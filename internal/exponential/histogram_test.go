package exponential_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// exact is a histogram that only grows, computed without haste.
type exact struct {
	schema             int
	zeroThreshold      float64
	zero, nan          uint64
	positive, negative map[int]uint64
	sum                float64
}

func exactly(schema int, zeroThreshold float64, values []float64) *exact {
	e := &exact{schema: schema, zeroThreshold: zeroThreshold, positive: map[int]uint64{}, negative: map[int]uint64{}}
	for _, v := range values {
		e.sum += v
		switch {
		case math.IsNaN(v):
			e.nan++
		case math.Abs(v) <= zeroThreshold:
			e.zero++
		case v > 0:
			e.positive[exactIndex(v, schema)]++
		default:
			e.negative[exactIndex(-v, schema)]++
		}
	}
	return e
}

func (e *exact) check(t *testing.T, s *exponential.Snapshot) {
	t.Helper()
	if s.Schema != e.schema || s.ZeroThreshold != e.zeroThreshold || s.ZeroCount != e.zero || s.NaNCount != e.nan {
		t.Fatalf("schema %d, zero threshold %v, %d zeros, %d NaN; want %d, %v, %d, %d",
			s.Schema, s.ZeroThreshold, s.ZeroCount, s.NaNCount, e.schema, e.zeroThreshold, e.zero, e.nan)
	}
	if s.Buckets() != len(e.positive)+len(e.negative) {
		t.Fatalf("%d buckets, want %d", s.Buckets(), len(e.positive)+len(e.negative))
	}
	for negative, buckets := range map[bool]map[int]uint64{false: e.positive, true: e.negative} {
		for index, want := range buckets {
			if got := s.Bucket(index, negative); got != want {
				t.Fatalf("bucket %d (negative: %v) has %d, want %d", index, negative, got, want)
			}
		}
	}
	if !(math.Abs(s.Sum-e.sum) <= 1e-9*math.Abs(e.sum)) && !(s.Sum == e.sum) && !(s.Sum != s.Sum && e.sum != e.sum) {
		t.Fatalf("sum %v, want %v", s.Sum, e.sum)
	}
}

// mixed returns random values of both signs over many sizes, zeros among them.
func mixed(seed uint64, n int, octaves float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Exp2((random.Float64() - 0.5) * octaves)
		switch random.IntN(20) {
		case 0, 1, 2, 3:
			values[i] *= -1
		case 4:
			values[i] = 0
		}
	}
	return values
}

// homes are the ways to make a histogram.
var homes = map[string]func(*testing.T, *exponential.Options) *exponential.Histogram{
	"heap": func(_ *testing.T, o *exponential.Options) *exponential.Histogram { return exponential.New(o) },
	"words": func(t *testing.T, o *exponential.Options) *exponential.Histogram {
		h, _ := inWords(t, o)
		return h
	},
	"words with lanes": func(t *testing.T, o *exponential.Options) *exponential.Histogram {
		h, _, _ := inWordsAndLanes(t, o)
		return h
	},
}

// elsewhere is where lanes of words are, as in a store.
type elsewhere struct{ made atomic.Pointer[cell.Lanes] }

func (e *elsewhere) room(words int) *cell.Lanes {
	e.made.Store(cell.NewLanes(words))
	return e.made.Load()
}

func (e *elsewhere) find() (words []exponential.Word, stride int) {
	if made := e.made.Load(); made != nil {
		return made.Words()
	}
	return nil, 0
}

func inWordsAndLanes(t *testing.T, o *exponential.Options) (*exponential.Histogram, []exponential.Word, *elsewhere) {
	t.Helper()
	words, h, e := make([]exponential.Word, o.Words()), new(exponential.Histogram), new(elsewhere)
	if err := h.InitIn(words, e.room, o); err != nil {
		t.Fatal(err)
	}
	return h, words, e
}

func inWords(t *testing.T, o *exponential.Options) (*exponential.Histogram, []exponential.Word) {
	t.Helper()
	words, h := make([]exponential.Word, o.Words()), new(exponential.Histogram)
	if err := h.InitIn(words, nil, o); err != nil {
		t.Fatal(err)
	}
	return h, words
}

func TestHistogram(t *testing.T) {
	special := []float64{math.Inf(1), math.MaxFloat64, math.Inf(1), 5, -5, 0, math.Copysign(0, -1), math.SmallestNonzeroFloat64}
	for name, values := range map[string][]float64{
		"none":        nil,
		"one":         {0.25},
		"many":        mixed(1, 5000, 30),
		"narrow":      mixed(2, 5000, 2),
		"everywhere":  mixed(3, 500, 2000),
		"infinities":  special,
		"minus Inf":   {math.Inf(-1), -math.MaxFloat64, 1},
		"NaN":         append([]float64{math.NaN(), math.NaN()}, special...),
		"at bounds":   {1, 2, 4, math.Nextafter(1, 2), math.Nextafter(1, 0), 0x1p-128, math.Nextafter(0x1p-128, 1), -0x1p-128},
		"opposite":    {1, -1, 2, -2, 3, -3},
		"below usual": {1e-310, 1e-320, -1e-310},
	} {
		for home, build := range homes {
			for _, o := range []exponential.Options{
				{Schema: 3, ZeroThreshold: exponential.DefaultZeroThreshold, MaxBuckets: 5000},
				{Schema: 8, MaxBuckets: 5000},
				{Schema: 0, ZeroThreshold: 0.3, MaxBuckets: 5000},
				{Schema: -4, MaxBuckets: 5000},
			} {
				t.Run(name+"/"+home, func(t *testing.T) {
					h := build(t, &o)
					var s exponential.Snapshot
					for i, v := range values {
						h.Observe(v)
						if i == len(values)/2 {
							h.Spread()
						}
					}
					h.Read(&s)
					exactly(o.Schema, o.ZeroThreshold, values).check(t, &s)
					if got := s.Count(); got != uint64(len(values)) {
						t.Errorf("count %d, want %d", got, len(values))
					}
				})
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]exponential.Options{
		"schema too low":     {Schema: -5},
		"schema too high":    {Schema: 9},
		"NaN threshold":      {ZeroThreshold: math.NaN()},
		"negative threshold": {ZeroThreshold: -1},
		"infinite threshold": {MaxZeroThreshold: math.Inf(1)},
		"one bucket":         {MaxBuckets: 1},
		"too many buckets":   {MaxBuckets: 1 << 30},
		"negative duration":  {MinReset: -1},
	} {
		if o.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (&exponential.Options{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	wide := make([]float64, 0, 200)
	for i := range 100 {
		wide = append(wide, math.Exp2(float64(i)), -math.Exp2(float64(i)))
	}
	for home, build := range homes {
		t.Run(home+" halves its resolution", func(t *testing.T) {
			h := build(t, &exponential.Options{Schema: 8, MaxBuckets: 20})
			values := mixed(4, 3000, 3)
			check(t, h, values, 20, func(s *exponential.Snapshot) bool { return s.Schema < 8 && s.ZeroThreshold == 0 })
		})
		t.Run(home+" widens its zero bucket", func(t *testing.T) {
			h := build(t, &exponential.Options{Schema: 0, MaxBuckets: 100, MaxZeroThreshold: 0x1p60})
			check(t, h, wide, 100, func(s *exponential.Snapshot) bool { return s.Schema == 0 && s.ZeroThreshold == 0x1p49 })
		})
		t.Run(home+" widens, then halves", func(t *testing.T) {
			h := build(t, &exponential.Options{Schema: 0, MaxBuckets: 60, MaxZeroThreshold: 8})
			check(t, h, wide, 60, func(s *exponential.Snapshot) bool { return s.Schema == -2 && s.ZeroThreshold == 8 })
		})
		t.Run(home+" keeps the limit at any price", func(t *testing.T) {
			h := build(t, &exponential.Options{Schema: 3, MaxBuckets: 2})
			check(t, h, append(mixed(5, 2000, 2000), math.Inf(1), math.Inf(-1)), 2, func(s *exponential.Snapshot) bool { return s.Schema == -4 })
		})
	}
}

// check observes the values and compares with what an exact histogram of the
// schema and zero threshold that came out counts.
func check(t *testing.T, h *exponential.Histogram, values []float64, limit int, want func(*exponential.Snapshot) bool) {
	t.Helper()
	for _, v := range values {
		h.Observe(v)
	}
	var s exponential.Snapshot
	h.Read(&s)
	exactly(s.Schema, s.ZeroThreshold, values).check(t, &s)
	if s.Buckets() > limit || !want(&s) {
		t.Errorf("schema %d, zero threshold %v with %d buckets", s.Schema, s.ZeroThreshold, s.Buckets())
	}
}

func TestReset(t *testing.T) {
	for home, build := range homes {
		t.Run(home, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t, &exponential.Options{Schema: 3, MaxBuckets: 4, MinReset: time.Hour})
				var s exponential.Snapshot
				start := time.Now()
				for i := range 10 {
					h.Observe(float64(i))
				}
				if h.Read(&s); s.Count() != 10 || s.Schema == 3 || s.Since != start.UnixNano() {
					t.Fatalf("%d observations of schema %d since %d", s.Count(), s.Schema, s.Since)
				}
				time.Sleep(time.Hour)
				h.Observe(1)
				if h.Read(&s); s.Count() != 11 || s.Sum != 46 {
					t.Errorf("the last of it: %d observations, sum %v", s.Count(), s.Sum)
				}
				h.Observe(7)
				if h.Read(&s); s.Count() != 1 || s.Sum != 7 || s.Schema != 3 || s.Since != start.Add(time.Hour).UnixNano() {
					t.Errorf("after a reset: %d observations of schema %d, sum %v", s.Count(), s.Schema, s.Sum)
				}
				time.Sleep(time.Hour)
				for i := range 4 {
					h.Observe(math.Exp2(float64(i))) // the last would have a fifth bucket
				}
				if h.Read(&s); s.Count() != 1 || s.Sum != 8 || s.Schema != 3 {
					t.Errorf("after a reset at the limit: %d observations of schema %d, sum %v", s.Count(), s.Schema, s.Sum)
				}
				if h.Clear(); s.Count() != 1 {
					t.Errorf("a snapshot changes")
				}
				if h.Read(&s); s.Count() != 0 || s.Sum != 0 {
					t.Errorf("after Clear: %d observations, sum %v", s.Count(), s.Sum)
				}
			})
		})
	}
}

func TestCount(t *testing.T) {
	for home, build := range homes {
		h := build(t, &native)
		for _, v := range []float64{1, 2, 2, math.NaN()} {
			h.Count(v)
		}
		var s exponential.Snapshot
		if h.Read(&s); s.Count() != 4 || s.Sum != 0 || s.Bucket(8, false) != 2 {
			t.Errorf("%s: %d observations, sum %v, %d of 2", home, s.Count(), s.Sum, s.Bucket(8, false))
		}
	}
}

func TestNative(t *testing.T) {
	h := exponential.New(&exponential.Options{Schema: 0, ZeroThreshold: 0.01})
	for _, v := range []float64{0, 1, 1, 2, 16, 512, -1, -4, -4, 0.3, math.NaN()} {
		h.Observe(v)
	}
	var s exponential.Snapshot
	var got model.NativeHistogram
	for range 2 { // the second time into used slices
		h.Read(&s)
		s.Native(&got)
	}
	want := model.NativeHistogram{
		Schema: 0, ZeroThreshold: 0.01, ZeroCount: 1, Count: 11, Sum: math.NaN(),
		PositiveSpans: []model.Span{{Offset: -1, Length: 6}, {Offset: 4, Length: 1}}, Positive: []float64{1, 2, 1, 0, 0, 1, 1},
		NegativeSpans: []model.Span{{Offset: 0, Length: 3}}, Negative: []float64{1, 0, 2},
	}
	equalNative(t, &got, &want)
	allocs := testing.AllocsPerRun(100, func() {
		h.Read(&s)
		s.Native(&got)
	})
	if allocs != 0 {
		t.Errorf("reading allocates %v times", allocs)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	for home, build := range homes {
		h := build(t, &native)
		values := mixed(6, 1000, 10)
		for _, v := range values {
			h.Observe(v)
		}
		i := 0
		for range 2 {
			allocs := testing.AllocsPerRun(1000, func() {
				h.Observe(values[i%len(values)])
				i++
			})
			if allocs != 0 {
				t.Errorf("%s: %v allocations", home, allocs)
			}
			h.Spread()
		}
	}
}

// What twenty buckets cost, which client_golang spends 19 KB on.
func TestLiveHeap(t *testing.T) {
	const histograms, most = 1000, 1200
	all := make([]*exponential.Histogram, histograms)
	before := liveHeap()
	for i := range all {
		all[i] = exponential.New(&native)
		for k := range 20 {
			all[i].Observe(math.Exp2(float64(k) / 8))
		}
	}
	each := (liveHeap() - before) / histograms
	t.Logf("%d bytes each, %d of them in the histogram's own struct", each, unsafe.Sizeof(exponential.Histogram{}))
	if each > most {
		t.Errorf("a histogram of 20 buckets has %d bytes, at most %d are allowed", each, most)
	}
	runtime.KeepAlive(all)
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
