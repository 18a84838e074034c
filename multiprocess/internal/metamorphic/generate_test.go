//go:build unix

package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes scripts. It follows them with a world, so that most of their
// operations can be done.
type generator struct {
	random   *rand.Rand
	world    *world
	floats   bool // values that have no exact sums
	epochs   bool
	editions bool
	damage   bool
	services bool
	pythons  bool
	clocks   bool
	expiries bool
	elapses  bool
	families []string
	labels   []string
	begun    int
}

// newScript makes a script from a seed.
func newScript(seed uint64) (ops []op) {
	g := &generator{random: rand.New(rand.NewPCG(seed, 1)), world: newWorld()}
	g.floats, g.epochs, g.editions, g.damage = g.one(3), g.one(4), g.one(2), g.one(4)
	g.services, g.pythons, g.clocks = g.one(6), g.one(4), g.one(4)
	g.expiries = g.one(3)
	if g.elapses = g.one(3); g.elapses {
		g.epochs, g.editions, g.damage, g.pythons, g.clocks = false, false, false, false, false
	}
	all := []string{"c0", "c1", "g0", "m0", "l0", "a0", "t0", "h0", "s0", "n0", "i0", "e0", "b0", "x0", "y0"}
	g.labels = []string{"x", "y", "z"}
	if g.one(3) { // much happens to one series
		all, g.labels = []string{pick(g, all...)}, g.labels[:1]
	}
	for _, name := range all {
		if g.elapses && name == "a0" { // series of the dead end by another clock
			continue
		}
		if len(all) == 1 || g.one(2) {
			g.families = append(g.families, name)
		}
	}
	if len(g.families) == 0 {
		g.families = []string{"c0"}
	}
	for range 10 + g.random.IntN(50) {
		switch o := g.any(); {
		case g.world.can(o):
			g.world.play(o)
			ops = append(ops, o)
		case o.arg(1) == "archive": // of which this world knows nothing
			ops = append(ops, o)
		}
	}
	return append(ops, op{"fold"}, op{"read"})
}

// one is true one time in n.
func (g *generator) one(n int) bool { return g.random.IntN(n) == 0 }

func pick[T any](g *generator, from ...T) T { return from[g.random.IntN(len(from))] }

func (g *generator) any() op {
	var living, all []string
	for _, p := range g.world.processes {
		all = append(all, p.name)
		if p.lives {
			living = append(living, p.name)
		}
	}
	if g.elapses && len(living) > 0 && g.one(12) {
		return g.elapse(living)
	}
	n := g.random.IntN(100)
	switch {
	case len(living) == 0 && n < 90 || n < 10 && len(living) < 5:
		return g.open()
	case n < 14:
		return op{"fold"}
	case n < 15:
		return op{"stop", g.stops()}
	case n < 17:
		return op{"read"}
	case n < 18:
		return op{"clone"}
	case n < 19:
		return op{"reopen"}
	case n < 21:
		return op{"litter", pick(g, "empty", "noise", "sparse", "directory", "dangling", "foreign")}
	case len(all) == 0:
		return g.open()
	case n < 24:
		return op{"copy", pick(g, all...)}
	case n < 25 && g.damage:
		return op{"damage", pick(g, all...)}
	case n < 27 && g.damage:
		return op{pick(g, "damage", "mend", "mend"), "archive"}
	case n < 28 && g.clocks:
		return pick(g, op{"shift", pick(g, all...), pick(g, "10m", "-10m")}, op{"reboot", pick(g, all...)})
	case n < 30 && g.pythons:
		return g.python(all)
	case len(living) == 0:
		return op{"fold"}
	case n < 33:
		return g.crash(living)
	case n < 38:
		return op{"kill", pick(g, living...)}
	case n < 41:
		return op{"rest", pick(g, living...)}
	}
	p, f := pick(g, living...), pick(g, g.families...)
	label := pick(g, g.labels...)
	switch {
	case n < 45:
		return op{"make", p, f, label}
	case n < 53:
		return op{"remove", p, f, label}
	case n < 55:
		return op{"clear", p, f}
	case n < 59:
		o := op{"replace", p, f}
		for _, label := range g.labels {
			if len(o) == 3 || g.one(2) {
				o = append(o, label+"="+g.number(f))
			}
		}
		return o
	}
	if !g.floats && n < 63 && strings.ContainsAny(f[:1], "cbghns") {
		return op{"crowd", p, f, label, pick(g, "0.5", "1", "2.25")} // in any order the sum is the same
	}
	verb := updates[f[0]]
	if f[0] == 'g' && g.one(2) {
		verb = "add"
	}
	return op{verb, p, f, label, g.number(f)}
}

// elapse is time in which series end, but for one that a process updates.
func (g *generator) elapse(living []string) op {
	if g.one(2) {
		return op{"elapse"}
	}
	return op{"elapse", pick(g, living...), pick(g, g.families...), pick(g, g.labels...), pick(g, "1", "2")}
}

// crash is the end of a process while it does something.
func (g *generator) crash(living []string) op {
	p, f := pick(g, living...), pick(g, g.families...)
	switch {
	case (f[0] == 'c' || f[0] == 'b') && g.one(3):
		return op{"churn", p, f}
	case !g.floats && strings.ContainsAny(f[:1], "cbghns"):
		return op{"crash", p, f, pick(g, g.labels...), pick(g, "0.5", "1", "2.25")}
	}
	return op{"kill", p}
}

// python is a process that used Python's client, or the death of one.
func (g *generator) python(all []string) op {
	p, f := pick(g, all...), pick(g, g.families...)
	if g.world.process(p).python {
		return op{"mark", p}
	}
	if pythonFiles[f[0]] == "" {
		return op{"fold"}
	}
	g.begun++
	return op{"python", fmt.Sprint("q", g.begun), f, pick(g, g.labels...), g.number(f)}
}

func (g *generator) open() op {
	g.begun++
	o := op{"open", fmt.Sprint("p", g.begun)}
	if g.epochs && !g.one(4) {
		o = append(o, "epoch="+pick(g, "e1", "e2", "e3"))
	}
	if g.services && !g.one(3) {
		o = append(o, "service="+pick(g, "s1", "s2"))
	}
	if g.editions && g.one(2) {
		o = append(o, "edition=2")
	}
	if g.elapses && !g.one(4) {
		o = append(o, "expiry="+brief.String())
	} else if g.expiries && !g.elapses && !g.one(4) {
		o = append(o, "expiry="+pick(g, "1000h", "2000h")) // which no script takes
	}
	return o
}

// number is a value: a whole one, one whose sums are exact, or any.
func (g *generator) number(family string) string {
	v := pick(g, 1, 2, 3, 10, 1e6, 1<<30)
	switch {
	case g.one(2):
	case g.floats:
		v = pick(g, 0.1, 0.7, 1e-9, 3.3, 1.5, 1e15+0.3, 1e16, 1e16+2)
	default:
		v = float64(g.random.IntN(10240)) / 1024
	}
	if updates[family[0]] == "add" && v >= 1e16 {
		v = 4e15 + 0.5 // whole numbers of a counter are in one word until it is almost full
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
