package exposition_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// Counts of gauge histograms may be negative and fractions ("Float and negative
// Gcount is allowed", the same of bucket values: OpenMetrics 2.0, section
// "GaugeHistogram"), in protobuf too. Those of histograms may not.
func TestNegativeGaugeHistograms(t *testing.T) {
	bounds, err := model.NewBounds([]float64{1, 2, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	native := func(count, zero float64, positive ...float64) *model.NativeHistogram {
		return &model.NativeHistogram{
			ZeroCount: zero, Count: count, Sum: -1, Positive: positive, IsFloat: true,
			PositiveSpans: []model.Span{{Offset: 0, Length: uint32(len(positive))}},
		}
	}
	for name, h := range map[string]*model.HistogramValue{
		"classic":          {Bounds: bounds, Cumulative: []float64{3, -1, -2}, Count: -2, Sum: -5},
		"fractions":        {Bounds: bounds, Cumulative: []float64{-0.5, 0.25, 0}, Count: 0, Sum: 1},
		"native":           {Native: native(-3, -1, -1, -1)},
		"native fractions": {Native: native(-0.5, 0, -1.5, 1)},
		"native and whole": {Native: &model.NativeHistogram{
			Sum: 2, PositiveSpans: []model.Span{{Offset: 1, Length: 2}}, Positive: []float64{-4, 4},
			NegativeSpans: []model.Span{{Offset: -1, Length: 1}}, Negative: []float64{-7},
		}},
		"both": {Bounds: bounds, Cumulative: []float64{0, 0, -3}, Count: -3, Sum: -1, Native: native(-3, -1, -1, -1)},
	} {
		for _, format := range []exposition.Format{exposition.Protobuf, exposition.OpenMetrics2} {
			p := model.Point{Histogram: h}
			if h.Bounds != nil {
				p.Has = model.PartBucket | model.PartGCount | model.PartGSum
			}
			f := &model.Family{Name: "g", Type: model.GaugeHistogram}
			f.Append(p)
			written := page(t, format, []*model.Family{f}, exposition.WithDropped(func(d exposition.Drop) { t.Errorf("%s: dropped %+v", name, d) }))
			back := readAll(t, format, written)
			got, want := pointsOf(back[0]), pointsOf(f)
			if n := got[0].Histogram.Native; n != nil && h.Native != nil { // which negative numbers make it in protobuf
				n.IsFloat = h.Native.IsFloat
			}
			if len(back) != 1 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s in %s: got %+v, want %+v", name, format, got[0].Histogram, want[0].Histogram)
			}
			dropped := 0
			f.Type = model.Histogram
			if page(t, exposition.Protobuf, []*model.Family{f}, exposition.WithDropped(func(exposition.Drop) { dropped++ })); dropped == 0 {
				t.Errorf("%s: nothing is dropped of a histogram", name)
			}
		}
	}
}

func pointsOf(f *model.Family) (points []model.Point) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		points = append(points, p.Clone())
		return nil
	})
	return points
}

// readAll reads a page strictly.
func readAll(t *testing.T, format exposition.Format, page []byte) (all []*model.Family) {
	t.Helper()
	p := exposition.NewParser(bytes.NewReader(page), format)
	for {
		f, err := p.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v in\n%s", format, err, page)
		}
		all = append(all, f)
	}
}
