package modeltest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

// A script may have operations on several goroutines, those of each under a
// "go". Each goroutine has series or families of its own, so that the result
// does not depend on their order. Names mark what they share:
//
//   - A series whose label is "shared" stays, and all only add to it. It is on every
//     page, and its total, count and buckets never fall.
//   - The family c9 is filled by Replace alone. Its series all have the same whole
//     number, that of its Replace, and more halves; pages show either all of the old
//     or all of the new.
//   - The family c8 is anybody's. Nothing is known of it but that no series is on a
//     page twice.

// runConcurrently runs a script with several goroutines while others scrape. It
// returns the first difference.
func runConcurrently(ops []op) *difference {
	w, l := newWorld(), newLibrary()
	var scripts [][]op
	for _, o := range ops {
		if o.verb == "go" {
			scripts = append(scripts, o.subs)
		} else if _, can := w.play(o); can {
			l.play(o)
		}
	}
	page, ok := l.objects["R0"].(*telltale.Registry)
	if !ok {
		return nil
	}
	var mu sync.Mutex
	var wrong *difference
	fail := func(kind, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if wrong == nil {
			wrong = &difference{kind, fmt.Sprintf(format, args...)}
		}
	}
	// Answers to a goroutine about its own series do not depend on other
	// goroutines.
	answers := make([][]string, len(scripts))
	for i, script := range scripts {
		for _, o := range script {
			answer, can := w.play(o)
			if !can {
				answer = "cannot"
			}
			answers[i] = append(answers[i], answer)
		}
	}
	var working, watching sync.WaitGroup
	for i, script := range scripts {
		own := &library{objects: maps.Clone(l.objects), handles: make(map[string]handle)}
		working.Go(func() {
			for n, o := range script {
				if answers[i][n] == "cannot" {
					continue
				}
				if got := own.play(o); got != answers[i][n] && o.verb != "replace" && !strings.Contains(o.String(), "shared") && own.ownAlone(o) {
					fail("answer", "go %d, %sthe answer is %s, want %s", i, o, got, answers[i][n])
				}
			}
		})
	}
	done := make(chan struct{})
	for i := range 3 {
		watching.Go(func() {
			seen := watcher{fail: fail, last: make(map[string]float64)}
			for last := false; ; {
				seen.scrape(page, i)
				select {
				case <-done:
					last = true
				default:
				}
				if last {
					return
				}
			}
		})
	}
	working.Wait()
	close(done)
	watching.Wait()
	if wrong == nil {
		compareInTheEnd(w, l, fail)
	}
	return wrong
}

// ownAlone reports whether the operation is not on the family that all
// goroutines change.
func (l *library) ownAlone(o op) bool { return o.on() != "F8" && o.verb != "len" }

// play does an operation with those within it.
func (l *library) play(o op) string {
	if o.verb == "replace" {
		l.instrument(o.on()).replace(o.opt("via"), func(next instrument) {
			l.next = append(l.next, next)
			defer func() { l.next = l.next[:len(l.next)-1] }()
			for _, sub := range o.subs {
				l.play(sub)
			}
		})
		return fine
	}
	return l.do(o)
}

// watcher scrapes while others work.
type watcher struct {
	fail  func(kind, format string, args ...any)
	last  map[string]float64 // values that must not fall
	round float64            // of c9
}

// scrape reads a page in one of three ways and checks it.
func (w *watcher) scrape(r *telltale.Registry, way int) {
	var lines []string
	var err error
	switch way {
	case 0:
		var b bytes.Buffer
		err = telltale.WriteLatest(context.Background(), &b, r)
		lines = strings.Split(b.String(), "\n")
	case 1:
		for f, failed := range r.Families(context.Background()) {
			if err = failed; err == nil {
				lines = append(lines, samplesOf(f)...)
			}
		}
	case 2:
		err = r.Collect(context.Background(), func(f *model.Family) error {
			lines = append(lines, samplesOf(f)...)
			return nil
		})
	}
	if err != nil {
		w.fail("error", "a scrape fails: %v", err)
	}
	seen := make(map[string]float64)
	rounds := make(map[float64]int)
	for _, line := range lines {
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		key := line[:at]
		value, _ := strconv.ParseFloat(line[at+1:], 64)
		if _, twice := seen[key]; twice {
			w.fail("twice", "on one page twice: %s", key)
		}
		seen[key] = value
		if strings.HasPrefix(key, "c9_total") {
			rounds[math.Floor(value)]++
		}
		if !strings.Contains(key, `a="shared`) || strings.HasPrefix(key, "g") || strings.Contains(key, "quantile") {
			continue
		}
		if value < w.last[key] {
			w.fail("fell", "%s fell from %v to %v", key, w.last[key], value)
		}
		w.last[key] = value
	}
	for key, value := range w.last {
		if _, there := seen[key]; !there {
			w.fail("missing", "%s is not on the page, where it was %v before", key, value)
		}
	}
	for round := range rounds {
		if len(rounds) > 1 || round < w.round {
			w.fail("torn", "the series of c9 by the number of their Replace: %v, after number %v", rounds, w.round)
		}
		w.round = round
	}
}

