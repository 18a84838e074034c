package segment

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"telltale/model"
)

// buried returns what a writer says that it removed, the first first.
func buried(t *testing.T, s Space) (stones []Tombstone) {
	t.Helper()
	stones, _, err := Tombstones(s)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(stones, func(a, b Tombstone) int { return int(a.Time - b.Time) })
	return stones
}

func bury(t *testing.T, w *Writer, stones ...Tombstone) {
	t.Helper()
	for _, stone := range stones {
		if err := w.Bury(stone); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTombstones(t *testing.T) {
	w := newWriter(t, Header{})
	if stones, until, err := Tombstones(w); len(stones) != 0 || until != 0 || err != nil {
		t.Errorf("at first: %v %v %v", stones, until, err)
	}
	stones := []Tombstone{
		{Time: 5, Type: model.Counter, Name: "a", Labels: []string{`l="1"`, `l="2"`}},
		{Time: 5, Type: model.Gauge, Name: "a"}, // the clock stood still
		{Time: 3, Type: model.Counter, Name: "b", Labels: []string{""}},
		{Time: 9, Type: model.Counter, Name: "b", Labels: []string{`l="` + strings.Repeat("x", 1000) + `"`}},
	}
	bury(t, w, stones...)
	stones[1].Time, stones[2].Time = 6, 7
	if got := buried(t, w); !reflect.DeepEqual(got, stones) {
		t.Errorf("got %+v, want %+v", got, stones)
	}
	if s := SignsOf(w); s.Buried != 9 || w.Tombs() != 4 {
		t.Errorf("%+v, %d tombstones", s, w.Tombs())
	}
}

// Endless removals of the same series, and of others once what is dead was folded, take no
// more room.
func TestTombstonesTakeNoMoreRoom(t *testing.T) {
	w := newWriter(t, Header{})
	of := func(n int) Tombstone {
		return Tombstone{Type: model.Counter, Name: "c", Labels: []string{fmt.Sprintf(`n="%d"`, n)}}
	}
	for n := range 10 {
		bury(t, w, of(n))
	}
	bury(t, w, of(0)) // beside the equal one, which has its room then
	used := w.Used()
	for n := range 1000 {
		bury(t, w, of(n%10))
	}
	if w.Used() != used || w.Tombs() != 10 {
		t.Errorf("%d bytes more for %d tombstones", w.Used()-used, w.Tombs())
	}
	for n := range 1000 {
		if left := w.Spend(SignsOf(w).Buried); left != 0 {
			t.Fatal(left)
		}
		bury(t, w, of(10+n))
	}
	if w.Used() != used {
		t.Errorf("%d bytes more", w.Used()-used)
	}
	last := buried(t, w)
	if n := len(last); !slices.Equal(last[n-1].Labels, of(1009).Labels) {
		t.Errorf("the last one is %+v", last[n-1])
	}
}

func TestTooManyTombstones(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	w := newWriter(t, Header{})
	for n := range MaxTombstones {
		bury(t, w, Tombstone{Type: model.Counter, Name: "c", Labels: []string{fmt.Sprintf(`n="%d"`, n)}})
	}
	one := Tombstone{Type: model.Counter, Name: "d"}
	if err := w.Bury(one); !errors.Is(err, ErrTombstones) {
		t.Errorf("one too many: %v", err)
	}
	w.Spend(1)
	bury(t, w, one)
}

// What is being written, or was when its writer was killed, is not there yet.
func TestTombstonesThatAreBeingWritten(t *testing.T) {
	w := newWriter(t, Header{})
	bury(t, w, Tombstone{Time: 1, Type: model.Counter, Name: "a"}, Tombstone{Time: 2, Type: model.Counter, Name: "b"})
	WordAt(w.header, offBuried).Store(1)
	if got := buried(t, w); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("before its time is stored: %+v", got)
	}
	WordAt(w.header, offBuried).Store(2)
	text := string(saysOf(Tombstone{Type: model.Counter, Name: "b"}))
	slot := w.graves.part(hashOf(text)).find(text, hashOf(text)).slot()
	slot.begin()
	if got := buried(t, w); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("while it is being written: %+v", got)
	}
	slot.end()
	if got := buried(t, w); len(got) != 2 {
		t.Errorf("then: %+v", got)
	}
	for last := int64(1); last < 5; last++ { // the same is removed again, and once more
		bury(t, w, Tombstone{Time: 10 * (last + 1), Type: model.Counter, Name: "a"})
		now := SignsOf(w).Buried
		for seen, want := range map[int64]int64{now: now, now - 1: max(1, 10*last*min(1, last-1))} {
			WordAt(w.header, offBuried).Store(uint64(seen))
			if got := buried(t, w); len(got) != 2 || !slices.ContainsFunc(got, func(s Tombstone) bool { return s.Name == "a" && s.Time == want }) {
				t.Errorf("removed at %d, seen until %d: %+v, want %d", now, seen, got, want)
			}
		}
		WordAt(w.header, offBuried).Store(uint64(now))
	}
}

