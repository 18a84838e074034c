package model_test

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"telltale/model"
)

// TestAppendKeepsPoints appends random points, plain numbers and others, and expects
// to visit the same ones in the same order, as points and as runs of scalars.
func TestAppendKeepsPoints(t *testing.T) {
	for _, typ := range []model.Type{model.Counter, model.Gauge, model.Unknown, model.StateSet, model.Info, model.Histogram} {
		for range 5 {
			seed := time.Now().UnixNano()
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			f := &model.Family{Name: "x", Type: typ}
			var want []model.Point
			for range random.IntN(2000) {
				p := model.Point{Labels: model.LabelPairs([]string{"n"}, []string{string(rune('a' + random.IntN(26)))}), Has: model.PartValue, Value: random.Float64()}
				if typ == model.Counter {
					p.Has = model.PartTotal
				}
				switch random.IntN(4000) {
				case 0:
					p.Timestamp = model.Unix(1, 0)
				case 1:
					p.Exemplar = &model.Exemplar{Value: 1}
				case 2:
					p.Has = 0
				case 3:
					p.States = []model.State{{Name: "on", On: true}}
				}
				if random.IntN(2) == 0 {
					p.Created = model.Unix(int64(random.IntN(100)), 0)
				}
				f.Append(p)
				want = append(want, p)
			}
			var scratch model.Point
			var points, mixed []model.Point
			keep := func(to *[]model.Point) func(*model.Point) error {
				return func(p *model.Point) error { *to = append(*to, *p); return nil }
			}
			if err := f.Visit(&scratch, keep(&points)); err != nil {
				t.Fatal(err)
			}
			err := f.VisitScalars(&scratch, func(run []model.Scalar) error {
				for i := range run {
					mixed = append(mixed, run[i].Point(typ))
				}
				return nil
			}, keep(&mixed))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(points, want) {
				t.Fatalf("seed %d, %v: %d points visited differ from the %d appended", seed, typ, len(points), len(want))
			}
			if !reflect.DeepEqual(mixed, want) {
				t.Fatalf("seed %d, %v: %d points and scalars visited differ from the %d appended", seed, typ, len(mixed), len(want))
			}
		}
	}
}

// TestScalarsStayPoints changes the type of a family after points were appended: the
// points keep their parts.
func TestScalarsStayPoints(t *testing.T) {
	f := &model.Family{Name: "x", Type: model.Counter}
	f.Append(model.Point{Has: model.PartTotal, Value: 1})
	f.Type = model.Gauge
	f.Append(model.Point{Has: model.PartValue, Value: 2})
	var has []model.Parts
	err := f.VisitScalars(&model.Point{}, func([]model.Scalar) error {
		t.Error("a total was passed as a scalar of a gauge")
		return nil
	}, func(p *model.Point) error { has = append(has, p.Has); return nil })
	if err != nil || !reflect.DeepEqual(has, []model.Parts{model.PartTotal, model.PartValue}) {
		t.Errorf("visited parts %v, %v", has, err)
	}
}

// TestSamplesJoinAppendedPoints adds samples behind an appended point of their labels:
// they become part of it, as they do of a point that samples began.
func TestSamplesJoinAppendedPoints(t *testing.T) {
	for _, before := range []int{0, 1, 681, 682, 683} { // a slice holds 682 scalars
		f := &model.Family{Name: "x", Type: model.Counter}
		for i := range before {
			f.Append(model.Point{Labels: model.LabelPairs([]string{"n"}, []string{strconv.Itoa(i)}), Has: model.PartTotal, Value: 1})
		}
		f.Append(model.Point{Has: model.PartTotal, Value: 2})
		f.AddSample("x_created", nil, 5)
		f.AddSample("x_total", nil, 3)
		var last []model.Point
		n := 0
		err := f.Visit(&model.Point{}, func(p *model.Point) error {
			if n++; n > before {
				last = append(last, *p)
			}
			return nil
		})
		want := []model.Point{{Has: model.PartTotal, Value: 2, Created: model.Unix(5, 0)}, {Has: model.PartTotal, Value: 3}}
		if err != nil || !reflect.DeepEqual(last, want) {
			t.Errorf("behind %d others: %+v, %v; want %+v", before, last, err, want)
		}
	}
}
