package multiprocess_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
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
			{"j", model.Counter, model.MergeSum},
			{"k", model.Counter, model.MergeMax},
			{"l", model.Counter, model.MergeEach},
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
		return each("a") + "b 6.0\nc 3.0\n" + each("d") + e + "f 6.0\ng 3.0\nh_total 6.0\n" + i + "j_total 6.0\nk_total 3.0\n" + each("l_total")
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

// What counts the machine is not added up when its writers have ended either, and ends
// with the boot and the namespace that it was of.
func TestMachineCounters(t *testing.T) {
	dir := t.TempDir()
	boot, later := [16]byte{1}, [16]byte{2}
	write := func(h segment.Header, v float64) *writer {
		w := begin(t, dir, h)
		count(w, "", 1)
		f := segment.Family{Name: "m", Type: model.Counter, Merge: model.MergeMax, Published: true}
		w.family(f).add("", 0, math.Float64bits(v))
		f.Name, f.Merge = "p", model.MergeEach
		w.family(f).add("", 0, math.Float64bits(v))
		return w
	}
	c := collector(t, dir)
	shows := func(when string, n, m float64, each ...string) {
		t.Helper()
		want := []string{fmt.Sprintf("c_total{} %.1f", n), fmt.Sprintf("m_total{} %.1f", m)}
		sameSamples(t, when, collect(t, c), append(want, each...))
		sameSamples(t, when+", afresh", collect(t, collector(t, dir)), append(want, each...))
	}
	one := write(segment.Header{Start: 1, PID: 1, Boot: boot, Namespace: 4}, 100)
	two := write(segment.Header{Start: 2, PID: 2, Boot: boot, Namespace: 4}, 90)
	shows("two live", 2, 100, `p_total{pid="1"} 100.0`, `p_total{pid="2"} 90.0`)
	one.die()
	shows("one has ended", 2, 100, `p_total{pid="2"} 90.0`)
	fold(t, dir)
	shows("folded", 2, 100, `p_total{pid="2"} 90.0`)
	two.die()
	for range 2 {
		fold(t, dir)
		shows("both folded", 2, 100)
	}
	three := write(segment.Header{Start: 3, PID: 3, Boot: later, Namespace: 4}, 7)
	shows("after a boot", 3, 7, `p_total{pid="3"} 7.0`)
	three.die()
	fold(t, dir)
	shows("folded after a boot", 3, 7)
	four := write(segment.Header{Start: 4, PID: 1, Boot: later, Namespace: 9}, 3)
	shows("in another namespace", 4, 3, `p_total{pid="1"} 3.0`)
	four.die()
	for range 2 {
		fold(t, dir)
		shows("folded in another namespace", 4, 3)
	}
}
