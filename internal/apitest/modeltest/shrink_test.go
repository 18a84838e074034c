package modeltest

import (
	"slices"
	"strconv"
	"strings"

	"telltale/internal/apitest/shrink"
)

// shorten returns a script that fails as well, made shorter by leaving out
// operations and simpler by replacing arguments, as long as that succeeds.
func shorten(ops []op, fails func([]op) bool) []op {
	for {
		before := scriptText(ops)
		ops = shrink.Fewer(ops, fails)
		ops = flatter(ops, fails)
		for i := range ops {
			ops[i] = simpler(ops[i], func(o op) bool { return fails(shrink.With(ops, i, o)) })
		}
		if scriptText(ops) == before {
			return ops
		}
	}
}

// flatter replaces an operation by the operations within it.
func flatter(ops []op, fails func([]op) bool) []op {
	for i := 0; i < len(ops); i++ {
		for len(ops[i].subs) > 0 {
			flat := slices.Concat(ops[:i], ops[i].subs, ops[i+1:])
			if !fails(flat) {
				break
			}
			ops = flat
		}
	}
	return ops
}

// simpler simplifies an operation and those within it.
func simpler(o op, fails func(op) bool) op {
	o.subs = shrink.Fewer(o.subs, func(subs []op) bool { return fails(op{o.verb, o.args, subs}) })
	o.subs = flatter(o.subs, func(subs []op) bool { return fails(op{o.verb, o.args, subs}) })
	for i := range o.subs {
		o.subs[i] = simpler(o.subs[i], func(sub op) bool { return fails(op{o.verb, o.args, shrink.With(o.subs, i, sub)}) })
	}
	for i := 0; i < len(o.args); i++ {
		for _, args := range simplerArgs(o.args, i) {
			if fails(op{o.verb, args, o.subs}) {
				o.args = args
				i--
				break
			}
		}
	}
	return o
}

// simplerArgs returns simpler versions of an operation's arguments, each with a
// change to the one at i.
func simplerArgs(args []string, i int) (simpler [][]string) {
	instead := func(arg string) {
		changed := slices.Clone(args)
		changed[i] = arg
		simpler = append(simpler, changed)
	}
	name, value, isNamed := named(args[i])
	switch {
	case isNamed:
		simpler = append(simpler, slices.Delete(slices.Clone(args), i, i+1))
		if value == "2" && name == "labels" || value != "1" && (name == "add" || name == "set" || name == "observe") {
			instead(name + "=1")
		}
		if n, err := strconv.Atoi(value); err == nil && name == "n" && n > 1 {
			instead("n=" + strconv.Itoa(n/2))
			instead("n=" + strconv.Itoa(n-1))
		}
		if list := strings.Split(value, ","); len(list) > 1 {
			for _, one := range list {
				instead(name + "=" + one)
			}
		}
	case strings.Contains(args[i], "/"): // a family of a custom collector
		simpler = append(simpler, slices.Delete(slices.Clone(args), i, i+1))
		parts := strings.Split(args[i], "/")
		for n := 1; n < len(parts); n++ {
			instead(strings.Join(slices.Delete(slices.Clone(parts), n, n+1), "/"))
		}
	case i > 0 && strings.HasPrefix(args[i], `"`):
		instead("x")
	}
	return simpler
}
