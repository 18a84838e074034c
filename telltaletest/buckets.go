package telltaletest

import (
	"math"
	"testing"

	"telltale"
	"telltale/model"
)

// Bucket is one bucket of a histogram: Count observations lie above Lower and at
// or below Upper. (Of a native histogram's negative buckets, at or above Lower and
// below Upper; its zero bucket has both bounds.)
type Bucket struct{ Lower, Upper, Count float64 }

// Histogram returns the histogram of the family with the name and exactly the
// labels, classic buckets, native ones or both; nil means no labels. It ends the
// test if there is none.
func Histogram(t testing.TB, c telltale.Collector, family string, labels map[string]string) *model.HistogramValue {
	t.Helper()
	want := model.LabelsOf(labels)
	var series []string
	for _, f := range families(t, c) {
		if f.Name != family {
			continue
		}
		var found *model.HistogramValue
		err := f.Visit(new(model.Point), func(p *model.Point) error {
			series = append(series, family+p.Labels.String())
			if p.Histogram != nil && p.Labels.Same(want) {
				kept := p.Clone()
				found = kept.Histogram
			}
			return nil
		})
		if err != nil {
			t.Fatalf("telltaletest: reading %s failed: %v", family, err)
		}
		if found != nil {
			return found
		}
	}
	t.Fatalf("telltaletest: there is no histogram %s%s; series of that family:%s", family, want, listed(series))
	return nil
}

// ClassicBuckets returns the classic buckets of a histogram that have
// observations, by increasing bounds.
func ClassicBuckets(h *model.HistogramValue) []Bucket {
	if h.Bounds == nil {
		return nil
	}
	var all []Bucket
	lower, below := math.Inf(-1), 0.0
	for i, upper := range h.Bounds.Upper() {
		if n := h.Cumulative[i] - below; n != 0 {
			all = append(all, Bucket{lower, upper, n})
		}
		lower, below = upper, h.Cumulative[i]
	}
	return all
}

// NativeBuckets returns the buckets of a native histogram that have observations,
// by increasing bounds (Prometheus specification "Native Histograms").
func NativeBuckets(h *model.NativeHistogram) []Bucket {
	var all []Bucket
	h.VisitBuckets(func(lower, upper, count float64) { all = append(all, Bucket{lower, upper, count}) })
	return all
}
