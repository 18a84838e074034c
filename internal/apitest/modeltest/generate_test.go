package modeltest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes scripts. It runs them on a model as it makes them, so that
// most of their operations are possible.
type generator struct {
	random  *rand.Rand
	world   *world
	prefix  string // of label values
	counter int    // of objects
}

func newGenerator(seed uint64) *generator {
	return &generator{random: rand.New(rand.NewPCG(seed, 0)), world: newWorld()}
}

func pick[T any](g *generator, from ...T) T { return from[g.random.IntN(len(from))] }

// script returns a script of about the given number of operations.
func (g *generator) script(length int) []op {
	first := op{verb: "registry", args: []string{"R0"}}
	if g.random.IntN(3) == 0 {
		first.args = append(first.args, "total="+pick(g, "2", "5", "20"))
	}
	ops := []op{g.done(first)}
	for range 1 + g.random.IntN(4) {
		ops = append(ops, g.done(g.instrument()))
	}
	for len(ops) < length {
		ops = append(ops, g.done(g.any()))
	}
	return ops
}

// done does an operation with the generator's model.
func (g *generator) done(o op) op {
	g.world.play(o)
	return o
}

func (g *generator) new(letter string) string {
	g.counter++
	return fmt.Sprint(letter, g.counter)
}

// one returns the name of an object whose name begins with one of the letters.
func (g *generator) one(letters string) string {
	var names []string
	for _, name := range sorted(g.world.objects) {
		if strings.ContainsAny(name[:1], letters) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "R0"
	}
	return pick(g, names...)
}

func (g *generator) any() op {
	switch n := g.random.IntN(100); {
	case n < 2:
		o := op{verb: "registry", args: []string{g.new("R")}}
		if g.random.IntN(2) == 0 {
			o.args = append(o.args, "retention=0")
		}
		return o
	case n < 12:
		return g.instrument()
	case n < 16:
		return g.custom()
	case n < 18:
		return op{verb: "callback", args: []string{g.new("X"), g.one("R"), pick(g, "g1", "c1", "g3", "c3", "m"), "value=" + pick(g, "1.0", "2.0", "error", "panic")}}
	case n < 24:
		return g.view()
	case n < 30:
		return op{verb: "register", args: []string{g.one("R"), g.one("RFCXV")}}
	case n < 33:
		return op{verb: "unregister", args: []string{g.one("R"), g.one("RFCXV")}}
	case n < 34:
		o := op{verb: "target", args: []string{g.one("R")}}
		if g.random.IntN(3) > 0 {
			o.args = append(o.args, "set="+pick(g, "env:1", "a:1", "ver:2,os:x"))
		}
		return o
	case n < 40:
		return g.replace(g.one("F"), 1)
	case n < 55:
		return g.scrape()
	case n < 58:
		return g.sample()
	}
	return g.change(g.one("F"), g.random.IntN(5))
}

func (g *generator) instrument() op {
	kind := pick(g, "counter", "counter", "gauge", "gauge", "histogram", "native", "both", "summary", "quantiles", "info", "enum")
	name := kind[:1] + pick(g, "1", "2")
	switch {
	case g.random.IntN(8) == 0:
		name = "m"
	case kind == "gauge" && g.random.IntN(4) == 0:
		name = pick(g, "c1_total", "h1_count", "i1_info", "s1", "c1")
	}
	o := op{verb: "make", args: []string{g.new("F"), kind, g.one("R"), name}}
	if g.random.IntN(10) == 0 {
		o.args[2] = "-"
	}
	if n := g.random.IntN(4); n > 0 {
		o.args = append(o.args, fmt.Sprint("labels=", min(n, 2)))
		if g.random.IntN(3) == 0 {
			o.args = append(o.args, "limit="+pick(g, "1", "2", "3", "30"))
		}
		if g.random.IntN(4) == 0 {
			o.args = append(o.args, "declared=yes")
		}
		if g.random.IntN(6) == 0 {
			o.args = append(o.args, "initial=yes")
			if g.random.IntN(4) > 0 && !o.has("declared") { // else it is refused
				o.args = append(o.args, "declared=yes")
			}
		}
	}
	if g.random.IntN(6) == 0 {
		o.args = append(o.args, "const=u")
	}
	return o
}

