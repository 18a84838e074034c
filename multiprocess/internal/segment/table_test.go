package segment

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"telltale/model"
)

// spelt writes a segment with two families, whose series are named by the texts: those
// with a "b" are the second family's.
func spelt(t testing.TB, texts ...string) []byte {
	t.Helper()
	w := newWriter(t, Header{})
	a := mustRows(t, w, Family{Name: "a", Type: model.Counter, Layout: LayoutCounter, Labels: []string{"l"}})
	b := mustRows(t, w, Family{Name: "b", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"l"}})
	for _, text := range texts {
		rows := a
		if strings.HasPrefix(text, "b") {
			rows = b
		}
		first := mustAdd(t, rows, Series{Labels: `l="` + text + `"`})
		if strings.HasSuffix(text, "-") { // it makes room for the next
			rows.Remove(first)
			for range quarantine {
				w.Tick()
			}
		}
	}
	return slices.Clone(bytesOf(w))
}

// Whatever a plan has learned from others, a table says what it says without one.
func TestPlansChangeNothing(t *testing.T) {
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprint("ab"[i%2:i%2+1], i))
	}
	shuffled := slices.Clone(many)
	slices.Reverse(shuffled[100:])
	corpus := map[string][]byte{
		"none": spelt(t), "some": spelt(t, "a1", "b1", "a2"), "the same": spelt(t, "a1", "b1", "a2"),
		"more": spelt(t, "a1", "b1", "a2", "b2", "a3"), "others first": spelt(t, "a9", "a1", "b1"),
		"many": spelt(t, many...), "shuffled": spelt(t, shuffled...), "reused": spelt(t, "a1-", "a2", "a3-", "a4", "b1"),
		"one of all": one(t, KindArchive),
	}
	shared := &walk{}
	for range 2 {
		for name, b := range corpus {
			seen := &walk{space: spaceOf(b), labels: shared.labels, numbers: shared.numbers, plan: shared.plan}
			if err := seen.next(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			shared.labels, shared.numbers, shared.plan = seen.labels, seen.numbers, seen.plan
			if got, want := seen.text(), shows(spaceOf(b)); got != want {
				t.Errorf("%s: with a plan\n%s\nwithout\n%s", name, got, want)
			}
		}
	}
}

// A plan proves nothing of a record that differs in any bit.
func TestPlansProveEqualBytesAlone(t *testing.T) {
	b := spaceOf(spelt(t, "a1", "a2", "b1"))
	whole := slices.Clone(b)
	learned := &walk{space: spaceOf(b)}
	if err := learned.next(); err != nil {
		t.Fatal(err)
	}
	want := learned.text()
	for i := HeaderSize; i < len(b); i++ {
		for bit := range 8 {
			b[i] ^= 1 << bit
			seen := &walk{space: b, labels: learned.labels, numbers: learned.numbers, plan: learned.plan}
			if err := seen.next(); err == nil && seen.text() != want {
				t.Fatalf("bit %d of byte %d is another, and what is read is %s", bit, i, seen.text())
			}
			b[i] = whole[i]
		}
	}
}

// What a plan keeps is bounded by what its entries have, however many segments differ.
func TestPlansForget(t *testing.T) {
	shared := &walk{}
	for n := range 300 {
		var texts []string
		for i := range 200 {
			texts = append(texts, fmt.Sprint("a", i, strings.Repeat("x", (n+i)%90)))
		}
		seen := &walk{space: spaceOf(spelt(t, texts...)), plan: shared.plan}
		if err := seen.next(); err != nil {
			t.Fatal(err)
		}
		shared.plan = seen.plan
		if p := &shared.plan; len(p.bytes) > 2*p.live+spareBytes+1<<10 {
			t.Fatalf("%d bytes for %d that are in use", len(p.bytes), p.live)
		}
	}
}

// appendRecord lays a record of any type and payload behind a segment, with a good checksum.
func appendRecord(b []byte, kind recordType, fixed []byte) []byte {
	size := align(recordHeaderSize+uint64(len(fixed)), 8)
	record := make([]byte, size)
	order.PutUint32(record, uint32(size))
	order.PutUint16(record[4:], uint16(kind))
	order.PutUint32(record[12:], uint32(len(fixed)))
	copy(record[recordHeaderSize:], fixed)
	order.PutUint32(record[8:], checksum(record, uint32(len(fixed))))
	b = append(b, record...)
	order.PutUint64(b[offUsed:], uint64(len(b)))
	return b
}

func TestPayloadsOfLaterPrograms(t *testing.T) {
	series := func(behind int) []byte {
		var p payload
		p.u32(0)
		p.u32(1)
		p = append(p, 1, 0, 0, 0)
		p.text(`l="later"`)
		return append(p, make([]byte, behind)...)
	}
	for _, tt := range []struct {
		name  string
		kind  recordType
		fixed []byte
		spoil bool // the checksum
		wrong string
	}{
		{"a field more", seriesRecord, series(8), false, ""},
		{"as much as there may be", seriesRecord, series(maxBehind), false, ""},
		{"more than there may be", seriesRecord, series(maxBehind + 1), false, "4097 bytes behind its fields"},
		{"unknown", 999, make([]byte, 100), false, ""},
		{"unknown and damaged", 999, make([]byte, 100), true, "checksum"},
		{"unknown and long", 999, make([]byte, maxBehind+1), true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := appendRecord(spelt(t, "a1"), tt.kind, tt.fixed)
			if tt.spoil {
				b[len(b)-8] ^= 1
			}
			seen := &walk{space: spaceOf(b)}
			err := seen.next()
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("%v, want %q", err, tt.wrong)
			}
		})
	}
}

// Rows that a segment claims cost nothing before series have them.
func TestMemoryFollowsSeries(t *testing.T) {
	b := spelt(t, "a1")
	var p payload
	p.u32(1) // the gauge, of two words a row
	p.u32(0)
	const rows = 4 << 20
	p.u32(rows)
	at := uint64(len(b))
	b = appendRecord(b, blockRecord, p)
	start := blockRecord.mutable(at, uint64(len(p)))
	b = append(b, make([]byte, at+start+rows*16-uint64(len(b)))...)
	order.PutUint32(b[at:], uint32(uint64(len(b))-at))
	order.PutUint32(b[at+8:], checksum(b[at:], uint32(len(p))))
	order.PutUint64(b[offUsed:], uint64(len(b)))
	space := spaceOf(b)
	runtime.GC()
	before := allocated()
	var table Table
	if _, err := table.Next(space, nil, nil); err != nil {
		t.Fatal(err)
	}
	if took := allocated() - before; took > 1<<20 {
		t.Errorf("%d rows that no series has took %d bytes", rows, took)
	}
}
