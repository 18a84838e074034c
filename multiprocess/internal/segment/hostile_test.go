package segment

import (
	"errors"
	"math"
	"math/bits"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// layRaw publishes a record with the given numbers as its fixed part.
func layRaw(t *testing.T, w *Writer, kind recordType, words uint64, fixed ...uint32) record {
	t.Helper()
	var p payload
	for _, n := range fixed {
		p.u32(n)
	}
	rec, err := w.lay(kind, p, words)
	if err != nil {
		t.Fatal(err)
	}
	w.publish()
	return rec
}

// Records whose checksums are right and that are wrong all the same.
func TestWrongRecords(t *testing.T) {
	const huge = math.MaxUint32
	for _, tt := range []struct {
		name  string
		kind  recordType
		words uint64
		fixed []uint32
		good  bool
	}{
		{"rows", blockRecord, 8, []uint32{0, 0, 2}, true},
		{"rows and what a later version says of them", blockRecord, 8, []uint32{0, 0, 2, 7, 7}, true},
		{"no rows", blockRecord, 8, []uint32{0, 0, 0}, false},
		{"more rows than words", blockRecord, 8, []uint32{0, 0, 3}, false},
		{"very many rows", blockRecord, 8, []uint32{0, 0, huge}, false},
		{"rows out of order", blockRecord, 8, []uint32{0, 1, 1}, false},
		{"rows of no family", blockRecord, 8, []uint32{1, 0, 1}, false},
		{"rows of a family far away", blockRecord, 8, []uint32{huge, 0, 1}, false},
		{"half of what rows need", blockRecord, 8, []uint32{0, 0}, false},
		{"a series without a row", seriesRecord, 0, []uint32{0, 0, 1, 0}, false},
		{"a series of no family", seriesRecord, 0, []uint32{1, 0, 1, 0}, false},
		{"half a series", seriesRecord, 0, []uint32{0, 0, 1}, false},
		{"a family that is not the next", familyRecord, 1, family(7), false},
		{"a family of very many bounds", familyRecord, 1, family(1, 0, 0, 0, huge, 0, 0), false},
		{"a family of very many states", familyRecord, 1, family(1, 0, 0, 0, 0, huge), false},
		{"a family with a very long name", familyRecord, 1, family(1, huge), false},
		{"a family of a later version", familyRecord, 1, family(1), true},
		{"a family without its word", familyRecord, 0, family(1), false},
		{"a record of version 1", formerRecord, 0, []uint32{0}, false},
		{"what an archive has taken up", takenRecord, 0, []uint32{0, 0}, false},
		{"rests", restRecord, 0, []uint32{0, 0}, false},
		{"what is applied", appliedRecord, 0, []uint32{0}, false},
		{"a family without anything", familyRecord, 0, nil, false},
		{"a record of a type that is not known", 4711, 3, []uint32{1, 2, 3}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWriter(t, Header{})
			mustRows(t, w, counterFamily())
			layRaw(t, w, tt.kind, tt.words, tt.fixed...)
			b := spaceOf(bytesOf(w))
			if err := try(t, newFence(t, len(b)), b); (err == nil) != tt.good {
				t.Errorf("%v", err)
			}
		})
	}
}

// family is the fixed part of a family's record of a layout that is not known.
func family(number uint32, behind ...uint32) []uint32 {
	fixed := []uint32{number, order.Uint32([]byte{0, 99, 0, 0}), 0, 0, 0, 0, 0, 0, 0, 0}
	return append(append(fixed, behind...), make([]uint32, 6-min(6, len(behind)))...)
}

