package apitest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
)

// What a counter counts beyond the limit is in the series of overflow.
func TestSeriesLimit(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"method", "path"}, telltale.WithSeriesLimit(2), telltale.WithConstLabels(map[string]string{"k": "v"}))
	v.With("GET", "/a").Inc()
	v.With("GET", "/b").Inc()
	w.want(t)
	v.With("GET", "/c").Add(2)
	v.With("GET", "/d").Add(3)
	v.WithLabels(map[string]string{"method": "GET", "path": "\xff"}).Add(4)
	curry(t, v, "method", "PUT").With("/e").Add(5)
	v.With("GET", "/b").Inc()
	wantPage(t, reg, `# TYPE c_total counter
c_total{k="v",method="GET",path="/a"} 1.0
c_total{k="v",method="GET",path="/b"} 2.0
c_total{k="v",method="overflow",path="overflow"} 14.0
`)
	faults := w.want(t, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit, telltale.ReasonInvalidUTF8, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit)
	for _, part := range []string{`counter "c"`, `["GET" "/c"]`, "limit of 2", "overflow"} {
		if !strings.Contains(faults[0].Error(), part) {
			t.Errorf("the fault does not say %s: %v", part, faults[0])
		}
	}
	if faults[0].Family != "c" {
		t.Errorf("the fault is of family %q", faults[0].Family)
	}
	if stats := reg.Stats(); len(stats.Overflows) != 1 || stats.Overflows["c"] != 4 || stats.Faults[telltale.ReasonSeriesLimit] != 4 || stats.Series != 3 {
		t.Errorf("the statistics are %+v", stats)
	}
	register(t, reg, reg.Health())
	if n, ok := reg.SampleValue("telltale_series_overflows_total", map[string]string{"family": "c"}); n != 4 || !ok {
		t.Errorf("health says %v, %v", n, ok)
	}
}

// Instruments whose values can be added up count in the series of overflow; a new
// series of the others is on no page.
func TestSeriesLimitOfEachKind(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithFamilySeriesLimit(1))
	in, labels := telltale.In(reg), []string{"l"}
	h := telltale.Must(telltale.NewHistogramVec("h", "", labels, in, telltale.WithBuckets(1)))
	n := telltale.Must(telltale.NewHistogramVec("n", "", labels, in, telltale.WithNativeBuckets(2)))
	m := telltale.Must(telltale.NewSummaryVec("m", "", labels, in))
	g := telltale.Must(telltale.NewGaugeVec("g", "", labels, in))
	i := telltale.Must(telltale.NewInfoVec("i", "", labels, in))
	e := telltale.Must(telltale.NewEnumVec("e", "", []string{"off", "on"}, labels, in))
	for j, l := range []string{"a", "b", "c"} {
		h.With(l).Observe(1)
		n.With(l).Observe(1)
		m.With(l).Observe(1)
		g.With(l).Set(float64(j))
		if err := errors.Join(i.With(l).Set(map[string]string{"x": l}), e.With(l).Set("on")); err != nil {
			t.Error(err)
		}
	}
	wantPage(t, reg, `# TYPE h histogram
h_bucket{l="a",le="1.0"} 1.0
h_bucket{l="a",le="+Inf"} 1.0
h_count{l="a"} 1.0
h_sum{l="a"} 1.0
h_bucket{l="overflow",le="1.0"} 2.0
h_bucket{l="overflow",le="+Inf"} 2.0
h_count{l="overflow"} 2.0
h_sum{l="overflow"} 2.0
# TYPE n histogram
n_bucket{l="a",le="+Inf"} 1.0
n_count{l="a"} 1.0
n_sum{l="a"} 1.0
n_bucket{l="overflow",le="+Inf"} 2.0
n_count{l="overflow"} 2.0
n_sum{l="overflow"} 2.0
# TYPE m summary
m_count{l="a"} 1.0
m_sum{l="a"} 1.0
m_count{l="overflow"} 2.0
m_sum{l="overflow"} 2.0
# TYPE g gauge
g{l="a"} 0.0
# TYPE i_info gauge
i_info{l="a",x="a"} 1.0
# TYPE e gauge
e{l="a",e="off"} 0.0
e{l="a",e="on"} 1.0
`)
	overflows := reg.Stats().Overflows
	for _, name := range []string{"h", "n", "m", "g", "i", "e"} {
		if n := overflows[name]; n != 2 {
			t.Errorf("%s overflows %d times, want 2", name, n)
		}
	}
}

