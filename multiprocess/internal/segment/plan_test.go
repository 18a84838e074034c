package segment

import (
	"math"
	"reflect"
	"testing"

	"telltale/model"
)

// Families that segments have in common, or nearly, are read with a plan as without.
func TestFamiliesOfAPlan(t *testing.T) {
	histogram := func(change func(f *Family)) Family {
		f := Family{
			Name: "h_seconds", Help: "Help.", Unit: "seconds", Type: model.Histogram, Layout: LayoutHistogram,
			Bounds: []float64{1, 5, math.Inf(1)}, Labels: []string{"a"}, First: Moment{Wall: 7, Boot: 8},
		}
		change(&f)
		return f
	}
	var plan Plan
	for name, f := range map[string]Family{
		"the same":          histogram(func(*Family) {}),
		"the same again":    histogram(func(*Family) {}),
		"first seen later":  histogram(func(f *Family) { f.First.Wall++ }),
		"of another boot":   histogram(func(f *Family) { f.First.Boot = 0 }),
		"with another help": histogram(func(f *Family) { f.Help = "Hilp." }),
		"with other bounds": histogram(func(f *Family) { f.Bounds = []float64{1, 6, math.Inf(1)} }),
		"with more bounds":  histogram(func(f *Family) { f.Bounds = []float64{1, 2, 5, math.Inf(1)} }),
		"with no labels":    histogram(func(f *Family) { f.Labels = nil }),
		"of another type":   {Name: "c", Type: model.Counter, Layout: LayoutCounter},
	} {
		for range 2 { // the second time it is in the plan
			w := newWriter(t, Header{})
			rows := mustRows(t, w, f)
			mustAdd(t, rows, Series{Labels: `a="1"`})
			image := imageFrom(w)
			var planned, alone Table
			if _, err := planned.Next(image, &walk{}, &plan); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := alone.Next(image, nil, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, want := planned.Families()[0].Family, alone.Families()[0].Family; !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v with a plan, and %+v without", name, got, want)
			}
		}
	}
}

// A spoilt record is none of the plan's, however much of it is equal.
func TestSpoiltFamilyIsNotOfAPlan(t *testing.T) {
	var plan Plan
	for spoil := range 2 {
		w := newWriter(t, Header{})
		rows := mustRows(t, w, counterFamily())
		mustAdd(t, rows, Series{Labels: `a="1"`})
		image := imageFrom(w)
		if spoil > 0 {
			image[HeaderSize+recordHeaderSize+firstFrom] ^= 1
		}
		_, err := new(Table).Next(image, &walk{}, &plan)
		if (err != nil) != (spoil > 0) {
			t.Errorf("spoilt %d times: %v", spoil, err)
		}
	}
}
