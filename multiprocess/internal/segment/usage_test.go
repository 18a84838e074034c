package segment

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"telltale/model"
)

// Each step makes garbage of a size that is known: that of the records and rows
// that nobody will read again.
func TestUsageOf(t *testing.T) {
	w := newWriter(t, Header{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	usage := func() Usage {
		t.Helper()
		u, err := UsageOf(w)
		must(err)
		if u.Bytes != w.Used() {
			t.Errorf("%d bytes, want %d", u.Bytes, w.Used())
		}
		return u
	}
	grown := func(step func()) uint64 {
		before := w.Used()
		step()
		return w.Used() - before
	}
	rows, err := w.Rows(Family{Name: "h", Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, math.Inf(1)}, Labels: []string{"a"}})
	must(err)
	first, err := rows.Add(Series{Labels: `a="1"`})
	must(err)
	record := grown(func() {
		_, err := rows.Add(Series{Labels: `a="2"`})
		must(err)
	})
	if u := usage(); u.Families != 1 || u.Series != 2 || u.Garbage != 0 {
		t.Errorf("after two series: %+v", u)
	}
	exemplar := func(length int) {
		must(rows.SetExemplar(first, 1, &model.Exemplar{Labels: model.LabelsOf(map[string]string{"id": strings.Repeat("x", length)}), Value: 1}))
	}
	small := grown(func() { exemplar(3) }) - grown(func() { exemplar(5) })
	if u := usage(); u.Garbage != 0 {
		t.Errorf("exemplars in place: %+v", u)
	}
	table := align(recordHeaderSize+4, 8) + 2*8
	large := grown(func() { exemplar(200) })
	if u := usage(); u.Garbage != small-table {
		t.Errorf("an exemplar that moved: %+v, want %d", u, small-table)
	}
	lanes := grown(func() {
		_, err := rows.Lanes(first, 3)
		must(err)
	})
	rows.Remove(first)
	size := uint64(rows.Family().Words()) * 8
	if u, want := usage(), small+large+lanes+record+size; u.Series != 1 || u.Garbage != want {
		t.Errorf("a removed series: %+v, want %d", u, want)
	}
	for range quarantine {
		w.Tick()
	}
	again := grown(func() {
		_, err := rows.Add(Series{Labels: `a="3"`})
		must(err)
	})
	if u, want := usage(), small-table+record; u.Series != 2 || u.Garbage != want || again != record {
		t.Errorf("a row that was used again: %+v, want %d", u, want)
	}
}

func TestUsageOfInfo(t *testing.T) {
	w := newWriter(t, Header{})
	rows, err := w.Rows(Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	if err != nil {
		t.Fatal(err)
	}
	first, err := rows.Add(Series{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := rows.SetInfo(first, fmt.Sprintf(`v="%d"`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if u, err := UsageOf(w); err != nil || u.Garbage != 0 || u.Series != 1 {
		t.Errorf("both places of an info are in use: %+v, %v", u, err)
	}
}

func TestUsageOfDamage(t *testing.T) {
	w := newWriter(t, Header{Kind: KindArchive})
	if err := w.Note(Notes{Taken: Taken{Writers: [][16]byte{{1}}, Aside: []Aside{{Name: "a"}}}}); err != nil {
		t.Fatal(err)
	}
	if u, err := UsageOf(w); err != nil || len(u.Taken.Writers) != 1 || len(u.Taken.Aside) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	rows, err := w.Rows(Family{Name: "c", Type: model.Counter, Layout: LayoutCounter})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Add(Series{}); err != nil {
		t.Fatal(err)
	}
	b := w.Bytes(0, w.Used())
	for i := HeaderSize; i < len(b); i++ {
		b[i] ^= 0x40
		_, _ = UsageOf(w) // must not panic
		b[i] ^= 0x40
	}
}

func TestSigns(t *testing.T) {
	w := newWriter(t, Header{})
	if s := SignsOf(w); s.Closed || s.Dead {
		t.Errorf("at the beginning: %+v", s)
	}
	WordAt(w.header, offState).Or(stateDead)
	if s := SignsOf(w); s.Closed || !s.Dead {
		t.Errorf("dead: %+v", s)
	}
	w.MarkClosed()
	w.Alive(7)
	w.Alive(5) // by a goroutine that had to wait
	if err := w.Bury(Tombstone{Time: 9, Name: "c", Type: model.Counter}); err != nil {
		t.Fatal(err)
	}
	if s := SignsOf(w); !s.Closed || !s.Dead || s.Alive != 7 || s.Buried != 9 {
		t.Errorf("closed and dead: %+v", s)
	}
}
