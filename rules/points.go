package rules

import (
	"fmt"
	"sync/atomic"

	"telltale/internal/reshape"
	"telltale/model"
)

// points are those of a family after the rules.
type points struct {
	branch *branch
	family *model.Family // before the rules
	shown  *model.Family // after them, without points
	report func(reshape.Fault)
	// What is left out and was reported, of [walker].
	faults  atomic.Uint64
	repeats atomic.Uint64
}

func (s *points) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	w := s.branch.walker(s.family, s.shown)
	return s.end(w, s.family.Visit(scratch, s.visiting(w, visit)))
}

// VisitScalars visits numbers in the runs of the family's own source, without those
// that are left out.
func (s *points) VisitScalars(scratch *model.Point, scalars func([]model.Scalar) error, visit func(*model.Point) error) error {
	w := s.branch.walker(s.family, s.shown)
	var changed []model.Scalar
	return s.end(w, s.family.VisitScalars(scratch, func(run []model.Scalar) error {
		known := w.known(len(run))
		for len(run) > 0 {
			n := w.untouched(run, known)
			if n > 0 {
				if err := scalars(run[:n]); err != nil {
					return err
				}
				run, known = run[n:], known-n
			}
			changed = changed[:0]
			for len(run) > 0 {
				var o *outcome
				if known > 0 {
					o = w.next()
				} else {
					o = w.scalar(run[0].Labels)
				}
				known--
				if o != nil {
					if changed = append(changed, run[0]); o.relabelled {
						changed[len(changed)-1].Labels = model.LabelsFromText(o.labels)
					}
				}
				if run = run[1:]; o == nil && len(changed) == 0 {
					break // perhaps what follows is untouched
				}
			}
			if len(changed) > 0 {
				if err := scalars(changed); err != nil {
					return err
				}
			}
		}
		return nil
	}, s.visiting(w, visit)))
}

// untouched returns how many series at the beginning of a run are to be shown as they
// are, as they were in the last walk. That the first ones are those of the last walk is
// known.
func (w *walker) untouched(run []model.Scalar, known int) int {
	if w.fresh != nil {
		return 0
	}
	if known > 0 {
		changed := w.old.changed
		for w.changes < len(changed) && int(changed[w.changes]) < w.at {
			w.changes++
		}
		if w.changes < len(changed) {
			known = min(known, int(changed[w.changes])-w.at)
		}
		w.at += known
		return known
	}
	entries := w.old.entries[w.at:]
	n := 0
	for n < min(len(run), len(entries)) {
		e := &entries[n]
		if e.which != asItIs || e.repeat || e.in != digest(run[n].Labels.Text()) {
			break
		}
		n++
	}
	w.at += n
	return n
}

// visiting returns a visitor that applies the rules to points and visits what is left.
func (s *points) visiting(w *walker, visit func(*model.Point) error) func(*model.Point) error {
	var room shape
	native := isHistogram(s.family.Type)
	return func(p *model.Point) error {
		o := w.point(p)
		if o == nil {
			return nil
		}
		if !o.changed && s.branch.gone == 0 {
			return visit(p)
		}
		changed, left := room.apply(s.branch, o, p, native)
		if !left {
			return nil
		}
		return visit(changed)
	}
}

// end remembers the walk, unless it was stopped, and reports what it has left out and no
// walk before has reported: a page may need several, of which some end early.
func (s *points) end(w *walker, err error) error {
	if err == nil {
		w.end()
	}
	for i := advance(&s.faults, uint64(len(w.faults))); i < uint64(len(w.faults)); i++ {
		s.report(reshape.Fault{Reason: "label_clash", Family: s.family.Name, Err: w.faults[i]})
	}
	for i := advance(&s.repeats, w.repeats); i < w.repeats; i++ {
		s.report(reshape.Fault{Reason: "repeated_series", Family: s.family.Name, Err: errRepeat})
	}
	return err
}

// advance moves a number up to n, if it is less, and returns what it was.
func advance(number *atomic.Uint64, n uint64) (before uint64) {
	for {
		if before = number.Load(); before >= n || number.CompareAndSwap(before, n) {
			return before
		}
	}
}

var errRepeat = fmt.Errorf("rules make a series equal to another of the family")

// VisitPrototype visits the prototype of the family if rules change no labels.
func (s *points) VisitPrototype(scratch *model.Point, visit func(*model.Point) error) error {
	if s.branch.relabels {
		return nil
	}
	return s.family.VisitPrototype(scratch, visit)
}

// LegacyLabels reports whether all label names are legacy names, so that encoders need
// not check every series.
func (s *points) LegacyLabels() bool {
	return s.branch.legacy && s.family.LegacyLabels()
}
