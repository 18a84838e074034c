package onepage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/cmd/telltale/internal/onepage"
	"telltale/exposition"
	"telltale/internal/exponential"
	"telltale/model"
)

// wired returns families as a target in protobuf sends them.
func wired(t testing.TB, families ...*model.Family) (got []*model.Family) {
	t.Helper()
	var page bytes.Buffer
	e := exposition.NewEncoder(&page, exposition.Protobuf)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	p := exposition.NewParser(&page, exposition.Protobuf)
	for {
		f, err := p.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f)
	}
}

// nativeProcess is a target with a histogram in native buckets, and all that it observed
// since it started.
type nativeProcess struct {
	started  float64
	buckets  *exponential.Histogram
	bounds   []float64 // of classic buckets beside the native ones; nil for none
	observed []float64
	seen     int // how many of them a scrape has seen
}

func (p *nativeProcess) restart(now time.Time, r *rand.Rand) {
	o := exponential.Options{
		Schema:        r.IntN(13) - 4,
		ZeroThreshold: []float64{0, exponential.DefaultZeroThreshold, 0.5, 3}[r.IntN(4)],
		MaxBuckets:    4 + r.IntN(200), // it becomes coarser as it counts
	}
	if r.IntN(3) == 0 {
		o.MaxZeroThreshold = 8
	}
	*p = nativeProcess{started: float64(now.UnixMilli()) / 1e3, buckets: exponential.New(&o)}
	p.bounds = [][]float64{nil, {1, 10}, {5, 10, 100}}[r.IntN(3)]
}

func (p *nativeProcess) work(r *rand.Rand) {
	for range r.IntN(8) {
		v := float64(r.IntN(4<<r.IntN(12))) / 4
		if r.IntN(5) == 0 {
			v = -v
		}
		p.observed = append(p.observed, v)
		p.buckets.Observe(v)
	}
}

func (p *nativeProcess) page(t *testing.T, name string) onepage.Page {
	t.Helper()
	var s exponential.Snapshot
	p.buckets.Read(&s)
	h := &model.HistogramValue{Native: new(model.NativeHistogram), Count: float64(s.Count()), Sum: s.Sum}
	s.Native(h.Native)
	has := model.PartCount | model.PartSum
	if p.bounds != nil {
		has |= model.PartBucket
		bounds, err := model.NewBounds(append(slices.Clone(p.bounds), math.Inf(1)))
		if err != nil {
			t.Fatal(err)
		}
		h.Bounds = bounds
		for _, upper := range bounds.Upper() {
			h.Cumulative = append(h.Cumulative, float64(len(p.observed)-countAbove(p.observed, upper)))
		}
	}
	histogram := &model.Family{Name: "h", Type: model.Histogram}
	histogram.Append(model.Point{Has: has, Histogram: h})
	started := &model.Family{Name: "process_start_time_seconds", Type: model.Gauge}
	started.Append(model.Point{Has: model.PartValue, Value: p.started})
	return onepage.Page{Target: name, Instance: model.LabelPairs([]string{"instance"}, []string{name}), Families: wired(t, histogram, started)}
}

func countAbove(values []float64, bound float64) (n int) {
	for _, v := range values {
		if v > bound {
			n++
		}
	}
	return n
}

// bucketOf returns the bucket of a value that is a multiple of a quarter: no bound but
// powers of two is one.
func bucketOf(v float64, schema int32) int {
	return int(math.Ceil(math.Ldexp(math.Log2(v), int(schema))))
}

// checkNative compares native buckets with all values, sorted into buckets anew.
func checkNative(h *model.NativeHistogram, values []float64) error {
	var sum float64
	zeros, positive, negative := 0.0, map[int]float64{}, map[int]float64{}
	for _, v := range values {
		sum += v
		switch {
		case math.Abs(v) <= h.ZeroThreshold:
			zeros++
		case v > 0:
			positive[bucketOf(v, h.Schema)]++
		default:
			negative[bucketOf(-v, h.Schema)]++
		}
	}
	if h.ZeroCount != zeros || h.Count != float64(len(values)) || h.Sum != sum {
		return fmt.Errorf("%v zeros up to %v, count %v, sum %v; want %v, %d, %v", h.ZeroCount, h.ZeroThreshold, h.Count, h.Sum, zeros, len(values), sum)
	}
	if got := bucketsOf(h.PositiveSpans, h.Positive); !maps.Equal(got, positive) {
		return fmt.Errorf("schema %d: buckets %v, want %v", h.Schema, got, positive)
	}
	if got := bucketsOf(h.NegativeSpans, h.Negative); !maps.Equal(got, negative) {
		return fmt.Errorf("schema %d: negative buckets %v, want %v", h.Schema, got, negative)
	}
	return nil
}

