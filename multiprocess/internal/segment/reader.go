package segment

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// Space is the bytes of a segment that a reader can see.
type Space interface {
	// Bytes returns n bytes from offset on, nil if they are not all there. What
	// one record has lies in one piece, and offset 0 at an address that is a
	// multiple of 8. Any offset may be asked for.
	Bytes(offset, n uint64) []byte
}

// Image is a segment's bytes from its beginning on, as a [Space].
type Image []byte

// Bytes implements [Space].
func (m Image) Bytes(offset, n uint64) []byte {
	if size := uint64(len(m)); offset > size || n > size-offset {
		return nil
	}
	return m[offset : offset+n : offset+n]
}

// Block is where rows of a family lie.
type Block struct {
	Offset uint64 // of the first
	Rows   uint32
}

// Contents is told what a segment has, in the order in which it was written.
type Contents interface {
	// Family is told of each family, which is one that a page may have. Rows of
	// others come in between.
	Family(f *Family) error
	// Block is told of rows that follow the family's rows so far, the first of
	// which lies at the offset. Words of rows are in one piece.
	Block(f *Family, offset uint64, rows uint32) error
	// Series is told whose the row of that number is from now on, while its
	// state has that generation. A family's rows are given out in their order,
	// each for the first time behind those before it. The texts are valid until
	// Series returns.
	Series(f *Family, row uint32, generation uint8, s Series) error
}

// Reader walks a segment, from where it was the last time to where the writer
// is. It keeps no bytes of it. The zero Reader is at the beginning. It is not
// safe for concurrent use.
type Reader struct {
	header   Header
	at       uint64
	families []*Family
	rows     []uint32 // of families, by number
	given    []uint32 // rows that a series had, the first of the family's
	notes    Notes
	copied   []byte // what is being looked at: its writer might change it meanwhile
}

// Header returns what DecodeHeader found in the first call of Next.
func (r *Reader) Header() *Header { return &r.header }

// Notes returns what the segment says beside its families, as far as it was read.
// The caller changes none of it.
func (r *Reader) Notes() *Notes { return &r.notes }

// At returns how many bytes were read.
func (r *Reader) At() uint64 { return r.at }

// Published returns how many bytes of the segment are complete; 0 if its header
// is not there.
func Published(s Space) uint64 {
	if b := s.Bytes(0, HeaderSize); b != nil {
		return atomicWord(b, offUsed)
	}
	return 0
}

// Signs is what a writer says of itself in its header from time to time.
type Signs struct {
	Closed  bool   // it ended in good order
	Dead    bool   // a folder found it dead: whoever holds its lock now is not it
	Beat    int64  // nanoseconds since 1970; 0 if never
	Spilled uint64 // series that did not fit
	Alive   int64  // when it said last that it lives, by the boot's clock; 0 if never
	Head    uint64 // where its newest tombstone lies; 0 if there is none
}

// SignsOf returns the signs in a header that DecodeHeader has read.
func SignsOf(s Space) (signs Signs) {
	if b := s.Bytes(0, HeaderSize); b != nil {
		state := atomicWord(b, offState)
		signs = Signs{
			Closed: state&stateClosed != 0, Dead: state&stateDead != 0, Beat: int64(atomicWord(b, offBeat)),
			Spilled: atomicWord(b, offSpilled), Alive: int64(atomicWord(b, offAlive)), Head: atomicWord(b, offHead),
		}
	}
	return signs
}

// DeadState returns the bits that say in a header that its writer is dead, as the
// bytes of a word, and where that lies. They are set before the lock of a dead
// writer is taken by somebody else.
func DeadState() (word []byte, offset int64) {
	return order.AppendUint64(nil, stateDead), offState
}

func atomicWord(b []byte, offset uint64) uint64 {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&b[offset])))
}

