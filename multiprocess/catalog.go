package multiprocess

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// catalog is what all files together define: families, series and their slots.
// It knows no file format.
type catalog struct {
	known    map[claimKey]*claim
	families map[string]*family
	present  []*family // that some file has, sorted by name

	// By slot. Slot 0 takes what is thrown away.
	owners  []*family
	initial []float64 // what merging starts from
	marked  []bool    // some file has it
	before  []bool    // marked, as it was when the views were made
	timed   bool      // some slot holds a time
	text    arena     // the labels of processes' series

	epoch     int // changes when all slots are given anew
	pass      int // of resolve
	conflicts map[conflictKey]error
	mixed     bool // modes are in conflict: slots are given anew each time, in the order of files
}

type conflictKey struct{ family, about string }

// family is a metric family and its series of all files.
type family struct {
	name, help, unit string
	typ              model.Type
	mode             gaugeMode

	pass   int // the last pass of resolve in which a file had it
	next   claimKey
	series []series
	index  map[string]uint32      // from labels
	loose  map[looseSample]uint32 // slots, with the samples' slots left out
	quoted bool                   // a label name is not a legacy name
	dirty  bool                   // the view does not show what is here
	view   *view
}

// series is one label set's slots; slot 0 is none.
type series struct {
	labels    string
	value     uint32
	more      *parts
	processes []process // where each process has a series of its own
}

// process is the series of one process.
type process struct {
	labels string // with pid
	slot   uint32
}

// parts are the slots of a summary or a histogram.
type parts struct {
	sum, count uint32
	buckets    []bucket // by bound
}

type bucket struct {
	upper float64
	slot  uint32
}

func newCatalog() *catalog {
	c := &catalog{known: make(map[claimKey]*claim), families: make(map[string]*family)}
	c.renew()
	return c
}

// renew takes all slots back.
func (c *catalog) renew() {
	c.epoch++
	c.owners, c.initial, c.timed = []*family{nil}, []float64{0}, false
	c.marked, c.before = nil, nil
	for _, f := range c.families {
		f.series, f.index, f.loose, f.quoted, f.dirty = nil, nil, nil, false, true
	}
}

// claim returns the one claim of these contents.
func (c *catalog) claim(key claimKey) *claim {
	if found, ok := c.known[key]; ok {
		return found
	}
	f, ok := c.families[key.name]
	if !ok {
		f = &family{name: key.name, dirty: true}
		c.families[key.name] = f
	}
	fresh := &claim{claimKey: key, family: f}
	c.known[key] = fresh
	return fresh
}

// resolve settles what counts where files disagree, given all files in their
// order: the type, the unit and the first help that is not empty are the first
// file's, the mode is the last one's. Python's client does the same in the order
// of its directory listing. Unlike it, claims of another type lose.
func (c *catalog) resolve(files []source) {
	c.pass++
	c.conflicts, c.mixed = make(map[conflictKey]error), false
	for _, file := range files {
		for _, cl := range file.claims() {
			f := cl.family
			if cl.lost = false; f.pass != c.pass {
				f.pass, f.next = c.pass, cl.claimKey
				continue
			}
			c.compare(f, cl)
		}
	}
	renew := c.mixed
	c.present = c.present[:0]
	for _, f := range c.families {
		if f.pass != c.pass {
			continue
		}
		c.present = append(c.present, f)
		if f.typ != f.next.typ || f.mode != f.next.mode || f.help != f.next.help || f.unit != f.next.unit {
			renew = renew || len(f.series)+len(f.loose) > 0 && (f.typ != f.next.typ || f.mode.operation() != f.next.mode.operation())
			f.typ, f.mode, f.help, f.unit, f.dirty = f.next.typ, f.next.mode, f.next.help, f.next.unit, true
		}
	}
	if renew {
		c.renew()
	}
	slices.SortFunc(c.present, func(a, b *family) int { return strings.Compare(a.name, b.name) })
}

// compare holds a claim against those before it.
func (c *catalog) compare(f *family, cl *claim) {
	first := &f.next
	switch {
	case cl.typ != first.typ:
		cl.lost = true
		c.conflict(f, "type", fmt.Errorf("it is a %s first and a %s later, which is left out", first.typ, cl.typ))
		return
	case cl.mode != first.mode:
		c.conflict(f, "mode", fmt.Errorf("%s gives way to %s, which comes later", first.mode, cl.mode))
		first.mode, c.mixed = cl.mode, true
	}
	switch {
	case first.help == "":
		first.help = cl.help
	case cl.help != "" && cl.help != first.help:
		c.conflict(f, "help", fmt.Errorf("%q is shown, %q comes later", first.help, cl.help))
	}
}

