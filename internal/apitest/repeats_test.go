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
