package segsource

import (
	"slices"
	"time"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// familyRows is the rows of a family in a segment, and where their values go.
type familyRows struct {
	*segment.FamilyTable
	file  *File
	claim *catalog.Claim
	words int

	slots   []uint32 // by row: the first of its series' slots; 0 for none
	binding *binding // that has the slots; nil if they are this segment's alone
	epoch   int      // of slots
	pass    int      // the last one that bound the rows
	label   string   // of the file, when its rows were given slots
	rank    catalog.Rank
	op      catalog.Operation
	buckets []uint32 // by bucket, how far its slot is behind the first
	states  []int    // by state, its number among the family's, or -1
	covered []bool   // by row, those that were removed; nil if none were
}

// operation returns how the rows' values are merged.
func (r *familyRows) operation() catalog.Operation {
	f := r.claim.Family
	switch op := f.Operation(); {
	case r.claim.Lost, r.isUnnamed(), r.IsOfMachine() && !r.file.here, f.Mode.Live() && !r.file.Live():
		return catalog.OpSkip
	case op == catalog.OpLatest && r.Layout == segment.LayoutValue:
		return catalog.OpSkip // never set, as far as anybody knows
	case op == catalog.OpLatest && r.Type != model.StateSet && r.claim.Mode.Operation() != catalog.OpLatest:
		return catalog.OpSkip // its times are others
	default:
		return op
	}
}

// isUnnamed reports whether an archive of an epoch keeps the family for writers without
// an epoch.
func (r *familyRows) isUnnamed() bool { return r.NoEpoch && r.file.Header().Epoch != "" }

func (r *familyRows) bind(c *catalog.Catalog) {
	op := r.operation()
	moved := r.epoch != c.Epoch || r.op != op
	if op == catalog.OpSet {
		// While the file was left out its processes were forgotten, and their slots.
		moved = r.compete() || moved || r.pass != c.Pass-1
	}
	if r.pass = c.Pass; r.Expiry > 0 {
		c.Ending(r.claim.Family)
	}
	if moved {
		c.Spent += len(r.slots)
		r.epoch, r.op = c.Epoch, op
		if r.binding != nil {
			r.slots, r.binding = nil, nil
		}
		r.slots = r.slots[:0]
	}
	r.translate()
	if op != catalog.OpSkip {
		c.Rows = true
		r.bindRows(c)
	}
	c.Spent += len(r.Moved)
	r.Moved = r.Moved[:0]
}

// binding is the slots of the first rows of a family in all segments that gave these out
// alike.
type binding struct {
	edition uint64 // of the rows, see [segment.FamilyTable.Edition]
	epoch   int    // of the catalog
	op      catalog.Operation
	slots   []uint32
	pass    int // of the catalog in which slots were marked
	marked  int // how many were
}

// common returns the binding of the family that the rows share with those of other
// segments; nil if they share none.
func (r *familyRows) common(c *catalog.Catalog) *binding {
	edition := r.Edition()
	if edition == 0 || r.op == catalog.OpSet || r.covered != nil {
		return nil
	}
	b := r.file.files.bindings[r.claim]
	if b == nil || b.edition != edition || b.epoch != c.Epoch || b.op != r.op {
		b = &binding{edition: edition, epoch: c.Epoch, op: r.op}
		r.file.files.bindings[r.claim] = b
	}
	return b
}

// bindRows finds the slots of rows that have none yet, and of those that are another
// series' by now.
func (r *familyRows) bindRows(c *catalog.Catalog) {
	if b := r.common(c); b != nil {
		n := len(r.Tenants)
		b.slots = slices.Grow(b.slots, max(0, n-len(b.slots)))
		for row := len(b.slots); row < n; row++ {
			b.slots = append(b.slots, r.slot(c, uint32(row)))
		}
		r.binding, r.slots = b, b.slots[:n:n]
		return
	}
	if r.binding != nil {
		r.binding, r.slots = nil, slices.Clone(r.slots)
	}
	bound := len(r.slots)
	for _, row := range r.Moved {
		if int(row) < bound {
			r.slots[row] = 0
		}
	}
	for _, row := range r.Moved {
		if int(row) < bound && r.slots[row] == 0 {
			r.slots[row] = r.slot(c, row)
		}
	}
	r.slots = slices.Grow(r.slots, len(r.Tenants)-bound)
	for row := bound; row < len(r.Tenants); row++ {
		r.slots = append(r.slots, r.slot(c, uint32(row)))
	}
}

// compete takes note of how the writer's own series stand to those of others of the
// same label, and reports whether their label is another than before.
func (r *familyRows) compete() (relabelled bool) {
	rank := r.file.Standing().Rank
	relabelled = r.label != r.file.label
	if relabelled || r.rank != rank {
		r.claim.Family.Changed()
	}
	r.label, r.rank = r.file.label, rank
	return relabelled
}

// slot returns the first slot of a row's series, none if it was removed.
func (r *familyRows) slot(c *catalog.Catalog, row uint32) uint32 {
	if int(row) < len(r.covered) && r.covered[row] {
		return 0
	}
	if r.op == catalog.OpSet {
		return r.processSlot(c, row)
	}
	f := r.claim.Family
	s := &f.Series[r.Tenants[row].Series]
	had := c.Slots()
	slot := c.RowSlots(f, s)
	if c.Slots() > had && !f.Quoted {
		f.Quoted = !model.LabelsFromText(s.Labels).AllLegacy()
	}
	return slot
}

// processSlot returns the slot of a row's series in its process.
func (r *familyRows) processSlot(c *catalog.Catalog, row uint32) uint32 {
	label, writer := r.file.label, &r.file.writer
	if r.file.IsArchive() {
		var owner segment.Owner
		if int(row) < len(r.Owners) {
			owner = r.Owners[row]
		}
		if owner.Process == "" {
			return 0 // it was the sum of several, or the like
		}
		label = string(model.AppendLabel(nil, catalog.PIDLabel, owner.Process))
		writer = r.file.ownerSince(owner.Start)
	}
	return c.WriterSlot(r.claim.Family, r.Tenants[row].Series, label, writer)
}

// ownerSince returns the writer of rows of an archive whose segment was made at a time, as
// the archive says it.
func (f *File) ownerSince(start int64) *catalog.Writer {
	owner := f.owners[start]
	if owner == nil {
		clock := f.files.clock
		owner = &catalog.Writer{Start: clock.SetAt(start, clock.Shift(f.Header())), File: f}
		if f.owners == nil {
			f.owners = make(map[int64]*catalog.Writer)
		}
		f.owners[start] = owner
	}
	return owner
}

// translate finds out where buckets and states are in the family.
func (r *familyRows) translate() {
	f := r.claim.Family
	r.buckets, r.states = r.buckets[:0], r.states[:0]
	if r.op == catalog.OpSkip {
		return
	}
	for _, upper := range r.Bounds {
		i, _ := slices.BinarySearch(f.Bounds, upper) // the next one that all have
		r.buckets = append(r.buckets, uint32(1+i))
	}
	if len(r.States) == 0 {
		return
	}
	places := catalog.PlacesOf(f.States)
	for _, state := range r.States {
		place, has := places[state]
		if !has {
			place = -1
		}
		r.states = append(r.states, place)
	}
}

func (r *familyRows) mark(c *catalog.Catalog) {
	width, slots := r.claim.Family.Width(), r.slots
	if b := r.binding; b != nil {
		if b.pass != c.Pass {
			b.pass, b.marked = c.Pass, 0
		}
		marked := min(b.marked, len(slots))
		slots, b.marked = slots[marked:], max(b.marked, len(slots))
	}
	for _, slot := range slots {
		if slot != 0 {
			c.MarkRow(slot, width)
		}
	}
}

// expired reports whether rows are what processes that are long dead have left of
// gauges that each process has. Archives note when a process was found dead.
func (r *familyRows) expired(since int64) bool {
	return r.op == catalog.OpSet && r.file.IsArchive() && time.Duration(r.file.files.clock.Wall-since) > r.file.files.expiry
}

// when returns when a row's value was set, which has the time in a word; 0 if it never was.
func (r *familyRows) when(word *cell.Word) int64 {
	return r.file.files.clock.SetAt(int64(word.Load()), r.file.shift)
}
