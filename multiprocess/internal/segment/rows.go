package segment

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/reserved"
	"telltale/model"
)

// Rows is the rows of one family in a writer's segment. A row is handed out as
// its first value word: behind the state and, where the layout has them, the
// links. Methods are safe for concurrent use.
type Rows struct {
	writer *Writer
	family Family
	at     uint64 // where the family's record lies
	words  int

	blocks    []block   // by the numbers of their rows
	addresses []address // the same by address
	near      int       // the place in blocks of the one that was looked for last
	next      uint32    // row in the newest block
	total     uint32    // rows in all blocks
	series    []uint32  // by row: where its newest series record lies, divided by 8; not in archives
	rest      queue
	ended     int                       // how many of rest, the first, have no series for anybody any more
	levels    map[*cell.Word]levelLanes // in use, of rows in LayoutValue
}

type block struct {
	first  *cell.Word
	offset uint64 // of its record
	from   uint32 // the number of its first row
	rows   uint32
	size   uintptr // of all rows, in bytes
}

// address is the address of a block, and its place in Rows.blocks.
type address struct {
	at    uintptr
	block int
}

// Series is a series as a segment has it.
type Series struct {
	Labels  string // canonical text, see model.Labels
	Created int64  // microseconds since 1970; 0 or less if unknown
	Round   uint64 // the row counts while this is [Family.Shown]

	// In archives alone.
	Process string // the label of the process whose it was, where that counts
	Start   int64  // when that process's segment was made
	Changed int64  // when it was last updated, or later, in nanoseconds since 1970; 0 if unknown
	Life    Life   // of a family with an Expiry; writers need not say it
}

// A state is the generation of its row above, and when the series was created
// below, in microseconds since 1970: 1 if that is unknown, 0 if there is none.
const (
	generationShift = 56
	createdMask     = 1<<generationShift - 1
)

// UnknownCreated is the created time in the state of a series whose created time is not
// known.
const UnknownCreated = 1

// fewestLanes is how many lanes keep writers apart at least.
const fewestLanes = 2

// maxBlockRows is how many rows a block has at most.
const maxBlockRows = 512

// Rows lays out a family, unless readers would not accept it.
func (w *Writer) Rows(f Family) (*Rows, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Number = w.families
	rec, err := w.lay(familyRecord, f.payload(), 1)
	if err != nil {
		return nil, err
	}
	f.shown, f.rests = rec.offset+rec.mutable, nil
	w.families++
	if f.Expiry > 0 {
		WordAt(w.header, offState).Or(stateEnding)
	}
	w.publish()
	return &Rows{writer: w, family: f, at: rec.offset, words: f.Words()}, nil
}

// Family returns what the rows are of.
func (r *Rows) Family() *Family { return &r.family }

// Show shows the series of a round in place of all others, in one step. The caller
// then retires these.
func (r *Rows) Show(round uint64) {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	r.show(round)
}

// ShowAlone is Show, and notes that all series that ended processes have left of the
// family were removed at the given time, as [Writer.Bury] does. Whatever may wait
// happens before the word that shows the round is stored, and the removal becomes
// visible after it. After an error, which is that of Bury, nothing has changed.
func (r *Rows) ShowAlone(round uint64, now int64) error {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	t := Tombstone{Time: now, Type: r.family.Type, Name: r.family.Name}
	return w.bury(&t, func() { r.show(round) })
}

// show is Show for callers who hold the lock.
func (r *Rows) show(round uint64) {
	w := r.writer
	WordAt((*locked)(w).Bytes(r.family.shown, 8), 0).Store(round)
	// The numbers of rounds are used again after a long time. So the states of rows that
	// have rested say from now on that the rows have no series.
	for ; r.ended < r.rest.len() && r.rest.at(r.ended).until <= w.ticks; r.ended++ {
		r.numbered(r.rest.at(r.ended).number).And(^uint64(createdMask))
	}
}

