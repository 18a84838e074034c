package multiprocess_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// Series that are replaced in one step leave nothing in the store.
func TestReplaceInAStore(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(reg), telltale.WithBuckets(1)))
	n := telltale.Must(telltale.NewHistogramVec("n", "", []string{"l"}, telltale.In(reg), telltale.WithNativeBuckets(2)))
	for range 3 {
		c.Replace(func(next *telltale.CounterVec) { next.With("a").Inc() })
		h.Replace(func(next *telltale.HistogramVec) { next.With("a").Observe(2) })
		n.Replace(func(next *telltale.HistogramVec) { next.With("a").Observe(2) })
		want := "c_total{l=\"a\"} 1.0\nh_bucket{l=\"a\",le=\"1.0\"} 0.0\nh_bucket{l=\"a\",le=\"+Inf\"} 1.0\nh_count{l=\"a\"} 1.0\nh_sum{l=\"a\"} 2.0\n" +
			"n_bucket{l=\"a\",le=\"+Inf\"} 1.0\nn_count{l=\"a\"} 1.0\nn_sum{l=\"a\"} 2.0\n"
		if got := pageLines(t, reg); got != want {
			t.Fatalf("page\n%s, want\n%s", got, want)
		}
	}
	c.Clear()
	h.Clear()
	n.Clear()
	if got := pageLines(t, reg); got != "" {
		t.Errorf("cleared, there is left\n%s", got)
	}
}

// What is counted through handles of the new series counts, whenever that is:
// while fill runs, while the series take their place, and later.
func TestReplaceInAStoreLosesNothing(t *testing.T) {
	const replacements, writers, more = 300, 3, 20
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	in := telltale.In(reg)
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, in))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, in))
	for i := range replacements {
		var counted atomic.Int64
		var done sync.WaitGroup
		replaced := make(chan struct{})
		write := func(inc func()) {
			for range writers {
				done.Go(func() {
					for after := 0; after < more; {
						inc()
						counted.Add(1)
						select {
						case <-replaced:
							after++
						default:
						}
					}
				})
			}
		}
		if i%2 == 0 {
			c.Replace(func(next *telltale.CounterVec) {
				write(next.With("a").Inc)
				for j := range 50 {
					next.With(fmt.Sprint(j))
				}
			})
		} else {
			h.Replace(func(next *telltale.HistogramVec) {
				a := next.With("a")
				write(func() { a.Observe(1) })
			})
		}
		close(replaced)
		done.Wait()
		name, value := "c_total", c.With("a").Value()
		if i%2 == 1 {
			name, value = "h_count", float64(h.With("a").Count())
		}
		onPage, _ := reg.SampleValue(name, map[string]string{"l": "a"})
		if want := float64(counted.Load()); onPage != want || value != want {
			t.Fatalf("replacement %d: %s is at %v and %v on the page, want %v", i, name, value, onPage, want)
		}
	}
}

// Pages of this process have all of the old series or all of the new.
func TestReplaceInAStoreIsOneStep(t *testing.T) {
	const series, replacements = 100, 200
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg), telltale.WithGaugeMode(telltale.ModeSum)))
	replace := func(round int) {
		g.Replace(func(next *telltale.GaugeVec) {
			for i := range series {
				next.With(fmt.Sprint(i)).Set(float64(round))
			}
		})
	}
	replace(0)
	var done atomic.Bool
	var readers sync.WaitGroup
	for _, c := range []telltale.Collector{reg, reg.Restricted("g")} {
		readers.Go(func() {
			for !done.Load() {
				n, values := 0, make(map[float64]bool)
				if err := c.Collect(t.Context(), func(f *model.Family) error {
					for s := range f.Samples() {
						n++
						values[s.Value] = true
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
				if n != series || len(values) != 1 {
					t.Errorf("%d series of %d replacements are on a page, want %d of one", n, len(values), series)
				}
			}
		})
	}
	for i := range replacements {
		replace(i + 1)
	}
	done.Store(true)
	readers.Wait()
}

// What fill creates is not seen before fill returns, and not at all if it is
// removed or fill panics.
func TestReplaceInAStoreStep(t *testing.T) {
	dir := sharedDir(t)
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	others := telltale.Must(multiprocess.NewCollector(dir))
	want := func(when string, lines ...string) {
		t.Helper()
		for who, c := range map[string]telltale.Collector{"this process": reg, "others": others} {
			if got, want := pageLines(t, c), strings.Join(lines, ""); got != want {
				t.Errorf("%s, %s see\n%swant\n%s", when, who, got, want)
			}
		}
	}
	const old, new = "c_total{l=\"old\"} 5.0\n", "c_total{l=\"new\"} 3.0\n"
	v.With("old").Add(5)
	func() {
		defer func() { _ = recover() }()
		v.Replace(func(next *telltale.CounterVec) {
			next.With("new").Add(100)
			want("while fill runs", old)
			panic("fill failed")
		})
	}()
	want("after fill has panicked", old)
	var kept *telltale.CounterVec
	v.Replace(func(next *telltale.CounterVec) {
		kept = next
		next.With("gone").Add(7)
		next.Remove("gone")
		next.With("cleared").Inc()
		next.Clear()
		next.With("replaced").Inc()
		next.Replace(func(inner *telltale.CounterVec) {
			inner.With("gone").Add(7)
			inner.With("new").Inc()
			inner.RemoveMatching(map[string]string{"l": "gone"})
		})
		next.With("new").Inc()
		want("while fill runs", old)
	})
	v.With("new").Inc()
	want("replaced", new)
	kept.With("late").Inc()
	kept.Clear()
	want("after next was used again", new)
	if v.Remove("old") || !v.Remove("new") {
		t.Error("the wrong series is there")
	}
	want("in the end")
}

// An instrument may come into a store or leave it while fill runs.
func TestReplaceWhileMoving(t *testing.T) {
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	check := func(when, page string) {
		t.Helper()
		if got := v.With("a").Value(); got != 3 {
			t.Errorf("%s: the value is %v, want 3", when, got)
		}
		if got := pageLines(t, reg); got != page {
			t.Errorf("%s, got %q, want %q", when, got, page)
		}
	}
	fill := func(change func() error) {
		var a *telltale.Counter
		v.Replace(func(next *telltale.CounterVec) {
			a = next.With("a")
			a.Inc()
			if err := change(); err != nil {
				t.Error(err)
			}
			a.Inc()
		})
		a.Inc()
	}
	const page = "c_total{l=\"a\"} 3.0\n"
	fill(func() error { return reg.UseStore(openStore(t, sharedDir(t))) })
	check("into a store", page)
	fill(func() error { return reg.Unregister(v) })
	check("out of it", "")
	fill(func() error { return reg.Register(v) })
	check("into it again", page)
}
