package rules_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/rules"
)

// zoo returns a registry with a family of each kind, some of a custom collector, which
// rules know less about.
func zoo(t testing.TB) *telltale.Registry {
	reg := shop(t)
	in := telltale.In(reg)
	_ = must(telltale.NewInfo("build", "", in)).Set(map[string]string{"version": "1", "a": "b"})
	_ = must(telltale.NewEnum("state", "", []string{"up", "down"}, in)).Set("up")
	must(telltale.NewSummaryVec("size_bytes", "", []string{"a"}, in)).With("x").Observe(3)
	both := must(telltale.NewHistogramVec("both_seconds", "", []string{"a"}, in, telltale.WithBuckets(0.5, 5), telltale.WithNativeBuckets(1.1)))
	both.With("x").Observe(1)
	both.With("y").Observe(7)
	loose := must(model.NewFamily("loose", "", model.Histogram))
	for _, le := range []string{"1.0", "+Inf"} {
		loose.AddSample("loose_bucket", map[string]string{"le": le, "a": "x"}, 2)
	}
	loose.AddSample("loose_odd", map[string]string{"a": "y"}, 3)
	states := must(model.NewFamily("quantiles", "", model.Summary))
	states.AddSample("quantiles", map[string]string{"quantile": "0.5", "a": "x"}, 2)
	states.AddSample("quantiles", map[string]string{"quantile": "0.9", "a": "x"}, 3)
	states.AddSample("quantiles_count", map[string]string{"a": "x"}, 3)
	if err := reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		return errors.Join(emit(loose), emit(states))
	})); err != nil {
		t.Fatal(err)
	}
	return reg
}

// reads fails if a page of c in any format cannot be read, or repeats a sample.
func reads(t testing.TB, c telltale.Collector, note string) {
	t.Helper()
	for _, format := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf} {
		var page bytes.Buffer
		enc := exposition.NewEncoder(&page, format)
		if err := errors.Join(c.Collect(context.Background(), enc.Encode), enc.Close()); err != nil {
			t.Fatalf("%v: %v\n%s", format, err, note)
		}
		text := page.String()
		parser := exposition.NewParser(&page, format)
		seen := make(map[string]bool)
		for {
			f, err := parser.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v: %v\n%s\n%q", format, err, note, text)
			}
			for s := range f.Samples() {
				key := fmt.Sprint(s.Name, s.Labels.Sorted(), s.NativeHistogram != nil)
				if seen[key] {
					t.Fatalf("%v: %s is twice on the page\n%s\n%s", format, key, note, text)
				}
				seen[key] = true
			}
		}
	}
}

// randomRules makes rules of text that strangers might give.
func randomRules(next func(n int) int) (list []rules.Rule) {
	pick := func(from ...string) string { return from[next(len(from))] }
	regexes := []string{"(.*)", ".+", "", "x|y", "requests_total", "(.*)_(bucket|count|sum|total)", ".*_bucket;(1.0|5.0)", "latency.*;.*", "(a|b|le)", "both_seconds", "state|build", "up", "0.5", "loose.*", "GET", "[a-m].*"}
	sources := []string{"__name__", "a", "le", "quantile", "method", "code", "state", "__tmp", "absent", "version"}
	for range 1 + next(5) {
		switch next(7) {
		case 0, 1:
			r := rules.Drop(pick(regexes...), pick(sources...), pick(sources...))
			if next(3) > 0 {
				r.SourceLabels = r.SourceLabels[:1]
			}
			if next(4) == 0 {
				r.Action = rules.ActionKeep
			}
			list = append(list, r)
		case 2, 3:
			list = append(list, rules.Replace(pick("a", "new", "le", "quantile", "state", "__tmp", "$1", "x.y", "method"), pick("$1", "", "v", "$1$1$1", "\n\"\\"), pick(regexes...), pick(sources...)))
		case 4:
			list = append(list, rules.LabelMap(pick(regexes...), pick("m_$1", "a", "le", "$1", "é")))
		case 5:
			r := rules.LabelDrop(pick(regexes...))
			if next(2) == 0 {
				r.Action = rules.ActionLabelKeep
			}
			list = append(list, r)
		case 6:
			r := rules.Rename(pick(regexes...), pick("n_$1", "$1_total", "$2", "queue", "new_$0", "a b", "${1}_x_$2"))
			r.KeepOld = next(2) == 0
			list = append(list, r)
		}
	}
	return list
}