// Room that removal leaves is used again, whichever way the series went. The series of
// overflow takes no room.
func TestSeriesLimitRoomIsUsedAgain(t *testing.T) {
	all := func(v *telltale.CounterVec) bool { v.Clear(); return true }
	for name, remove := range map[string]func(v *telltale.CounterVec) bool{
		"Remove":         func(v *telltale.CounterVec) bool { return v.Remove("a", "x") },
		"RemoveMatching": func(v *telltale.CounterVec) bool { return v.RemoveMatching(map[string]string{"l": "a"}) == 1 },
		"Clear":          all,
		"Clear, curried": func(v *telltale.CounterVec) bool { return all(curry(t, v, "l", "a")) },
		"Replace":        func(v *telltale.CounterVec) bool { v.Replace(func(*telltale.CounterVec) {}); return true },
		"Replace by some": func(v *telltale.CounterVec) bool {
			v.Replace(func(n *telltale.CounterVec) { n.With("overflow", "overflow") })
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			for what, reg := range map[string]*telltale.Registry{
				"of the family":   telltale.NewRegistry(telltale.WithFamilySeriesLimit(2)),
				"of the registry": telltale.NewRegistry(telltale.WithTotalSeriesLimit(2)),
			} {
				v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l", "m"}, telltale.In(reg)))
				overflow := func(l string) bool { return v.With(l, "x") == v.With("overflow", "overflow") }
				for round := range 3 {
					if overflow("a") || overflow("b") && round == 0 || !overflow("c") {
						t.Errorf("%s, round %d: not the first two have series", what, round)
					}
					if !remove(v) {
						t.Errorf("%s, round %d: nothing is removed", what, round)
					}
				}
				if overflow("d") {
					t.Errorf("%s: there is no room", what)
				}
			}
		})
	}
}

// What a program itself says is not refused.
func TestInitAndReplaceAreNotRefused(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"l"}, telltale.WithSeriesLimit(2))
	if err := v.Init([]string{"a"}, []string{"b"}, []string{"c"}, []string{"a"}); err != nil {
		t.Error(err)
	}
	wantSeries(t, v, `l="a"`, `l="b"`, `l="c"`)
	v.Replace(func(next *telltale.CounterVec) {
		for _, l := range []string{"p", "q", "r", "s"} {
			next.With(l).Inc()
		}
	})
	w.want(t)
	v.With("t").Inc()
	v.Remove("p")
	v.Remove("q")
	v.With("t").Inc()
	wantSeries(t, v, `l="r"`, `l="s"`, `l="overflow"`)
	w.want(t, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit)
	v.Remove("r")
	v.With("t").Inc()
	wantSeries(t, v, `l="s"`, `l="overflow"`, `l="t"`)
	of := telltale.Must(telltale.NewCounterOf[byQueue]("of", "", telltale.In(reg), telltale.WithSeriesLimit(1)))
	of.Init(byQueue{"a"}, byQueue{"b"})
	wantSeries(t, of, `queue="a"`, `queue="b"`)
}

// A program that uses the label value overflow shares the series.
func TestSeriesOfOverflowIsTheProgramsToo(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"l", "m"}, telltale.WithSeriesLimit(1))
	v.With("overflow", "overflow").Inc() // takes no room
	v.With("overflow", "x").Inc()        // is a series like others
	v.With("a", "x").Inc()
	v.With("overflow", "overflow").Inc()
	wantSeries(t, v, `l="overflow",m="overflow"`, `l="overflow",m="x"`)
	if got := v.With("overflow", "overflow").Value(); got != 3 {
		t.Errorf("it counted %v, want 3", got)
	}
	if !v.Remove("overflow", "overflow") || v.With("b", "x").Value() != 0 {
		t.Error("the series of overflow cannot be removed")
	}
	w.want(t, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit)
}

