package multiprocess_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"

	"telltale/multiprocess/internal/segment"
)

// Types of records, by docs/segment-format.md, and words of the header.
const (
	padRecord = iota + 1
	familyRecord
	rowsRecord
	seriesRecord
	lanesRecord
	tableRecord
	textRecord
	formerRecord
	restRecord
	takenRecord
	tombstoneRecord
	appliedRecord
	carriedRecord
	latelyRecord

	usedWord   = 384
	headWord   = 432
	buriedWord = 440
	latelyWord = 448
)

// forgery is a segment made byte for byte, so that it says whatever it likes under
// checksums that are right.
type forgery struct{ data []byte }

// forge begins a segment that has only a header.
func forge(kind segment.Kind, change func(head []byte)) *forgery {
	head := make([]byte, segment.HeaderSize)
	copy(head, "\x89TTSEG\r\n")
	order := binary.NativeEndian
	order.PutUint32(head[8:], segment.Version)
	order.PutUint32(head[12:], 0x01020304)
	order.PutUint32(head[20:], uint32(kind))
	head[24] = 1 // of the ID
	order.PutUint64(head[40:], 9)
	order.PutUint64(head[48:], 9)
	order.PutUint64(head[88:], 3)
	if change != nil {
		change(head)
	}
	order.PutUint32(head[16:], crc32.Checksum(head[20:384], crc32.MakeTable(crc32.Castagnoli)))
	return &forgery{head}
}

// set stores a word of the header, or of what follows.
func (f *forgery) set(at int, v uint64) *forgery {
	binary.NativeEndian.PutUint64(f.data[at:], v)
	return f
}

// fields are values of a payload: uint8, uint16, uint32, uint64, and texts with their
// lengths.
func fields(values ...any) (p []byte) {
	for _, v := range values {
		if text, ok := v.(string); ok {
			p = append(binary.NativeEndian.AppendUint32(p, uint32(len(text))), text...)
			continue
		}
		var err error
		if p, err = binary.Append(p, binary.NativeEndian, v); err != nil {
			panic(err)
		}
	}
	return p
}

// record publishes a record whose words come behind its payload, at the alignment of its
// type. Its size is what it needs and more.
func (f *forgery) record(kind uint16, payload []byte, words []uint64, more int) *forgery {
	at, align := len(f.data), map[uint16]int{rowsRecord: 64, lanesRecord: 128}[kind]
	align = max(align, 8)
	first := (at + 16 + len(payload) + align - 1) / align * align
	b := make([]byte, first-at+8*len(words))
	size := uint32(len(b) + more)
	binary.NativeEndian.PutUint32(b, size)
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint32(b[12:], uint32(len(payload)))
	copy(b[16:], payload)
	for i, w := range words {
		binary.NativeEndian.PutUint64(b[first-at+8*i:], w)
	}
	seal(b, uint32(len(payload)))
	f.data = append(f.data, b...)
	return f.set(usedWord, uint64(len(f.data)))
}

// seal gives a record its checksum.
func seal(record []byte, payload uint32) {
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.NativeEndian.PutUint32(record[8:], crc32.Update(crc32.Update(0, table, record[:8]), table, record[12:16+payload]))
}

// counter publishes a counter, which is family number 0, with rows of the links, each of
// a series.
func (f *forgery) counter(links ...uint64) *forgery {
	f.rows(links...)
	for i := range links {
		f.record(seriesRecord, f.series(i), nil, 0)
	}
	return f
}

// rows publishes the family and its rows, of which no series is known.
func (f *forgery) rows(links ...uint64) *forgery {
	const words = 4
	f.record(familyRecord, fields(uint32(0), uint8(1), uint8(3), uint8(0), uint8(0), uint32(words), uint32(0), uint64(0), uint64(0), uint64(0),
		"f", "Help.", "", uint32(0), uint32(0), uint32(1), "a"), []uint64{0}, 0)
	var rows []uint64
	for _, link := range links {
		rows = append(rows, 1<<56|1, link, 7, 0)
	}
	return f.record(rowsRecord, fields(uint32(0), uint32(0), uint32(len(links))), rows, 0)
}

// series is the payload of the series of a row of family 0.
func (f *forgery) series(row int) []byte {
	p := fields(uint32(0), uint32(row), uint8(1), uint8(0), uint16(0), fmt.Sprintf(`a="%d"`, row))
	if binary.NativeEndian.Uint32(f.data[20:]) == uint32(segment.KindArchive) {
		p = append(p, fields(uint64(9), uint64(0), "")...)
	}
	return p
}

// tombstone publishes one that the header names, and that names the previous one.
func (f *forgery) tombstone(previous uint64, says []byte) *forgery {
	sum := crc32.Checksum(says, crc32.MakeTable(crc32.Castagnoli))
	words := []uint64{2, 1, 0, 0, uint64(len(says)) | uint64(sum)<<32}
	for says := range slices.Chunk(says, 8) {
		var word [8]byte
		copy(word[:], says)
		words = append(words, binary.NativeEndian.Uint64(word[:]))
	}
	head := uint64(len(f.data))
	f.record(tombstoneRecord, fields(previous, uint32(8*(len(words)-5))), words, 0)
	return f.set(headWord, head).set(buriedWord, 1)
}