// Add gives a series a row whose values are zero, and returns the first of them.
func (r *Rows) Add(s Series) (*cell.Word, error) {
	if err := checkSeries(&r.family, s.Labels); err != nil {
		return nil, err
	}
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	row, number, rested, err := r.take()
	if err != nil {
		return nil, err
	}
	generation := uint8(row.Load()>>generationShift + 1)
	var p payload
	p.u32(r.family.Number)
	p.u32(number)
	p.u32(stampOf(generation, s.Round))
	p.text(s.Labels)
	if w.kind == KindArchive {
		p.u64(uint64(s.Start))
		p.u64(uint64(s.Changed))
		p.text(s.Process)
	}
	rec, err := w.lay(seriesRecord, p, 0)
	if err != nil {
		return nil, err
	}
	if w.kind == KindWriter {
		r.note(number, rec.offset)
	}
	if rested {
		r.rest.pop()
		r.ended = max(0, r.ended-1)
		row.And(^uint64(createdMask)) // if it was retired
		r.clear(row)
	} else {
		r.next++
	}
	w.publish()
	r.family.begin(row, s.Life)
	row.Store(uint64(generation)<<generationShift | createdBits(s.Created))
	return cell.At(row, r.family.Layout.values()), nil
}

// note keeps where the newest series record of a row lies. Rows are given out in order.
func (r *Rows) note(number uint32, at uint64) {
	if int(number) == len(r.series) {
		r.series = append(r.series, 0)
	}
	r.series[number] = uint32(at / 8)
}

// createdBits returns the lower part of a live row's state, which is never 0.
func createdBits(created int64) uint64 {
	return uint64(min(max(UnknownCreated, created), createdMask))
}

// checkSeries returns an error for labels of a series for which readers would refuse the
// segment.
func checkSeries(f *Family, labels string) error {
	if err := checkLabels(labels); err != nil {
		return err
	}
	if err := reserved.Check(f.Name, f.Type, model.LabelsFromText(labels)); err != nil {
		return fmt.Errorf("segment: a series of %.80q %w", f.Name, err)
	}
	return nil
}

// checkLabels refuses text for which readers would refuse the segment.
func checkLabels(text string) error {
	if !model.ValidLabelsText(text) {
		return fmt.Errorf("segment: %.80q are no labels", text)
	}
	return nil
}

// clear zeroes a row that is used again. What it refers to stays and is used
// again too: otherwise series that come and go would fill the disk.
func (r *Rows) clear(row *cell.Word) {
	for i := r.family.Layout.values(); i < r.words; i++ {
		cell.At(row, i).Store(0)
	}
	if !r.family.Layout.linked() {
		return
	}
	s := (*locked)(r.writer)
	links := cell.At(row, wordLinks).Load()
	low, high := lowLink(links), highLink(links)
	if r.family.Layout == LayoutInfo {
		for _, at := range []uint64{low, high} {
			if slot, ok := slotAt(s, at); ok {
				slot.clear()
			}
		}
		return
	}
	if l, ok := lanesAt(s, low); ok {
		for i := range l.lanes * l.stride {
			cell.At(l.first, i).Store(0)
		}
	}
	if t, ok := tableAt(s, high); ok {
		for i := range t.n {
			if slot, ok := slotAt(s, cell.At(t.first, i).Load()); ok {
				slot.clear()
			}
		}
	}
}

// take returns a row, its number, and whether it has rested; else it is fresh. The next call
// returns the same row, unless the caller moves r.rest or r.next on. The caller holds the
// lock.
func (r *Rows) take() (row *cell.Word, number uint32, rested bool, err error) {
	if r.rest.len() > 0 && r.rest.at(0).until <= r.writer.ticks {
		number = r.rest.at(0).number
		return r.numbered(number), number, true, nil
	}
	if len(r.blocks) == 0 || r.next == r.blocks[len(r.blocks)-1].rows {
		if err := r.grow(); err != nil {
			return nil, 0, false, err
		}
	}
	b := &r.blocks[len(r.blocks)-1]
	return cell.At(b.first, int(r.next)*r.words), b.from + r.next, false, nil
}

// A first block has room for fewestRows, or for as many as fit firstBlock bytes: families
// mostly have few series, which readers then find side by side.
const (
	fewestRows = 8
	firstBlock = 512
)

