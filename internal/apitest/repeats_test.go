package apitest

import (
	"context"
	"fmt"
	"testing"

	"telltale"
	"telltale/model"
)

// Repeated series are found in families of any size, one after the other, and no other
// series is taken for one.
func TestRepeatedSeriesInFamiliesOfAllSizes(t *testing.T) {
	sizes := []int{30_000, 3, 47, 48, 49, 1, 5000, 0, 30_000, 2}
	const every = 7 // of which the last one is repeated
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	if err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for i, n := range sizes {
			f := &model.Family{Name: fmt.Sprint("f", i), Type: model.Gauge}
			for j := range n {
				p := model.Point{Labels: model.LabelPairs([]string{"n"}, []string{fmt.Sprint(j)}), Has: model.PartValue, Value: float64(j)}
				f.Append(p)
				if j%every == every-1 {
					f.Append(p)
				}
			}
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	repeated := uint64(0)
	for _, n := range sizes {
		repeated += uint64(n / every)
	}
	for scrape := range uint64(3) {
		i := 0
		for f, err := range reg.Families(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for s := range f.Samples() {
				if s.Value != float64(n) {
					t.Fatalf("%s: sample %d is %v", f.Name, n, s.Value)
				}
				n++
			}
			if n != sizes[i] {
				t.Errorf("%s has %d samples, want %d", f.Name, n, sizes[i])
			}
			i++
		}
		if got := reg.Stats().Faults[telltale.ReasonRepeatedSeries]; i != len(sizes) || got != (scrape+1)*repeated {
			t.Errorf("%d families and %d repeated series, want %d and %d", i, got, len(sizes), (scrape+1)*repeated)
		}
	}
}

// A series is on a page once in whatever parts a collector emits it: as a native and as a
// classic histogram, or once more as a sample that fits no point.
func TestSeriesRepeatedInOtherParts(t *testing.T) {
	bounds, err := model.NewBounds([]float64{1})
	if err != nil {
		t.Fatal(err)
	}
	labels := model.LabelsFromText(`l="1"`)
	for _, typ := range []model.Type{model.Histogram, model.GaugeHistogram} {
		native := model.Point{Labels: labels, Histogram: &model.HistogramValue{Native: &model.NativeHistogram{Count: 1, ZeroCount: 1}}}
		classic := model.Point{Labels: labels, Has: typ.Parts() &^ model.PartCreated, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{2}, Count: 2}}
		for _, points := range [][]model.Point{{native, classic}, {classic, native}} {
			f := &model.Family{Name: "h", Type: typ}
			f.Append(points[0])
			f.Append(points[1])
			checkRepeated(t, f)
		}
	}
	for _, typ := range []model.Type{model.Gauge, model.Unknown, model.Counter, model.Summary} {
		f := &model.Family{Name: "f", Type: typ}
		p := pointOf(typ, labels)
		f.Append(p)
		name := f.SampleName()
		if typ == model.Summary {
			name += "_count"
		}
		checkRepeated(t, f.WithLoose([]model.Sample{{Name: name, Labels: labels, Value: 7}}))
	}
}

// checkRepeated checks that a collector of a family that has a series twice has it once on
// pages of all formats.
func checkRepeated(t *testing.T, f *model.Family) {
	t.Helper()
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	register(t, reg, nameless(f))
	all := collected(t, reg)
	w.want(t, telltale.ReasonRepeatedSeries)
	for _, format := range pairFormats {
		if read, page, err := writeAndRead(format, all...); err != nil {
			t.Errorf("%s as %s: %v: %q in\n%s", f.Type, format, err, read, page)
		}
	}
}
