//go:build unix

package metamorphic

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"telltale/multiprocess"
)

// crash has a process end while it does an operation.
func (r *run) crash(o op) error {
	w := r.writers[o.arg(1)]
	delete(r.writers, o.arg(1))
	w.beat() // as before a kill
	return w.crash(o)
}

// crash does the operation, and ends.
func (p *inner) crash(o op) error { return errors.Join(p.do(o), p.kill()) }

// crash kills the process at some moment.
func (p *outer) crash(o op) error {
	_, err := io.WriteString(p.in, strings.Join(append(o, "forever"), " ")+"\n")
	time.Sleep(rand.N(20 * time.Millisecond))
	return errors.Join(err, p.kill())
}

// churn makes, updates, removes and replaces series of a family.
func (i *instruments) churn(family string, rounds int) error {
	for range rounds {
		for _, line := range []string{
			"add p %s x 1", "add p %s y 1", "remove p %s x", "replace p %s y=2 z=2", "add p %s x 1", "clear p %s", "add p %s z 1", "replace p %s x=1 y=1",
		} {
			if _, err := i.do(strings.Fields(fmt.Sprintf(line, family))); err != nil {
				return err
			}
		}
	}
	return nil
}

// rounds returns how often an operation that a process ends in is done.
func (o op) rounds(times int) int {
	if o[len(o)-1] == "forever" {
		return math.MaxInt
	}
	return times
}

// learn finds out what a process had that ended while it did the operation, from what
// it left, and has the world know.
func (r *run) learn(o op) error {
	p, family := r.world.process(o.arg(1)), o.arg(2)
	families, err := multiprocess.Merge([]string{r.paths[p.name]}, true)
	if err != nil {
		return err
	}
	left, err := pageOf(families)
	if err != nil {
		return err
	}
	if o.verb() == "churn" {
		delete(p.families, family)
		if _, defined := left.types[nameOf(family, p.edition)]; defined {
			r.world.define(p, family)
		}
		for key, v := range left.values {
			if key.name != nameOf(family, p.edition)+"_total" {
				continue
			}
			if v != 0 && v != 1 && v != 2 {
				return fmt.Errorf("%v is %v, and never was", key, v)
			}
			r.world.row(p, family, strings.TrimPrefix(key.label, "k=")).value = v
		}
		return nil
	}
	name, label := nameOf(family, p.edition), o.arg(3)
	if prefix := labelOf(family, p.edition); prefix != "n" {
		label = prefix + "=" + label
	}
	there := false
	value := func(suffix string) float64 {
		v, in := left.values[sample{name: name + suffix, label: label}]
		there = there || in
		return v
	}
	known := p.families[family][o.arg(3)] != nil
	if value(""); !there && value("_total") == 0 && value("_sum") == 0 && !there {
		if known {
			return fmt.Errorf("%s{%s} is gone", name, label)
		}
		if left.help[name] != "" {
			r.world.define(p, family)
		}
		return nil // the process had not come so far as to the series
	}
	return r.world.row(p, family, o.arg(3)).learn(o.value(), value)
}

// learn takes what a row has that was updated with v many times when its process was
// killed.
func (r *row) learn(v float64, value func(suffix string) float64) error {
	was, now, counted := r.value, value("_sum"), 0.0
	switch r.kind {
	case 'c':
		was, now = float64(r.whole)+r.value, value("_total")
		r.whole = 0
	case 'g':
		now = value("")
	default:
		counted = value("_count") - r.at(math.Inf(1))
		r.observed[v] += int(counted)
	}
	r.value = now
	switch times := (now - was) / v; {
	case times < 0 || times != math.Trunc(times):
		return fmt.Errorf("%v was added to %v, and it is %v", v, was, now)
	case updates[r.kind] == "observe" && (counted < 0 || math.Abs(times-counted) > crowdSize):
		return fmt.Errorf("the sum has %v observations, and %v are counted", times, counted)
	}
	return nil
}
