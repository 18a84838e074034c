package segment

import (
	"errors"
	"hash/crc32"
	"math"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// one returns a segment that has one of everything that its kind may have, cut where
// it ends.
func one(t testing.TB, kind Kind) []byte {
	t.Helper()
	w, err := NewWriter(&heap{}, 1024, Header{Kind: kind, Epoch: "e", Writer: "w", Host: "h", Service: "s", Born: 8, EpochFirst: Moment{9, 10}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	stone := Tombstone{Time: 3, Type: model.Counter, Name: "c", Labels: []string{`a="b"`, ""}}
	if kind == KindArchive {
		stone.From = Origin{[16]byte{1}, [16]byte{2}, 5, "e"}
		check(w.Note(Notes{
			Taken:   Taken{Writers: [][16]byte{{1}, {2}}, Aside: []Aside{{"counter_1~0123456789abcdef.db", 7}}},
			Applied: map[[16]byte]int64{{1}: 512, {2}: 0},
			Carried: []Tombstone{stone},
		}))
	} else {
		w.Alive(11)
		check(w.Bury(stone))
		check(w.Bury(Tombstone{Time: 4, Type: model.Gauge, Name: "g"}))
	}
	exemplar := &model.Exemplar{Labels: model.LabelsFromText(`id="7"`), Value: 1, Timestamp: model.Unix(1, 2)}

	rows := mustRows(t, w, Family{
		Name: "c", Help: "Help.", Type: model.Counter, Layout: LayoutCounter,
		Merge: model.MergeMax, First: Moment{1, 2}, Expiry: time.Hour, NoEpoch: true,
	})
	of := Series{Created: 5}
	if kind == KindArchive {
		of.Process, of.Start, of.Changed = "p", 6, 7
	}
	first := mustAdd(t, rows, of)
	first.Store(3)
	if kind == KindArchive {
		check(rows.Rests([]Rest{{0, 0, []float64{1 << 53}}, {0, 1, []float64{0.5, 1e-20}}}))
	}
	check(rows.SetExemplar(first, 0, exemplar))
	words := smallLanes(t, w, first, rows)
	words[0].Store(1)

	rows = mustRows(t, w, Family{Name: "h", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, math.Inf(1)}})
	first = mustAdd(t, rows, Series{})
	cell.At(first, 2).Store(1)
	check(rows.SetExemplar(first, 1, exemplar))

	native := Family{Name: "n", Type: model.Histogram, Layout: LayoutNative, Bounds: []float64{1, math.Inf(1)}, NativeBuckets: 2, NativeExemplars: 1}
	rows = mustRows(t, w, native)
	first = mustAdd(t, rows, Series{})
	var h exponential.Histogram
	check(h.InitIn(native.NativeWordsAt(first), nil, native.Native()))
	h.Observe(0.5)
	check(rows.SetExemplar(first, 2, exemplar))

	rows = mustRows(t, w, Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	check(rows.SetInfo(mustAdd(t, rows, Series{}), `a="x"`))

	rows = mustRows(t, w, Family{Name: "e", Type: model.StateSet, Layout: LayoutState, States: []string{"on", "off"}})
	mustAdd(t, rows, Series{}).Store(1)
	return slices.Clone(bytesOf(w))
}

// bytesOf returns all that a writer has published.
func bytesOf(w *Writer) (b []byte) {
	for _, e := range w.extents {
		b = append(b, e.data...)
	}
	return b[:w.Used()]
}

// smallLanes gives a row two lanes, however many the machine would have.
func smallLanes(t testing.TB, w *Writer, first *cell.Word, rows *Rows) []cell.Word {
	t.Helper()
	var p payload
	p.u32(2)
	p.u32(2)
	p.u32(2)
	rec, err := w.lay(lanesRecord, p, 4)
	if err != nil {
		t.Fatal(err)
	}
	w.publish()
	link(cell.At(rows.row(first), wordLinks), rec.offset, 0)
	return cellsOf(rec.bytes[rec.mutable:])
}

// seal makes the checksums of damaged bytes right, so that a reader looks at
// what they cover.
func seal(b []byte) {
	if len(b) < HeaderSize {
		return
	}
	order.PutUint32(b[offChecksum:], crc32.Checksum(b[checkedFrom:checkedTo], castagnoli))
	space := plain(b)
	used := min(order.Uint64(b[offUsed:]), uint64(len(b)))
	for at := uint64(HeaderSize); at < used; {
		record, fixed, _, err := recordAt(space, at, used)
		if err != nil {
			return
		}
		order.PutUint32(record[8:], checksum(record, uint32(len(fixed))))
		at += uint64(len(record))
	}
}

// allocated returns how many bytes were ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// try reads all that can be read of bytes within the fence, and checks that
// errors say where, and that memory is bounded by the number of bytes.
func try(t testing.TB, f *fence, b []byte) error {
	t.Helper()
	before := allocated()
	seen := &walk{space: f.around(b)}
	err := seen.next()
	seen.touch()
	if grown := allocated() - before; grown > uint64(256*len(b)+1<<20) {
		t.Fatalf("reading %d bytes took %d bytes of memory", len(b), grown)
	}
	var where *Corrupt
	if err != nil && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrVersion) && !errors.As(err, &where) {
		t.Fatalf("an error that does not say where: %v", err)
	}
	return err
}

// shows says what a reader is told, or why not.
func shows(b []byte) string {
	seen := &walk{space: plain(b)}
	if err := seen.next(); err != nil {
		return err.Error()
	}
	return seen.text()
}

func TestEveryBitFlipped(t *testing.T) {
	t.Run("writer", func(t *testing.T) { flipEveryBit(t, one(t, KindWriter)) })
	t.Run("archive", func(t *testing.T) { flipEveryBit(t, one(t, KindArchive)) })
}

func flipEveryBit(t *testing.T, good []byte) {
	whole := spaceOf(good)
	b := spaceOf(whole)
	f := newFence(t, len(b))
	want := shows(b)
	if err := try(t, f, b); err != nil {
		t.Fatal(err)
	}
	unseen := 0
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			shorter := order.Uint64(b[offUsed:]) < uint64(len(b)) // it may end where a record does
			if err := try(t, f, b); err == nil && !shorter && shows(b) != want {
				t.Errorf("bit %d of byte %d is another, and what is read is %s", bit, i, shows(b))
			} else if err == nil {
				unseen++
			}
			seal(b)
			_ = try(t, f, b)
			copy(b, whole)
		}
	}
	if unseen == 8*len(b) {
		t.Error("no flipped bit was found")
	}
}