func (g *generator) custom() op {
	o := op{verb: "collector", args: []string{g.new("C")}}
	for range g.random.IntN(4) {
		spec := pick(g, "g1", "g3", "g4", "c3", "c4", "m", "c1_total", "g3") + "/"
		for range g.random.IntN(4) {
			spec += fmt.Sprint(g.random.IntN(3), pick(g, "", "x", "y"), "/")
		}
		o.args = append(o.args, strings.TrimSuffix(spec, "/"))
	}
	if g.random.IntN(2) == 0 {
		o.args = append(o.args, "described=yes")
	}
	if g.random.IntN(2) == 0 {
		o.args = append(o.args, "fails="+pick(g, "error", "panic", "nil"), fmt.Sprint("after=", g.random.IntN(3)))
	}
	return distinctFamilies(o)
}

// distinctFamilies removes repeated families from a custom collector: another
// test checks what a registry makes of those.
func distinctFamilies(o op) op {
	var args []string
	seen := make(map[string]bool)
	for _, arg := range o.args {
		if _, _, ok := named(arg); !ok {
			name := parseLine(arg).name
			if seen[name] {
				continue
			}
			seen[name] = true
		}
		args = append(args, arg)
	}
	o.args = args
	return o
}

func (g *generator) view() op {
	kind := pick(g, "labelled", "prefixed", "restricted", "merged")
	o := op{verb: "view", args: []string{g.new("V"), kind, g.one("RFCXV")}}
	switch kind {
	case "labelled":
		// A constant label has the same value everywhere, so that no families join: the
		// model of joining (TestNestsOfViewsAgainstAModel of apitest) is for those that do.
		o.args = append(o.args, "add="+pick(g, "a:1", "z:1", "k:u", "z:1,y:1", "ver:3"))
	case "prefixed":
		o.args = append(o.args, "prefix="+pick(g, "p_", "c", "q"))
	case "restricted":
		var names []string
		for range g.random.IntN(4) {
			names = append(names, g.sampleName())
		}
		o.args = append(o.args, "names="+strings.Join(names, ","))
	case "merged":
		for range g.random.IntN(3) {
			o.args = append(o.args, g.one("RFCXV"))
		}
	}
	return o
}

func (g *generator) sampleName() string {
	return pick(g, "", "", "p_", "pp_") + pick(g, "c1", "c1_total", "c2_total", "g1", "g2", "g3", "m", "m_total", "h1", "h1_count", "h1_bucket", "h1_sum",
		"n1", "n1_count", "b1_sum", "s1", "s1_sum", "s2", "q1", "q1_count", "i1", "i1_info", "e1", "e2", "c3_total", "target_info", "target")
}

func (g *generator) scrape() op {
	o := op{verb: "scrape", args: []string{g.one("RRRFXV"), "how=" + pick(g, "text", "text", "openmetrics", "families", "visit")}}
	if o.opt("how") == "visit" {
		o.args = append(o.args, fmt.Sprint("at=", g.random.IntN(8)))
		for range 1 + g.random.IntN(6) {
			if g.random.IntN(6) == 0 {
				o.subs = append(o.subs, g.replace(g.one("F"), 1))
			} else {
				o.subs = append(o.subs, g.change(g.one("F"), g.random.IntN(5)))
			}
		}
	}
	return o
}

func (g *generator) sample() op {
	o := op{verb: "sample", args: []string{g.one("R"), g.sampleName()}}
	for _, label := range []string{"a", "b", "k", "z", "le"} {
		if g.random.IntN(3) == 0 {
			o.args = append(o.args, label+"="+map[string]string{"k": "u", "z": "1", "le": `"2.0"`}[label])
			if last := len(o.args) - 1; strings.HasSuffix(o.args[last], "=") {
				o.args[last] += g.value()
			}
		}
	}
	return o
}

func (g *generator) value() string {
	if g.random.IntN(8) == 0 {
		return g.prefix + fmt.Sprint(g.random.IntN(70)) // one of those that fill creates
	}
	if g.random.IntN(10) == 0 {
		return pick(g, "overflow", quote("\"\\"), quote("\n"), quote("\xff"), quote("é"), quote(""))
	}
	return g.prefix + pick(g, "x", "y", "z", "w")
}

// values returns label values for a family, now and then the wrong number of
// them.
func (g *generator) values(name string) (values []string) {
	f, ok := g.world.family(name)
	if !ok {
		return nil
	}
	n := len(f.labels)
	if n > 0 && name != "next" && g.random.IntN(40) == 0 {
		n = g.random.IntN(4)
	}
	for range n {
		values = append(values, g.value())
	}
	return values
}