func samplesOf(f *model.Family) (lines []string) {
	for s := range f.Samples() {
		if s.NativeHistogram == nil && !strings.HasSuffix(s.Name, "_created") {
			lines = append(lines, text{name: s.Name, labels: s.Labels.Text(), value: number(s.Value)}.String())
		}
	}
	return lines
}

// compareInTheEnd compares all pages, ignoring the order of families and series,
// and the counts of misuse.
func compareInTheEnd(w *world, l *library, fail func(kind, format string, args ...any)) {
	known := func(page string) []string {
		lines := strings.Split(page, "\n")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "c8_total{") })
		slices.Sort(lines)
		return lines
	}
	for _, name := range sorted(w.objects) {
		r, ok := w.objects[name].(*registry)
		if !ok {
			continue
		}
		var b bytes.Buffer
		if err := telltale.WriteLatest(context.Background(), &b, l.collector(name)); err != nil {
			fail("error", "the last scrape fails: %v", err)
		}
		got, want := known(plain(b.String())), known(collect(r).textPage())
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				fail("end", "in the end %s has, in order of lines,\n%s\nwant\n%s", name, around(got, i), around(want, i))
				return
			}
		}
		stats := l.objects[name].(*telltale.Registry).Stats()
		for _, reason := range []telltale.Reason{telltale.ReasonArity, telltale.ReasonInvalidUTF8, telltale.ReasonNegative, telltale.ReasonUnknownState, telltale.ReasonUnknownLabel} {
			if n, want := stats.Faults[reason], r.faults[string(reason)].least; n != want {
				fail("misuse", "%s counts %d faults %q, want %d", name, n, reason, want)
			}
		}
	}
}

// around returns the line and the lines around it.
func around(lines []string, i int) string {
	return "\t" + strings.Join(lines[min(len(lines), max(0, i-2)):min(len(lines), i+3)], "\n\t")
}

// TestModelConcurrently runs scripts of several goroutines. A failing script is
// shortened for a limited time, since it may not fail each time.
func TestModelConcurrently(t *testing.T) {
	scripts := 0
	for end := time.Now().Add(budget() / 4); time.Now().Before(end) && !t.Failed(); scripts++ {
		seed := *modelSeed
		if seed == 0 {
			seed = nextSeed(scripts)
		}
		if wrong := runContest(seed); wrong != nil {
			t.Errorf("-model.seed %d: in a contest, %v", seed, wrong)
			break
		}
		ops := concurrentScript(seed)
		wrong := runConcurrently(ops)
		if wrong == nil {
			continue
		}
		until := time.Now().Add(30 * time.Second)
		short := shorten(ops, func(ops []op) bool {
			for range 20 {
				if time.Now().After(until) {
					return false
				}
				if again := runConcurrently(ops); again != nil && again.kind == wrong.kind {
					return true
				}
			}
			return false
		})
		t.Errorf("-model.seed %d: %v\n\nThis fails at times:\n\n%s", seed, wrong, scriptText(short))
	}
	t.Logf("%d scripts", scripts)
}

