package multiprocess_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// holey is a forged segment in a file, with records that end in holes.
type holey struct {
	*forgery
	t    *testing.T
	file *os.File
	at   int64
}

// holes writes a forged segment to a file that goes on with holes.
func (f *forgery) holes(t *testing.T, path string) *holey {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	h := &holey{f, t, file, int64(len(f.data))}
	h.write(f.data, 0)
	return h
}

func (h *holey) write(b []byte, at int64) {
	h.t.Helper()
	if _, err := h.file.WriteAt(b, at); err != nil {
		h.t.Fatal(err)
	}
}

// end publishes what was written.
func (h *holey) end() {
	h.t.Helper()
	h.set(usedWord, uint64(h.at))
	h.write(h.data[:segment.HeaderSize], 0)
	if err := h.file.Truncate(h.at + 4096); err != nil {
		h.t.Fatal(err)
	}
	if err := h.file.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// zeros continues the checksum of what lies before n bytes of a hole.
func zeros(sum uint32, n int) uint32 {
	page := make([]byte, 1<<16)
	for ; n > 0; n -= len(page) {
		sum = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), page[:min(n, len(page))])
	}
	return sum
}

// record appends a record: so many bytes of its payload lie in a hole, and so many behind
// its words. It returns where it lies.
func (h *holey) record(kind uint16, payload []byte, hidden int, words []uint64, hole int) (at int64) {
	h.t.Helper()
	at = h.at
	length := len(payload) + hidden
	first := int(at+16+int64(length)+7)/8*8 - int(at)
	size := (first + 8*len(words) + hole + 7) / 8 * 8
	b := make([]byte, 16, 16+len(payload))
	binary.NativeEndian.PutUint32(b, uint32(size))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint32(b[12:], uint32(length))
	b = append(b, payload...)
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.NativeEndian.PutUint32(b[8:], zeros(crc32.Update(crc32.Update(0, table, b[:8]), table, b[12:]), hidden))
	h.write(b, at)
	for i, w := range words {
		h.write(binary.NativeEndian.AppendUint64(nil, w), at+int64(first+8*i))
	}
	h.at += int64(size)
	return at
}

// slot is the words of a slot with a text and a time.
func slot(time uint64, length int, sum uint32, says []byte) []uint64 {
	words := []uint64{2, time, 0, 0, uint64(length) | uint64(sum)<<32}
	for says := range slices.Chunk(says, 8) {
		words = append(words, binary.NativeEndian.Uint64(append(bytes.Clone(says), make([]byte, 8-len(says))...)))
	}
	return words
}

// Records and texts that lie in holes, which cost who forges them nothing, cost readers and
// folds nothing either.
func TestForgedHoles(t *testing.T) {
	const huge = 1 << 28
	forged := func() *forgery { return forge(segment.KindWriter, nil) }
	payload := func(kind uint16, begins func(f *forgery) []byte) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			f := forged().counter(0)
			h := f.holes(t, path)
			at := h.record(kind, begins(f), huge, []uint64{0, 0}, 0)
			h.set(headWord, uint64(at)).set(latelyWord, uint64(at)).set(buriedWord, 1)
			h.end()
		}
	}
	for name, tt := range map[string]struct {
		write func(t *testing.T, path string)
		good  bool
	}{
		"a family":    {payload(familyRecord, func(*forgery) []byte { return fields(uint32(1)) }), false},
		"rows":        {payload(rowsRecord, func(*forgery) []byte { return fields(uint32(0), uint32(1), uint32(1)) }), false},
		"a series":    {payload(seriesRecord, func(f *forgery) []byte { return f.series(0) }), false},
		"a tombstone": {payload(tombstoneRecord, func(*forgery) []byte { return fields(uint64(0), uint32(64)) }), false},
		"a list":      {payload(latelyRecord, func(*forgery) []byte { return fields(uint32(2)) }), false},
		"a tombstone's text": {func(t *testing.T, path string) {
			h := forged().counter(0).holes(t, path)
			at := h.record(tombstoneRecord, fields(uint64(0), uint32(huge)), 0, slot(1, huge, zeros(0, huge), nil), huge)
			h.set(headWord, uint64(at)).set(buriedWord, 1)
			h.end()
		}, false},
		"an exemplar": {func(t *testing.T, path string) {
			plain := forged().counter(0)
			h := forged().counter(plain.end()<<32).holes(t, path)
			h.record(tableRecord, fields(uint32(1)), 0, []uint64{plain.end()*8 + 32}, 0)
			h.record(textRecord, fields(uint32(huge)), 0, slot(1, huge, zeros(0, huge), nil), huge)
			h.end()
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			counting(t, dir, segment.Header{ID: [16]byte{9}}, 5).die()
			tt.write(t, filepath.Join(dir, writerName(1)))
			var told []string
			hook := multiprocess.WithErrorHook(func(err error) { told = append(told, err.Error()) })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := collector(t, dir, hook)
			page := samples(collect(t, c))
			again := samples(collect(t, c))
			report := inspect(t, dir)[writerName(1)]
			folded := fold(t, dir)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
			want := []string{"c_total{} 5.0"}
			if tt.good {
				want = append(want, `f_total{a="0"} 7.0`)
			}
			if !slices.Equal(page, want) || !slices.Equal(again, want) {
				t.Errorf("the page has %q and %q, want %q", page, again, want)
			}
			named := func(text string) bool { return strings.Contains(text, "not all of which are there") }
			if !tt.good && (len(told) != 1 || !strings.Contains(told[0], writerName(1)) || !named(told[0]) || !named(report.Error)) {
				t.Errorf("told %q, inspected %q", told, report.Error)
			}
			if slices.Contains(folded.Absorbed, writerName(1)) != tt.good {
				t.Errorf("absorbed %q, left %q", folded.Absorbed, left(folded))
			}
		})
	}
}

// What was removed is removed, however much room a writer has for what it says of it.
func TestTombstonesWithMuchRoom(t *testing.T) {
	const stones, room, far = 300, 1 << 20, 1 << 62
	dir := t.TempDir()
	leaves(t, dir, "", "c", "removed", "stays")
	path := filepath.Join(dir, writerName(1))
	boot := spool.BootID()
	h := forge(segment.KindWriter, func(head []byte) { copy(head[72:], boot[:]) }).counter(0).holes(t, path)
	previous := int64(0)
	for n := range stones {
		series := `n="other"`
		if n == 0 { // which is found last
			series = `n="removed"`
		}
		says := fields(uint32(1), "c", uint32(1), series)
		previous = h.record(tombstoneRecord, fields(uint64(previous), uint32(room)), 0, slot(far, len(says), crc32.Checksum(says, crc32.MakeTable(crc32.Castagnoli)), says), room)
	}
	h.set(headWord, uint64(previous)).set(buriedWord, far)
	h.end()
	for _, limits := range [][2]int64{{1 << 10, 1 << 40}, {0, 0}} {
		c := collector(t, dir, multiprocess.WithMappingLimits(int(limits[0]), limits[1]), multiprocess.WithErrorHook(func(err error) { t.Error(err) }))
		for range 2 {
			if page := samples(collect(t, c)); !slices.Equal(page, []string{`c_total{n="stays"} 1.0`, `f_total{a="0"} 7.0`}) {
				t.Errorf("the page has %q", page)
			}
		}
	}
}
