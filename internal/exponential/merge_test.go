package exponential_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"telltale/internal/exponential"
	"telltale/model"
)

func equalNative(t *testing.T, got, want *model.NativeHistogram) {
	t.Helper()
	g, w := *got, *want
	if math.IsNaN(g.Sum) && math.IsNaN(w.Sum) || math.Abs(g.Sum-w.Sum) <= 1e-9*math.Abs(w.Sum) {
		g.Sum, w.Sum = 0, 0
	}
	if g.Schema != w.Schema || g.ZeroThreshold != w.ZeroThreshold || g.ZeroCount != w.ZeroCount || g.Count != w.Count || g.Sum != w.Sum ||
		!slices.Equal(g.PositiveSpans, w.PositiveSpans) || !slices.Equal(g.Positive, w.Positive) ||
		!slices.Equal(g.NegativeSpans, w.NegativeSpans) || !slices.Equal(g.Negative, w.Negative) {
		t.Fatalf("got  %+v\nwant %+v", *got, *want)
	}
}

func snapshotOf(o exponential.Options, values []float64) *exponential.Snapshot {
	o.MaxBuckets = 100000
	h, s := exponential.New(&o), new(exponential.Snapshot)
	for _, v := range values {
		h.Observe(v)
	}
	h.Read(s)
	return s
}

func TestMerge(t *testing.T) {
	one, other := mixed(1, 1000, 20), mixed(2, 1000, 30)
	for name, c := range map[string]struct {
		first, second, together exponential.Options
		values                  []float64 // of the second
	}{
		"alike":              {exponential.Options{Schema: 3}, exponential.Options{Schema: 3}, exponential.Options{Schema: 3}, other},
		"finer first":        {exponential.Options{Schema: 8}, exponential.Options{Schema: 1}, exponential.Options{Schema: 1}, other},
		"coarser first":      {exponential.Options{Schema: -4}, exponential.Options{Schema: 5}, exponential.Options{Schema: -4}, other},
		"threshold at bound": {exponential.Options{Schema: 4, ZeroThreshold: 0.5}, exponential.Options{Schema: 2}, exponential.Options{Schema: 2, ZeroThreshold: 0.5}, other},
		"threshold in an empty bucket": {exponential.Options{Schema: 0, ZeroThreshold: 5}, exponential.Options{Schema: 0},
			exponential.Options{Schema: 0, ZeroThreshold: 5}, []float64{1, 2, 3, 100, -1000}},
		"threshold in a bucket": {exponential.Options{Schema: 0, ZeroThreshold: 5}, exponential.Options{Schema: 0},
			exponential.Options{Schema: 0, ZeroThreshold: 8}, []float64{1, 2, 6, 100, -1000}},
		"threshold in a bucket of the other, in turn": {exponential.Options{Schema: 0, ZeroThreshold: 5}, exponential.Options{Schema: -1, ZeroThreshold: 3},
			exponential.Options{Schema: -1, ZeroThreshold: 16}, []float64{1, 2, 6, 100, -1000}},
		"nothing": {exponential.Options{Schema: 3}, exponential.Options{Schema: 3}, exponential.Options{Schema: 3}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			together := snapshotOf(c.together, slices.Concat(one, c.values))
			for _, swap := range []bool{false, true} {
				a, b := snapshotOf(c.first, one), snapshotOf(c.second, c.values)
				if swap {
					a, b = b, a
				}
				since := min(a.Since, b.Since)
				if c.values == nil {
					since = max(a.Since, b.Since)
				}
				var sum exponential.Snapshot
				sum.Reset()
				sum.Merge(a)
				sum.Merge(b)
				if sum.Since != since {
					t.Errorf("since %d, want %d", sum.Since, since)
				}
				var got, want model.NativeHistogram
				sum.Native(&got)
				together.Native(&want)
				equalNative(t, &got, &want)
			}
		})
	}
}

// What several processes counted, each down to its limit, is what one would
// have counted at that resolution.
func TestMergeOfLimited(t *testing.T) {
	o := exponential.Options{Schema: 8, MaxBuckets: 40, MaxZeroThreshold: 0.01}
	var all []float64
	var sum, s exponential.Snapshot
	sum.Reset()
	for i := range 8 {
		values := mixed(uint64(i), 500, float64(1+4*i))
		h := exponential.New(&o)
		for _, v := range values {
			h.Observe(v)
		}
		h.Read(&s)
		sum.Merge(&s)
		all = append(all, values...)
	}
	exactly(sum.Schema, sum.ZeroThreshold, all).check(t, &sum)
	sum.Limit(&o)
	exactly(sum.Schema, sum.ZeroThreshold, all).check(t, &sum)
	if sum.Buckets() > 40 {
		t.Errorf("%d buckets", sum.Buckets())
	}
}

// A histogram to which a snapshot is added has what it would have if it had
// observed all, also while others observe.
func TestMergeIntoHistogram(t *testing.T) {
	one, other := mixed(1, 1000, 20), mixed(2, 1000, 30)
	o := exponential.Options{Schema: 5, ZeroThreshold: 0.25, MaxBuckets: 40}
	for name, h := range map[string]func() (*exponential.Histogram, []exponential.Word){
		"heap":  func() (*exponential.Histogram, []exponential.Word) { return exponential.New(&o), nil },
		"words": func() (*exponential.Histogram, []exponential.Word) { return inWords(t, &o) },
	} {
		h, words := h()
		var writer sync.WaitGroup
		writer.Go(func() {
			for _, v := range one {
				h.Observe(v)
			}
		})
		h.Merge(snapshotOf(exponential.Options{Schema: 3}, other))
		writer.Wait()
		want, s := snapshotOf(exponential.Options{Schema: 3, ZeroThreshold: 0.25}, slices.Concat(one, other)), new(exponential.Snapshot)
		want.Limit(&o)
		h.Read(s)
		var got, expected model.NativeHistogram
		s.Native(&got)
		want.Native(&expected)
		t.Run(name, func(t *testing.T) {
			equalNative(t, &got, &expected)
			if words != nil {
				equalNative(t, nativeIn(t, words, new(elsewhere)), &expected)
			}
			h.Observe(1)
			if h.Read(s); s.Count() != uint64(len(one)+len(other)+1) {
				t.Errorf("%d observations", s.Count())
			}
		})
	}
}