// grow adds a block of rows: one for a family without labels, else a first block, then
// twice as many each time.
func (r *Rows) grow() error {
	n := uint32(1)
	if len(r.family.Labels) > 0 || r.family.Published || r.total > 0 {
		first := max(fewestRows, firstBlock/8/r.words)
		n = uint32(min(first<<min(len(r.blocks), 16), maxBlockRows, max(1, maxExtent/8/r.words)))
	}
	var p payload
	p.u32(r.family.Number)
	p.u32(r.total)
	p.u32(n)
	w := r.writer
	rec, err := w.lay(blockRecord, p, uint64(n)*uint64(r.words))
	if err != nil {
		return err
	}
	w.publish()
	b := block{first: WordAt(rec.bytes, rec.mutable), offset: rec.offset, from: r.total, rows: n, size: 8 * uintptr(n) * uintptr(r.words)}
	r.total += n
	r.next = 0
	at := address{uintptr(unsafe.Pointer(b.first)), len(r.blocks)}
	i, _ := slices.BinarySearchFunc(r.addresses, at, func(b, c address) int { return cmp.Compare(b.at, c.at) })
	r.blocks, r.addresses = append(r.blocks, b), slices.Insert(r.addresses, i, at)
	return nil
}

// row returns the first word of the row with the given first value.
func (r *Rows) row(first *cell.Word) *cell.Word {
	return cell.At(first, -r.family.Layout.values())
}

// Remove takes the series of a row out, if it is one of these rows, and reports whether
// it is. The row is not given to another before it has rested.
func (r *Rows) Remove(first *cell.Word) (had bool) {
	r.writer.mu.Lock()
	defer r.writer.mu.Unlock()
	return r.leave(first, createdMask)
}

// Retire is Remove for a series of a round that is no longer shown: a reader that began
// while it was shown still finds the series while the row rests.
func (r *Rows) Retire(first *cell.Word) (had bool) {
	r.writer.mu.Lock()
	defer r.writer.mu.Unlock()
	return r.leave(first, 0)
}

// leave clears bits of the state of a series' row, which rests from then on. The caller
// holds the lock.
func (r *Rows) leave(first *cell.Word, bits uint64) (had bool) {
	number, ok := r.number(first)
	if !ok {
		return false
	}
	r.rests(r.row(first), number, bits)
	return true
}

// rests is leave for a row with a number.
func (r *Rows) rests(row *cell.Word, number uint32, bits uint64) {
	state := row.Load()
	if state&createdMask == 0 {
		return
	}
	if bits != 0 { // else the created time may change meanwhile
		storeEarly(row, state&^bits)
	}
	r.restLanes(row)
	r.rest.push(resting{number, r.writer.ticks + quarantine})
}

// number returns the number of the row with the given first value, whether or not a series
// has the row, and false if it is none of these rows. The caller holds the lock.
func (r *Rows) number(first *cell.Word) (uint32, bool) {
	b := r.block(first)
	if b == nil {
		return 0, false
	}
	return b.from + uint32(r.behind(b, first))/uint32(8*r.words), true
}

// block returns the block with the row that has the given first value, nil if there is
// none. The caller holds the lock.
func (r *Rows) block(first *cell.Word) *block {
	if r.near < len(r.blocks) {
		if b := &r.blocks[r.near]; r.behind(b, first) < b.size {
			return b
		}
	}
	at := uintptr(unsafe.Pointer(r.row(first)))
	i := sort.Search(len(r.addresses), func(i int) bool { return r.addresses[i].at > at }) - 1
	if i < 0 {
		return nil
	}
	b := &r.blocks[r.addresses[i].block]
	if r.behind(b, first) >= b.size {
		return nil
	}
	r.near = r.addresses[i].block
	return b
}

// behind returns how far behind the beginning of a block the row with the given first value
// lies; more than any block has if it lies before that.
func (r *Rows) behind(b *block, first *cell.Word) uintptr {
	return uintptr(unsafe.Pointer(r.row(first))) - uintptr(unsafe.Pointer(b.first))
}

// numbered returns the row with a number, which was given out. The caller holds the lock.
func (r *Rows) numbered(number uint32) *cell.Word {
	i, there := slices.BinarySearchFunc(r.blocks, number, func(b block, number uint32) int { return cmp.Compare(b.from, number) })
	if !there {
		i--
	}
	return cell.At(r.blocks[i].first, int(number-r.blocks[i].from)*r.words)
}

// Has reports whether first is the first value of one of these rows.
func (r *Rows) Has(first *cell.Word) bool {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := r.number(first)
	return ok
}

