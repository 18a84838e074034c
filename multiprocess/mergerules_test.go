package multiprocess_test

import (
	"context"
	"fmt"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// ruled emits a family of each rule, each of the same value.
func ruled(value float64) telltale.Collector {
	return telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for _, f := range []struct {
			name  string
			typ   model.Type
			merge model.Merge
		}{
			{"a", model.Gauge, 0},
			{"b", model.Gauge, model.MergeSum},
			{"c", model.Gauge, model.MergeMax},
			{"d", model.Gauge, model.MergeEach},
			{"e", model.Gauge, model.MergeOnce},
			{"f", model.Unknown, model.MergeSum},
			{"g", model.Unknown, model.MergeMax},
			{"h", model.Counter, 0},
			{"i", model.Counter, model.MergeOnce},
		} {
			family, err := model.NewFamily(f.name, "", f.typ, model.WithMerge(f.merge))
			if err != nil {
				return err
			}
			family.Append(model.Point{Has: f.typ.Parts() &^ model.PartCreated, Value: value})
			if err := emit(family); err != nil {
				return err
			}
		}
		return nil
	})
}

// Families merge by the rule that they have; those that a process has for itself are
// on its own page alone, among the others.
func TestMergeRules(t *testing.T) {
	dir := sharedDir(t)
	var regs []*telltale.Registry
	for i, name := range []string{"one", "two", "three"} {
		store, err := multiprocess.Open(dir, multiprocess.WithWriterName(name), multiprocess.WithoutFolding())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() }) // it folds nothing
		reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
		if err := reg.Register(ruled(float64(i + 1))); err != nil {
			t.Fatal(err)
		}
		pageLines(t, reg)
		regs = append(regs, reg)
	}
	each := func(name string) string {
		return fmt.Sprintf("%[1]s{pid=\"one\"} 1.0\n%[1]s{pid=\"three\"} 3.0\n%[1]s{pid=\"two\"} 2.0\n", name)
	}
	page := func(e, i string) string {
		return each("a") + "b 6.0\nc 3.0\n" + each("d") + e + "f 6.0\ng 3.0\nh_total 6.0\n" + i
	}
	for i, reg := range regs {
		if got, want := pageLines(t, reg), page(fmt.Sprintf("e %d.0\n", i+1), fmt.Sprintf("i_total %d.0\n", i+1)); got != want {
			t.Errorf("the page of process %d:\n%swant:\n%s", i, got, want)
		}
		if v, ok := reg.SampleValue("e", nil); v != float64(i+1) || !ok {
			t.Errorf("process %d has e %v, %v", i, v, ok)
		}
	}
	if got, want := pageLines(t, telltale.Must(multiprocess.NewCollector(dir))), page("", ""); got != want {
		t.Errorf("the page of the directory:\n%swant:\n%s", got, want)
	}
}