// bucketsOf returns the counts that are not 0 by index.
func bucketsOf(spans []model.Span, counts []float64) map[int]float64 {
	all, index := map[int]float64{}, 0
	for _, s := range spans {
		index += int(s.Offset)
		for range s.Length {
			if counts[0] != 0 {
				all[index] = counts[0]
			}
			counts, index = counts[1:], index+1
		}
	}
	return all
}

// pointOf returns the histogram of the last point of a family.
func pointOf(t testing.TB, families []*model.Family, name string) *model.HistogramValue {
	t.Helper()
	var h *model.HistogramValue
	var scratch model.Point
	for _, f := range families {
		if f.Name != name {
			continue
		}
		if err := f.Visit(&scratch, func(p *model.Point) error { h = p.Histogram; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if h == nil {
		t.Fatalf("there is no %s", name)
	}
	return h
}

// Targets observe into native buckets of any resolution, become coarser, restart, go away
// and come back. The total has what was ever seen of them.
func TestNativeSumsAgreeWithAModel(t *testing.T) {
	for range 10 {
		seed := rand.Uint64()
		if err := checkNativeModel(t, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func checkNativeModel(t *testing.T, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	now := time.Unix(1.7e9, 0)
	limit := 10 + r.IntN(150)
	s := onepage.NewSums(onepage.Limits{Series: 1000, TargetSeries: 1000, Targets: 100, NativeBuckets: limit}, nil)
	processes := make([]*nativeProcess, 1+r.IntN(5))
	for i := range processes {
		processes[i] = new(nativeProcess)
		processes[i].restart(now, r)
	}
	var seen []float64
	for step := range 40 {
		now = now.Add(10 * time.Second)
		var pages []onepage.Page
		for i, p := range processes {
			p.work(r)
			if r.IntN(8) == 0 {
				p.restart(now.Add(-5*time.Second), r)
				p.work(r)
			}
			if r.IntN(5) == 0 {
				continue // it is away
			}
			pages = append(pages, p.page(t, fmt.Sprint(i)))
			seen = append(seen, p.observed[p.seen:]...)
			p.seen = len(p.observed)
		}
		if len(pages) == 0 {
			continue
		}
		got := wired(t, s.Update(pages, now, func(err error) { t.Error(err) })...)
		h := pointOf(t, got, "h")
		if h.Native == nil {
			return fmt.Errorf("step %d: there are no native buckets", step)
		}
		if err := checkNative(h.Native, seen); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		if n := len(bucketsOf(h.Native.PositiveSpans, h.Native.Positive)) + len(bucketsOf(h.Native.NegativeSpans, h.Native.Negative)); n > limit {
			return fmt.Errorf("step %d: %d buckets, and the limit is %d", step, n, limit)
		}
		if h.Bounds != nil && h.Cumulative[len(h.Cumulative)-1] != float64(len(seen)) {
			return fmt.Errorf("step %d: classic buckets have %v observations of %d", step, h.Cumulative, len(seen))
		}
	}
	return nil
}

// native returns a page with native buckets of schema 0 from 1 up.
func native(schema int32, counts ...float64) *model.Family {
	return nativeOf(schema, &model.HistogramValue{}, counts...)
}

func nativeOf(schema int32, h *model.HistogramValue, counts ...float64) *model.Family {
	h.Native = &model.NativeHistogram{Schema: schema, Positive: counts, PositiveSpans: []model.Span{{Length: uint32(len(counts))}}}
	for _, n := range counts {
		h.Native.Count += n
	}
	h.Count = h.Native.Count
	f := &model.Family{Name: "h", Type: model.Histogram}
	f.Append(model.Point{Has: model.PartCount, Histogram: h})
	return f
}

// A target whose page has no native buckets for a while takes them from the total until
// it has them again; one that never has any, for good.
func TestNativeBucketsOfAll(t *testing.T) {
	s := newScrapes(nil)
	page := func(name string, f ...*model.Family) onepage.Page { return onepage.Page{Target: name, Families: f} }
	plain := parse(t, histogram("0", "+Inf", "4"))
	for i, step := range []struct {
		pages  []onepage.Page
		count  float64
		native bool
	}{
		{[]onepage.Page{page("a", native(0, 1, 2))}, 3, true},
		{[]onepage.Page{page("a", plain...)}, 4, false},
		{[]onepage.Page{page("a", native(0, 1, 4))}, 5, true},
		{[]onepage.Page{page("a", native(-1, 1, 5))}, 6, true}, // it became coarser
		{[]onepage.Page{page("a", native(0, 1, 5))}, 12, true}, // it began anew
		{[]onepage.Page{page("b", plain...)}, 16, false},
		{[]onepage.Page{page("a", native(0, 2, 5))}, 17, false},
		{[]onepage.Page{page("b", native(0, 9))}, 22, true},
	} {
		s.at = s.at.Add(time.Second)
		h := pointOf(t, s.Update(step.pages, s.at, s.tell), "h")
		if h.Count != step.count || (h.Native != nil) != step.native || step.native && h.Native.Count != step.count {
			t.Errorf("step %d: count %v, native %+v; want %v, %v", i, h.Count, h.Native, step.count, step.native)
		}
		s.want(t)
	}
}

// Native buckets that cannot be added up cost themselves; count and sum stay.
func TestWrongNativeBuckets(t *testing.T) {
	for name, c := range map[string]struct {
		of   *model.Family
		told string
	}{
		"fractions":          {native(0, 1.5, 1.5), "no whole number"},
		"listed bounds":      {nativeOf(model.CustomBucketsSchema, &model.HistogramValue{}, 3), "schema -53"},
		"too many":           {native(0, append(make([]float64, 10_000), 3)...), "there are 10001"},
		"beyond all numbers": {native(0, append(make([]float64, 5000), 3)...), "bucket 5000"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScrapes(nil)
			h := pointOf(t, s.Update([]onepage.Page{{Target: "a", Families: []*model.Family{c.of}}}, s.at, s.tell), "h")
			if h.Count != 3 || h.Native != nil {
				t.Errorf("%+v", h)
			}
			s.want(t, c.told)
		})
	}
}

// Buckets of several targets are together no more than the limit, at the cost of their
// resolution.
func TestNativeBucketsAreBounded(t *testing.T) {
	s := onepage.NewSums(onepage.Limits{Series: 10, TargetSeries: 10, NativeBuckets: 10}, nil)
	low, high := native(3, 1, 1, 1, 1, 1, 1, 1, 1), native(3, append(make([]float64, 8), 1, 1, 1, 1, 1, 1, 1, 1)...)
	all := s.Update([]onepage.Page{{Target: "a", Families: []*model.Family{low}}, {Target: "b", Families: []*model.Family{high}}}, time.Unix(1e9, 0), func(err error) { t.Error(err) })
	h := pointOf(t, all, "h")
	if h.Native == nil || h.Native.Schema != 2 || !slices.Equal(h.Native.Positive, []float64{1, 2, 2, 2, 2, 2, 2, 2, 1}) {
		t.Errorf("%+v", h.Native)
	}
}

// A target that restarts again and again with counts as large as there are does not make
// buckets fall.
func TestNativeCountsDoNotOverflow(t *testing.T) {
	s := newScrapes(nil)
	last := 0.0
	for i := range 4200 { // together more than 64 bits hold
		s.at = s.at.Add(time.Second)
		counts := []float64{1<<52 - 1, 0}
		if i%2 == 1 {
			counts = []float64{0, 1<<52 - 1}
		}
		h := pointOf(t, s.Update([]onepage.Page{{Target: "a", Families: []*model.Family{native(0, counts...)}}}, s.at, s.tell), "h")
		if h.Count < last || h.Native != nil && h.Native.Count != h.Count {
			t.Fatalf("after %d restarts: %+v", i, h)
		}
		last = h.Count
	}
}

// Exemplars of native buckets are few, those that repeat are there once, and gauge
// histograms are shown as they are.
func TestNativeExemplars(t *testing.T) {
	s := newScrapes(nil)
	var h *model.HistogramValue
	for i := range 30 {
		f := native(0, float64(i+1))
		n := pointOf(t, []*model.Family{f}, "h").Native
		for _, at := range []int{i, i + 1} { // one of the scrape before
			n.Exemplars = append(n.Exemplars, model.Exemplar{Value: 1 + float64(at), Timestamp: model.TimestampOf(time.Unix(int64(1000+at), 0))})
		}
		gauge := native(0, 7)
		gauge.Name, gauge.Type = "g", model.GaugeHistogram
		s.at = s.at.Add(time.Second)
		all := s.Update([]onepage.Page{{Target: "a", Families: []*model.Family{f, gauge}}, {Target: "b", Families: []*model.Family{gauge}, Instance: model.LabelPairs([]string{"instance"}, []string{"b"})}}, s.at, s.tell)
		h = pointOf(t, all, "h")
		if g := pointOf(t, all, "g"); g.Native == nil || g.Count != 7 {
			t.Fatalf("the gauge histogram is %+v", g)
		}
	}
	var times []string
	for _, e := range h.Native.Exemplars {
		times = append(times, e.Timestamp.Time().Format("05"))
	}
	if len(times) != 10 || len(slices.Compact(slices.Clone(times))) != 10 {
		t.Errorf("exemplars of the seconds %s", strings.Join(times, " "))
	}
}
