package exponential_test

import (
	"math"
	"slices"
	"testing"

	"telltale/internal/exponential"
	"telltale/model"
)

// What a histogram has in the form of the formats can be taken again.
func TestTake(t *testing.T) {
	values := slices.Concat(mixed(1, 500, 40), []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, math.SmallestNonzeroFloat64})
	for schema := exponential.MinSchema; schema <= exponential.MaxSchema; schema++ {
		o := exponential.Options{Schema: schema, ZeroThreshold: 0.01}
		s := snapshotOf(o, values)
		var h, again model.NativeHistogram
		s.Native(&h)
		var taken exponential.Snapshot
		if err := taken.Take(&h); err != nil {
			t.Fatal(err)
		}
		exactly(schema, o.ZeroThreshold, values).check(t, &taken)
		taken.Native(&again)
		equalNative(t, &again, &h)
	}
}

func TestTakeRefuses(t *testing.T) {
	spans := func(s ...model.Span) []model.Span { return s }
	for name, h := range map[string]model.NativeHistogram{
		"listed bounds":              {Schema: model.CustomBucketsSchema, CustomBounds: []float64{1}},
		"a schema that is too fine":  {Schema: 9},
		"a threshold below zero":     {ZeroThreshold: -1},
		"no threshold":               {ZeroThreshold: math.NaN()},
		"an endless threshold":       {ZeroThreshold: math.Inf(1)},
		"a count below zero":         {Count: -1},
		"no count":                   {Count: math.NaN()},
		"a fraction":                 {Count: 1.5, ZeroCount: 1.5},
		"too many observations":      {Count: 1 << 53, ZeroCount: 1 << 53},
		"more zeros than count":      {Count: 1, ZeroCount: 2},
		"more in buckets than count": {Count: 1, PositiveSpans: spans(model.Span{Length: 2}), Positive: []float64{1, 1}},
		"fewer in buckets":           {Count: 2, PositiveSpans: spans(model.Span{Length: 1}), Positive: []float64{1}},
		"spans without counts":       {PositiveSpans: spans(model.Span{Length: math.MaxUint32})},
		"counts without spans":       {Count: 1, Negative: []float64{1}},
		"a span that goes back":      {Count: 2, PositiveSpans: spans(model.Span{Length: 1}, model.Span{Offset: -1, Length: 1}), Positive: []float64{1, 1}},
		"a bucket above all numbers": {Count: 1, PositiveSpans: spans(model.Span{Offset: 2000, Length: 1}), Positive: []float64{1}},
		"a bucket below all numbers": {Count: 1, PositiveSpans: spans(model.Span{Offset: math.MinInt32, Length: 1}), Positive: []float64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			var s exponential.Snapshot
			if err := s.Take(&h); err == nil || s.Count() != 0 {
				t.Errorf("it was taken: %v, %d observations", err, s.Count())
			}
		})
	}
}

// Buckets below the zero threshold are part of the zero bucket.
func TestTakeBelowZeroThreshold(t *testing.T) {
	var s exponential.Snapshot
	h := model.NativeHistogram{ZeroThreshold: 2, Count: 7, PositiveSpans: []model.Span{{Offset: 0, Length: 3}}, Positive: []float64{1, 2, 4}}
	if err := s.Take(&h); err != nil || s.ZeroCount != 3 || s.Bucket(2, false) != 4 {
		t.Errorf("%v, %d in the zero bucket, %d above", err, s.ZeroCount, s.Bucket(2, false))
	}
}