// The same of archives, which have a counter of one row.
func TestWrongRecordsOfArchives(t *testing.T) {
	const huge, one = math.MaxUint32, 1
	for _, tt := range []struct {
		name  string
		kind  recordType
		fixed []uint32
		good  bool
	}{
		{"nothing taken up", takenRecord, []uint32{0, 0}, true},
		{"taken up without names", takenRecord, nil, false},
		{"taken up without an ID", takenRecord, []uint32{1, 0}, false},
		{"very many taken up", takenRecord, []uint32{huge, 0, 0, 0, 0}, false},
		{"a name without an end", takenRecord, []uint32{0, 1, huge}, false},
		{"a name without an inode", takenRecord, []uint32{0, 1, 0, 0}, false},
		{"applied without an offset", appliedRecord, []uint32{1, 0, 0, 0, 0}, false},
		{"very many applied", appliedRecord, []uint32{huge}, false},
		{"carried by nobody", carriedRecord, []uint32{0, 0}, false},
		{"a tombstone of its own", tombstoneRecord, []uint32{0, 0, 64}, false},
		{"no rests", restRecord, []uint32{0, 0}, true},
		{"a rest", restRecord, []uint32{0, one, 0, 1, 1, 0, 0}, true},
		{"a rest without pieces", restRecord, []uint32{0, one, 0, 1, 0}, true},
		{"a rest of very many pieces", restRecord, []uint32{0, one, 0, 1, huge, 0, 0}, false},
		{"very many rests", restRecord, []uint32{0, huge, 0, 1, 1, 0, 0}, false},
		{"a rest of a row that is not there", restRecord, []uint32{0, one, 16, 1, 1, 0, 0}, false},
		{"a rest of a value that is not there", restRecord, []uint32{0, one, 0, 2, 1, 0, 0}, false},
		{"a rest of no value", restRecord, []uint32{0, one, 0, huge, 1, 0, 0}, false},
		{"a rest of no family", restRecord, []uint32{1, 0}, false},
		{"a rest twice", restRecord, []uint32{0, 2, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0}, false},
		{"rests out of order", restRecord, []uint32{0, 2, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWriter(t, Header{Kind: KindArchive})
			mustAdd(t, mustRows(t, w, counterFamily()), Series{Labels: `a="1"`})
			layRaw(t, w, tt.kind, 0, tt.fixed...)
			b := spaceOf(bytesOf(w))
			if err := try(t, newFence(t, len(b)), b); (err == nil) != tt.good {
				t.Errorf("%v", err)
			}
		})
	}
}

// A family of a later version is passed over with all that is its own, and takes
// a number all the same.
func TestLayoutsOfLater(t *testing.T) {
	w := newWriter(t, Header{})
	later := Family{Name: "later", Type: model.Histogram, Layout: 10, Labels: []string{"a"}}
	if _, err := w.lay(familyRecord, later.payload(), 1); err != nil {
		t.Fatal(err)
	}
	w.families++
	layRaw(t, w, blockRecord, 100, 0, 0, 1)
	layRaw(t, w, seriesRecord, 0, 0, 0, 1, 0)
	mustAdd(t, mustRows(t, w, counterFamily()), Series{Labels: `a="1"`})
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	if len(seen.families) != 1 || seen.families[0].Number != 1 || len(seen.families[0].series) != 1 {
		t.Errorf("read %s", seen.text())
	}
}

// Rows may lead anywhere.
func TestWrongLinks(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, counterFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	links := cell.At(rows.row(first), wordLinks)
	for _, tt := range []struct {
		name string
		rec  record
	}{
		{"lanes without words", layRaw(t, w, lanesRecord, 0, 0, 1, 0)},
		{"lanes without an end", layRaw(t, w, lanesRecord, 0, 0, math.MaxUint32, 0)},
		{"no lanes", layRaw(t, w, lanesRecord, 4, 2, 0, 2)},
		{"very many lanes", layRaw(t, w, lanesRecord, 2*mostLanes+2, 1, mostLanes+1, 1)},
		{"lanes of more words than there are", layRaw(t, w, lanesRecord, 4, 2, 2, 4)},
		{"lanes that share words", layRaw(t, w, lanesRecord, 4, 3, 2, 2)},
		{"lanes of very many words", layRaw(t, w, lanesRecord, 4, 2, math.MaxUint32, math.MaxUint32)},
		{"half of what lanes need", layRaw(t, w, lanesRecord, 4, 2, 2)},
		{"a table", layRaw(t, w, tableRecord, 4, 4)},
		{"a family", record{offset: HeaderSize}},
		{"the header", record{offset: 8}},
		{"the end", record{offset: w.Used()}},
		{"far away", record{offset: maxSize - 8}},
	} {
		links.Store(tt.rec.offset / 8)
		b := spaceOf(bytesOf(w))
		if err := try(t, newFence(t, len(b)), b); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if spread, ok := rows.Family().SpreadOf(w, rows.row(first)); ok {
			t.Errorf("%s: taken for lanes %+v", tt.name, spread)
		}
	}
	table := layRaw(t, w, tableRecord, 1, 1)
	hidden := layRaw(t, w, lanesRecord, 16, 1, 16, 1) // it has what looks like a text, but for where it begins
	fake := hidden.bytes[hidden.mutable+4:]
	order.PutUint32(fake, 24+8*(slotText+1))
	order.PutUint16(fake[4:], uint16(textRecord))
	order.PutUint32(fake[12:], 4)
	order.PutUint32(fake[16:], 8)
	order.PutUint64(fake[20:], 2)
	for _, tt := range []struct {
		name string
		at   uint64
	}{
		{"nothing", 0},
		{"not aligned", hidden.offset + hidden.mutable + 4},
		{"a table", table.offset},
		{"the last byte there could be", math.MaxUint64},
		{"the last word there could be", math.MaxUint64 - 7},
		{"a record that would go round", math.MaxUint64 - 15},
		{"a text of more than the record", layRaw(t, w, textRecord, slotText, 8).offset},
		{"a text of very much more", layRaw(t, w, textRecord, slotText, math.MaxUint32-7).offset},
		{"a text that is not of words", layRaw(t, w, textRecord, slotText+1, 7).offset},
		{"a text without a size", layRaw(t, w, textRecord, slotText+1).offset},
		{"a text that nobody wrote", layRaw(t, w, textRecord, slotText+1, 8).offset},
	} {
		links.Store(table.offset / 8 << 32)
		WordAt(table.bytes, table.mutable).Store(tt.at)
		b := spaceOf(bytesOf(w))
		if err := try(t, newFence(t, len(b)), b); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if e := rows.Family().Exemplar(w, rows.row(first), 0); e != nil {
			t.Errorf("%s: taken for the exemplar %v", tt.name, e)
		}
	}
}

