package segment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"telltale/internal/cell"
	"telltale/model"
)

// of returns rows of a family by its name.
func of(t *testing.T, w *Writer, name string) *Rows {
	t.Helper()
	return mustRows(t, w, Family{Name: name, Type: model.Counter, Layout: LayoutCounter, Labels: []string{"a"}})
}

// bury adds a series and removes it.
func (r *Rows) bury(t *testing.T, labels string, now int64) {
	t.Helper()
	if had, err := r.Bury(mustAdd(t, r, Series{Labels: labels}), now); !had || err != nil {
		t.Fatal(had, err)
	}
}

// What is removed of the writer's own series is said at once, and stays said with its time
// when tombstones are written of it, be that at a tick, because the list is full, because
// what is on it is old, or because something else was removed.
func TestRemovedSeriesAreListed(t *testing.T) {
	w := newWriter(t, Header{})
	families := []*Rows{of(t, w, "x"), of(t, w, "y"), of(t, w, "z")}
	want := make(map[string]int64)
	now := int64(0)
	check := func(when string) {
		t.Helper()
		got := make(map[string]int64)
		stones, until, err := Tombstones(w)
		for _, s := range stones {
			key := s.Name + s.Labels[0]
			got[key] = max(got[key], s.Time)
		}
		if err != nil || until != now || len(got) != len(want) {
			t.Fatalf("%s: %d of %d, until %d, %v", when, len(got), len(want), until, err)
		}
		for key, time := range want {
			if got[key] != time {
				t.Fatalf("%s: %s was removed at %d, not %d", when, key, time, got[key])
			}
		}
	}
	for i := range 3000 {
		r, labels := families[i/7%3], fmt.Sprintf(`a="%d"`, i%500)
		now++
		if i%400 == 399 {
			now += math.MaxInt32
		}
		r.bury(t, labels, now)
		want[r.Family().Name+labels] = now
		if i%100 == 0 || i < 10 {
			check("before a tick")
		}
		switch {
		case i%250 == 0:
			w.Tick()
			check("after a tick")
		case i%333 == 0:
			now++
			bury(t, w, Tombstone{Time: now, Type: model.Counter, Name: "x", Labels: []string{`a="1"`}})
			want[`xa="1"`] = now
			check("after another removal")
		}
	}
	if _, n, err := latelyAt(w, atomicWord(w.header, offLately), w.Used()); n < 4*leastLately || err != nil {
		t.Errorf("the list has room for %d, %v", n, err)
	}
	if w.Tick(); w.Tombs() != len(want) {
		t.Errorf("%d tombstones of %d", w.Tombs(), len(want))
	}
}

// Labels are compared by name, in whichever order a series had them.
func TestListedLabelsAreSorted(t *testing.T) {
	w := newWriter(t, Header{})
	r := of(t, w, "x")
	r.bury(t, `b="1",a="2"`, 1)
	for range 2 {
		if got := buried(t, w); len(got) != 1 || !slices.Equal(got[0].Labels, []string{`a="2",b="1"`}) {
			t.Errorf("%+v", got)
		}
		w.Tick()
	}
}

// What is on the list and later than the header says is being written, or was when its
// writer was killed.
func TestListsThatAreBeingWritten(t *testing.T) {
	w := newWriter(t, Header{})
	r := of(t, w, "x")
	r.bury(t, `a="1"`, 1)
	r.bury(t, `a="2"`, 5)
	word := WordAt(w.header, offBuried)
	word.Store(4)
	if got := buried(t, w); len(got) != 1 || got[0].Time != 1 {
		t.Errorf("%+v", got)
	}
	word.Store(5)
	// Tombstones are written, and the list is not empty yet.
	l := w.graves.lately
	first, second := cell.At(l.first, 1).Load(), cell.At(l.first, 2).Load()
	w.Tick()
	for _, words := range [][3]uint64{{r.at / 8, first, second}, {0, first, second}, {r.at / 8, 0, second}, {r.at / 8, first, 0}} {
		for i, v := range words {
			if i == 0 && v != 0 {
				v |= 1 << 32
			}
			cell.At(l.first, i).Store(v)
		}
		newest := make(map[string]int64)
		for _, s := range buried(t, w) {
			newest[s.Labels[0]] = s.Time
		}
		if len(newest) != 2 || newest[`a="1"`] != 1 || newest[`a="2"`] != 5 {
			t.Errorf("with %x on the list: %v", words, newest)
		}
	}
}

// tight is memory that has an end.
type tight struct {
	heap
	full bool
}

func (m *tight) Extend(offset uint64, n int) ([]byte, error) {
	if m.full {
		return nil, errors.New("full")
	}
	return m.heap.Extend(offset, n)
}

