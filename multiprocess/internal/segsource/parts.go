package segsource

import (
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// part is rows of a family that lie one behind the other, with all that is needed to read
// them: the parts of a file lie side by side in memory, which its families do not.
type part struct {
	segment.Stretch
	slots []uint32 // by row of the stretch
	of    *familyRows
	op    catalog.Operation
	plain segment.Layout // of those with a loop of their own, else 0
	rests bool           // some words lack something
	ends  bool           // its series end
}

// divide returns the rows of the families that count, once they have slots.
func (f *File) divide() []part {
	if f.divided && f.turns == f.table.Turns() {
		return f.parts
	}
	f.divided, f.turns = true, f.table.Turns()
	parts, stretches := f.files.parts[:0], f.files.stretches
	for _, r := range f.families {
		if r == nil || r.op == catalog.OpSkip {
			continue
		}
		p := part{of: r, op: r.op, rests: len(r.Rests()) > 0, ends: r.Expiry > 0}
		if r.Layout == segment.LayoutCounter || r.Layout == segment.LayoutValue {
			p.plain = r.Layout
		}
		stretches = r.Stretches(stretches[:0])
		for i := range stretches {
			p.Stretch = stretches[i]
			p.slots = r.slots[p.From:][:len(p.Tenants)]
			parts = append(parts, p)
		}
	}
	f.files.parts, f.files.stretches = parts, stretches
	f.parts = append(f.parts[:0], parts...)
	clear(parts) // which would keep what this file has
	return f.parts
}

// read merges the values of the rows that have a series.
func (p *part) read(t *catalog.Totals, s *segment.Rationed) error {
	if err := p.Locate(s.Space); err != nil {
		return err
	}
	switch p.plain {
	case segment.LayoutCounter:
		p.readCounters(t, s)
	case segment.LayoutValue:
		p.readValues(t, s)
	default:
		for i, slot := range p.slots {
			row := p.Row(i, p.of.words)
			if created, in := p.In(i, row); in && slot != 0 && (!p.ends || p.goesOn(t, row, slot)) {
				p.of.merge(t, s, row, slot, created)
			}
		}
	}
	if p.rests {
		p.mergeRests(t)
	}
	return nil
}
