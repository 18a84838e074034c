package catalog

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"telltale/model"
)

// Catalog is what all files together define: families, series and their slots.
// It knows no file format.
type Catalog struct {
	known    map[ClaimKey]*Claim
	families map[string]*family
	Present  []*family // that some file has, sorted by name

	slots  slots
	marked []presence // by slot, whether some file has it
	before []presence // marked, as it was when the views were made
	timed  bool       // some slot holds a time
	Rows   bool       // some slot is that of rows, whose series come and go
	Spent  int        // definitions that were read and are no longer needed
	text   Arena      // the labels of processes' series

	Epoch     int // changes when all slots are given anew
	Pass      int // of resolve
	files     int // that were given then
	met       int // families in that pass
	Conflicts map[ConflictKey]*Conflict
	ending    int  // the last pass in which series of some family end
	mixed     bool // modes are in conflict: slots are given anew each time, in the order of files
}

// presence says whether a slot has a value.
type presence uint8

const (
	absent   presence = iota
	possible          // if the series is in one of its rows when they are read
	certain
)

// family is a metric family and its series of all files.
type family struct {
	name, help, unit string
	typ              model.Type
	Mode             Mode
	rows             bool // segments have it
	Contents

	pass    int    // the last pass of resolve in which a file had it
	former  bool   // in that pass no file had series of it
	lead    *Claim // that is shown
	next    Claim  // what is shown, of the lead and of others where it says nothing
	order   int    // its place among the families of that pass, in the order of files
	out     bool   // it is left out: another family has one of its names
	literal bool   // it is shown by the name of its samples: another family has its own
	from    string // the first file that has the lead
	helped  string // the file whose help counts
	united  string // the file whose unit counts
	modal   string // the file whose mode counts
	Series  []series
	index   map[string]uint32      // from labels
	text    Arena                  // of labels that segments have
	apart   []apart                // by series, where each process has its own
	loose   map[looseSample]uint32 // slots, with the samples' slots left out
	Quoted  bool                   // a label name is not a legacy name
	ending  int                    // the last pass in which its series end
	dirty   bool                   // the view does not show what is here
	view    *View
}

// series is one label set's slots; slot 0 is none.
type series struct {
	Labels    string
	value     uint32
	more      *parts
	processes []process // where each process has a series of its own
}

// process is the series of one process.
type process struct {
	labels string // with pid
	slot   uint32
	place  uint32  // among the family's, of the series with the labels that it has in the writer's file
	writer *Writer // nil if it is one of Python's
}

// sameRow reports whether two are of one series of one writer.
func (p *process) sameRow(o *process) bool {
	return p.writer != nil && o.writer != nil && *p.writer == *o.writer && p.place == o.place
}

// Writer is a process that has segments, or had them.
type Writer struct {
	Start int64  // when its segment was made, where that is not what the file says
	File  Source // in which its series are now
}

// live reports whether a writer of a segment lives.
func (w *Writer) live() bool { return w != nil && w.File.Standing().Rank == RankLive }

// began returns when the writer began.
func (w *Writer) began() int64 {
	switch {
	case w == nil:
		return 0
	case w.Start == 0:
		return w.File.Standing().Start
	}
	return w.Start
}

// compareWriters returns which of two writers comes first: those that are dead come
// before those that live, and older ones before newer ones.
func compareWriters(a, b *Writer) int {
	if live := a.live(); live != b.live() {
		if live {
			return 1
		}
		return -1
	}
	return cmp.Compare(a.began(), b.began())
}

// Changed has the family's view made anew when definitions are settled.
func (f *family) Changed() { f.dirty = true }

// parts are the slots of a summary or a histogram.
type parts struct {
	sum, count uint32
	buckets    []bucket // the first of them by bound
	sorted     int      // how many are
}

// search looks for a bound among the sorted ones.
func (p *parts) search(upper float64) (i int, found bool) {
	return slices.BinarySearchFunc(p.buckets[:p.sorted], upper, func(b bucket, upper float64) int {
		return cmp.Compare(b.upper, upper)
	})
}

// bucket returns the slot of the bucket with a bound, which is made if it is new.
// Bounds usually come in their order; others are sorted by and by.
func (p *parts) bucket(upper float64) *uint32 {
	i, found := p.search(upper)
	if found {
		return &p.buckets[i].slot
	}
	for n := p.sorted; n < len(p.buckets); n++ {
		if p.buckets[n].upper == upper {
			return &p.buckets[n].slot
		}
	}
	if p.buckets = append(p.buckets, bucket{upper: upper}); i == len(p.buckets)-1 {
		p.sorted++
	}
	if last := len(p.buckets) - 1; last-p.sorted < 64+p.sorted/64 {
		return &p.buckets[last].slot
	}
	p.sort()
	i, _ = p.search(upper)
	return &p.buckets[i].slot
}

// sort sorts all buckets by bound.
func (p *parts) sort() {
	if p.sorted < len(p.buckets) {
		slices.SortFunc(p.buckets, func(a, b bucket) int { return cmp.Compare(a.upper, b.upper) })
		p.sorted = len(p.buckets)
	}
}

