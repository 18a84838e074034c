package segment

import (
	"errors"
	"hash/crc32"
	"math"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

// textSlot is room for one text with a value and a time, which is written again
// and again while others read it. Its words: a version, odd while somebody
// writes; the value; seconds; nanoseconds, with the bit setBit if there is a time
// at all; the text's length, with its checksum above; the text.
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
	// minSlot is how many bytes of text a slot has room for, so that exemplars
	// that change do not need another one: a trace and a span, with names.
	minSlot = 96
)

var errBusy = errors.New("segment: somebody else is writing there")

// newSlot lays out a slot. The caller holds the lock.
func (w *Writer) newSlot(length int) (textSlot, uint64, error) {
	capacity := int(align(uint64(max(length, minSlot)), 8))
	var p payload
	p.u32(uint32(capacity))
	rec, err := w.lay(textRecord, p, uint64(slotText+capacity/8))
	if err != nil {
		return textSlot{}, 0, err
	}
	w.publish()
	return textSlot{WordAt(rec.bytes, rec.mutable), capacity}, rec.offset, nil
}

// write puts a text into the slot, unless another goroutine is doing so.
func (s textSlot) write(value float64, when model.Timestamp, text string) error {
	version := cell.At(s.first, slotVersion)
	v := version.Load()
	if v%2 == 1 || !version.CompareAndSwap(v, v+1) {
		return errBusy
	}
	cell.StoreFloat(cell.At(s.first, slotValue), value)
	sec, nsec := when.UnixParts()
	nanos := uint64(uint32(nsec))
	if when.IsSet() {
		nanos |= setBit
	}
	cell.At(s.first, slotSeconds).Store(uint64(sec))
	cell.At(s.first, slotNanos).Store(nanos)
	sum := crc32.Checksum(unsafe.Slice(unsafe.StringData(text), len(text)), castagnoli)
	cell.At(s.first, slotLength).Store(uint64(len(text)) | uint64(sum)<<32)
	for i := 0; i < len(text); i += 8 {
		var word [8]byte
		copy(word[:], text[i:])
		cell.At(s.first, slotText+i/8).Store(order.Uint64(word[:]))
	}
	version.Store(v + 2)
	return nil
}

// read copies the text into room, which grows as it must. It is not ok while
// somebody writes, before anybody has, and if the text is damaged.
func (s textSlot) read(room []byte) (value float64, when model.Timestamp, text []byte, ok bool) {
	version := cell.At(s.first, slotVersion)
	for range 3 {
		v := version.Load()
		if v == 0 || v%2 == 1 {
			continue
		}
		value = cell.LoadFloat(cell.At(s.first, slotValue))
		sec, nanos := cell.At(s.first, slotSeconds).Load(), cell.At(s.first, slotNanos).Load()
		length := cell.At(s.first, slotLength).Load()
		n := int(length & math.MaxUint32)
		if n > s.capacity {
			continue
		}
		text = room[:0]
		for i := 0; i < n; i += 8 {
			text = order.AppendUint64(text, cell.At(s.first, slotText+i/8).Load())
		}
		text = text[:n]
		if version.Load() != v || crc32.Checksum(text, castagnoli) != uint32(length>>32) {
			continue
		}
		if nanos&setBit != 0 {
			when = model.Unix(int64(sec), int64(uint32(nanos)))
		}
		return value, when, text, true
	}
	return 0, model.Timestamp{}, nil, false
}
