//go:build unix

package metamorphic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"telltale/internal/apitest/shrink"
)

// op is one line of a script: a verb and its arguments.
type op []string

func (o op) String() string { return strings.Join(o, " ") }

func (o op) verb() string { return o[0] }

// arg returns an argument, "" if there are not so many.
func (o op) arg(i int) string {
	if i < len(o) {
		return o[i]
	}
	return ""
}

// opt returns the argument of the name, "" if there is none.
func (o op) opt(name string) string {
	for _, arg := range o[1:] {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
	}
	return ""
}

// value returns the number behind a series.
func (o op) value() float64 { return number(o.arg(4)) }

func number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err) // the script says nonsense
	}
	return v
}

// pairs returns the series of a replace, in order, and their values.
func (o op) pairs() (labels []string, values []float64) {
	for _, arg := range o[3:] {
		label, value, _ := strings.Cut(arg, "=")
		labels, values = append(labels, label), append(values, number(value))
	}
	return labels, values
}

func scriptText(ops []op) string {
	var b strings.Builder
	for _, o := range ops {
		b.WriteString(o.String() + "\n")
	}
	return b.String()
}

// parseScript reads a script. Empty lines and those that begin with # are left out.
func parseScript(text string) (ops []op, err error) {
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if least, ok := shapes[words[0]]; !ok || len(words) < least {
			return nil, fmt.Errorf("line %d is no operation: %q", n+1, line)
		}
		ops = append(ops, words)
	}
	return ops, nil
}

// shapes says how many words an operation has at least.
var shapes = map[string]int{
	"open": 2, "make": 4, "add": 5, "set": 5, "observe": 5, "crowd": 5, "remove": 4, "clear": 3, "replace": 4, "rest": 2, "elapse": 1,
	"kill": 2, "fold": 1, "copy": 2, "damage": 2, "litter": 2, "read": 1, "reopen": 1,
	"stop": 2, "mend": 2, "clone": 1, "crash": 5, "churn": 3, "python": 5, "mark": 2, "shift": 3, "reboot": 2,
}

// shorten returns a script that fails as well, with fewer operations and simpler
// arguments.
func shorten(ops []op, fails func([]op) bool) []op {
	for {
		before := scriptText(ops)
		ops = shrink.Fewer(ops, fails)
		for i := range ops {
			for _, simpler := range simplerOps(ops[i]) {
				if simpler := shrink.With(ops, i, simpler); fails(simpler) {
					ops = simpler
				}
			}
		}
		if scriptText(ops) == before {
			return ops
		}
	}
}

// simplerOps returns what an operation may be in place of what it is.
func simplerOps(o op) (simpler []op) {
	instead := func(i int, word string) {
		if o[i] != word {
			simpler = append(simpler, op(shrink.With(o, i, word)))
		}
	}
	switch o.verb() {
	case "open":
		for i := 2; i < len(o); i++ {
			simpler = append(simpler, slices.Delete(slices.Clone(o), i, i+1))
		}
	case "add", "set", "observe", "crowd", "crash", "python":
		instead(3, "x")
		instead(4, "1")
	case "elapse":
		if len(o) > 1 {
			simpler = append(simpler, o[:1])
		}
	case "make", "remove":
		instead(3, "x")
	case "replace":
		for i := 3; i < len(o); i++ {
			instead(i, o[i][:2]+"1")
			if len(o) > 4 {
				simpler = append(simpler, slices.Delete(slices.Clone(o), i, i+1))
			}
		}
	}
	return simpler
}