// Slots whose words are damaged show nothing.
func TestWrongTexts(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, counterFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	f, row := rows.Family(), rows.row(first)
	entry, err := rows.exemplarEntry(first, 0)
	if err != nil {
		t.Fatal(err)
	}
	for word, values := range map[int][]uint64{
		slotVersion: {0, 1, math.MaxUint64},
		slotLength:  {0, 7, 1 << 31, 97, noText, math.MaxUint64},
		slotText:    {0, math.MaxUint64, order.Uint64([]byte("id=\"8\"\x00\x00"))},
	} {
		for _, v := range values {
			if err := rows.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(`id="7"`), Value: 1}); err != nil {
				t.Fatal(err)
			}
			slot, _ := slotAt(w, entry.Load())
			cell.At(slot.first, word).Store(v)
			got := f.Exemplar(w, row, 0)
			if got != nil && word != slotLength || got != nil && !got.Labels.IsEmpty() {
				t.Errorf("word %d is %#x: read %v", word, v, got)
			}
		}
	}
	for _, text := range []string{`a`, `a="x",`, "\xff"} { // with the right checksum
		if err := rows.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(text)}); err != nil {
			t.Fatal(err)
		}
		if e := f.Exemplar(w, row, 0); e != nil {
			t.Errorf("%q was taken for labels: %v", text, e)
		}
	}
}

// Headers that say more than there is.
func TestWrongHeaders(t *testing.T) {
	whole := one(t, KindArchive)
	u64 := func(v uint64) []byte { return order.AppendUint64(nil, v) }
	u32 := func(v uint32) []byte { return order.AppendUint32(nil, v) }
	for _, tt := range []struct {
		name  string
		at    int
		field []byte
	}{
		{"used more than there is", offUsed, u64(uint64(len(whole)) + 8)},
		{"used less than the header", offUsed, u64(HeaderSize - 8)},
		{"used not in words", offUsed, u64(uint64(len(whole)) - 1)},
		{"used more than links reach", offUsed, u64(maxSize + 8)},
		{"used all there could be", offUsed, u64(math.MaxUint64 - 7)},
		{"kind", offKind, u32(3)},
		{"epoch too long", offEpoch, []byte{64}},
		{"service too long", offService, []byte{64}},
		{"no byte order", offByteOrder, u32(0)},
	} {
		b := spaceOf(whole)
		copy(b[tt.at:], tt.field)
		seal(b)
		var where *Corrupt
		if err := try(t, newFence(t, len(b)), b); !errors.As(err, &where) || where.Offset < 8 {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, tt := range []struct {
		want  string
		at    int
		field []byte
	}{
		{"stop all processes", offVersion, u32(Version - 1)},
		{"or a later one", offVersion, u32(Version + 1)},
		{"other byte order", offByteOrder, u32(bits.ReverseBytes32(byteOrderMark))},
	} {
		b := spaceOf(whole)
		copy(b[tt.at:], tt.field)
		seal(b)
		if err := try(t, newFence(t, len(b)), b); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
	b := spaceOf(whole)
	b[1] = 'x'
	if err := try(t, newFence(t, len(b)), b); !errors.Is(err, ErrForeign) {
		t.Errorf("another magic: %v", err)
	}
}
