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
	run   run  // see runOf
	rests bool // some words lack something
	ends  bool // its series end
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
		stretches = r.Stretches(stretches[:0])
		for i := range stretches {
			p.Stretch, p.run = stretches[i], r.runOf(&stretches[i])
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
	for i := 0; i < len(p.slots); i++ {
		if p.run != nil {
			if i += p.run(p.of, p.Row(i, p.of.words), p.slots[i:], t); i == len(p.slots) {
				break
			}
		}
		row, slot := p.Row(i, p.of.words), p.slots[i]
		if created, in := p.In(i, row); in && slot != 0 && (!p.ends || p.goesOn(t, row, slot)) {
			p.of.merge(t, s, row, slot, created)
		}
	}
	if p.rests {
		p.mergeRests(t)
	}
	return nil
}
