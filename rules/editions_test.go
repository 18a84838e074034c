package rules_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/rules"
)

// labelled is what tests do with an instrument with labels of any type.
type labelled struct {
	update  func(values ...string)
	remove  func(values ...string)
	clear   func()
	replace func(fill func(update func(values ...string)))
}

// made returns an instrument with two labels of each type that has series with points of
// its own kind.
func made(reg *telltale.Registry) map[string]labelled {
	in, labels, expiry := telltale.In(reg), []string{"a", "b"}, telltale.WithIdleExpiry(time.Hour)
	counters := must(telltale.NewCounterVec("c", "", labels, in))
	expiring := must(telltale.NewCounterVec("x", "", labels, in, expiry))
	histograms := must(telltale.NewHistogramVec("h", "", labels, in, telltale.WithBuckets(1, 2)))
	summaries := must(telltale.NewSummaryVec("s", "", labels, in, telltale.WithQuantiles(0.5)))
	enums := must(telltale.NewEnumVec("e", "", labels, []string{"on", "off"}, in))
	infos := must(telltale.NewInfoVec("i", "", labels, in))
	return map[string]labelled{
		"c": ofVec(counters, (*telltale.Counter).Inc),
		"x": ofVec(expiring, (*telltale.Counter).Inc),
		"h": ofVec(histograms, func(h *telltale.Histogram) { h.Observe(1.5) }),
		"s": ofVec(summaries, func(s *telltale.Summary) { s.Observe(1.5) }),
		"e": ofVec(enums, func(e *telltale.Enum) { _ = e.Set("off") }),
		"i": ofVec(infos, func(i *telltale.Info) { _ = i.Set(map[string]string{"version": fmt.Sprint(rand.IntN(3))}) }),
	}
}

func ofVec[H any](v *telltale.Vec[H], update func(*H)) labelled {
	return labelled{
		func(values ...string) { update(v.With(values...)) },
		func(values ...string) { v.Remove(values...) },
		v.Clear,
		func(fill func(func(values ...string))) {
			v.Replace(func(next *telltale.Vec[H]) { fill(func(values ...string) { update(next.With(values...)) }) })
		},
	}
}

// What was decided about the series of an instrument is right in the next scrape,
// whatever its series are by then, also where families join.
func TestDecisionsFollowInstruments(t *testing.T) {
	list := []rules.Rule{
		rules.Drop("3", "b"), rules.Replace("a", "many", "[0-2]", "a"), rules.LabelDrop("z"),
		rules.Drop("0.5;4", "quantile", "a"), rules.Drop("1.0;4", "le", "a"), rules.Drop("on;4", "e", "a"), rules.Drop("2;4", "version", "a"),
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 31))
		quiet := telltale.WithErrorHook(func(error) {})
		one, other := telltale.NewRegistry(quiet), telltale.NewRegistry(quiet)
		both := telltale.NewRegistry(quiet)
		for i, reg := range []*telltale.Registry{one, other} {
			if err := both.Register(must(telltale.Labelled(reg, map[string]string{"pool": fmt.Sprint(i)}))); err != nil {
				t.Fatal(err)
			}
		}
		views := map[string]telltale.Collector{"one": one, "joined": both}
		kept := make(map[string]telltale.Collector)
		for name, c := range views {
			kept[name] = must(rules.New(c, list...))
		}
		all := []map[string]labelled{made(one), made(other)}
		for step := range 25 {
			for range r.IntN(12) {
				which := r.IntN(len(all))
				name := string("cxhsei"[r.IntN(6)])
				l, a, b := all[which][name], fmt.Sprint(r.IntN(6)), fmt.Sprint(r.IntN(5))
				switch r.IntN(12) {
				case 0, 1, 2:
					l.remove(a, b)
				case 3:
					l.clear()
				case 4:
					l.replace(func(update func(values ...string)) {
						update(a, b)
						update("4", b)
					})
				default:
					l.update(a, b)
				}
			}
			for name, c := range views {
				fresh := must(rules.New(c, list...)) // which remembers nothing
				if got, want := samples(t, kept[name]), samples(t, fresh); got != want {
					t.Fatalf("seed %d, step %d, %s:\n%s\nwant\n%s", seed, step, name, got, want)
				}
			}
		}
	}
}

var aloneOf = regexp.MustCompile(`(?m)^g\{a="(\d+)",b="(\d+)",of="(\d+)"\} (\d+)\.0$`)

// While series are removed, made again and replaced, no scrape shows one with what was
// decided about another.
func TestDecisionsStayWithTheirSeries(t *testing.T) {
	reg := telltale.NewRegistry()
	vec := must(telltale.NewGaugeVec("g", "", []string{"a", "b"}, telltale.In(reg)))
	const stay = 300
	scrapes := 100
	if raceEnabled {
		scrapes = 20
	}
	for i := range stay {
		vec.With(fmt.Sprint(i), fmt.Sprint(i%7)).Set(float64(i))
	}
	v := must(rules.New(reg, rules.Drop("3", "b"), rules.Replace("of", "$1", "(.*)", "b")))
	samples(t, v)
	var done atomic.Bool
	var writing, reading sync.WaitGroup
	for g := range 3 {
		writing.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for i := 0; !done.Load(); i++ {
				n := stay + r.IntN(60)
				switch a, b := fmt.Sprint(n), fmt.Sprint(n%7); {
				case i%500 == 499:
					vec.Replace(func(next *telltale.GaugeVec) {
						for i := range stay {
							next.With(fmt.Sprint(i), fmt.Sprint(i%7)).Set(float64(i))
						}
					})
				case r.IntN(2) == 0:
					vec.With(a, b).Set(float64(n))
				default:
					vec.Remove(a, b)
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			for range scrapes {
				text, err := telltale.GenerateLatest(v)
				if err != nil {
					t.Error(err)
				}
				there := 0
				for _, m := range aloneOf.FindAllStringSubmatch(string(text), -1) {
					if m[2] != m[3] || m[2] == "3" || m[1] != m[4] && m[4] != "0" { // which it has before it is set
						t.Errorf("a scrape shows %q", m[0])
					}
					if len(m[1]) < 3 || m[1] < fmt.Sprint(stay) {
						there++
					}
				}
				if want := stay - (stay+3)/7; there != want || strings.Contains(string(text), `b="3"`) {
					t.Errorf("%d of the series that stay are shown, want %d", there, want)
				}
			}
		})
	}
	reading.Wait()
	done.Store(true)
	writing.Wait()
}

// Families that are gone are forgotten, so that a collector whose families have other
// names each time costs no memory.
func TestFamiliesThatAreGoneAreForgotten(t *testing.T) {
	round := 0
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		for i := range 200 {
			name := fmt.Sprintf("f_%d_%d", round, i)
			f := must(model.NewFamily(name, "", model.Gauge))
			for n := range 20 {
				f.AddSample(name, map[string]string{"l": fmt.Sprint(n)}, 1)
			}
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	v := must(rules.New(reg, rules.Replace("b", "$1", "(.*)", "l")))
	var before uint64
	for round = range 95 {
		if err := telltale.WriteLatest(t.Context(), io.Discard, v); err != nil {
			t.Fatal(err)
		}
		if round == 20 {
			before = heapInUse()
		}
	}
	if after := heapInUse(); after > before+20<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	runtime.KeepAlive(v)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