// concurrentScript makes a script of several goroutines.
func concurrentScript(seed uint64) []op {
	g := newGenerator(seed)
	var ops []op
	setUp := func(line string) {
		o, err := parseScript(line)
		if err != nil {
			panic(err)
		}
		ops = append(ops, g.done(o[0]))
	}
	setUp("registry R0")
	setUp("registry R1 retention=0")
	families := []string{"counter R0 c1", "gauge R0 g1", "histogram R0 h1", "native R1 n1", "both R0 b1", "summary R1 s1", "quantiles R0 q1", "counter R0 c8", "counter R0 c9"}
	for i, f := range families {
		setUp(fmt.Sprintf("make F%d %s labels=1", i+1, f))
	}
	setUp("make F10 info R0 i1 labels=1")
	setUp("make F11 enum R1 e1 labels=1")
	setUp("make F12 counter R1 c5 labels=1")
	setUp("register R0 R1")
	setUp("view V1 prefixed F1 prefix=p_")
	setUp("register R0 V1")
	shared := []string{"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F12"}
	for _, f := range shared {
		setUp("up " + f + " shared add=0")
	}
	own := append(slices.Clone(shared), "F10", "F11")
	for i := range 2 + g.random.IntN(5) {
		g.prefix, g.counter = fmt.Sprintf("t%d", i), 1000*(i+1)
		g.world.handles = make(map[string]*series) // handles of other goroutines are not its own
		o := op{verb: "go"}
		for range 20 + g.random.IntN(200) {
			switch n := g.random.IntN(20); {
			case n < 6:
				f := pick(g, shared...)
				o.subs = append(o.subs, g.done(op{verb: "up", args: append([]string{f, "shared"}, g.addition(g.world.objects[f].(*family).kind)...)}))
			case n < 8:
				o.subs = append(o.subs, g.done(g.anybodys("F8")))
			default:
				o.subs = append(o.subs, g.done(g.alone(pick(g, own...))))
			}
		}
		ops = append(ops, o)
	}
	o := op{verb: "go"}
	for round := range 5 + g.random.IntN(40) {
		for _, done := range g.round("F9", round+1) {
			o.subs = append(o.subs, g.done(done))
		}
	}
	return append(ops, o)
}

// addition is an update that all goroutines may do to a shared series.
func (g *generator) addition(kind string) []string {
	switch kind {
	case "counter":
		return []string{"add=" + pick(g, "1", "1", "0.5", "2", "1099511627776")}
	case "gauge":
		return []string{"add=" + pick(g, "1", "-2", "0.5")}
	}
	return []string{"observe=" + pick(g, "1", "0.5", "2", "8")}
}

// alone is an operation on series of the goroutine.
func (g *generator) alone(name string) op {
	if g.random.IntN(15) == 0 {
		return op{verb: pick(g, "fill", "drain"), args: []string{name, "n=" + pick(g, "5", "70"), "prefix=" + g.prefix}}
	}
	for {
		o := g.change(name, 0)
		if o.verb == "clear" || o.verb == "len" || o.verb == "fill" || o.verb == "drain" || o.opt("function") == "panic" {
			continue
		}
		if values := o.plain(1); o.verb == "hold" && !strings.HasPrefix(o.arg(2), g.prefix) || len(values) > 0 && o.verb != "hold" && !strings.HasPrefix(values[0], g.prefix) {
			continue // values such as "\n" are shared
		}
		if o.verb == "match" && !strings.HasPrefix(o.opt("a"), g.prefix) {
			continue
		}
		return o
	}
}

// anybodys is an operation on the family that all goroutines change.
func (g *generator) anybodys(name string) op {
	value := pick(g, "x", "y", "z")
	switch g.random.IntN(6) {
	case 0:
		return op{verb: "clear", args: []string{name}}
	case 1:
		return op{verb: "remove", args: []string{name, value}}
	case 2:
		return op{verb: "match", args: []string{name, "a=" + value}}
	}
	return op{verb: "up", args: []string{name, value, "add=1"}}
}

// round is a Replace with five series, and an addition to one of them
// afterwards.
func (g *generator) round(name string, round int) []op {
	o := op{verb: "replace", args: append([]string{name}, g.via()...)}
	handle := g.new("H")
	for i := range 5 {
		value := fmt.Sprint("r", i)
		if i == 0 {
			o.subs = append(o.subs, op{verb: "hold", args: []string{handle, "next", value}})
			o.subs = append(o.subs, op{verb: "up", args: []string{handle, fmt.Sprint("add=", round)}})
			continue
		}
		o.subs = append(o.subs, op{verb: "up", args: []string{"next", value, fmt.Sprint("add=", round)}})
	}
	return []op{o, {verb: "up", args: []string{handle, "add=0.5"}}, {verb: "up", args: []string{name, "r1", "add=0.25"}}}
}
