package segment

import (
	"slices"
	"sort"
	"unsafe"
)

// Excerpt is a copy of those bytes of a segment from which values are read: the header,
// the words of families, rows, and the lanes, tables and texts that rows refer to. Records
// whose contents a [Table] keeps are left out. It is the Space in which the values of a
// segment that is not mapped are read. The zero Excerpt has no bytes.
type Excerpt struct {
	words  []uint64
	pieces []piece // by their offset
}

// piece is a range of bytes of the segment of which the excerpt has a copy in one piece.
type piece struct {
	offset, n uint64
	at        uint64 // where the copy lies in the excerpt, in bytes
}

// ExcerptOf returns the excerpt of the records that the table has read in the image.
// It takes the memory of an earlier one, which the caller uses no more.
func (t *Table) ExcerptOf(image Image, earlier Excerpt) Excerpt {
	e := Excerpt{pieces: append(slices.Grow(earlier.pieces[:0], 1+len(t.valued)), piece{n: HeaderSize})}
	size := uint64(HeaderSize)
	for _, at := range t.valued {
		from, to := t.read(image, uint64(at)*8)
		if from == to {
			continue
		}
		if last := &e.pieces[len(e.pieces)-1]; last.offset+last.n == from {
			last.n += to - from
		} else {
			e.pieces = append(e.pieces, piece{offset: from, n: to - from, at: size})
		}
		size += to - from
	}
	if e.words = earlier.words; uint64(cap(e.words)) < size/8 {
		e.words = make([]uint64, size/8)
	}
	e.words = e.words[:size/8]
	for i := range e.pieces {
		p := &e.pieces[i]
		copy(e.bytes()[p.at:], image[p.offset:][:p.n])
	}
	return e
}

// holds reports whether values are read from records of the type.
func (t recordType) holds() bool {
	switch t {
	case lanesRecord, tableRecord, textRecord, familyRecord, blockRecord:
		return true
	}
	return false
}

// read returns the range of bytes in the record at an offset from which values are read:
// all of lanes, tables and texts, of a family the word, of a block the rows that were given
// out. It is empty for other records.
func (t *Table) read(image Image, at uint64) (from, to uint64) {
	size, fixed := uint64(order.Uint32(image[at:])), uint64(order.Uint32(image[at+12:]))
	kind := recordType(order.Uint16(image[at+4:]))
	switch kind {
	case lanesRecord, tableRecord, textRecord:
		return at, at + size
	case familyRecord:
		return at + min(size, kind.mutable(at, fixed)), at + size
	case blockRecord:
		in := fields{rest: image[at+recordHeaderSize:][:fixed]}
		number, first := in.u32(), in.u32()
		f, from := t.known(number), at+kind.mutable(at, fixed)
		if f == nil || f.Words() == 0 || uint64(first) >= uint64(len(f.Tenants)) {
			return at, at
		}
		rows := uint64(len(f.Tenants)) - uint64(first)
		return from, min(at+size, from+rows*uint64(f.Words())*8)
	}
	return at, at
}

func (e *Excerpt) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(e.words))), 8*len(e.words))
}

// Size returns how many bytes the excerpt has.
func (e *Excerpt) Size() int { return 8 * len(e.words) }

// Bytes implements [Space], for what lies in records that the excerpt has.
func (e *Excerpt) Bytes(offset, n uint64) []byte {
	i := sort.Search(len(e.pieces), func(i int) bool { return e.pieces[i].offset > offset }) - 1
	if i < 0 {
		return nil
	}
	p := &e.pieces[i]
	if behind := offset - p.offset; behind <= p.n && n <= p.n-behind {
		from := p.at + behind
		return e.bytes()[from : from+n : from+n]
	}
	return nil
}