func TestDefaultSeriesLimit(t *testing.T) {
	fill := func(v *telltale.CounterVec) int {
		for i := range telltale.DefaultSeriesLimit + 5 {
			v.With(fmt.Sprint(i)).Inc()
		}
		return v.Len()
	}
	var zero telltale.Registry
	const all, limited = telltale.DefaultSeriesLimit + 5, telltale.DefaultSeriesLimit + 1
	for _, tt := range []struct {
		name string
		opts []telltale.CounterOption
		want int
	}{
		{"without a registry", []telltale.CounterOption{telltale.Unregistered()}, limited},
		{"in a registry", []telltale.CounterOption{telltale.In(telltale.NewRegistry())}, limited},
		{"in a zero registry", []telltale.CounterOption{telltale.In(&zero)}, limited},
		{"none", []telltale.CounterOption{telltale.Unregistered(), telltale.WithSeriesLimit(0)}, all},
		{"less than none", []telltale.CounterOption{telltale.Unregistered(), telltale.WithSeriesLimit(-1)}, all},
		{"none in the registry", []telltale.CounterOption{telltale.In(telltale.NewRegistry(telltale.WithFamilySeriesLimit(0)))}, all},
		{"of the registry", []telltale.CounterOption{telltale.In(telltale.NewRegistry(telltale.WithFamilySeriesLimit(7)))}, 8},
		{"its own", []telltale.CounterOption{telltale.In(telltale.NewRegistry(telltale.WithFamilySeriesLimit(7))), telltale.WithSeriesLimit(8)}, 9},
	} {
		if got := fill(telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, tt.opts...))); got != tt.want {
			t.Errorf("%s: %d series, want %d", tt.name, got, tt.want)
		}
	}
}

// The instruments of a registry share its room.
func TestTotalSeriesLimit(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(4), telltale.WithErrorHook(w.hear))
	in := telltale.In(reg)
	telltale.Must(telltale.NewCounter("alone", "", in))
	a := telltale.Must(telltale.NewCounterVec("a", "", []string{"l"}, in))
	b := telltale.Must(telltale.NewGaugeVec("b", "", []string{"l"}, in))
	elsewhere := telltale.Must(telltale.NewCounterVec("elsewhere", "", []string{"l"}, telltale.Unregistered()))
	register(t, reg, elsewhere)
	for _, l := range []string{"1", "2", "3"} {
		elsewhere.With(l).Inc()
		a.With(l).Inc()
		b.With(l).Set(1)
	}
	wantSeries(t, a, `l="1"`, `l="2"`, `l="overflow"`)
	wantSeries(t, b, `l="1"`)
	faults := w.want(t, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit, telltale.ReasonSeriesLimit)
	if !strings.Contains(faults[0].Error(), "the registry has its limit") || !strings.Contains(faults[0].Error(), "no scrape sees it") {
		t.Errorf("the fault is %v", faults[0])
	}
	if err := reg.Unregister(a); err != nil {
		t.Fatal(err)
	}
	a.With("3").Inc() // in no registry, so within no limit of one
	b.With("2").Set(1)
	b.With("3").Set(1)
	wantSeries(t, b, `l="1"`, `l="2"`, `l="3"`)
	wantSeries(t, a, `l="1"`, `l="2"`, `l="overflow"`, `l="3"`)
	register(t, reg, a) // with what it has
	b.Clear()
	b.With("1").Set(1)
	wantSeries(t, b)
	a.Remove("1")
	b.With("1").Set(1)
	wantSeries(t, b, `l="1"`)
}

// Idle series of a family give their room in the registry to those of others at the next
// collection, and one that comes back has none if others took it.
func TestTotalSeriesLimitWithIdleSeriesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(2), telltale.WithErrorHook(func(error) {}))
		in := telltale.In(reg)
		sessions := telltale.Must(telltale.NewCounterVec("sessions", "", []string{"l"}, in, telltale.WithIdleExpiry(idle)))
		others := telltale.Must(telltale.NewCounterVec("others", "", []string{"l"}, in))
		held := sessions.With("1")
		held.Inc()
		sessions.With("2").Inc()
		others.With("1").Inc()
		wantSeries(t, others, `l="overflow"`)
		for range 3 {
			time.Sleep(idle)
			page(t, reg)
		}
		wantSeries(t, sessions)
		others.With("1").Inc()
		others.With("2").Inc()
		wantSeries(t, others, `l="overflow"`, `l="1"`, `l="2"`)
		held.Inc()
		wantSeries(t, sessions, `l="overflow"`)
		others.Remove("1")
		sessions.With("3").Inc()
		wantSeries(t, sessions, `l="overflow"`, `l="3"`)
		if got := reg.Stats(); got.Series != 4 || got.Overflows["others"] != 1 || got.Overflows["sessions"] != 1 {
			t.Errorf("the registry has %d series and refused %v", got.Series, got.Overflows)
		}
	})
}