// Where there is no room for tombstones, what is on the list stays there, and what finds
// no place there is an error.
func TestListsWithoutRoom(t *testing.T) {
	m := &tight{}
	w, err := NewWriter(m, firstExtent, Header{Kind: KindWriter})
	if err != nil {
		t.Fatal(err)
	}
	r := of(t, w, "x")
	firsts := make([]*cell.Word, 3*leastLately)
	for i := range firsts {
		firsts[i] = mustAdd(t, r, Series{Labels: fmt.Sprintf(`a="%d"`, i)})
	}
	if _, err := r.Bury(firsts[0], 1); err != nil {
		t.Fatal(err)
	}
	m.full = true
	failed := 0
	for i, first := range firsts[1:] {
		had, err := r.Bury(first, int64(2+i))
		if !had {
			t.Fatal("it has no row")
		}
		if err != nil {
			failed++
		}
		w.Tick()
		if got := buried(t, w); len(got) < i+2-failed {
			t.Fatalf("%d tombstones after %d removals, of which %d failed", len(got), i+2, failed)
		}
	}
	if failed == 0 {
		t.Fatal("there was room for all")
	}
	if err := w.Bury(Tombstone{Time: 1 << 40, Type: model.Counter, Name: "x"}); err == nil {
		t.Error("one that is later than those on the list")
	}
	m.full = false
	w.Tick()
	if got := buried(t, w); w.graves.lately.n != 0 || len(got) < len(firsts)-failed {
		t.Errorf("%d tombstones with room again, %d on the list", len(got), w.graves.lately.n)
	}
}

// Readers miss nothing that was removed before they began, while it becomes tombstones.
func TestReadersWhileListsBecomeTombstones(t *testing.T) {
	const rounds, series = 3000, 5
	w := newWriter(t, Header{})
	r := of(t, w, "x")
	var removed [series]atomic.Int64 // when each series was removed last
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var before [series]int64
				for i := range before {
					before[i] = removed[i].Load()
				}
				stones, _, err := Tombstones(w)
				if err != nil {
					t.Error(err)
					return
				}
				for i, want := range before {
					newest := int64(0)
					for _, s := range stones {
						if s.Labels[0] == fmt.Sprintf(`a="%d"`, i) {
							newest = max(newest, s.Time)
						}
					}
					if newest < want {
						t.Errorf("series %d was removed at %d, and a reader finds %d", i, want, newest)
						return
					}
				}
			}
		})
	}
	for n := range int64(rounds) {
		i := n * 7 % series
		r.bury(t, fmt.Sprintf(`a="%d"`, i), n+1)
		removed[i].Store(n + 1)
		if n%3 == 0 {
			w.Tick()
		}
	}
	close(stop)
	reading.Wait()
}

// Lists that nobody writes lead nowhere, and not far.
func TestForgedLists(t *testing.T) {
	for _, tt := range []struct {
		name  string
		words func(family, series, far uint64) []uint64
		room  uint32 // of the payload; 0: as many as there are words
		good  bool
	}{
		{"one", func(f, s, _ uint64) []uint64 { return []uint64{f, s} }, 0, true},
		{"without a family", func(_, s, _ uint64) []uint64 { return []uint64{s} }, 0, true},
		{"beyond the file", func(f, _, far uint64) []uint64 { return []uint64{f, far} }, 0, true},
		{"a header", func(f, _, _ uint64) []uint64 { return []uint64{f, 1} }, 0, false},
		{"a list", func(f, s, _ uint64) []uint64 { return []uint64{f, s + 1} }, 0, false},
		{"the same again and again", func(f, s, _ uint64) []uint64 {
			return append([]uint64{f}, slices.Repeat([]uint64{s}, mostLately-1)...)
		}, 0, true},
		{"no room", func(_, _, _ uint64) []uint64 { return nil }, 0, false},
		{"more room than there is", func(f, _, _ uint64) []uint64 { return []uint64{f} }, 4, false},
		{"very much room", func(f, _, _ uint64) []uint64 { return []uint64{f} }, math.MaxUint32, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWriter(t, Header{})
			r := of(t, w, "x")
			mustAdd(t, r, Series{Labels: `a="1"`})
			words := tt.words(r.at/8, uint64(r.series[0]), 1<<30)
			room := tt.room
			if room == 0 {
				room = uint32(len(words))
			}
			rec := layRaw(t, w, latelyRecord, uint64(len(words)), room)
			for i, v := range words {
				WordAt(rec.bytes, rec.mutable+8*uint64(i)).Store(v | 1<<32)
			}
			WordAt(w.header, offLately).Store(rec.offset)
			WordAt(w.header, offBuried).Store(1)
			b := spaceOf(bytesOf(w))
			if err := try(t, newFence(t, len(b)), b); (err == nil) != tt.good {
				t.Errorf("%v", err)
			}
		})
	}
	for name, at := range map[string]uint64{"in the header": 8, "at a family": HeaderSize, "between two": HeaderSize + 4, "beyond": 1 << 40} {
		w := newWriter(t, Header{})
		of(t, w, "x")
		WordAt(w.header, offLately).Store(at)
		WordAt(w.header, offBuried).Store(1)
		b := spaceOf(bytesOf(w))
		if err := try(t, newFence(t, len(b)), b); err == nil {
			t.Errorf("a list %s is read", name)
		}
	}
}

// What it takes to remove a series of the writer's own, the time apart: one of a thousand
// that come and go, and one that goes for ever.
func BenchmarkBuryRow(b *testing.B) {
	for name, series := range map[string]int{"again": 1000, "once": math.MaxInt} {
		b.Run(name, func(b *testing.B) {
			w, err := NewWriter(&heap{}, firstExtent, Header{Kind: KindWriter})
			if err != nil {
				b.Fatal(err)
			}
			r := mustRows(b, w, counterFamily())
			firsts := make([]*cell.Word, b.N)
			for i := range firsts {
				firsts[i] = mustAdd(b, r, Series{Labels: fmt.Sprintf(`a="%d"`, i%series)})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i, first := range firsts {
				if _, err := r.Bury(first, int64(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