// Next tells of all records that were published since the last call. After an
// error, which is a [*Corrupt], [ErrForeign], [ErrVersion], or one of the
// Contents', the reader cannot go on, unless it is [ErrShort]: a writer may publish more at any time,
// and with a Space that has it the reader goes on where it was.
func (r *Reader) Next(s Space, to Contents) error {
	if r.at == 0 {
		b := s.Bytes(0, HeaderSize)
		if b == nil {
			return corrupt(0, "a segment has a header of %d bytes", HeaderSize)
		}
		h, err := DecodeHeader(b)
		if err != nil {
			return err
		}
		r.header, r.at = h, HeaderSize
	}
	used := Published(s)
	if used < r.at || used%8 != 0 || used > maxSize {
		return corrupt(offUsed, "%d bytes are in use, after %d", used, r.at)
	}
	for r.at < used {
		n, err := r.record(s, to, used)
		if err != nil {
			return err
		}
		r.at += n
	}
	return nil
}

// record tells of the record that comes next and returns its size.
func (r *Reader) record(s Space, to Contents, used uint64) (uint64, error) {
	b, fixed, t, err := recordAt(s, r.at, used)
	if err != nil {
		return 0, err
	}
	size := uint64(len(b))
	r.copied = append(r.copied[:0], b[:recordHeaderSize+len(fixed)]...)
	fixed = r.copied[recordHeaderSize:]
	if want, got := order.Uint32(r.copied[8:]), checksum(r.copied, uint32(len(fixed))); want != got {
		return 0, corrupt(r.at, "the record's checksum is %#x and should be %#x", want, got)
	}
	switch t {
	case familyRecord:
		return size, r.family(fixed, size, to)
	case blockRecord:
		return size, r.block(fixed, size, to)
	case seriesRecord:
		return size, r.series(fixed, to)
	case formerRecord:
		return 0, corrupt(r.at, "a record of version 1 of the format")
	case restRecord, takenRecord, appliedRecord, carriedRecord:
		if r.header.Kind != KindArchive {
			return 0, corrupt(r.at, "a record of type %d where there is no archive", t)
		}
	case tombstoneRecord:
		if r.header.Kind != KindWriter {
			return 0, corrupt(r.at, "a record of type %d where there is no writer", t)
		}
	}
	return size, r.note(t, fixed) // or it is of a later minor version, or nothing to tell of
}

func (r *Reader) family(fixed []byte, size uint64, to Contents) error {
	f, err := decodeFamily(fixed, r.at)
	if err != nil {
		return err
	}
	start := familyRecord.mutable(r.at, uint64(len(fixed)))
	switch {
	case int(f.Number) != len(r.families):
		return corrupt(r.at, "family %d comes after %d others", f.Number, len(r.families))
	case start > size || size-start < 8:
		return corrupt(r.at, "a family whose word is not there")
	}
	f.shown = r.at + start
	r.families, r.rows, r.given = append(r.families, f), append(r.rows, 0), append(r.given, 0)
	if f.Words() == 0 {
		return nil
	}
	return to.Family(f)
}

// recordAt returns a record, its fixed part and its type, not yet the checksum.
func recordAt(s Space, at, used uint64) (b, fixed []byte, t recordType, err error) {
	if at%8 != 0 || used-at < recordHeaderSize {
		return nil, nil, 0, corrupt(at, "no record begins here")
	}
	head := s.Bytes(at, recordHeaderSize)
	if head == nil {
		return nil, nil, 0, &Corrupt{at, "a record that is not there", true}
	}
	size, n := uint64(order.Uint32(head)), uint64(order.Uint32(head[12:]))
	if size < recordHeaderSize || size%8 != 0 || size > used-at || n > size-recordHeaderSize {
		return nil, nil, 0, corrupt(at, "a record of %d bytes, of which %d are fixed and %d in use", size, n, used-at)
	}
	if b = s.Bytes(at, size); b == nil {
		return nil, nil, 0, &Corrupt{at, fmt.Sprintf("a record of %d bytes that are not there", size), true}
	}
	return b, b[recordHeaderSize : recordHeaderSize+n], recordType(order.Uint16(b[4:])), nil
}

