package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"telltale/internal/cell"
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

// Tables of which one has the first tenants of another have the same memory, and what
// becomes of others and of the plan changes nothing in any of them.
func TestTablesShareTenants(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type writer struct {
		w     *Writer
		rows  *Rows
		first []*cell.Word
		seen  *walk
	}
	shared := &walk{}
	writers := make([]writer, 6)
	for i := range writers {
		w := newWriter(t, Header{})
		writers[i] = writer{w: w, rows: mustRows(t, w, counterFamily()), seen: &walk{}}
	}
	tenantsOf := func(s *walk) []Tenant { return s.reader.Families()[0].Tenants }
	together, apart, forgotten := 0, 0, 0
	for step := range 2000 {
		one := &writers[random.IntN(len(writers))]
		next := len(one.first)
		labels := fmt.Sprintf(`a="%d"`, next)
		switch n := random.IntN(400); {
		case next == 40 || n == 0: // another process
			w := newWriter(t, Header{})
			*one = writer{w: w, rows: mustRows(t, w, counterFamily()), seen: &walk{}}
			continue
		case n < 2:
			labels = fmt.Sprintf(`a="other %d"`, step)
		case n < 4 && next > 0: // the row becomes another series'
			first := one.first[random.IntN(next)]
			one.rows.Remove(first)
			for range quarantine {
				one.w.Tick()
			}
			mustAdd(t, one.rows, Series{Labels: fmt.Sprintf(`a="another %d"`, step)})
			labels = ""
		case n == 4:
			for _, f := range shared.plan.families {
				f.forget()
			}
			forgotten++
		}
		if labels != "" {
			one.first = append(one.first, mustAdd(t, one.rows, Series{Labels: labels}))
		}
		if random.IntN(3) > 0 {
			continue
		}
		one.seen.space = imageFrom(one.w)
		one.seen.labels, one.seen.numbers, one.seen.plan = shared.labels, shared.numbers, shared.plan
		if err := one.seen.next(); err != nil {
			t.Fatal(err)
		}
		shared.labels, shared.numbers, shared.plan = one.seen.labels, one.seen.numbers, one.seen.plan
		for i := range writers {
			s := writers[i].seen
			if s.space == nil {
				continue
			}
			alone := &walk{space: s.space}
			if err := alone.next(); err != nil {
				t.Fatal(err)
			}
			got, want := tenantsOf(s), tenantsOf(alone)
			if len(got) != len(want) {
				t.Fatalf("%d tenants, want %d", len(got), len(want))
			}
			for row := range got {
				if got[row].Stamp != want[row].Stamp || shared.labels[got[row].Series] != alone.labels[want[row].Series] {
					t.Fatalf("step %d: row %d is {%s}, want {%s}", step, row, shared.labels[got[row].Series], alone.labels[want[row].Series])
				}
			}
			if edition := s.reader.Families()[0].Edition(); edition == 0 {
				apart++
			} else {
				for j := range i {
					if o := writers[j].seen; o.space != nil && o.reader.Families()[0].Edition() == edition {
						others := tenantsOf(o)
						n := min(len(got), len(others))
						if !slices.Equal(got[:n], others[:n]) {
							t.Fatalf("step %d: tables %d and %d of edition %d differ", step, i, j, edition)
						}
						together++
					}
				}
			}
		}
	}
	if together == 0 || apart == 0 || forgotten == 0 {
		t.Errorf("%d pairs of tables had the same tenants, %d tables their own, after %d plans were forgotten", together, apart, forgotten)
	}
	t.Logf("%d pairs of tables had the same tenants, %d tables their own, after %d plans were forgotten", together, apart, forgotten)
}
