package estate

import (
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Local converts the moments at which families of a segment with the header first
// appeared to those of this boot, of the clock.
func (e *Estate) Local(clock spool.Clock, h *segment.Header) {
	for i := range e.Families {
		f := &e.Families[i]
		if h.Kind == segment.KindWriter || f.First != (segment.Moment{}) {
			f.First = clock.Inherit(h, f.First)
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
	e.drop(func(i int) bool { return !e.Families[e.Of[i]].NoEpoch })
	places, kept := make([]int, len(e.Families)), 0
	for i := range e.Families {
		if places[i] = kept; e.Families[i].NoEpoch {
			e.Families[kept] = e.Families[i]
			kept++
		}
	}
	e.Families = e.Families[:kept]
	for i, n := range e.Of {
		e.Of[i] = places[n]
	}
}

// DropMachine drops what is counted of another boot's machine, or of another namespace.
func (e *Estate) DropMachine() {
	e.drop(func(i int) bool { return e.Families[e.Of[i]].IsOfMachine() })
}

// drop drops series by their place. When their definitions first appeared stays known.
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