// Touch moves the created time of a series, in microseconds since 1970.
func (r *Rows) Touch(first *cell.Word, created int64) {
	row := r.row(first)
	for {
		state := row.Load()
		if state&createdMask == 0 || row.CompareAndSwap(state, state&^createdMask|createdBits(created)) {
			return
		}
	}
}

// Lanes returns the lanes of a row, over which the given number of words of its values are
// spread. They are made at the first call.
func (r *Rows) Lanes(first *cell.Word, words int) (*cell.Lanes, error) {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	links := cell.At(r.row(first), wordLinks)
	if l, ok := lanesAt((*locked)(w), lowLink(links.Load())); ok {
		return cell.LanesOver(unsafe.Slice(l.first, l.lanes*l.stride), l.stride), nil
	}
	rec, err := w.layLanes(words)
	if err != nil {
		return nil, err
	}
	w.publish()
	link(links, rec.offset, 0)
	l, _ := lanesAt((*locked)(w), rec.offset)
	return cell.LanesOver(unsafe.Slice(l.first, l.lanes*l.stride), l.stride), nil
}

// layLanes lays out lanes of so many words, fewer of larger ones. The caller holds the
// lock.
func (w *Writer) layLanes(words int) (record, error) {
	lanes, stride := cell.LaneShape(words)
	for ; lanes*stride > maxExtent/8; lanes /= 2 {
		if lanes == fewestLanes {
			return record{}, errLanes
		}
	}
	var p payload
	p.u32(uint32(words))
	p.u32(uint32(lanes))
	p.u32(uint32(stride))
	return w.lay(lanesRecord, p, uint64(lanes*stride))
}

// lowLink and highLink return the offsets in links, 0 for none.
func lowLink(links uint64) uint64  { return links & math.MaxUint32 * 8 }
func highLink(links uint64) uint64 { return links >> 32 * 8 }

// link puts an offset into the lower half of links, or the upper one at shift
// 32.
func link(links *cell.Word, offset uint64, shift uint) {
	for {
		old := links.Load()
		if links.CompareAndSwap(old, old&^(0xffffffff<<shift)|offset/8<<shift) {
			return
		}
	}
}

// SetExemplar makes e the exemplar of a counter, or of a histogram's i-th bucket:
// those of native buckets come behind the classic ones.
func (r *Rows) SetExemplar(first *cell.Word, i int, e *model.Exemplar) error {
	text := e.Labels.Text()
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	entry, err := r.exemplarEntry(first, i)
	if err != nil {
		return err
	}
	if slot, ok := slotAt((*locked)(w), entry.Load()); ok && slot.capacity >= len(text) {
		slot.write(e.Value, e.Timestamp, text)
		return nil
	}
	slot, offset, err := w.newSlot(len(text))
	if err != nil {
		return err
	}
	slot.write(e.Value, e.Timestamp, text)
	entry.Store(offset)
	return nil
}

// exemplarEntry finds the word that says where an exemplar lies, and makes the
// row's table at the first call. The caller holds the lock.
func (r *Rows) exemplarEntry(first *cell.Word, i int) (*cell.Word, error) {
	w := r.writer
	links := cell.At(r.row(first), wordLinks)
	if t, ok := tableAt((*locked)(w), highLink(links.Load())); ok {
		return cell.At(t.first, i), nil
	}
	n := r.family.Exemplars()
	var p payload
	p.u32(uint32(n))
	rec, err := w.lay(tableRecord, p, uint64(n))
	if err != nil {
		return nil, err
	}
	w.publish()
	link(links, rec.offset, 32)
	return cell.At(WordAt(rec.bytes, rec.mutable), i), nil
}

// SetInfo makes labels those of an info's row. They are written where readers do
// not look, then shown in one step.
func (r *Rows) SetInfo(first *cell.Word, labels string) error {
	if err := checkLabels(labels); err != nil {
		return err
	}
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	links := cell.At(r.row(first), wordLinks)
	old := links.Load()
	shown, spare := old>>32, old&math.MaxUint32
	slot, ok := slotAt((*locked)(w), spare*8)
	if !ok || slot.capacity < len(labels) {
		fresh, offset, err := w.newSlot(len(labels))
		if err != nil {
			return err
		}
		slot, spare = fresh, offset/8
	}
	slot.write(0, model.Timestamp{}, labels)
	links.Store(spare<<32 | shown)
	return nil
}
