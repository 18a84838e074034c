package telltale

import (
	"slices"
	"sync"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// VisitPoints walks the series in the order of their creation. Series that come
// meanwhile are not seen, those that go may be. It runs no users' code: a series
// with a function has the value that it was set to.
func (t *table[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = false
	return t.walk(room, p, visit)
}

func (t *table[H]) walk(room *scratch, p *model.Point, visit func(*model.Point) error) error {
	defer func() {
		*p = model.Point{} // what it refers to is another walk's now
		scratches.Put(room)
	}()
	c := t.core
	*p = room.point(&c.definition)
	walk := t.series.Walk()
	for run := walk.Next(); len(run) > 0; run = walk.Next() {
		for i := range run {
			slot := &run[i]
			var there bool
			p.Labels = slot.Labels()
			if p.Created, there = slot.Created(); !there {
				continue
			}
			c.kind.read(&slot.Handle, p, room)
			if err := visit(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// scratch is what the points of an instrument refer to while they are visited.
// Walks hand it on to each other, so that scraping many families allocates no
// more than scraping few.
type scratch struct {
	histogram model.HistogramValue
	native    model.NativeHistogram
	summary   model.SummaryValue
	states    []model.State
	now       time.Time // of the walk, once a series asked for it

	snapshot, work exponential.Snapshot

	functions bool // the walk calls the series' functions
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// point returns a point with room for what the definition's series have.
func (s *scratch) point(d *definition) (p model.Point) {
	s.now = time.Time{}
	switch d.typ {
	case model.Histogram:
		p.Histogram = &s.histogram
		if s.histogram.Native = nil; d.native != nil {
			s.histogram.Native = &s.native
		}
	case model.Summary:
		p.Summary = &s.summary
	case model.StateSet:
		s.states = slices.Grow(s.states[:0], len(d.states))
		p.States = s.states
	}
	return p
}

// LegacyLabels reports whether all series have legacy label names, which the
// definition settles but for an info, whose Set brings names of its own.
func (t *table[H]) LegacyLabels() bool { return t.core.legacy && t.core.typ != model.Info }