// A new series that finds no room in the registry has idle ones of other families leave,
// without a collection, unless they were looked at a moment ago.
func TestTotalSeriesLimitLooksForIdleSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(3), telltale.WithErrorHook(func(error) {}))
		in := telltale.In(reg)
		sessions := telltale.Must(telltale.NewCounterVec("sessions", "", []string{"l"}, in, telltale.WithIdleExpiry(idle)))
		others := telltale.Must(telltale.NewCounterVec("others", "", []string{"l"}, in))
		levels := telltale.Must(telltale.NewGaugeVec("levels", "", []string{"l"}, in))
		held := sessions.With("1")
		held.Inc()
		sessions.With("2").Inc()
		others.With("1").Inc()
		page(t, reg) // each life is seen by a look before it ends
		time.Sleep(idle)
		others.With("2").Inc()
		levels.With("1").Set(1)
		if got := reg.Stats(); got.Series != 3 || len(got.Overflows) != 0 {
			t.Errorf("the registry has %d series and refused %v", got.Series, got.Overflows)
		}
		wantSeries(t, sessions)
		wantSeries(t, others, `l="1"`, `l="2"`)
		held.Inc()
		others.With("3").Inc()
		wantSeries(t, others, `l="1"`, `l="2"`, `l="overflow"`)
		wantSeries(t, sessions, `l="overflow"`)
		if err := reg.Unregister(sessions); err != nil {
			t.Error(err)
		}
		others.With("4").Inc()
		if got := reg.Stats().Overflows["others"]; got != 2 {
			t.Errorf("it refused %d", got)
		}
	})
}

// Many goroutines that find no room at once, while idle series leave, stay within the
// limit and do not wait for each other for ever.
func TestTotalSeriesLimitContended(t *testing.T) {
	const limit = 50
	reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(limit), telltale.WithErrorHook(func(error) {}))
	in := telltale.In(reg)
	var vecs []*telltale.CounterVec
	for i := range 4 {
		vecs = append(vecs, telltale.Must(telltale.NewCounterVec(fmt.Sprint("c", i), "", []string{"l"}, in, telltale.WithIdleExpiry(time.Millisecond))))
	}
	const each = 2000
	together(8, func(g int) {
		for i := range each {
			vecs[(g+i)%4].With(fmt.Sprint(g, i%100)).Inc()
			if i%200 == 0 {
				page(t, reg)
			}
		}
	})
	if n := reg.Stats().Series; n > limit+4 {
		t.Errorf("there are %d series", n)
	}
}

// Misuse panics in strict mode, and this is one: a test sees what it would lose.
func TestSeriesLimitInStrictMode(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStrict(), telltale.WithFamilySeriesLimit(1))
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
	v.With("a")
	defer func() {
		var fault *telltale.Fault
		if err, _ := recover().(error); !errors.As(err, &fault) || fault.Reason != telltale.ReasonSeriesLimit {
			t.Errorf("it panicked with %v", err)
		}
		if v.Len() != 2 || v.Remove("x") { // no lock is held
			t.Errorf("there are %d series", v.Len())
		}
	}()
	v.With("b")
}