// end is where the next record begins, divided by 8, as links have it.
func (f *forgery) end() uint64 { return uint64(len(f.data)) / 8 }

// forgeries are segments, and of each where it is found to be wrong: a pattern of the
// offset, or nothing if it has to count.
func forgeries() (all []forged) {
	const huge, writers, archives = math.MaxUint32, segment.KindWriter, segment.KindArchive
	add := func(name string, kind segment.Kind, offset string, f *forgery) {
		all = append(all, forged{name, kind, offset, f.data})
	}
	raw := func(f *forgery, size, payload uint32, kind uint16) *forgery { // of 32 bytes, whatever it says
		at := len(f.data)
		f.record(kind, make([]byte, 16), nil, 0)
		b := f.data[at:]
		binary.NativeEndian.PutUint32(b, size)
		binary.NativeEndian.PutUint32(b[12:], payload)
		if payload <= 16 {
			seal(b, payload)
		}
		return f
	}
	counter := func(kind segment.Kind) *forgery { return forge(kind, nil).counter(0) }
	at := func(f *forgery) string { return fmt.Sprint(len(f.data)) }
	for name, shape := range map[string][3]uint32{
		"a record of no bytes":                {0, 0, 2},
		"a record of its header alone":        {8, 0, 2},
		"a record of an odd size":             {20, 4, 2},
		"a record beyond what is in use":      {1 << 20, 4, 2},
		"a record of all there could be":      {huge &^ 7, 4, 1},
		"a payload longer than its record":    {32, 17, 9999},
		"a payload of all there could be":     {32, huge, 11},
		"a record that overlaps what follows": {24, 8, 9999},
	} {
		f := counter(writers)
		where := at(f)
		if strings.Contains(name, "overlaps") { // what follows is wrong
			where = fmt.Sprint(len(f.data) + int(shape[0]))
		}
		add(name, writers, where, raw(f, shape[0], shape[1], uint16(shape[2])).record(padRecord, nil, nil, 0))
	}
	unordered := forge(writers, nil).rows(make([]uint64, 8)...)
	where := at(unordered)
	add("a row given out before others", writers, where, unordered.record(seriesRecord, unordered.series(5), nil, 0))
	torn := counter(writers).record(seriesRecord, counter(writers).series(0), nil, 0)
	torn.data[len(torn.data)-4] ^= 1
	add("a record with another's checksum", writers, at(counter(writers)), torn)
	for name, r := range map[string]struct {
		kind    uint16
		payload []byte
	}{
		"a record of version 1":                {formerRecord, fields(uint32(0))},
		"rests of very many rows":              {restRecord, fields(uint32(0), uint32(huge), uint32(0), uint32(0), uint32(1), 1.0)},
		"a rest of very many pieces":           {restRecord, fields(uint32(0), uint32(1), uint32(0), uint32(0), uint32(huge), 1.0)},
		"a rest of a row far away":             {restRecord, fields(uint32(0), uint32(1), uint32(huge), uint32(0), uint32(1), 1.0)},
		"very many writers taken up":           {takenRecord, fields(uint32(huge), uint64(1), uint64(1))},
		"very many files taken up":             {takenRecord, fields(uint32(0), uint32(huge), "counter_1~0123456789abcdef.db", uint64(1))},
		"a file outside the directory":         {takenRecord, fields(uint32(0), uint32(1), "../victim", uint64(1))},
		"very many tombstones applied":         {appliedRecord, fields(uint32(huge), uint64(1), uint64(1), uint64(9))},
		"half of what is carried":              {carriedRecord, fields(uint64(1), uint64(1), uint64(2))},
		"a carried tombstone of very many":     {carriedRecord, fields(uint64(1), uint64(1), uint64(2), uint64(2), uint64(3), uint64(0), uint64(1), uint32(1), "f", uint32(huge))},
		"a tombstone in an archive":            {tombstoneRecord, fields(uint64(0), uint64(1), uint32(1), "f", uint32(0))},
		"a family with very many labels":       {familyRecord, fields(uint32(1), uint32(1|3<<8), uint32(4), uint32(0), uint64(0), uint64(0), uint64(0), "g", "", "", uint32(0), uint32(0), uint32(huge))},
		"a family with a name that goes round": {familyRecord, fields(uint32(1), uint32(1|3<<8), uint32(4), uint32(0), uint64(0), uint64(0), uint64(0), uint32(huge))},
		"a series of very much text":           {seriesRecord, fields(uint32(0), uint32(0), uint32(1), uint32(huge))},
		"a series far away":                    {seriesRecord, fields(uint32(0), uint32(huge), uint32(1), `a="1"`, uint64(0), uint64(0), "")},
		"very many rows":                       {rowsRecord, fields(uint32(0), uint32(1), uint32(huge))},
	} {
		f := counter(archives)
		where := at(f)
		if strings.Contains(name, "outside") {
			where = ""
		}
		add(name, archives, where, f.record(r.kind, r.payload, nil, 0))
	}
	for name, says := range map[string][]byte{
		"a tombstone of very many series":  fields(uint32(1), "f", uint32(huge)),
		"a tombstone of what is no labels": fields(uint32(1), "f", uint32(1), "x"),
		"a tombstone of no type":           fields(uint32(99), "f", uint32(0)),
		"a tombstone of no name":           fields(uint32(1), "", uint32(0)),
	} {
		f := counter(writers)
		add(name, writers, at(f), f.tombstone(0, says))
	}
	for name, previous := range map[string]int{"a tombstone behind itself": len(counter(writers).data), "a tombstone behind a later one": 1 << 20} {
		add(name, writers, fmt.Sprint(previous), counter(writers).tombstone(uint64(previous), fields(uint32(1), "f", uint32(0))))
	}
	roomy := counter(writers)
	where = at(roomy)
	roomy.record(tombstoneRecord, fields(uint64(0), uint32(huge&^7)), make([]uint64, 8), 0).set(headWord, uint64(len(counter(writers).data)))
	add("a tombstone with room for very much", writers, where, roomy.set(buriedWord, 1))
	for name, words := range map[string][]uint64{
		"a list of a removed family and no more":   {512 / 8},
		"a list of removed series without family":  {1<<32 | 1<<10},
		"a list of removed series beyond the file": {512 / 8, 1 << 30},
		"a list that refers to itself":             {512 / 8, counter(writers).end()},
	} {
		f := counter(writers)
		where := ""
		if strings.Contains(name, "itself") {
			where = at(f)
		}
		list := uint64(len(f.data))
		add(name, writers, where, f.record(latelyRecord, fields(uint32(len(words))), words, 0).set(latelyWord, list).set(buriedWord, 1))
	}
	// Words have no checksum: where nothing was removed, nobody goes where the head says.
	for name, head := range map[string]uint64{"a head beyond the file": 1 << 40, "a head in the header": 8, "a head at a family": 512, "a head of all there could be": math.MaxUint64} {
		add(name, writers, "", counter(writers).set(headWord, head))
		add(name+" of removals", writers, fmt.Sprint(head), counter(writers).set(headWord, head).set(buriedWord, 1))
	}
	for name, link := range map[string]uint64{"links to themselves": 64 | 64<<32, "links beyond the file": 1<<31 | 1<<63, "links of all there could be": math.MaxUint64, "links to the header": 1 | 1<<32} {
		add(name, writers, "", forge(writers, nil).counter(link))
	}
	for name, later := range map[string]func(f *forgery) *forgery{
		"lanes of very many words": func(f *forgery) *forgery {
			return f.record(lanesRecord, fields(uint32(huge), uint32(1024), uint32(huge)), make([]uint64, 8), 0)
		},
		"no lanes": func(f *forgery) *forgery {
			return f.record(lanesRecord, fields(uint32(2), uint32(0), uint32(2)), make([]uint64, 8), 0)
		},
		"a text of very much":  func(f *forgery) *forgery { return f.record(textRecord, fields(uint32(huge&^7)), make([]uint64, 8), 0) },
		"a table of very much": func(f *forgery) *forgery { return f.record(tableRecord, fields(uint32(huge)), make([]uint64, 8), 0) },
	} {
		plain := forge(writers, nil).counter(0)
		add(name, writers, "", later(forge(writers, nil).counter(plain.end()|plain.end()<<32)))
	}
	{ // each row refers to all lanes: reading them would take rows times bytes
		const rows = 4096
		plain := forge(writers, nil).counter(make([]uint64, rows)...)
		f := forge(writers, nil).counter(slices.Repeat([]uint64{plain.end()}, rows)...)
		add("lanes of all rows", writers, "", f.record(lanesRecord, fields(uint32(2), uint32(1024), uint32(2)), make([]uint64, 2048), 0))
	}
	add("an archive that has applied what nobody wrote", archives, "", counter(archives).record(appliedRecord, fields(uint32(1), uint64(77), uint64(78), uint64(math.MaxUint64)), nil, 0))
	add("an archive of the last generation", archives, "", forge(archives, func(head []byte) { binary.NativeEndian.PutUint64(head[88:], math.MaxUint64) }).counter(0))
	add("a writer of the far future", writers, "", forge(writers, func(head []byte) {
		for _, at := range []int{40, 288, 296, 304} {
			binary.NativeEndian.PutUint64(head[at:], math.MaxInt64)
		}
	}).counter(0))
	slices.SortFunc(all, func(a, b forged) int { return strings.Compare(a.name, b.name) })
	return all
}

type forged struct {
	name   string
	kind   segment.Kind
	offset string
	data   []byte
}
