package cell

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
)

// thread is what one goroutine does. It calls step before each atomic operation.
type thread func(step func())

// everyInterleaving runs the threads that build returns in every order of their
// steps, then check; with -short in a thousand random orders. The threads repeat the
// code of the package with its own words and lanes, one atomic operation a step.
func everyInterleaving(t *testing.T, build func() (threads []thread, check func() error)) {
	t.Helper()
	runs := 0
	for order, more := []int{}, true; more; runs++ {
		threads, check := build()
		taken, waiting := runInOrder(threads, func(step, threads int) int {
			switch {
			case testing.Short():
				return rand.IntN(threads)
			case step < len(order):
				return order[step]
			}
			return 0
		})
		if err := check(); err != nil {
			t.Fatalf("in the order %v: %v", taken, err)
		}
		order = nextOrder(taken, waiting)
		if more = order != nil; testing.Short() {
			more = runs+1 < 1000
		}
	}
	t.Logf("%d orders", runs)
}

// runInOrder runs threads to their ends. At each step next returns which of those that
// are not done goes on. It returns what next did, and how many threads there were then.
func runInOrder(threads []thread, next func(step, threads int) int) (taken, waiting []int) {
	var resume []func() (struct{}, bool)
	for _, th := range threads {
		step, stop := iter.Pull(func(yield func(struct{}) bool) {
			th(func() { yield(struct{}{}) })
		})
		defer stop()
		step() // to its first step
		resume = append(resume, step)
	}
	for len(resume) > 0 {
		i := next(len(taken), len(resume))
		taken, waiting = append(taken, i), append(waiting, len(resume))
		if _, more := resume[i](); !more {
			resume = slices.Delete(resume, i, i+1)
		}
	}
	return taken, waiting
}

// nextOrder returns the beginning of the order to run next, nil after the last.
func nextOrder(order, waiting []int) []int {
	for at := len(order) - 1; at >= 0; at-- {
		if order[at]+1 < waiting[at] {
			next := slices.Clone(order[:at+1])
			next[at]++
			return next
		}
	}
	return nil
}

// history is what operations on one value did, in the order in which they ended.
type history struct {
	now int
	ops []operation
}

type operation struct {
	name       string // set, add, load
	v          float64
	began, end int
}

func (o operation) String() string {
	return fmt.Sprintf("%s(%v) in %d-%d", o.name, o.v, o.began, o.end)
}

// note notes an operation; do returns what a load saw.
func (h *history) note(name string, v float64, do func() float64) {
	h.now++
	o := operation{name: name, v: v, began: h.now}
	if got := do(); name == "load" {
		o.v = got
	}
	h.now++
	o.end = h.now
	h.ops = append(h.ops, o)
}

// check returns an error unless the operations can be put one after the other,
// none before one that had ended when it began, so that each load is right.
func (h *history) check() error {
	if !linearizable(h.ops, 0) {
		return fmt.Errorf("no order explains %v", h.ops)
	}
	return nil
}

func linearizable(ops []operation, value float64) bool {
	if len(ops) == 0 {
		return true
	}
	for i, o := range ops {
		if slices.ContainsFunc(ops, func(other operation) bool { return other.end < o.began }) || o.name == "load" && o.v != value {
			continue
		}
		next := value
		switch o.name {
		case "set":
			next = o.v
		case "add":
			next += o.v
		}
		if linearizable(slices.Delete(slices.Clone(ops), i, i+1), next) {
			return true
		}
	}
	return false
}
