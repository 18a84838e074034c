package estate

import (
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Local converts moments that a segment with the header has to those of this boot,
// of the clock: when its families first appeared, and, if it is a writer's, when the
// writer began whose own series these are.
func (e *Estate) Local(clock spool.Clock, h *segment.Header) {
	for i := range e.Families {
		f := &e.Families[i]
		if h.Kind == segment.KindWriter || f.First != (segment.Moment{}) {
			f.First = clock.Inherit(h, f.First)
		}
	}
	if h.Kind != segment.KindWriter {
		return
	}
	began := clock.BornAt(h)
	for i := range e.Series {
		if e.Series[i].Process != "" {
			e.Series[i].Start = began
		}
	}
}

// Unname marks all that a writer or an archive without an epoch leaves: an archive of
// an epoch keeps it, and does not count it.
func (e *Estate) Unname() {
	for i := range e.Families {
		e.Families[i].NoEpoch = true
	}
}

// KeepUnnamed drops what an archive has of its own epoch, which is over.
func (e *Estate) KeepUnnamed() {
	e.keep(func(f *segment.Family) bool { return f.NoEpoch })
}

// DropMachine drops what is counted of another boot's machine, or of another namespace.
func (e *Estate) DropMachine() {
	e.keep(func(f *segment.Family) bool { return !f.IsOfMachine() })
}

// keep keeps the series of families alone that are wanted.
func (e *Estate) keep(wanted func(f *segment.Family) bool) {
	e.drop(func(i int) bool { return !wanted(&e.Families[e.Of[i]]) })
}

// drop drops series by their place.
func (e *Estate) drop(unwanted func(i int) bool) {
	kept := 0
	for i, n := range e.Of {
		if !unwanted(i) {
			e.Series[kept], e.Of[kept] = e.Series[i], n
			kept++
		}
	}
	e.Series, e.Of = e.Series[:kept], e.Of[:kept]
}
