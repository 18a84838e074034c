package telltale

// Walking the series of an instrument for a scrape.

import (
	"time"

	"telltale/model"
)

// VisitPoints walks the series in the order of their creation. Series that are created
// meanwhile are not visited, those that are removed may be. It runs no users' code: a
// series with a function has the value that it was set to.
func (t *table[H]) VisitPoints(p *model.Point, visit func(*model.Point) error) error {
	return t.VisitScalars(p, nil, visit)
}

// VisitScalars is VisitPoints for encoders that take scalars many at a time.
func (t *table[H]) VisitScalars(p *model.Point, scalars func([]model.Scalar) error, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = false
	if room.take = scalars; t.core.kind.scalars == nil || t.core.expires {
		room.take = nil
	}
	return t.walk(room, p, visit)
}

func (t *table[H]) walk(room *scratch, p *model.Point, visit func(*model.Point) error) error {
	defer func() {
		*p = model.Point{} // what it refers to is another walk's now
		room.put()
	}()
	c := t.core
	t.sweep()
	*p = room.point(&c.definition)
	walk := t.series.Walk()
	for run := walk.Next(); len(run) > 0; run = walk.Next() {
		for len(run) > 0 {
			if room.take != nil {
				n := c.kind.scalars(run, room)
				if run = run[n:]; n > 0 && !room.full() {
					continue
				}
				if err := room.pass(); err != nil {
					return err
				}
				if n > 0 {
					continue
				}
			}
			slot := &run[0]
			run = run[1:]
			if c.expires {
				if !t.readWhole(slot, p, room) {
					continue
				}
			} else {
				var there bool
				p.Labels = slot.Labels()
				if p.Created, there = slot.Created(); !there {
					continue
				}
				c.kind.read(&slot.Handle, p, room)
			}
			if err := visit(p); err != nil {
				return err
			}
		}
	}
	return room.pass()
}

// tend does for all series what a walk does beside reading them.
func (c *core[H]) tend() {
	c.table.sweep()
	if c.kind.tend == nil {
		return
	}
	room := scratches.Get().(*scratch)
	defer scratches.Put(room)
	room.now = time.Time{}
	for slot := range c.table.series.Walk().Living() {
		if created, there := slot.Created(); there {
			c.kind.tend(&slot.Handle, created, room)
		}
	}
}

// VisitPrototype visits a series that no scrape sees, with the table's labels.
func (t *table[H]) VisitPrototype(p *model.Point, visit func(*model.Point) error) error {
	room := scratches.Get().(*scratch)
	room.functions = false
	defer func() {
		*p = model.Point{}
		room.put()
	}()
	*p = room.point(&t.core.definition)
	t.core.kind.read(t.detach(), p, room)
	p.Labels = t.core.constLabels.Append(model.LabelPairs(t.core.labels, make([]string, len(t.core.labels))))
	return visit(p)
}

// Edition returns the edition of the series, by which a view knows that what it decided
// about each still holds. It returns nil for an info, whose Set changes labels.
func (t *table[H]) Edition() *model.Edition {
	if t.core.typ == model.Info {
		return nil
	}
	return t.series.Edition()
}

// LegacyLabels reports whether all series have legacy label names, which the
// definition settles but for an info, whose Set brings names of its own.
func (t *table[H]) LegacyLabels() bool { return t.core.legacy && t.core.typ != model.Info }