func (r *Reader) block(fixed []byte, size uint64, to Contents) error {
	in := fields{rest: fixed}
	number, from, rows := in.u32(), in.u32(), in.u32()
	f := r.known(number)
	if in.short || f == nil {
		return corrupt(r.at, "rows of family %d", number)
	}
	if f.Words() == 0 {
		return nil
	}
	start := blockRecord.mutable(r.at, uint64(len(fixed)))
	if rows == 0 || start > size || uint64(rows) > (size-start)/8/uint64(f.Words()) || from != r.rows[number] {
		return corrupt(r.at, "%d rows from row %d on in %d bytes", rows, from, size)
	}
	r.rows[number] += rows
	return to.Block(f, r.at+start, rows)
}

func (r *Reader) series(fixed []byte, to Contents) error {
	in := fields{rest: fixed}
	number, row, generation := in.u32(), in.u32(), in.u8()
	s := Series{Round: in.u8()}
	in.take(2)
	s.Labels = in.view()
	if r.header.Kind == KindArchive {
		s.Start, s.Changed, s.Process = int64(in.u64()), int64(in.u64()), in.view()
	}
	f := r.known(number)
	if in.short || f == nil {
		return corrupt(r.at, "a series of family %d", number)
	}
	if f.Words() == 0 {
		return nil
	}
	if row >= r.rows[number] {
		return corrupt(r.at, "a series in row %d of %d", row, r.rows[number])
	}
	if row > r.given[number] {
		return corrupt(r.at, "row %d of %.80q is given out after %d rows", row, f.Name, r.given[number])
	}
	r.given[number] = max(r.given[number], row+1)
	if !model.ValidLabelsText(s.Labels) {
		return corrupt(r.at, "%.80q are no labels", s.Labels)
	}
	return to.Series(f, row, generation, s)
}

// known returns the family of a number, nil if there is none as yet.
func (r *Reader) known(number uint32) *Family {
	if uint64(number) < uint64(len(r.families)) {
		return r.families[number]
	}
	return nil
}

// State takes a row's state apart. There is a series in the row if live, which
// is the one with the generation; created is 0 if that is unknown. Who reads
// values reads the state before and after: if it is another one then, the values
// may be another series'.
func State(row *cell.Word) (generation uint8, created int64, live bool) {
	state := row.Load()
	created = int64(state & createdMask)
	live = created != 0
	if created == unknownCreated {
		created = 0
	}
	return uint8(state >> generationShift), created, live
}

// Withdrawn returns the bytes that a row's first word has once its series is taken
// out. They are for the segment of a writer that is dead, where nobody uses the row
// again.
func Withdrawn(row *cell.Word) []byte {
	return order.AppendUint64(nil, row.Load()&^createdMask)
}

// Values returns the first of a row's values.
func (l Layout) Values(row *cell.Word) *cell.Word { return cell.At(row, l.values()) }

// mostLanes is how many lanes a value may have, so that damage cannot make the
// reading of a row as long as the file.
const mostLanes = 1024

// lanes is a lanes record.
type lanes struct {
	first                *cell.Word
	words, lanes, stride int
}

func lanesAt(s Space, at uint64) (l lanes, ok bool) {
	b, fixed, ok := linked(s, at, lanesRecord)
	if !ok {
		return l, false
	}
	in := fields{rest: fixed}
	words, n, stride := uint64(in.u32()), uint64(in.u32()), uint64(in.u32())
	start := lanesRecord.mutable(at, uint64(len(fixed)))
	if in.short || n == 0 || n > mostLanes || stride == 0 || words > stride || start > uint64(len(b)) || n*stride > (uint64(len(b))-start)/8 {
		return l, false
	}
	return lanes{WordAt(b, start), int(words), int(n), int(stride)}, true
}

// linked returns the record of that type that a row refers to.
func linked(s Space, at uint64, t recordType) (b, fixed []byte, ok bool) {
	if at < HeaderSize {
		return nil, nil, false
	}
	b, fixed, is, err := recordAt(s, at, ^uint64(0))
	return b, fixed, err == nil && is == t
}