func saysOf(t Tombstone) (p payload) {
	p.removal(&t)
	return p
}

// Chains that nobody writes lead nowhere, and not far.
func TestForgedTombstones(t *testing.T) {
	stone := func(previous uint64, capacity uint32, text []byte, words uint64) func(t *testing.T, w *Writer) uint64 {
		return func(t *testing.T, w *Writer) uint64 {
			t.Helper()
			var p payload
			p.u64(previous)
			p.u32(capacity)
			rec, err := w.lay(tombstoneRecord, p, words)
			if err != nil {
				t.Fatal(err)
			}
			w.publish()
			if text != nil {
				textSlot{WordAt(rec.bytes, rec.mutable), len(text)}.store([3]uint64{1}, string(text), sumOf(string(text)))
			}
			return rec.offset
		}
	}
	says := func(typ byte, fields ...uint32) (p payload) {
		p = append(p, typ, 0, 0, 0)
		for _, n := range fields {
			p.u32(n)
		}
		return p
	}
	name := order.Uint32([]byte("name"))
	good := says(1, 4, name, 0)
	for _, tt := range []struct {
		name string
		lay  func(t *testing.T, w *Writer) uint64
		good bool
	}{
		{"one", stone(0, 64, good, 16), true},
		{"nothing written", stone(0, 64, nil, 16), true},
		{"a loop", stone(512, 64, good, 16), false},
		{"behind", stone(1<<20, 64, good, 16), false},
		{"in the header", stone(8, 64, good, 16), false},
		{"between two", stone(516, 64, good, 16), false},
		{"no room", stone(0, 64, nil, 4), false},
		{"more room than there is", stone(0, 1<<31, good, 16), false},
		{"room that is odd", stone(0, 63, good, 16), false},
		{"of no type", stone(0, 64, says(8, 4, name, 0), 16), false},
		{"of no family", stone(0, 64, says(1, 0, 0), 16), false},
		{"of very many series", stone(0, 64, says(1, 4, name, 1<<31), 16), false},
		{"of what are no labels", stone(0, 64, says(1, 4, name, 1, 4, name), 16), false},
		{"half", stone(0, 64, good[:10], 16), false},
		{"another record", func(t *testing.T, w *Writer) uint64 { return layRaw(t, w, lanesRecord, 16, 1, 1, 1).offset }, false},
		{"far away", func(*testing.T, *Writer) uint64 { return 1 << 40 }, false},
		{"no multiple of 8", func(*testing.T, *Writer) uint64 { return HeaderSize + 1 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWriter(t, Header{})
			at := tt.lay(t, w)
			WordAt(w.header, offHead).Store(at)
			WordAt(w.header, offBuried).Store(1)
			b := spaceOf(bytesOf(w))
			if err := try(t, newFence(t, len(b)), b); (err == nil) != tt.good {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNotesOf(t *testing.T) {
	w := newWriter(t, Header{Kind: KindArchive})
	want := Notes{
		Taken:   Taken{Writers: [][16]byte{{1}}},
		Applied: map[[16]byte]int64{{2}: 7},
		Carried: []Tombstone{{Time: 3, Type: model.Gauge, Name: "g", From: Origin{[16]byte{4}, [16]byte{5}, 6, "e"}}},
	}
	if err := w.Note(want); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, mustRows(t, w, counterFamily()), Series{Labels: `a="1"`})
	if got, err := NotesOf(w); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
}

// What it takes to say that a series was removed, the time apart.
func BenchmarkBury(b *testing.B) {
	w, err := NewWriter(&heap{}, firstExtent, Header{Kind: KindWriter})
	if err != nil {
		b.Fatal(err)
	}
	labels := make([][]string, 1000)
	for i := range labels {
		labels[i] = []string{fmt.Sprintf(`n="%d"`, i)}
	}
	b.ReportAllocs()
	for i := range b.N {
		if err := w.Bury(Tombstone{Time: int64(i), Type: model.Counter, Name: "c", Labels: labels[i%len(labels)]}); err != nil {
			b.Fatal(err)
		}
	}
}