// A Space may be older than what its writer has published by now: with a newer
// one the reader goes on.
func TestSpacesThatGrow(t *testing.T) {
	b := spaceOf(one(t, KindArchive))
	seen := &walk{}
	for n := HeaderSize; n < len(b); n += 8 {
		seen.space = b[:n]
		if err := seen.next(); !errors.Is(err, ErrShort) {
			t.Fatalf("with %d bytes of %d: %v", n, len(b), err)
		}
	}
	seen.space = b
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	if seen.text() != shows(b) {
		t.Errorf("in steps %s, at once %s", seen.text(), shows(b))
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	t.Run("writer", func(t *testing.T) { cutAnywhere(t, one(t, KindWriter)) })
	t.Run("archive", func(t *testing.T) { cutAnywhere(t, one(t, KindArchive)) })
}

func cutAnywhere(t *testing.T, whole []byte) {
	f := newFence(t, len(whole))
	for n := range whole {
		b := spaceOf(whole[:n])
		if try(t, f, b) == nil {
			t.Errorf("cut to %d bytes of %d it reads without error", n, len(whole))
		}
		if n < HeaderSize {
			continue
		}
		// The same, by a header that says that this is all there is.
		order.PutUint64(b[offUsed:], uint64(n))
		_ = try(t, f, b)
	}
}

// A reader that is at the end goes on when the writer does.
func TestGoingOn(t *testing.T) {
	whole := spaceOf(one(t, KindArchive))
	used := order.Uint64(whole[offUsed:])
	var ends []uint64
	for at := uint64(HeaderSize); at < used; {
		ends = append(ends, at)
		record, _, _, err := recordAt(whole, at, used)
		if err != nil {
			t.Fatal(err)
		}
		at += uint64(len(record))
	}
	b := spaceOf(whole)
	seen := &walk{space: b}
	for _, end := range append(ends, used) {
		order.PutUint64(b[offUsed:], end)
		if err := seen.next(); err != nil {
			t.Fatal(err)
		}
		if seen.reader.At() != end {
			t.Fatalf("it is at %d, not %d", seen.reader.At(), end)
		}
	}
	if seen.text() != shows(whole) {
		t.Errorf("in steps %s, at once %s", seen.text(), shows(whole))
	}
	order.PutUint64(b[offUsed:], used-8)
	if err := seen.next(); err == nil {
		t.Error("what was published is less than before")
	}
}