func (c *catalog) conflict(f *family, about string, err error) {
	key := conflictKey{f.name, about}
	if _, known := c.conflicts[key]; !known {
		c.conflicts[key] = &ConflictError{Family: f.name, About: about, Err: err}
	}
}

// operation returns how values of a definition are merged.
func (c *catalog) operation(d *definition) operation {
	switch {
	case d.claim.lost, d.part == model.PartCreated: // times do not add up
		return opSkip
	case d.claim.family.typ == model.Gauge:
		return d.claim.family.mode.operation()
	}
	return opAdd
}

// slot returns the slot of a definition, which is made if it is new.
func (c *catalog) slot(d *definition) uint32 {
	f := d.claim.family
	if d.part == 0 {
		key := looseSample{name: d.sample, labels: model.LabelsFromText(d.labels)}
		if f.loose == nil {
			f.loose = make(map[looseSample]uint32)
		}
		if f.loose[key] == 0 {
			f.loose[key] = c.newSlot(d)
		}
		return f.loose[key]
	}
	s := &f.series[f.of(d.labels)]
	place := &s.value
	switch d.part {
	case model.PartSum:
		place = &s.parts().sum
	case model.PartCount:
		place = &s.parts().count
	case model.PartBucket:
		p := s.parts()
		i, found := slices.BinarySearchFunc(p.buckets, d.upper, func(b bucket, upper float64) int {
			return cmp.Compare(b.upper, upper)
		})
		if !found {
			p.buckets = slices.Insert(p.buckets, i, bucket{upper: d.upper})
		}
		place = &p.buckets[i].slot
	}
	if *place == 0 {
		*place = c.newSlot(d)
	}
	return *place
}

// processes returns which of a family's series is the one of a definition with
// all its processes.
func (c *catalog) processes(d *definition) uint32 {
	return d.claim.family.of(withoutPid(d))
}

// processSlot returns a slot of its own for a definition in one process, whose
// label is given, in that series. Of several for one process the view shows the
// last.
func (c *catalog) processSlot(d *definition, in uint32, pid string) uint32 {
	s := &d.claim.family.series[in]
	slot := c.newSlot(d)
	if s.processes == nil {
		s.processes = make([]process, 0, 8) // there are several, or the service would do without files
	}
	s.processes = append(s.processes, process{c.text.withPid(d, pid), slot})
	return slot
}

func (c *catalog) newSlot(d *definition) uint32 {
	initial := 0.0
	switch c.operation(d) {
	case opMin, opMax:
		initial = math.NaN()
	case opLatest:
		c.timed = true
	}
	f := d.claim.family
	f.dirty, f.quoted = true, f.quoted || d.quoted
	slot := uint32(len(c.owners))
	c.owners, c.initial = append(c.owners, f), append(c.initial, initial)
	return slot
}

// of returns the place of the series with the labels.
func (f *family) of(labels string) uint32 {
	i, ok := f.index[labels]
	if !ok {
		if f.index == nil {
			f.index = make(map[string]uint32)
		}
		i = uint32(len(f.series))
		f.index[labels] = i
		f.series = append(f.series, series{labels: labels})
	}
	return i
}

func (s *series) parts() *parts {
	if s.more == nil {
		s.more = &parts{}
	}
	return s.more
}

// mark is called by sources with the slots that they have.
func (c *catalog) mark(slots []uint32) {
	for _, s := range slots {
		c.marked[s] = true
	}
}

// settle brings slots and views up to date after files or their contents
// changed.
func (c *catalog) settle(files []source) {
	c.resolve(files)
	for _, file := range files {
		file.bind(c)
	}
	c.marked = slices.Grow(c.marked[:0], len(c.owners))[:len(c.owners)]
	clear(c.marked)
	for _, file := range files {
		file.mark(c)
	}
	for slot, marked := range c.marked {
		if slot > 0 && marked != (slot < len(c.before) && c.before[slot]) {
			c.owners[slot].dirty = true
		}
	}
	c.before = append(c.before[:0], c.marked...)
	for _, f := range c.present {
		if f.dirty {
			f.view, f.dirty = c.newView(f), false
		}
	}
}

// views returns the families as they are now; they do not change later.
func (c *catalog) views(wanted *selection) []*view {
	views := make([]*view, 0, len(c.present))
	for _, f := range c.present {
		if wanted == nil || wanted.wanted[f] {
			views = append(views, f.view)
		}
	}
	return views
}

// count returns how many series there are.
func (c *catalog) count() (n int) {
	for _, f := range c.present {
		n += f.view.len()
	}
	return n
}

// disagreements returns the conflicts in a fixed order.
func (c *catalog) disagreements() []conflictKey {
	return slices.SortedFunc(maps.Keys(c.conflicts), func(a, b conflictKey) int {
		return strings.Compare(a.family+"\xff"+a.about, b.family+"\xff"+b.about)
	})
}
