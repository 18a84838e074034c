package rules_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/rules"
)

var modelSeed = flag.Uint64("rules.seed", 0, "the only seed of TestModelOfRules and TestModelOfRulesOnStores; 0 for several")

// sample is a line of a page.
type sample struct {
	name, value string
	labels      map[string]string
}

func (s sample) String() string {
	var b strings.Builder
	b.WriteString(s.name)
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		fmt.Fprintf(&b, " %s=%q", name, s.labels[name])
	}
	return b.String()
}

var (
	sampleLine = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)$`)
	labelPair  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// read returns the samples of a page whose label values need no escapes.
func read(t testing.TB, page string) (all []sample) {
	t.Helper()
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := sampleLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("the line %q is no sample", line)
		}
		s := sample{name: m[1], value: m[3], labels: make(map[string]string)}
		for _, pair := range labelPair.FindAllStringSubmatch(m[2], -1) {
			s.labels[pair[1]] = pair[2]
		}
		all = append(all, s)
	}
	return all
}

// plainly applies rules to samples as their documentation says, one sample after the
// other. Each sample is a series, as for counters and gauges.
func plainly(list []rules.Rule, samples []sample) (left []sample) {
	for _, s := range samples {
		left = append(left, one(list, s)...)
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(left, func(s sample) bool {
		again := seen[s.String()]
		seen[s.String()] = true
		return again
	})
}

var regexes sync.Map

func anchored(regex string) *regexp.Regexp {
	if found, ok := regexes.Load(regex); ok {
		return found.(*regexp.Regexp)
	}
	made := regexp.MustCompile("^(?s:" + regex + ")$")
	regexes.Store(regex, made)
	return made
}

// one returns what rules leave of a sample, which is more than one if old names are kept.
func one(list []rules.Rule, s sample) (left []sample) {
	s.labels = maps.Clone(s.labels)
	for i, r := range list {
		regex := anchored(r.Regex)
		var sources []string
		for _, name := range r.SourceLabels {
			if name == "__name__" {
				sources = append(sources, s.name)
			} else {
				sources = append(sources, s.labels[name])
			}
		}
		value := strings.Join(sources, r.Separator)
		groups := regex.FindStringSubmatchIndex(value)
		switch r.Action {
		case rules.ActionKeep, rules.ActionDrop:
			if (groups != nil) == (r.Action == rules.ActionDrop) {
				return left
			}
		case rules.ActionReplace:
			if groups == nil {
				continue
			}
			target := string(regex.ExpandString(nil, r.TargetLabel, value, groups))
			s.labels[target] = string(regex.ExpandString(nil, r.Replacement, value, groups))
		case rules.ActionLabelDrop, rules.ActionLabelKeep:
			maps.DeleteFunc(s.labels, func(name, _ string) bool {
				return regex.MatchString(name) == (r.Action == rules.ActionLabelDrop)
			})
		case rules.ActionLabelMap:
			for name, value := range maps.Clone(s.labels) {
				if groups := regex.FindStringSubmatchIndex(name); groups != nil {
					s.labels[string(regex.ExpandString(nil, r.Replacement, name, groups))] = value
				}
			}
		case rules.ActionRename:
			groups := regex.FindStringSubmatchIndex(s.name)
			if groups == nil {
				continue
			}
			if r.KeepOld {
				left = append(left, one(list[i+1:], s)...)
			}
			s.name = string(regex.ExpandString(nil, r.Replacement, s.name, groups))
		}
		maps.DeleteFunc(s.labels, func(_, value string) bool { return value == "" })
	}
	maps.DeleteFunc(s.labels, func(name, _ string) bool { return strings.HasPrefix(name, "__") })
	return append(left, s)
}

// candidates are rules about what the worlds of these tests have.
func candidates() []rules.Rule {
	return []rules.Rule{
		rules.Drop("3", "b"),
		rules.Drop("x_total;[0-2]", "__name__", "a"),
		rules.Drop("g"),
		rules.Keep("(c|x)_total|.*g|moved.*"),
		rules.Keep("[0-4]|overflow", "a"),
		rules.Replace("a", "many", "[0-2]", "a"),
		rules.Replace("of_$1", "$2", "([ab]?)(.*)", "b"),
		rules.Replace("__hidden", "$1", "(.*)", "a"),
		rules.Replace("a", "$1", "(.*)", "__hidden"),
		rules.Replace("b", "", "[1-2]", "b"),
		rules.LabelDrop("b"),
		rules.LabelDrop("z|pool"),
		rules.LabelKeep("a|pool|of.*"),
		rules.LabelMap("(a|b)", "copy_$1"),
		rules.Rename("(x)_total", "moved_${1}_total").KeepingOld(),
		rules.Rename("g", "renamed_g"),
	}
}

// chosen returns some of them, in any order, each rename at most once so that no two
// families get one name.
func chosen(r *rand.Rand) (list []rules.Rule) {
	all := candidates()
	for _, i := range r.Perm(len(all))[:r.IntN(6)] {
		list = append(list, all[i])
	}
	return list
}

// sorted returns samples in the order of their names and labels, with their values.
func sorted(samples []sample) string {
	lines := make([]string, 0, len(samples))
	for _, s := range samples {
		lines = append(lines, s.String()+" "+s.value)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// program is a registry with instruments whose series come and go in every way, and the
// handles that it holds.
type program struct {
	vecs map[string]*telltale.CounterVec
	g    *telltale.GaugeVec
	held []*telltale.Counter
}

func newProgram(reg *telltale.Registry, expiry time.Duration) *program {
	in, labels := telltale.In(reg), []string{"a", "b"}
	return &program{
		vecs: map[string]*telltale.CounterVec{
			"c": must(telltale.NewCounterVec("c", "", labels, in, telltale.WithSeriesLimit(8))),
			"x": must(telltale.NewCounterVec("x", "", labels, in, telltale.WithSeriesLimit(6), telltale.WithIdleExpiry(expiry))),
		},
		g: must(telltale.NewGaugeVec("g", "", labels, in, telltale.WithGaugeMode(telltale.ModeSum))),
	}
}

// step does something, and returns what.
func (p *program) step(r *rand.Rand) string {
	name := string("cx"[r.IntN(2)])
	vec, a, b := p.vecs[name], fmt.Sprint(r.IntN(6)), fmt.Sprint(r.IntN(4))
	switch n := r.IntN(100); {
	case n < 30:
		vec.With(a, b).Inc()
		return fmt.Sprint("inc ", name, a, b)
	case n < 45:
		h := vec.With(a, b)
		p.held = append(p.held, h)
		return fmt.Sprint("hold ", name, a, b)
	case n < 65 && len(p.held) > 0:
		i := r.IntN(len(p.held))
		p.held[i].Add(1.5)
		return fmt.Sprint("add to handle ", i)
	case n < 75:
		p.g.With(a, b).Add(2)
		return fmt.Sprint("add to gauge ", a, b)
	case n < 90:
		vec.Remove(a, b)
		p.g.Remove(a, b)
		return fmt.Sprint("remove ", name, a, b)
	case n < 93:
		vec.RemoveMatching(map[string]string{"a": a})
		return fmt.Sprint("remove all of ", name, a)
	case n < 95:
		vec.Clear()
		return "clear " + name
	case n < 98:
		vec.Replace(func(next *telltale.CounterVec) {
			next.With(a, b).Inc()
			p.held = append(p.held, next.With("1", b))
		})
		return fmt.Sprint("replace ", name, a, b)
	}
	p.held = nil
	return "let handles go"
}

// A page through rules is what the rules leave of the page without them, whatever series
// do: limits, expiry, handles that are held, families that join.
func TestModelOfRules(t *testing.T) {
	seeds := 40
	if testing.Short() || raceEnabled {
		seeds = 5
	}
	for n := range seeds {
		seed := cmp.Or(*modelSeed, uint64(n)+1)
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			quiet := telltale.WithErrorHook(func(error) {})
			both := telltale.NewRegistry(quiet)
			var programs []*program
			for i := range 2 {
				reg := telltale.NewRegistry(quiet)
				programs = append(programs, newProgram(reg, 8*time.Second))
				if err := both.Register(must(telltale.Labelled(reg, map[string]string{"pool": fmt.Sprint(i)}))); err != nil {
					t.Fatal(err)
				}
			}
			alone := telltale.NewRegistry(quiet)
			programs = append(programs, newProgram(alone, 8*time.Second))
			list := chosen(r)
			views := map[*telltale.Registry]*rules.View{both: must(rules.New(both, list...)), alone: must(rules.New(alone, list...))}
			var script []string
			for range 120 {
				time.Sleep(time.Second)
				switch r.IntN(12) {
				case 0:
					list = chosen(r)
					script = append(script, fmt.Sprint("rules ", list))
					for _, v := range views {
						if err := v.Set(list...); err != nil {
							t.Fatal(err)
						}
					}
				case 1:
					time.Sleep(time.Duration(r.IntN(12)) * time.Second)
					script = append(script, "wait")
				default:
					script = append(script, programs[r.IntN(len(programs))].step(r))
				}
				for reg, v := range views {
					want := sorted(plainly(list, read(t, samples(t, reg))))
					if got := sorted(read(t, samples(t, v))); got != want {
						t.Fatalf("-rules.seed %d: the page is\n%s\nwant\n%s\nafter\n%s", seed, got, want, strings.Join(script, "\n"))
					}
				}
			}
		})
		if t.Failed() || *modelSeed != 0 {
			return
		}
	}
}
