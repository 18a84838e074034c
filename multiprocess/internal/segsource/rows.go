package segsource

import (
	"slices"
	"strings"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// familyRows is the rows of a family in a segment: whose they are, and where
// their values go.
type familyRows struct {
	file   *File
	family *segment.Family
	claim  *catalog.Claim
	words  int
	blocks []segment.Block

	rows   []tenant // by number
	owners []owner  // by row: of an archive's series that each process has

	bound   int      // rows that have a slot, from the first on
	reused  []uint32 // among them, those that are another series' meanwhile
	epoch   int      // of slots
	op      catalog.Operation
	buckets []uint32 // by bucket, how far its slot is behind the first
	states  []int    // by state, its number among the family's, or -1
}

// tenant is the series that has a row.
type tenant struct {
	place      uint32 // among the family's
	slot       uint32 // the first; 0 for none
	generation uint8  // that the row has while it is that series'
}

// owner is the process whose series a row of an archive was.
type owner struct {
	label string // pid="..."
	start int64
}

// expect makes room for the rows of a block, and at first for as many as another
// segment has of the family, as long as the file has bytes for all of them.
func (r *familyRows) expect(block uint32) {
	n := uint64(min(block, expectedRows))
	if r.rows == nil {
		n = max(n, min(uint64(r.claim.Series), r.file.space/8/uint64(r.words)))
		r.file.space -= min(r.file.space, n*8*uint64(r.words))
	}
	r.rows = slices.Grow(r.rows, int(n))
}

// expectedRows bounds for how many rows of a block room is made at once.
const expectedRows = 512

// define notes whose a row is from now on. The reader has checked that rows are
// given out in their order.
func (r *familyRows) define(row uint32, generation uint8, s segment.Series) error {
	guess := uint32(0)
	if row > 0 && row <= uint32(len(r.rows)) {
		guess = r.rows[row-1].place + 1
	}
	fresh := tenant{place: r.claim.Family.Place(s.Labels, guess), generation: generation}
	if row == uint32(len(r.rows)) {
		r.rows = append(r.rows, fresh)
		r.claim.Series = max(r.claim.Series, row+1)
	} else {
		r.file.catalog.Spent++
		r.rows[row] = fresh
		r.reused = append(r.reused, row)
	}
	if s.Process != "" {
		for len(r.owners) <= int(row) {
			r.owners = append(r.owners, owner{})
		}
		r.owners[row] = owner{string(model.AppendLabel(nil, catalog.PIDLabel, s.Process)), s.Start}
	}
	return nil
}

// operation returns how the rows' values are merged.
func (r *familyRows) operation() catalog.Operation {
	f := r.claim.Family
	switch op := f.Operation(); {
	case r.claim.Lost, f.Mode.Live() && !r.file.Live():
		return catalog.OpSkip
	case op == catalog.OpLatest && r.family.Layout == segment.LayoutValue:
		return catalog.OpSkip // never set, as far as anybody knows
	case op == catalog.OpLatest && r.family.Type != model.StateSet && r.claim.Mode.Operation() != catalog.OpLatest:
		return catalog.OpSkip // its times are others
	default:
		return op
	}
}

func (r *familyRows) bind(c *catalog.Catalog) {
	op := r.operation()
	if r.epoch != c.Epoch || r.op != op {
		r.epoch, r.op, r.bound = c.Epoch, op, 0
		for i := range r.rows {
			r.rows[i].slot = 0
		}
	}
	r.translate()
	if op == catalog.OpSkip {
		return
	}
	c.Rows = true
	for _, row := range r.reused {
		r.rows[row].slot = r.slot(c, row)
	}
	for ; r.bound < len(r.rows); r.bound++ {
		r.rows[r.bound].slot = r.slot(c, uint32(r.bound))
	}
	r.reused = r.reused[:0]
}

// slot returns the first slot of a row's series.
func (r *familyRows) slot(c *catalog.Catalog, row uint32) uint32 {
	if slot := r.rows[row].slot; slot != 0 { // it was among those that are used again
		return slot
	}
	if r.op == catalog.OpSet {
		return r.processSlot(c, row)
	}
	f := r.claim.Family
	s := &f.Series[r.rows[row].place]
	had := len(c.Owners)
	slot := c.RowSlots(f, s)
	if len(c.Owners) > had && !f.Quoted {
		f.Quoted = !model.LabelsFromText(s.Labels).AllLegacy()
	}
	return slot
}

// processSlot returns the slot of a row's series in its process.
func (r *familyRows) processSlot(c *catalog.Catalog, row uint32) uint32 {
	of := owner{r.file.label, r.file.Header().Start}
	if r.file.IsArchive() {
		if of = (owner{}); int(row) < len(r.owners) {
			of = r.owners[row]
		}
		if of.label == "" {
			return 0 // it was the sum of several, or the like
		}
	}
	place := r.rows[row].place
	d := definitionOf(r.claim, r.claim.Family.Series[place].Labels)
	return c.ProcessSlot(&d, c.Processes(&d), of.label, catalog.Writer{Start: of.start, File: r.file, Place: place})
}

// definitionOf returns the definition of a whole series with sorted labels.
func definitionOf(cl *catalog.Claim, labels string) catalog.Definition {
	d := catalog.Definition{Claim: cl, Part: model.PartValue, Labels: labels}
	at := 0
	for name, value := range model.LabelsFromText(labels).Raw() {
		from, end := at, at+len(name)+len(`=""`)+len(value)
		at = min(end+1, len(labels)) // behind the comma
		switch d.Quoted = d.Quoted || name[0] == '"'; {
		case name == catalog.PIDLabel:
			d.PidFrom, d.PidTo = uint32(max(0, from-1)), uint32(at)
		case strings.Trim(name, `"`) < catalog.PIDLabel:
			d.PidFrom, d.PidTo = uint32(end), uint32(at)
		}
	}
	return d
}

// translate finds out where buckets and states are in the family.
func (r *familyRows) translate() {
	f := r.claim.Family
	r.buckets, r.states = r.buckets[:0], r.states[:0]
	if r.op == catalog.OpSkip {
		return
	}
	for _, upper := range r.family.Bounds {
		i, _ := slices.BinarySearch(f.Bounds, upper) // the next one that all have
		r.buckets = append(r.buckets, uint32(1+i))
	}
	if len(r.family.States) == 0 {
		return
	}
	places := catalog.PlacesOf(f.States)
	for _, state := range r.family.States {
		place, has := places[state]
		if !has {
			place = -1
		}
		r.states = append(r.states, place)
	}
}

func (r *familyRows) mark(c *catalog.Catalog) {
	width := r.claim.Family.Width()
	for i := range r.rows {
		if slot := r.rows[i].slot; slot != 0 {
			c.MarkRow(slot, width)
		}
	}
}

// read merges the values of the rows that have a series.
func (r *familyRows) read(t *catalog.Totals, s segment.Space) error {
	if r.op == catalog.OpSkip {
		return nil
	}
	at := 0
	for _, b := range r.blocks {
		n := min(int(b.Rows), len(r.rows)-at)
		if n <= 0 {
			break
		}
		data := s.Bytes(b.Offset, uint64(n)*uint64(r.words)*8)
		if data == nil {
			return spool.Defectf(spool.ReasonTruncated, "it became shorter")
		}
		first := (*cell.Word)(unsafe.Pointer(unsafe.SliceData(data)))
		switch rows := r.rows[at:][:n]; r.family.Layout {
		case segment.LayoutCounter:
			r.readCounters(t, s, first, rows)
		case segment.LayoutValue:
			r.readValues(t, first, rows)
		default:
			for i := range rows {
				row := cell.At(first, i*r.words)
				if created, live := rows[i].in(row); live {
					r.merge(t, s, row, rows[i].slot, created)
				}
			}
		}
		at += n
	}
	return nil
}

// in reports whether the series has its row and a slot, and when it was created.
func (s *tenant) in(row *cell.Word) (created int64, live bool) {
	generation, created, live := segment.State(row)
	return created, live && generation == s.generation && s.slot != 0
}

// expired reports whether rows are what processes that are long dead have left of
// gauges that each process has. Archives note when a process was found dead.
func (r *familyRows) expired(t *catalog.Totals, since int64) bool {
	return r.op == catalog.OpSet && r.file.IsArchive() && time.Duration(t.Now-since) > r.file.expiry
}