type bucket struct {
	upper float64
	slot  uint32
}

// New returns an empty catalog.
func New() *Catalog {
	c := &Catalog{known: make(map[ClaimKey]*Claim), families: make(map[string]*family)}
	c.renew()
	return c
}

// renew takes all slots back. Series keep their places.
func (c *Catalog) renew() {
	c.Epoch++
	c.slots, c.timed, c.Rows = newSlots(), false, false
	c.marked, c.before = nil, nil
	for _, f := range c.families {
		for i := range f.Series {
			f.Series[i] = series{Labels: f.Series[i].Labels}
		}
		f.loose, f.apart, f.Quoted, f.dirty = nil, nil, false, true
	}
}

// Operation returns how values of a definition are merged.
func (c *Catalog) Operation(d *Definition) Operation {
	if d.Claim.Lost || d.Part == model.PartCreated { // times do not add up
		return OpSkip
	}
	return d.Claim.Family.Operation()
}

// Operation returns how values of the family are merged.
func (f *family) Operation() Operation {
	switch {
	case f.typ == model.Info:
		return opCollect
	case f.Mode == "":
		return OpAdd
	}
	return f.Mode.Operation()
}

// Slot returns the slot of a definition, which is made if it is new.
func (c *Catalog) Slot(d *Definition) uint32 {
	f := d.Claim.Family
	f.Quoted = f.Quoted || d.Quoted
	if d.Part == 0 {
		key := looseSample{name: d.Sample, labels: model.LabelsFromText(d.Labels)}
		if f.loose == nil {
			f.loose = make(map[looseSample]uint32)
		}
		if f.loose[key] == 0 {
			f.loose[key] = c.newSlot(f)
		}
		return f.loose[key]
	}
	s := &f.Series[f.of(d.Labels)]
	if f.rows {
		c.RowSlots(f, s)
	}
	place := &s.value
	switch d.Part {
	case model.PartSum:
		place = &s.parts().sum
	case model.PartCount:
		place = &s.parts().count
	case model.PartBucket:
		p := s.parts()
		if f.rows { // what rows have in common ends in +Inf, so that there is one
			i, _ := p.search(d.Upper)
			place = &p.buckets[i].slot
		} else {
			place = p.bucket(d.Upper)
		}
	}
	if *place == 0 {
		*place = c.newSlot(f)
	}
	return *place
}

// RowSlots returns the first slot of a series of which segments have rows: its
// value, or its sum, which its count or its buckets follow.
func (c *Catalog) RowSlots(f *family, s *series) (first uint32) {
	switch f.typ {
	case model.Summary:
		p := s.parts()
		if p.sum == 0 {
			p.sum, p.count = c.newSlot(f), c.newSlot(f)
		}
		return p.sum
	case model.Histogram, model.GaugeHistogram:
		p := s.parts()
		if p.sum == 0 {
			p.sum = c.newSlot(f)
			p.buckets = make([]bucket, len(f.Bounds))
			for i, upper := range f.Bounds {
				p.buckets[i] = bucket{upper, c.newSlot(f)}
			}
			p.sorted = len(p.buckets)
		}
		return p.sum
	}
	if s.value == 0 {
		s.value = c.newSlot(f)
	}
	return s.value
}

// Width is how many slots follow each other from the first on.
func (f *family) Width() int {
	switch f.typ {
	case model.Summary:
		return 2
	case model.Histogram, model.GaugeHistogram:
		return 1 + len(f.Bounds)
	}
	return 1
}

// Processes returns which of a family's series is the one of a definition with
// all its processes.
func (c *Catalog) Processes(d *Definition) uint32 {
	return d.Claim.Family.of(WithoutPid(d))
}

// ProcessSlot returns a slot of its own for a definition in one process of Python's,
// whose label is given, in that series.
func (c *Catalog) ProcessSlot(d *Definition, in uint32, pid string) uint32 {
	f := d.Claim.Family
	f.Quoted = f.Quoted || d.Quoted
	return c.addProcess(f, in, process{labels: c.text.withPid(d.Labels, d.PidFrom, d.PidTo, pid)})
}

// WriterSlot returns a slot of its own for the series at a place among the family's in a
// writer's process, whose label is given. Of several for one process the view shows the
// one that started last.
func (c *Catalog) WriterSlot(f *family, place uint32, pid string, by *Writer) uint32 {
	if uint32(len(f.apart)) <= place {
		f.apart = append(f.apart, make([]apart, len(f.Series)-len(f.apart))...)
	}
	a := &f.apart[place]
	labels := f.Series[place].Labels
	if !a.known {
		*a = apartOf(labels)
		f.Quoted = f.Quoted || a.quoted
		a.in = f.of(withoutPid(labels, a.from, a.to))
	}
	return c.addProcess(f, a.in, process{labels: c.text.withPid(labels, a.from, a.to, pid), place: place, writer: by})
}

