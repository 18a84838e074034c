package multiprocess_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// natives returns the histograms of a collector's families, by name and labels.
func natives(tb testing.TB, c model.Collector) map[string]*model.HistogramValue {
	tb.Helper()
	found := make(map[string]*model.HistogramValue)
	for _, f := range collect(tb, c) {
		var scratch model.Point
		_ = f.Visit(&scratch, func(p *model.Point) error {
			if kept := p.Clone(); kept.Histogram != nil {
				found[f.Name+"{"+kept.Labels.Text()+"}"] = kept.Histogram
			}
			return nil
		})
	}
	return found
}

// sameNative compares two histograms, sums within float error.
func sameNative(t *testing.T, what string, got, want *model.HistogramValue) {
	t.Helper()
	if got == nil || got.Native == nil {
		t.Errorf("%s: there are no native buckets", what)
		return
	}
	g, w := *got.Native, *want.Native
	if math.Abs(g.Sum-w.Sum) > 1e-9*math.Abs(w.Sum) || got.Sum != g.Sum {
		t.Errorf("%s: sums %v and %v, want %v", what, got.Sum, g.Sum, w.Sum)
	}
	g.Sum, w.Sum, g.Exemplars, w.Exemplars = 0, 0, nil, nil
	if g, w := fmt.Sprintf("%+v", g), fmt.Sprintf("%+v", w); g != w {
		t.Errorf("%s:\n%s, want\n%s", what, g, w)
	}
	if got.Count != want.Count || !got.Bounds.Equal(want.Bounds) || !slices.Equal(got.Cumulative, want.Cumulative) {
		t.Errorf("%s: %v observations, %v in buckets up to %v, want %v, %v, %v", what,
			got.Count, got.Cumulative, got.Bounds.Upper(), want.Count, want.Cumulative, want.Bounds.Upper())
	}
}

// Writers of different resolutions together, live, dead and folded, have what one
// histogram has that observed everything.
func TestNativeBucketsOfManyProcesses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  []telltale.HistogramOption // of writers one after the other
		alone telltale.HistogramOption
		more  []telltale.HistogramOption // of all
	}{
		{"alike", []telltale.HistogramOption{telltale.WithNativeSchema(3)}, telltale.WithNativeSchema(3), nil},
		{"of other schemas and zero thresholds",
			[]telltale.HistogramOption{telltale.WithNativeSchema(5), telltale.WithNativeSchema(2, telltale.WithNativeZeroThreshold(0x1p-20)), telltale.WithNativeSchema(8)},
			telltale.WithNativeSchema(2, telltale.WithNativeZeroThreshold(0x1p-20)), nil},
		{"at the limit", []telltale.HistogramOption{telltale.WithNativeSchema(8, telltale.WithNativeMaxBuckets(10))},
			telltale.WithNativeSchema(8, telltale.WithNativeMaxBuckets(10)), nil},
		{"beside classic ones", []telltale.HistogramOption{telltale.WithNativeSchema(4), telltale.WithNativeSchema(1)},
			telltale.WithNativeSchema(1), []telltale.HistogramOption{telltale.WithBuckets(-1, 0.5, 1, 3)}},
		{"with classic ones rendered from them",
			[]telltale.HistogramOption{telltale.WithNativeSchema(4, telltale.WithNativeClassicBuckets(0.5, 1, 4)), telltale.WithNativeSchema(1, telltale.WithNativeClassicBuckets(0.5, 1, 4))},
			telltale.WithNativeSchema(1, telltale.WithNativeClassicBuckets(0.5, 1, 4)), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := sharedDir(t)
			alone := telltale.NewRegistry()
			everything := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, append(tt.more, telltale.In(alone), tt.alone)...))
			var stores []*multiprocess.Store
			for i := range 6 {
				s := openStore(t, dir)
				stores = append(stores, s)
				reg := telltale.NewRegistry(telltale.WithStore(s))
				opts := append(slices.Clone(tt.more), telltale.In(reg), tt.opts[i%len(tt.opts)])
				h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, opts...))
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for range 300 {
					v := math.Exp(2 * random.NormFloat64())
					if random.IntN(3) == 0 {
						v = -v
					}
					l := string(rune('a' + random.IntN(2)))
					h.With(l).Observe(v)
					everything.With(l).Observe(v)
				}
				for _, v := range []float64{0, math.Copysign(0, -1), math.MaxFloat64, 1e-300} {
					h.With("b").Observe(v)
					everything.With("b").Observe(v)
				}
			}
			want := natives(t, alone)
			check := func(when string) {
				t.Helper()
				got := natives(t, collector(t, dir))
				for name := range want {
					sameNative(t, name+" "+when, got[name], want[name])
				}
			}
			check("of the living")
			for i, s := range stores {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if i%2 == 1 {
					check("of some dead")
					fold(t, dir)
					check("folded")
				}
			}
		})
	}
}

