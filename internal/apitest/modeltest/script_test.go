package modeltest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// op is one line of a script: a verb, its object, and the arguments. Arguments
// with a name, such as labels=1, may stand anywhere.
type op struct {
	verb string
	args []string
	subs []op
}

// quote writes an argument in the form of scripts.
func quote(value string) string {
	for _, r := range value {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return strconv.Quote(value)
		}
	}
	if value == "" {
		return `""`
	}
	return value
}

// unquote is the inverse of quote.
func unquote(arg string) string {
	if value, err := strconv.Unquote(arg); err == nil {
		return value
	}
	return arg
}

func (o op) String() string {
	var b strings.Builder
	o.write(&b, "")
	return b.String()
}

func (o op) write(b *strings.Builder, indent string) {
	b.WriteString(indent + strings.Join(append([]string{o.verb}, o.args...), " ") + "\n")
	for _, sub := range o.subs {
		sub.write(b, indent+"\t")
	}
}

func scriptText(ops []op) string {
	var b strings.Builder
	for _, o := range ops {
		o.write(&b, "")
	}
	return b.String()
}

// parseScript reads a script. It skips empty lines and lines that begin with #.
func parseScript(text string) (ops []op, err error) {
	for n, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		o := op{verb: fields[0], args: fields[1:]}
		depth := len(line) - len(strings.TrimLeft(line, "\t"))
		into := &ops
		for range depth {
			if len(*into) == 0 {
				return nil, fmt.Errorf("line %d is indented too far", n+1)
			}
			into = &(*into)[len(*into)-1].subs
		}
		*into = append(*into, o)
	}
	return ops, nil
}

// named splits an argument such as labels=1. Quoted values have no name.
func named(arg string) (name, value string, ok bool) {
	if strings.HasPrefix(arg, `"`) {
		return "", "", false
	}
	return strings.Cut(arg, "=")
}

// opt returns the argument with the name, or "" if there is none.
func (o op) opt(name string) string {
	for _, arg := range o.args {
		if n, value, ok := named(arg); ok && n == name {
			return unquote(value)
		}
	}
	return ""
}

func (o op) has(name string) bool {
	return slices.ContainsFunc(o.args, func(arg string) bool {
		n, _, ok := named(arg)
		return ok && n == name
	})
}

// on returns the first argument.
func (o op) on() string { return o.arg(0) }

// arg returns the i-th argument without a name, or "" if there are fewer.
func (o op) arg(i int) string {
	if plain := o.plain(0); i < len(plain) {
		return plain[i]
	}
	return ""
}

// plain returns the arguments without names, from index one on.
func (o op) plain(from int) (plain []string) {
	for _, arg := range o.args {
		if _, _, ok := named(arg); !ok {
			plain = append(plain, unquote(arg))
		}
	}
	return plain[min(from, len(plain)):]
}

// number returns an argument as a number, or 0 if it is not one.
func (o op) number(name string) float64 {
	v, _ := strconv.ParseFloat(o.opt(name), 64)
	return v
}

// pairs returns an argument such as set=ver:1,os:linux.
func (o op) pairs(name string) map[string]string {
	pairs := make(map[string]string)
	for _, pair := range strings.Split(o.opt(name), ",") {
		if k, v, ok := strings.Cut(pair, ":"); ok {
			pairs[k] = v
		}
	}
	return pairs
}