// addProcess gives a process of a series a slot.
func (c *Catalog) addProcess(f *family, in uint32, p process) uint32 {
	s := &f.Series[in]
	p.slot = c.newSlot(f)
	if n := len(s.processes); n == cap(s.processes) {
		// Mostly all files have the series if several do.
		s.processes = slices.Grow(s.processes, max(fewProcesses, min(3*n, c.files-n)))
	}
	s.processes = append(s.processes, p)
	return p.slot
}

// fewProcesses is for how many processes of a series there is room at once.
const fewProcesses = 8

func (c *Catalog) newSlot(f *family) uint32 {
	op := f.Operation()
	c.timed = c.timed || op == OpLatest
	f.dirty = true
	return c.slots.add(f, op == OpMin || op == OpMax)
}

// Slots returns how many slots there are.
func (c *Catalog) Slots() int { return int(c.slots.n) }

// doubled returns a slice with room for another element, for twice as many if there was no
// room left: slices that become very large are copied less often so than append does it.
func doubled[E any](s []E) []E {
	if len(s) == cap(s) {
		return slices.Grow(s, max(len(s), 16))
	}
	return s
}

// of returns the place of the series with the labels.
func (f *family) of(labels string) uint32 {
	if i, ok := f.index[labels]; ok {
		return i
	}
	return f.add(labels)
}

// add makes a series, and returns its place.
func (f *family) add(labels string) uint32 {
	if f.index == nil {
		f.index = make(map[string]uint32)
	}
	i := uint32(len(f.Series))
	f.index[labels] = i
	f.Series = append(doubled(f.Series), series{Labels: labels})
	return i
}

func (s *series) parts() *parts {
	if s.more == nil {
		s.more = &parts{}
	}
	return s.more
}

// Find returns the place of the series that was added with these labels. It is quick
// where the guess is right.
func (f *family) Find(labels string, guess uint32) (place uint32, ok bool) {
	if guess < uint32(len(f.Series)) && f.Series[guess].Labels == labels {
		return guess, true
	}
	place, ok = f.index[labels]
	return place, ok
}

// Add returns the place of the series with labels that Find did not find, in whatever
// order they are. It is made if it is new.
func (f *family) Add(labels string) uint32 {
	kept := f.text.Keep(unsafe.Slice(unsafe.StringData(labels), len(labels)))
	if sorted := SortedLabels(kept); sorted != kept {
		i := f.of(sorted)
		f.index[kept] = i
		return i
	}
	return f.add(kept)
}

// Mark is called by sources with the slots that they have.
func (c *Catalog) Mark(slots []uint32) {
	for _, s := range slots {
		c.marked[s] = certain
	}
}

// MarkRow is called by segments with the first of the n slots of a row.
func (c *Catalog) MarkRow(first uint32, n int) {
	for i := range c.marked[first:][:n] {
		c.marked[int(first)+i] = max(c.marked[int(first)+i], possible)
	}
}

// byProcess returns the files in the order of their processes' labels, so that series
// of processes mostly come in the order in which they are shown.
func byProcess(files []Source) []Source {
	labels := make(map[Source]string, len(files))
	for _, file := range files {
		labels[file] = file.Standing().Process
	}
	return slices.SortedStableFunc(slices.Values(files), func(a, b Source) int { return strings.Compare(labels[a], labels[b]) })
}

// Settle brings slots and views up to date after files or their contents have changed.
// The files come in the order of their [Standing].
func (c *Catalog) Settle(files []Source) {
	c.resolve(files)
	c.files = len(files)
	for _, file := range byProcess(files) {
		file.Bind(c)
	}
	c.marked = slices.Grow(c.marked[:0], c.Slots())[:c.Slots()]
	clear(c.marked)
	for _, file := range files {
		file.Mark(c)
	}
	c.marked[0] = absent
	for slot, marked := range c.marked {
		if slot > 0 && (slot >= len(c.before) && marked != absent || slot < len(c.before) && marked != c.before[slot]) {
			c.slots.owner(uint32(slot)).dirty = true
		}
	}
	c.before = append(c.before[:0], c.marked...)
	for _, f := range c.Present {
		if f.dirty {
			f.view, f.dirty = c.newView(f), false
		}
		if f.view.collision != nil {
			c.Conflicts[ConflictKey{family: f.name, about: "pid"}] = f.view.collision
		}
	}
}

// Views returns the families as they are now; they do not change later.
func (c *Catalog) Views(wanted *Selection) []*View {
	views := make([]*View, 0, len(c.Present))
	for _, f := range c.Present {
		if wanted == nil || wanted.Wanted[f] {
			views = append(views, f.view)
		}
	}
	return views
}

// Count returns how many series there are.
func (c *Catalog) Count() (n int) {
	for _, f := range c.Present {
		n += f.view.len()
	}
	return n
}

// Collisions returns how many series were left out for those of another process
// of the same pid.
func (c *Catalog) Collisions() (n int) {
	for _, f := range c.Present {
		n += f.view.collided
	}
	return n
}