// Every writer's page shows all.
func TestNativeBucketsOfAStore(t *testing.T) {
	dir := sharedDir(t)
	a := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	b := telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))
	of := func(r *telltale.Registry) *telltale.Histogram {
		return telltale.Must(telltale.NewHistogram("h", "", telltale.In(r), telltale.WithNativeBuckets(2)))
	}
	of(a).Observe(1)
	of(b).Observe(3)
	for _, r := range []*telltale.Registry{a, b} {
		if got, want := pageLines(t, r), "h_bucket{le=\"+Inf\"} 2.0\nh_count 2.0\nh_sum 4.0\n"; got != want {
			t.Errorf("page\n%s, want\n%s", got, want)
		}
	}
	if of(a).Count() != 1 || of(a).Sum() != 1 {
		t.Errorf("its own are %d and %v", of(a).Count(), of(a).Sum())
	}
}

// A histogram that is moved into a store, a series that is removed and made
// again, and one that is taken out of the registry, lose and keep nothing that
// they should not.
func TestNativeBucketsMove(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir)
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(reg), telltale.WithNativeBuckets(2), telltale.WithBuckets(2)))
	if err := reg.UseStore(store); err != nil {
		t.Fatal(err)
	}
	v.With("a").Observe(1)
	v.With("b").Observe(5)
	kept := v.With("a")
	v.Remove("a")
	kept.Observe(7)
	if kept.Count() != 2 || kept.Sum() != 8 {
		t.Errorf("removed: %d observations of %v", kept.Count(), kept.Sum())
	}
	want := "h_bucket{l=\"b\",le=\"2.0\"} 0.0\nh_bucket{l=\"b\",le=\"+Inf\"} 1.0\nh_count{l=\"b\"} 1.0\nh_sum{l=\"b\"} 5.0\n"
	if got := pageLines(t, reg); got != want {
		t.Errorf("page\n%s, want\n%s", got, want)
	}
	v.With("a").Observe(3)
	if got := natives(t, reg)[`h{l="a"}`]; got == nil || got.Count != 1 || got.Native.Sum != 3 || got.Cumulative[0] != 0 {
		t.Errorf("made again: %+v", got)
	}
	b := v.With("b")
	if err := reg.Unregister(v); err != nil {
		t.Fatal(err)
	}
	if b.Observe(6); b.Count() != 2 || b.Sum() != 11 {
		t.Errorf("unregistered: %d observations of %v", b.Count(), b.Sum())
	}
}

