package segment

import (
	"hash/crc32"
	"math"
	"math/bits"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// textSlot is room for one text with a value and a time, which is written again and
// again while others read it. Its words: a version, odd while a goroutine writes and 0
// before the first write; the value; seconds; nanoseconds, with the bit setBit if there
// is a time; the text's length, with its checksum above; the text.
type textSlot struct {
	first    *cell.Word
	capacity int // bytes
}

const (
	slotVersion = iota
	slotValue
	slotSeconds
	slotNanos
	slotLength
	slotText

	setBit = 1 << 32
	// noText is the length of what is not there: more than any slot has room for.
	noText = math.MaxUint32
	// minSlot is how many bytes of text a slot has room for, so that exemplars
	// that change do not need another one: a trace and a span, with names.
	minSlot = 96
)

// within returns the slot, which lies at an offset of a space, for reading. Where a space
// may have holes, the slot has no more capacity than its present text needs, or maxBehind
// bytes if the text is shorter or lies in a hole: no reader copies holes into memory.
func (s textSlot) within(space Space, at uint64) textSlot {
	h, ok := space.(Holed)
	if !ok || s.capacity <= maxBehind {
		return s
	}
	n := min(cell.At(s.first, slotLength).Load()&math.MaxUint32, uint64(s.capacity))
	if n <= maxBehind || !h.There(at+8*slotText, n) {
		n = maxBehind
	}
	s.capacity = int(n)
	return s
}

// newSlot lays out a slot, with twice the room of one that has become too small.
// The caller holds the lock.
func (w *Writer) newSlot(length int) (textSlot, uint64, error) {
	capacity := minSlot
	if length > minSlot {
		capacity = 1 << bits.Len(uint(length-1))
	}
	var p payload
	p.u32(uint32(capacity))
	rec, err := w.lay(textRecord, p, uint64(slotText+capacity/8))
	if err != nil {
		return textSlot{}, 0, err
	}
	w.publish()
	return textSlot{WordAt(rec.bytes, rec.mutable), capacity}, rec.offset, nil
}

// write puts a text into the slot. The caller holds the lock.
func (s textSlot) write(value float64, when model.Timestamp, text string) {
	sec, nsec := when.UnixParts()
	nanos := uint64(uint32(nsec))
	if when.IsSet() {
		nanos |= setBit
	}
	s.store([3]uint64{math.Float64bits(value), uint64(sec), nanos}, text, sumOf(text))
}

// sumOf returns the checksum of a text.
func sumOf(text string) uint32 {
	return crc32.Checksum(unsafe.Slice(unsafe.StringData(text), len(text)), castagnoli)
}

// store puts a text with its checksum into the slot, behind the three words before it. The
// caller holds the lock.
func (s textSlot) store(before [3]uint64, text string, sum uint32) {
	s.begin()
	for i, v := range before {
		s.put(slotValue+i, v)
	}
	s.put(slotLength, lengthOf(text, sum))
	for i := range (len(text) + 7) / 8 {
		s.put(slotText+i, wordOf(text, i))
	}
	s.end()
}

// fill is store of the first text in a slot that nobody sees before its record is published.
func (s textSlot) fill(before [3]uint64, text string, sum uint32) {
	storeEarly(cell.At(s.first, slotVersion), 2)
	for i, v := range before {
		storeEarly(cell.At(s.first, slotValue+i), v)
	}
	storeEarly(cell.At(s.first, slotLength), lengthOf(text, sum))
	for i := range (len(text) + 7) / 8 {
		storeEarly(cell.At(s.first, slotText+i), wordOf(text, i))
	}
}

// has reports whether the slot has the text. The caller holds the lock.
func (s textSlot) has(text string) bool {
	if cell.At(s.first, slotLength).Load()&math.MaxUint32 != uint64(len(text)) {
		return false
	}
	for i := range (len(text) + 7) / 8 {
		if cell.At(s.first, slotText+i).Load() != wordOf(text, i) {
			return false
		}
	}
	return true
}

func lengthOf(text string, sum uint32) uint64 { return uint64(len(text)) | uint64(sum)<<32 }

// wordOf returns the i-th word of a text.
func wordOf(text string, i int) uint64 {
	rest := unsafe.Slice(unsafe.StringData(text), len(text))[8*i:]
	if len(rest) >= 8 {
		return order.Uint64(rest)
	}
	var word [8]byte
	copy(word[:], rest)
	return order.Uint64(word[:])
}

// put stores a word, unless it is there: an atomic store takes ten times as long as to see
// that. The caller holds the lock.
func (s textSlot) put(i int, v uint64) {
	if w := cell.At(s.first, i); w.Load() != v {
		w.Store(v)
	}
}

// clear leaves nothing in the slot to be read. The caller holds the lock.
func (s textSlot) clear() {
	s.begin()
	cell.At(s.first, slotLength).Store(noText)
	s.end()
}

// begin makes the version odd. It may be odd already, if a writer died while it wrote.
func (s textSlot) begin() {
	version := cell.At(s.first, slotVersion)
	version.Store(version.Load() | 1)
}

// end makes the version even, another one than before.
func (s textSlot) end() { cell.At(s.first, slotVersion).Add(1) }

// read copies the text into room, which grows as it must. It returns false while
// another goroutine or process writes, before the first write, and if the text is
// damaged.
func (s textSlot) read(room []byte) (value float64, when model.Timestamp, text []byte, ok bool) {
	before, text, ok := s.load(room)
	if before[2]&setBit != 0 {
		when = model.Unix(int64(before[1]), int64(uint32(before[2])))
	}
	return math.Float64frombits(before[0]), when, text, ok
}

// load is read of the three words before the text.
func (s textSlot) load(room []byte) (before [3]uint64, text []byte, ok bool) {
	version := cell.At(s.first, slotVersion)
	for range 3 {
		v := version.Load()
		if v == 0 || v%2 == 1 {
			continue
		}
		for i := range before {
			before[i] = cell.At(s.first, slotValue+i).Load()
		}
		length := cell.At(s.first, slotLength).Load()
		if length&math.MaxUint32 > uint64(s.capacity) {
			continue
		}
		n := int(length & math.MaxUint32)
		text = room[:0]
		for i := 0; i < n; i += 8 {
			text = order.AppendUint64(text, cell.At(s.first, slotText+i/8).Load())
		}
		text = text[:n]
		if version.Load() == v && crc32.Checksum(text, castagnoli) == uint32(length>>32) {
			return before, text, true
		}
	}
	return [3]uint64{}, nil, false
}
