package segment

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
)

const firstExtent = 16 << 10

// heap is Memory that ends after a number of bytes.
type heap struct{ limit uint64 }

var errNoRoom = errors.New("full")

func (h *heap) Extend(offset uint64, n int) ([]byte, error) {
	if h.limit > 0 && offset+uint64(n) > h.limit {
		return nil, errNoRoom
	}
	words := make([]uint64, n/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n), nil
}

func newWriter(t testing.TB, h Header) *Writer {
	t.Helper()
	if h.Kind == 0 {
		h.Kind = KindWriter
	}
	w, err := NewWriter(&heap{}, firstExtent, h)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	w := newWriter(t, Header{ID: [16]byte{1, 2}, Start: 42, PID: 7, Epoch: "blue", Writer: "web", Host: "h"})
	rows, err := w.Rows(Family{Name: "requests", Help: "Requests.", Type: model.Counter, Layout: LayoutCounter, Labels: []string{"code"}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := rows.Add(Series{Labels: `code="200"`, Created: 5})
	if err != nil {
		t.Fatal(err)
	}
	first.Add(3)
	exemplar := &model.Exemplar{Labels: model.LabelsFromText(`trace_id="abc"`), Value: 1, Timestamp: model.Unix(9, 8)}
	if err := rows.SetExemplar(first, 0, exemplar); err != nil {
		t.Fatal(err)
	}
	lanes, err := rows.Lanes(first, 2)
	if err != nil {
		t.Fatal(err)
	}
	lanes.Mine().Add(4)
	lanes.AddFloat(1, 0.5)
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	if h := seen.reader.Header(); h.Epoch != "blue" || h.Writer != "web" || h.Start != 42 || h.PID != 7 {
		t.Errorf("header %+v", h)
	}
	if len(seen.families) != 1 || len(seen.families[0].rows) != 8 || len(seen.families[0].series) != 1 {
		t.Fatalf("read %+v", seen.families)
	}
	if f := seen.families[0].Family; !reflect.DeepEqual(f, rows.Family()) {
		t.Errorf("read %+v, want %+v", f, rows.Family())
	}
	if s := seen.families[0].series[0]; s != (owner{1, Series{Labels: `code="200"`}}) {
		t.Errorf("read %+v", s)
	}
	row := rows.row(first)
	if generation, created, live := State(row); generation != 1 || created != 5 || !live {
		t.Errorf("state %d %d %v", generation, created, live)
	}
	spread, ok := rows.Family().SpreadOf(w, row)
	if !ok || spread.Sum(0) != 4 || spread.SumFloat(1) != 0.5 {
		t.Errorf("lanes %v: %d, %v", ok, spread.Sum(0), spread.SumFloat(1))
	}
	if e := rows.Family().Exemplar(w, row, 0); e == nil || *e != *exemplar {
		t.Errorf("exemplar %v", e)
	}
}

func TestManyFamiliesGrow(t *testing.T) {
	w := newWriter(t, Header{})
	total := 0
	for i := range 50 {
		rows, err := w.Rows(Family{Name: fmt.Sprint("h", i), Type: model.Histogram, Layout: LayoutHistogram, Bounds: []float64{1, 2, math.Inf(1)}, Labels: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 100 {
			first, err := rows.Add(Series{Labels: fmt.Sprintf(`a="%d"`, n)})
			if err != nil {
				t.Fatal(err)
			}
			cell.At(first, 3).Add(1)
			total++
		}
	}
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	series := 0
	seen.live(func(f *seenFamily, _ *cell.Word, s owner) {
		if row := f.series[uint32(series%100)]; row != s {
			t.Errorf("row %d has %v", series%100, s)
		}
		series++
	})
	if series != total {
		t.Errorf("%d series, want %d", series, total)
	}
	if w.Used() != seen.reader.At() {
		t.Errorf("read up to %d of %d", seen.reader.At(), w.Used())
	}
}

func TestRowsRestBeforeTheyAreUsedAgain(t *testing.T) {
	w := newWriter(t, Header{})
	rows, err := w.Rows(Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(labels string) *cell.Word {
		t.Helper()
		first, err := rows.Add(Series{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	a := add(`a="1"`)
	a.Store(7)
	rows.Remove(a)
	if _, _, live := State(rows.row(a)); live {
		t.Error("a removed series is alive")
	}
	if b := add(`a="2"`); b == a {
		t.Error("the row did not rest")
	}
	for range quarantine {
		w.Tick()
	}
	c := add(`a="3"`)
	if c != a || c.Load() != 0 {
		t.Errorf("the rested row is not used again, or not zero: %d", c.Load())
	}
	if generation, _, live := State(rows.row(c)); generation != 2 || !live {
		t.Errorf("generation %d, %v", generation, live)
	}
}

func TestReservedRowsAreNotSeen(t *testing.T) {
	const created = 1700000000200000
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}})
	reserve := func() *cell.Word {
		t.Helper()
		first, err := rows.Reserve(Series{Labels: `a="1"`})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, live := State(rows.row(first)); live {
			t.Error("a reserved row is seen")
		}
		return first
	}
	shown := reserve()
	shown.Store(7)
	rows.Show(shown, created)
	if _, at, live := State(rows.row(shown)); !live || at != created || shown.Load() != 7 {
		t.Errorf("a shown row is %t, created at %d, with %d", live, at, shown.Load())
	}
	rows.Remove(shown)
	rows.Show(shown, created)
	if _, _, live := State(rows.row(shown)); live {
		t.Error("a removed row is shown again")
	}
	dropped := reserve()
	rows.Remove(dropped)
	rows.Remove(dropped)
	rows.Show(dropped, created)
	if _, _, live := State(rows.row(dropped)); live {
		t.Error("a reserved row is shown after it was removed")
	}
	for range quarantine {
		w.Tick()
	}
	for _, rested := range []*cell.Word{shown, dropped} {
		if again := reserve(); again != rested || again.Load() != 0 {
			t.Error("a row that was reserved is not used again, or not zero")
		}
	}
}

func TestFullMemoryLosesNothing(t *testing.T) {
	w, err := NewWriter(&heap{limit: 2 * firstExtent}, firstExtent, Header{Kind: KindWriter})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.Rows(Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for err == nil {
		_, err = rows.Add(Series{Labels: fmt.Sprintf(`a="%d"`, n)})
		n++
	}
	if !errors.Is(err, errNoRoom) {
		t.Fatal(err)
	}
	seen := &walk{space: w}
	if err := seen.next(); err != nil {
		t.Error(err)
	}
}
