package model_test

import (
	"math"
	"slices"
	"testing"

	"telltale/model"
)

func TestVisitBuckets(t *testing.T) {
	type bucket struct{ lower, upper, count float64 }
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		of   model.NativeHistogram
		want []bucket
	}{
		{"none", model.NativeHistogram{}, nil},
		{"on both sides of zero, with a gap and an empty bucket", model.NativeHistogram{
			ZeroThreshold: 0.5, ZeroCount: 3,
			PositiveSpans: []model.Span{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}}, Positive: []float64{4, 0, 5},
			NegativeSpans: []model.Span{{Offset: 0, Length: 2}}, Negative: []float64{1, 2},
		}, []bucket{{-2, -1, 2}, {-1, -0.5, 1}, {-0.5, 0.5, 3}, {1, 2, 4}, {8, 16, 5}}},
		{"coarser than powers of two", model.NativeHistogram{
			Schema: -1, PositiveSpans: []model.Span{{Offset: 1, Length: 1}}, Positive: []float64{1},
		}, []bucket{{1, 4, 1}}},
		{"listed bounds, and the bucket above them", model.NativeHistogram{
			Schema: model.CustomBucketsSchema, CustomBounds: []float64{1, 5},
			PositiveSpans: []model.Span{{Length: 3}}, Positive: []float64{1, 2, 3},
		}, []bucket{{math.Inf(-1), 1, 1}, {1, 5, 2}, {5, inf, 3}}},
		{"listed bounds, and indexes outside of them", model.NativeHistogram{
			Schema: model.CustomBucketsSchema, CustomBounds: []float64{1},
			PositiveSpans: []model.Span{{Offset: -2, Length: 1}, {Offset: 9, Length: 1}}, Positive: []float64{1, 2},
		}, []bucket{{math.Inf(-1), math.Inf(-1), 1}, {inf, inf, 2}}},
		{"more buckets than counts", model.NativeHistogram{
			PositiveSpans: []model.Span{{Length: math.MaxUint32}}, Positive: []float64{7},
		}, []bucket{{0.5, 1, 7}}},
		{"more counts than buckets", model.NativeHistogram{
			PositiveSpans: []model.Span{{Length: 1}}, Positive: []float64{7, 8},
		}, []bucket{{0.5, 1, 7}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []bucket
			c.of.VisitBuckets(func(lower, upper, count float64) { got = append(got, bucket{lower, upper, count}) })
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