// What a histogram had before, taken away, leaves what it observed since, also when it
// became coarser or widened its zero bucket.
func TestSubtract(t *testing.T) {
	for name, o := range map[string]exponential.Options{
		"as it was":       {Schema: 4, MaxBuckets: 1000},
		"coarser":         {Schema: 8, MaxBuckets: 20},
		"wider":           {Schema: 2, MaxBuckets: 20, MaxZeroThreshold: 1e6},
		"wider, coarser":  {Schema: 8, MaxBuckets: 20, MaxZeroThreshold: 0.1},
		"with a least of": {Schema: 1, ZeroThreshold: 0.3, MaxBuckets: 50},
	} {
		t.Run(name, func(t *testing.T) {
			h, s, before := exponential.New(&o), new(exponential.Snapshot), new(exponential.Snapshot)
			var work exponential.Snapshot
			for round := range 10 {
				values := mixed(uint64(round), 50, float64(4*(round+1)))
				for _, v := range values {
					h.Observe(v)
				}
				h.Read(s)
				work.Copy(s)
				if !work.Subtract(before) && round > 0 {
					t.Fatalf("round %d: it began anew", round)
				}
				if round > 0 {
					want := exactly(work.Schema, work.ZeroThreshold, values)
					work.Sum = want.sum
					want.check(t, &work)
				}
				before.Copy(s)
			}
		})
	}
}

func TestSubtractOfAnotherHistogram(t *testing.T) {
	o := exponential.Options{Schema: 3, ZeroThreshold: 0.25}
	finer, lower := exponential.Options{Schema: 4, ZeroThreshold: 0.25}, exponential.Options{Schema: 3, ZeroThreshold: 0.125}
	nan := math.NaN()
	for name, c := range map[string]struct {
		o             exponential.Options
		before, after []float64
		follows       bool
	}{
		"the same":               {o, []float64{1, -2, 0, nan}, []float64{1, -2, 0, nan}, true},
		"more":                   {o, []float64{1, -2, 0}, []float64{1, 0.5, -2, 0, 70, -70, 0}, true},
		"a bucket fell":          {o, []float64{1, 1}, []float64{1, 2, 3}, false},
		"a bucket is gone":       {o, []float64{1}, []float64{2, 3}, false},
		"the last is gone":       {o, []float64{1, 9}, []float64{1, 2, 3}, false},
		"zeros fell":             {o, []float64{0}, []float64{2, 3}, false},
		"NaN fell":               {o, []float64{nan}, []float64{2, 3}, false},
		"a finer schema":         {finer, []float64{1}, []float64{1, 2}, false},
		"a lower zero threshold": {lower, []float64{1}, []float64{1, 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := snapshotOf(o, c.before), snapshotOf(c.o, c.after)
			if got := after.Subtract(before); got != c.follows {
				t.Errorf("it follows: %v", got)
			}
		})
	}
}

func FuzzTake(f *testing.F) {
	f.Add(int32(3), 0.5, 7.0, 3.0, int32(-5), uint32(2), int32(1), uint32(2), []byte{1, 2, 0, 1})
	f.Add(int32(-4), 0.0, 1.0, 0.0, int32(64), uint32(1), int32(0), uint32(0), []byte{1})
	f.Fuzz(func(t *testing.T, schema int32, threshold, count, zeros float64, first int32, one uint32, gap int32, two uint32, counts []byte) {
		h := model.NativeHistogram{
			Schema: schema, ZeroThreshold: threshold, Count: count, ZeroCount: zeros, Sum: math.NaN(),
			NegativeSpans: []model.Span{{Offset: first, Length: one}, {Offset: gap, Length: two}},
		}
		for _, n := range counts {
			h.Negative = append(h.Negative, float64(n))
		}
		var s, before, again exponential.Snapshot
		if s.Take(&h) != nil {
			return
		}
		if float64(s.Count()) != count {
			t.Fatalf("%d observations of %v", s.Count(), count)
		}
		s.Native(&h)
		if err := again.Take(&h); err != nil {
			t.Fatal(err)
		}
		before.Copy(&s)
		if !again.Subtract(&before) || again.Count() != 0 {
			t.Fatalf("%d observations are left", again.Count())
		}
		before.Copy(&s)
		before.Limit(&exponential.Options{MaxBuckets: 2})
		again.Copy(&s)
		again.Merge(&before)
		if again.Count() != 2*s.Count() {
			t.Fatalf("%d observations and %d are %d", s.Count(), s.Count(), again.Count())
		}
	})
}
