package segment

import (
	"fmt"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/reserved"
	"telltale/model"
)

// Space is the bytes of a segment that a reader can see.
type Space interface {
	// Bytes returns n bytes from offset on, nil if they are not all there. What
	// one record has lies in one piece, and offset 0 at an address that is a
	// multiple of 8. Any offset may be asked for.
	Bytes(offset, n uint64) []byte
}

// Holed is a [Space] of a file that may have holes, which are bytes that take no room on
// the disk and are read as zeros. What takes memory, payloads and texts, lies in no hole of
// a segment that a writer has made.
type Holed interface {
	Space
	// There reports whether none of n bytes from offset on, which Bytes would return, lies
	// in a hole.
	There(offset, n uint64) bool
}

// there reports whether bytes of a space may be copied: they are few, or none of them lies
// in a hole.
func there(s Space, offset, n uint64) bool {
	if n <= maxBehind {
		return true
	}
	h, ok := s.(Holed)
	return !ok || h.There(offset, n)
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
	Ending  bool   // series of some family end when nobody updates them
	Dead    bool   // a fold found it dead: a process that holds its lock now is another
	Beat    int64  // nanoseconds since 1970; 0 if never
	Spilled uint64 // series that did not fit
	Alive   int64  // when it said last that it lives, by the boot's clock; 0 if never
	Buried  int64  // the time of its newest tombstone, by that clock; 0 if there is none
}

// SignsOf returns the signs in a header that DecodeHeader has read.
func SignsOf(s Space) (signs Signs) {
	if b := s.Bytes(0, HeaderSize); b != nil {
		state := atomicWord(b, offState)
		signs = Signs{
			Closed: state&stateClosed != 0, Ending: state&stateEnding != 0, Dead: state&stateDead != 0, Beat: int64(atomicWord(b, offBeat)),
			Spilled: atomicWord(b, offSpilled), Alive: int64(atomicWord(b, offAlive)), Buried: int64(atomicWord(b, offBuried)),
		}
	}
	return signs
}

// DeadState returns the bits that say in a header that its writer is dead, as the
// bytes of a word, and where that lies. They are set before the lock of a dead
// writer is taken by another process.
func DeadState() (word []byte, offset int64) {
	return order.AppendUint64(nil, stateDead), offState
}

func atomicWord(b []byte, offset uint64) uint64 { return WordAt(b, offset).Load() }

// recordAt returns a record, its fixed part and its type, not yet the checksum.
func recordAt(s Space, at, used uint64) (b, fixed []byte, t recordType, err error) {
	size, n, t, err := sizesAt(s, at, used)
	if err != nil {
		return nil, nil, 0, err
	}
	if b = s.Bytes(at, size); b == nil {
		return nil, nil, 0, &Corrupt{at, fmt.Sprintf("a record of %d bytes that are not there", size), true}
	}
	return b, b[recordHeaderSize : recordHeaderSize+n], t, nil
}

// sizesAt returns how many bytes a record has, how many of them are its fixed part, and its
// type.
func sizesAt(s Space, at, used uint64) (size, fixed uint64, t recordType, err error) {
	if at%8 != 0 || used-at < recordHeaderSize {
		return 0, 0, 0, corrupt(at, "no record begins here")
	}
	head := s.Bytes(at, recordHeaderSize)
	if head == nil {
		return 0, 0, 0, &Corrupt{at, "a record that is not there", true}
	}
	size, fixed = uint64(order.Uint32(head)), uint64(order.Uint32(head[12:]))
	if size < recordHeaderSize || size%8 != 0 || size > used-at || fixed > size-recordHeaderSize {
		return 0, 0, 0, corrupt(at, "a record of %d bytes, of which %d are fixed and %d in use", size, fixed, used-at)
	}
	return size, fixed, recordType(order.Uint16(head[4:])), nil
}

// payloadAt returns the fixed part of a record with so many bytes of it, whose checksum is
// right. The rest of the record is not looked at.
func payloadAt(s Space, at, fixed uint64) (fields, error) {
	if !there(s, at+recordHeaderSize, fixed) {
		return fields{}, corrupt(at, "a record with a payload of %d bytes, not all of which are there", fixed)
	}
	b := s.Bytes(at, recordHeaderSize+fixed)
	if b == nil {
		return fields{}, &Corrupt{at, fmt.Sprintf("a payload of %d bytes that are not there", fixed), true}
	}
	if want, got := order.Uint32(b[8:]), checksum(b, uint32(fixed)); want != got {
		return fields{}, corrupt(at, "the record's checksum is %#x and should be %#x", want, got)
	}
	return fields{rest: b[recordHeaderSize:]}, nil
}

// State returns what a row's state says: the generation of its series, when that was
// created, 0 if unknown, and whether the row has a series. A reader of values reads the
// state before and after: if it has changed, the values may be another series'.
func State(row *cell.Word) (generation uint8, created int64, live bool) {
	state := row.Load()
	created = int64(state & createdMask)
	live = created != 0
	if created == UnknownCreated {
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

// NativeLanes returns the words of the lanes of a row's native buckets, and how many
// lie from the beginning of one to that of the next; none if there are no such lanes.
func (f *Family) NativeLanes(s Space, row *cell.Word) (words []cell.Word, stride int) {
	l, ok := f.SpreadOf(s, row)
	if !ok || l.words < f.Native().LaneWords() {
		return nil, 0
	}
	return unsafe.Slice(l.first, l.lanes.lanes*l.stride), l.stride
}

// Lanes returns how many lanes there are.
func (s Spread) Lanes() int { return s.lanes.lanes }

// Word returns what a lane holds of the row's i-th value; 0 if it has no such word.
func (s Spread) Word(lane, i int) uint64 {
	if i >= s.words {
		return 0
	}
	return cell.At(s.first, lane*s.stride+i).Load()
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
	return textSlot{WordAt(b, start), int(capacity)}.within(s, at+start), true
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
	labels := model.LabelsFromText(string(text))
	if reserved.Check("", model.Unknown, labels) != nil {
		return nil
	}
	return &model.Exemplar{Labels: labels, Value: value, Timestamp: when}
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
