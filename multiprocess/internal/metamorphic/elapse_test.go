//go:build unix

package metamorphic

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Scripts in which an expiry elapses run in a bubble, in which time passes only while all
// of it sleeps: stores, looks and folds go by that clock, as readers do. Children have
// clocks of their own, which cannot be set, so that for them nothing elapses.

const (
	// brief is the expiry of scripts in which it elapses. None takes as long otherwise.
	brief = time.Minute
	// elapsed is how long an elapse takes: nobody is about to update what ended then.
	elapsed = 5 * brief
	// elapsedParts is in how many parts it passes, each of them shorter than a writer may
	// take for one look at its series, so that what is updated in each stays.
	elapsedParts = 50
	// pause is what passes behind each other operation: a process that ended before the next
	// one was alive before it.
	pause = 10 * time.Millisecond
)

func elapses(ops []op) bool {
	return slices.ContainsFunc(ops, func(o op) bool { return o.verb() == "elapse" })
}

// withoutElapse is a script in which no expiry elapses.
func withoutElapse(ops []op) (others []op) {
	for _, o := range ops {
		if o.verb() == "elapse" {
			continue
		}
		o = slices.Clone(o)
		for i := range o {
			if o[i] == "expiry="+brief.String() {
				o[i] = "expiry=1000h"
			}
		}
		others = append(others, o)
	}
	return others
}

// play runs a script in a way and returns what was wrong first.
func play(t *testing.T, ops []op, how way) (wrong *failure) {
	t.Helper()
	switch {
	case !elapses(ops):
		return playNow(ops, how)
	case how.outside:
		return playNow(withoutElapse(ops), how)
	}
	now := time.Now().Round(0) // without the reading of another clock
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Until(now)) // bubbles begin in 2000, before the system was started
		wrong = playNow(ops, how)
	})
	return wrong
}

// elapse lets time pass. A process may update a series all the while.
func (r *run) elapse(o op) error {
	for range elapsedParts {
		if o.arg(1) != "" {
			if err := r.writers[o.arg(1)].do(o.kept()); err != nil {
				return err
			}
		}
		time.Sleep(elapsed / elapsedParts)
	}
	time.Sleep(pause)
	return nil
}

// elapse is that of processes without a store, which nobody but collections looks after.
func (h heap) elapse(o op) error {
	for range elapsedParts {
		if o.arg(1) != "" {
			if _, err := h[o.arg(1)].do(o.kept()); err != nil {
				return err
			}
		}
		for _, in := range h {
			if _, err := read(in.registry); err != nil {
				return err
			}
		}
		time.Sleep(elapsed / elapsedParts)
	}
	return nil
}

// kept is the update that is made all the while that time passes.
func (o op) kept() op { return op{updates[o.arg(2)[0]], o.arg(1), o.arg(2), o.arg(3), o.arg(4)} }

// elapse has what nobody updates end: series of which no process keeps a row.
func (w *world) elapse(o op) {
	if p := w.living(o.arg(1)); p != nil {
		for range elapsedParts {
			w.row(p, o.arg(2), o.arg(3)).update(updates[o.arg(2)[0]], o.value(), w.step)
		}
	}
	for _, p := range w.processes {
		for family, rows := range p.families {
			for label := range rows {
				sure, perhaps := false, false
				for _, q := range w.processes {
					if (q == p || !w.alone) && q.keeps(o, family, label, w.alone) {
						r := q.families[family][label]
						doubtful := r.doubtful || len(r.removedBy) > 0 // it keeps others until a fold
						sure, perhaps = sure || !doubtful, perhaps || doubtful
					}
				}
				rows[label].doubtful = rows[label].doubtful || !sure && perhaps
				rows[label].ended = !sure && !perhaps
			}
		}
	}
	for _, p := range w.processes {
		for family, rows := range p.families {
			for label, r := range rows {
				if r.ended {
					delete(rows, label)
					w.ended[[2]string{family, label}] = w.step
				}
			}
		}
	}
}

// revives reports whether the operation may have values of a life that is over be shown
// again: a process whose series do not end does not say when it began with one, so that it
// counts as having had all its series since it began.
func (w *world) revives(o op) bool {
	p := w.living(o.arg(1))
	if p == nil || p.expires || w.alone {
		return false
	}
	for at, step := range w.ended {
		if p.begunAt < step && at[0] == o.arg(2) {
			return true
		}
	}
	return false
}

// keeps reports whether a process has a series go on while an elapse passes.
func (p *process) keeps(o op, family, label string, alone bool) bool {
	r := p.families[family][label]
	switch {
	case r == nil || !p.lives && !alone && isOfTheLiving(family):
		return false
	case !p.expires:
		return true
	case !p.lives && !alone:
		return false
	}
	return p.name == o.arg(1) && family == o.arg(2) && label == o.arg(3) || r.kind == 'g' && r.added && r.value != 0
}