// Classic buckets that are rendered from native ones are exact wherever the histogram
// lies, however coarse its native buckets become in a store.
func TestRenderedClassicBucketsMove(t *testing.T) {
	store := openStore(t, sharedDir(t))
	reg := telltale.NewRegistry()
	v := telltale.Must(telltale.NewHistogramVec("h", "", []string{"l"}, telltale.In(reg),
		telltale.WithNativeSchema(8, telltale.WithNativeMaxBuckets(4), telltale.WithNativeClassicBuckets(0.25, 1, 16))))
	a := v.With("a")
	var observed []float64
	observe := func(values ...float64) {
		for _, value := range values {
			a.Observe(value)
		}
		observed = append(observed, values...)
	}
	check := func(where string, c model.Collector) {
		t.Helper()
		got := natives(t, c)[`h{l="a"}`]
		if got == nil {
			t.Fatalf("%s: it is not there", where)
		}
		for i, bound := range []float64{0.25, 1, 16, math.Inf(1)} {
			want := 0.0
			for _, value := range observed {
				if value <= bound {
					want++
				}
			}
			if got.Cumulative[i] != want {
				t.Errorf("%s: %v up to %v, want %v", where, got.Cumulative[i], bound, want)
			}
		}
	}
	observe(-3, 0, 0.25, 0.3, 1, 5, 16, 17)
	check("on the heap", reg)
	if err := errors.Join(reg.Unregister(v), reg.UseStore(store), reg.Register(v)); err != nil {
		t.Fatal(err)
	}
	check("moved", reg)
	for exponent := range 40 {
		observe(math.Ldexp(1, exponent-20), math.Ldexp(1.1, exponent-20))
	}
	check("in a store", reg)
	if err := reg.Unregister(v); err != nil {
		t.Fatal(err)
	}
	observe(1, 2, 1e9)
	check("taken out", v)
	if err := reg.Register(v); err != nil {
		t.Fatal(err)
	}
	check("back", reg)
}

func TestNativeExemplarsOfManyProcesses(t *testing.T) {
	dir := sharedDir(t)
	var stores []*multiprocess.Store
	for i := range 3 {
		stores = append(stores, openStore(t, dir))
		h := telltale.Must(telltale.NewHistogram("h", "", telltale.In(telltale.NewRegistry(telltale.WithStore(stores[i]))),
			telltale.WithBuckets(10), telltale.WithNativeBuckets(2, telltale.WithNativeExemplars(4, time.Hour))))
		for n := range 6 {
			if err := h.ObserveWithExemplar(math.Exp2(float64(3*n+i)), map[string]string{"n": fmt.Sprint(n), "i": fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() {
		t.Helper()
		h := natives(t, collector(t, dir))["h{}"]
		if h == nil || len(h.Native.Exemplars) != 4 || h.Exemplar(0) == nil || h.Exemplar(1) == nil {
			t.Fatalf("exemplars of %+v", h)
		}
		for _, e := range h.Native.Exemplars {
			if e.Labels.IsEmpty() || !e.Timestamp.IsSet() || e.Value < 4 {
				t.Errorf("exemplar %+v", e)
			}
		}
	}
	check()
	for _, s := range stores[:2] {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fold(t, dir)
	check()
}

// Where some have native buckets and others do not, none are shown, and it is
// told.
func TestNativeBucketsOfSome(t *testing.T) {
	dir := sharedDir(t)
	with := telltale.Must(telltale.NewHistogram("h", "", telltale.In(telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))), telltale.WithNativeBuckets(2)))
	without := telltale.Must(telltale.NewHistogram("h", "", telltale.In(telltale.NewRegistry(telltale.WithStore(openStore(t, dir)))), telltale.WithBuckets(2)))
	with.Observe(1)
	without.Observe(3)
	var mu sync.Mutex
	var told []string
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		var conflict *multiprocess.ConflictError
		if errors.As(err, &conflict) {
			told = append(told, conflict.About)
		}
	}))
	if got, want := pageLines(t, c), "h_bucket{le=\"2.0\"} 0.0\nh_bucket{le=\"+Inf\"} 2.0\nh_count 2.0\nh_sum 4.0\n"; got != want {
		t.Errorf("page\n%s, want\n%s", got, want)
	}
	for name, h := range natives(t, c) {
		if h.Native != nil {
			t.Errorf("%s has native buckets: %+v", name, h.Native)
		}
	}
	if !slices.Equal(told, []string{"bounds", "native buckets"}) {
		t.Errorf("told of %q", told)
	}
}

// A store shares the count and the sum of a summary, not its quantiles.
func TestQuantilesOfAStore(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStore(openStore(t, sharedDir(t))))
	s := telltale.Must(telltale.NewSummary("s", "", telltale.In(reg), telltale.WithQuantiles(0.5)))
	s.Observe(2)
	if got, want := pageLines(t, reg), "s_count 1.0\ns_sum 2.0\n"; got != want {
		t.Errorf("page\n%s, want\n%s", got, want)
	}
}