// Spread is the lanes of a row, as a reader sees them. The zero Spread has none.
type Spread struct{ lanes }

// SpreadOf returns the lanes that a row refers to, if its layout has them.
func (f *Family) SpreadOf(s Space, row *cell.Word) (Spread, bool) {
	if !f.Layout.linked() || f.Layout == LayoutInfo {
		return Spread{}, false
	}
	l, ok := lanesAt(s, lowLink(cell.At(row, wordLinks).Load()))
	if !ok || !spend(s, uint64(l.lanes)*uint64(l.words)*8) {
		return Spread{}, false
	}
	return Spread{l}, true
}

// Sum returns what the lanes hold of the row's i-th value, as whole numbers.
func (s Spread) Sum(i int) (sum uint64) {
	for lane := 0; lane < s.lanes.lanes && i < s.words; lane++ {
		sum += cell.At(s.first, lane*s.stride+i).Load()
	}
	return sum
}

// SumFloat is Sum for float64s.
func (s Spread) SumFloat(i int) (sum float64) {
	for lane := 0; lane < s.lanes.lanes && i < s.words; lane++ {
		sum += cell.LoadFloat(cell.At(s.first, lane*s.stride+i))
	}
	return sum
}

// table is a table record: offsets of text slots.
type table struct {
	first *cell.Word
	n     int
}

func tableAt(s Space, at uint64) (t table, ok bool) {
	b, fixed, ok := linked(s, at, tableRecord)
	if !ok {
		return t, false
	}
	in := fields{rest: fixed}
	n := uint64(in.u32())
	start := tableRecord.mutable(at, uint64(len(fixed)))
	if in.short || n == 0 || start > uint64(len(b)) || n > (uint64(len(b))-start)/8 {
		return t, false
	}
	return table{WordAt(b, start), int(n)}, true
}

func slotAt(s Space, at uint64) (slot textSlot, ok bool) {
	b, fixed, ok := linked(s, at, textRecord)
	if !ok {
		return slot, false
	}
	in := fields{rest: fixed}
	capacity := uint64(in.u32())
	start := textRecord.mutable(at, uint64(len(fixed)))
	if in.short || capacity%8 != 0 || start > uint64(len(b)) || slotText+capacity/8 > (uint64(len(b))-start)/8 {
		return slot, false
	}
	return textSlot{WordAt(b, start), int(capacity)}, true
}

// Exemplar returns the exemplar of a counter's row, or of a histogram's i-th
// bucket or the place of a native one, nil if there is none that can be read.
func (f *Family) Exemplar(s Space, row *cell.Word, i int) *model.Exemplar {
	if !f.Layout.linked() || f.Layout == LayoutInfo {
		return nil
	}
	t, ok := tableAt(s, highLink(cell.At(row, wordLinks).Load()))
	if !ok || i >= t.n {
		return nil
	}
	slot, ok := slotAt(s, cell.At(t.first, i).Load())
	if !ok || !spend(s, uint64(slot.capacity)) {
		return nil
	}
	value, when, text, ok := slot.read(nil)
	if !ok || !model.ValidLabelsText(string(text)) {
		return nil
	}
	return &model.Exemplar{Labels: model.LabelsFromText(string(text)), Value: value, Timestamp: when}
}

// Info returns the labels that an info's row was set to.
func (f *Family) Info(s Space, row *cell.Word) model.Labels {
	if f.Layout != LayoutInfo {
		return model.Labels{}
	}
	links := cell.At(row, wordLinks)
	for range 3 { // in which the writer may have come round to the slot that was shown
		shown := links.Load()
		slot, ok := slotAt(s, highLink(shown))
		if !ok || !spend(s, uint64(slot.capacity)) {
			break
		}
		if _, _, text, ok := slot.read(nil); ok && model.ValidLabelsText(string(text)) {
			return model.LabelsFromText(string(text))
		}
		if links.Load() == shown {
			break
		}
	}
	return model.Labels{}
}
