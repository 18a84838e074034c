package telltale

import "telltale/model"

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

// LegacyLabels reports whether all series have legacy label names, which the
// definition settles but for an info, whose Set brings names of its own.
func (t *table[H]) LegacyLabels() bool { return t.core.legacy && t.core.typ != model.Info }