// Callers that create series at the same time exceed no limit, fall short of none, and
// lose no update.
func TestSeriesLimitIsExact(t *testing.T) {
	const goroutines, values, rounds = 8, 300, 5
	for name, opts := range map[string][]telltale.RegistryOption{
		"of a family":   {telltale.WithFamilySeriesLimit(100)},
		"of a registry": {telltale.WithTotalSeriesLimit(100)},
		"of both":       {telltale.WithTotalSeriesLimit(100), telltale.WithFamilySeriesLimit(60)},
	} {
		t.Run(name, func(t *testing.T) {
			for range rounds {
				reg := telltale.NewRegistry(opts...)
				var vecs []*telltale.CounterVec
				for _, name := range []string{"a", "b"} {
					vecs = append(vecs, telltale.Must(telltale.NewCounterVec(name, "", []string{"l"}, telltale.In(reg))))
				}
				together(goroutines, func(g int) {
					for i := range values {
						vecs[g%2].With(fmt.Sprint((i + g*37) % values)).Inc()
					}
				})
				series, sum := 0, 0.0
				for _, v := range vecs {
					texts, counted := seriesOf(t, v)
					for _, text := range texts {
						sum += counted[text]
						if text != `l="overflow"` {
							series++
						}
					}
				}
				want := 100
				if name == "of a family" {
					want = 200
				}
				if series != want || sum != goroutines*values {
					t.Fatalf("%d series count %v, want %d and %d", series, sum, want, goroutines*values)
				}
			}
		})
	}
}

// Room is counted right after any mix of creations and removals at the same time.
func TestSeriesLimitBesideRemovals(t *testing.T) {
	const limit, rounds = 50, 4
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range rounds {
		reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(limit))
		v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg)))
		var most atomic.Int64
		together(4, func(g int) {
			random := rand.New(rand.NewPCG(seed, uint64(round*4+g)))
			for range 1000 {
				l := fmt.Sprint(random.IntN(3 * limit))
				switch random.IntN(12) {
				case 0:
					v.Clear()
				case 1:
					v.RemoveMatching(map[string]string{"l": l})
				case 2, 3:
					v.Remove(l)
				case 4:
					v.Replace(func(next *telltale.CounterVec) { next.With(l).Inc() })
				default:
					v.With(l).Inc()
				}
				if n := int64(v.Len()); n > most.Load() {
					most.Store(n)
				}
			}
		})
		if n := most.Load(); n > limit+4+1 { // those of Replace, and that of overflow
			t.Errorf("there were %d series", n)
		}
		v.Clear()
		for i := range 2 * limit {
			v.With(fmt.Sprint(i)).Inc()
		}
		if v.Len() != limit+1 {
			t.Fatalf("in the end there is room for %d series, want %d", v.Len()-1, limit)
		}
	}
}

// Values that strangers invent cost neither memory nor allocations once the family is
// full, and are all counted.
func TestFloodOfInventedValues(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const flood, limit = 200_000, 1000
	reg := telltale.NewRegistry(telltale.WithFamilySeriesLimit(limit))
	open := telltale.Must(telltale.NewCounterVec("open", "", []string{"method", "code"}, telltale.In(reg)))
	declared := telltale.Must(telltale.NewCounterVec("declared", "", []string{"method", "code"}, telltale.In(reg), telltale.WithLabelValues("method", "GET", "POST")))
	for i := range limit + 1 {
		open.With(fmt.Sprint("M", i), "200").Inc()
		declared.With("GET", fmt.Sprint(i)).Inc()
	}
	invented := make([]string, 0, flood)
	for i := range flood {
		invented = append(invented, fmt.Sprint("INVENTED", i))
	}
	before := liveHeap()
	for _, method := range invented {
		open.With(method, "200").Inc()
		declared.With(method, "5").Inc()
	}
	if grown := liveHeap() - before; grown > 64<<10 {
		t.Errorf("%d invented values take %d bytes", flood, grown)
	}
	next := 0
	method := func() string { next++; return invented[next%flood] }
	budget(t, "With beyond the limit", 0, func() { open.With(method(), "200").Inc() })
	budget(t, "With of a value that was not declared", 0, func() { declared.With(method(), "5").Inc() })
	sum := 0.0
	_, values := seriesOf(t, open)
	for _, v := range values {
		sum += v
	}
	if want := float64(limit + 1 + flood + next/2); sum < want || len(values) != limit+1 {
		t.Errorf("%d series count %v, want at least %v", len(values), sum, want)
	}
	if got := reg.Stats().Overflows["open"]; got < flood {
		t.Errorf("%d overflows are counted", got)
	}
}