func (g *generator) via() []string {
	if via := pick(g, "", "", "name", "curry", "type", "type"); via != "" {
		return []string{"via=" + via}
	}
	return nil
}

// change is an operation on series of a family, which may be "next".
func (g *generator) change(name string, choice int) op {
	f, ok := g.world.family(name)
	if !ok {
		return op{verb: "scrape", args: []string{"R0"}}
	}
	with := append(append([]string{name}, g.values(name)...), g.via()...)
	switch g.random.IntN(12) {
	case 0, 1:
		return op{verb: "remove", args: with}
	case 2:
		o := op{verb: "match", args: append([]string{name, pick(g, "a", "b") + "=" + g.value()}, g.via()...)}
		return o
	case 3:
		if g.random.IntN(3) == 0 {
			many := op{verb: pick(g, "fill", "drain"), args: append([]string{name, "n=" + pick(g, "5", "20", "70", "70", "300")}, g.via()...)}
			if g.random.IntN(2) == 0 {
				many.args = append(many.args, "back=yes")
			}
			if g.random.IntN(2) == 0 {
				many.args = append(many.args, "step="+pick(g, "2", "3", "7"))
			}
			return many
		}
		return op{verb: pick(g, "clear", "len", "init"), args: with}
	case 4:
		if name != "next" || choice == 0 {
			return op{verb: "hold", args: append([]string{g.new("H")}, with...)}
		}
	case 5, 6:
		if handles := sorted(g.world.handles); len(handles) > 0 {
			h := pick(g, handles...)
			return op{verb: "up", args: append([]string{h}, g.update(g.world.handles[h].of.kind)...)}
		}
	}
	return op{verb: "up", args: append(with, g.update(f.kind)...)}
}

// update returns the arguments of an update.
func (g *generator) update(kind string) []string {
	number := pick(g, "1", "2", "0.5", "4", "0.25", "3")
	switch kind {
	case "counter":
		switch g.random.IntN(12) {
		case 0:
			return []string{"reset=yes"}
		case 1:
			return []string{"add=" + pick(g, number, "-1"), "exemplar=" + pick(g, "t1", "t2")}
		case 2:
			return []string{"add=-1"}
		}
		return []string{"add=" + number}
	case "gauge":
		switch g.random.IntN(10) {
		case 0:
			return []string{"function=" + pick(g, "1.0", "2.0", "3.0", "panic", "", "")}
		case 1, 2, 3:
			return []string{"add=" + pick(g, number, "-"+number)}
		}
		return []string{"set=" + pick(g, number, "-"+number, "0")}
	case "histogram":
		if g.random.IntN(5) == 0 {
			return []string{"observe=" + pick(g, number, "8"), "exemplar=" + pick(g, "t1", "t2")}
		}
		return []string{"observe=" + pick(g, number, "8", "0")}
	case "native", "both", "summary", "quantiles":
		return []string{"observe=" + pick(g, number, "8", "0", "-"+number, "1024")}
	case "info":
		return []string{"set=" + pick(g, "ver:1", "ver:2,os:x", "os:y", "")}
	}
	return []string{"set=" + pick(g, "off", "on", "broken", "broken", "unknown")}
}

// replace is a Replace whose function does some operations, on the family that
// it fills in and on others.
func (g *generator) replace(name string, depth int) op {
	o := op{verb: "replace", args: append([]string{name}, g.via()...)}
	f, ok := g.world.family(name)
	if !ok {
		return o
	}
	next := f.begin()
	g.world.next = append(g.world.next, next)
	defer func() { g.world.next = g.world.next[:len(g.world.next)-1] }()
	for range g.random.IntN(6) {
		switch n := g.random.IntN(12); {
		case n == 0:
			o.subs = append(o.subs, g.change(g.one("F"), 1))
		case n == 1 && depth > 0:
			o.subs = append(o.subs, g.replace(pick(g, "next", name, g.one("F")), depth-1))
		case n == 2:
			o.subs = append(o.subs, op{verb: "scrape", args: []string{g.one("RF"), "how=text"}})
		case n == 3 && g.random.IntN(3) == 0:
			o.subs = append(o.subs, op{verb: "panic"})
		default:
			o.subs = append(o.subs, g.change("next", g.random.IntN(2)))
		}
	}
	return o
}