// Whatever the rules, each page can be read and has each series once, and the second
// scrape, which remembers, shows what the first does.
func TestPagesStayValid(t *testing.T) {
	reg := zoo(t)
	reg.SetErrorHook(func(error) {})
	v := must(rules.New(reg))
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		list := randomRules(r.IntN)
		note := fmt.Sprintf("seed %d, rules %+v", seed, list)
		if err := v.Set(list...); err != nil {
			t.Fatalf("%s: %v", note, err)
		}
		first := samples(t, v)
		reads(t, v, note)
		if again := samples(t, v); again != first {
			t.Fatalf("%s: the first scrape shows\n%s\na later one\n%s", note, first, again)
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, "(.*)", "$1")
	f.Add([]byte{6, 1, 1, 1}, "requests(_total)", "x$1")
	f.Fuzz(func(t *testing.T, script []byte, regex, replacement string) {
		reg := zoo(t)
		reg.SetErrorHook(func(error) {})
		next := func(n int) int {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return int(b) % n
		}
		list := append(randomRules(next), rules.Replace("made", replacement, regex, "__name__", "a"))
		if replacement != "" {
			list = append(list, rules.Rename(regex, replacement).KeepingOld())
		}
		v, err := rules.New(reg, list...)
		if err != nil {
			t.Skip() // the regex is none
		}
		reads(t, v, fmt.Sprintf("rules %+v", list))
	})
}

// Rules are replaced, series come and go, and scrapes go on.
func TestRulesAreReplacedDuringScrapes(t *testing.T) {
	reg := shop(t)
	reg.SetErrorHook(func(error) {})
	vec := must(telltale.NewCounterVec("coming_total", "", []string{"a", "b"}, telltale.In(reg)))
	v := must(rules.New(reg))
	sets := [][]rules.Rule{{rules.Drop("5..", "code")}, {rules.LabelDrop("b"), rules.Replace("c", "$1", "(.*)", "a")}, {rules.Rename("coming_total", "going_total")}, nil}
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 200 {
			if err := v.Set(sets[i/7%len(sets)]...); err != nil {
				t.Error(err)
			}
			vec.With(fmt.Sprint(i%9), fmt.Sprint(i)).Inc()
			if i%3 == 0 {
				vec.Remove(fmt.Sprint(i/2%9), fmt.Sprint(i/2))
			}
		}
	})
	for range 3 {
		all.Go(func() {
			for range 60 {
				page, err := telltale.GenerateLatest(v)
				if err != nil || !strings.Contains(string(page), "queue 7.0") {
					t.Errorf("%v: %s", err, page)
				}
			}
		})
	}
	all.Wait()
	reads(t, v, "in the end")
}

// What is remembered of one scrape is right for the next whatever came and went.
func TestSeriesComeAndGo(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 9))
		reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		vec := must(telltale.NewGaugeVec("g", "", []string{"a", "b"}, telltale.In(reg)))
		list := []rules.Rule{rules.Drop("3", "b"), rules.Replace("a", "many", "[0-4]", "a"), rules.LabelDrop("c")}
		v := must(rules.New(reg, list...))
		for step := range 30 {
			for range r.IntN(8) {
				a, b := fmt.Sprint(r.IntN(9)), fmt.Sprint(r.IntN(5))
				if r.IntN(3) == 0 {
					vec.Remove(a, b)
				} else {
					vec.With(a, b).Set(float64(step))
				}
			}
			fresh := must(rules.New(reg, list...)) // which remembers nothing
			if got, want := samples(t, v), samples(t, fresh); got != want {
				t.Fatalf("seed %d, step %d:\n%s\nwant\n%s", seed, step, got, want)
			}
		}
	}
}
