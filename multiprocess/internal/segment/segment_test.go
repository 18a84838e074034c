package segment

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
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
	if len(seen.families) != 1 || len(seen.families[0].rows) != 16 || len(seen.families[0].series) != 1 {
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

// inRound returns the values of the rows of a family that count.
func inRound(t *testing.T, table *Table, s Space) (values []uint64) {
	t.Helper()
	if _, err := table.Next(s, nil, nil); err != nil {
		t.Fatal(err)
	}
	values = valuesOf(t, table, s)
	if err := table.Whole(s); err != nil {
		t.Error(err)
	}
	return values
}

func valuesOf(t *testing.T, table *Table, s Space) (values []uint64) {
	t.Helper()
	f := table.Families()[0]
	for _, rows := range f.Stretches(nil) {
		if err := rows.Locate(s); err != nil {
			t.Fatal(err)
		}
		for i := range rows.Tenants {
			row := rows.Row(i, f.Words())
			if _, in := rows.In(i, row); in {
				values = append(values, f.Layout.Values(row).Load())
			}
		}
	}
	return values
}

// A round is seen as soon as it is shown and no longer, and whole by who began before
// while its rows rest.
func TestRounds(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}})
	var table, before Table
	want := func(when string, got []uint64, want ...uint64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: the values %d, want %d", when, got, want)
		}
	}
	var shown []*cell.Word
	for round := range uint64(3) {
		var next []*cell.Word
		for i := range uint64(3) {
			first, err := rows.Add(Series{Labels: fmt.Sprintf(`a="%d"`, i), Round: round})
			if err != nil {
				t.Fatal(err)
			}
			first.Store(round*10 + i)
			next = append(next, first)
			if round > 0 {
				want("while rows are laid out", inRound(t, &table, w), 10*round-10, 10*round-9, 10*round-8)
			}
		}
		_ = inRound(t, &before, w)
		rows.Show(round)
		for _, first := range shown {
			rows.Retire(first)
		}
		if round > 0 {
			want("before it was shown", valuesOf(t, &before, w), 10*round-10, 10*round-9, 10*round-8)
		}
		want("shown", inRound(t, &table, w), 10*round, 10*round+1, 10*round+2)
		shown = next
	}
	var late Table
	want("later", inRound(t, &late, w), 20, 21, 22)
	for range quarantine {
		w.Tick()
	}
	blocks := len(rows.blocks)
	for i := range 6 {
		if _, err := rows.Add(Series{Labels: fmt.Sprintf(`a="%d"`, i), Round: 3}); err != nil {
			t.Fatal(err)
		}
	}
	if len(rows.blocks) != blocks || rows.rest.len() != 0 {
		t.Errorf("%d rows rest in %d blocks after 6 rows were given to others, want none in %d", rows.rest.len(), len(rows.blocks), blocks)
	}
	want("with rows that are used again", inRound(t, &table, w), 20, 21, 22)
}

// Who reads for so long that rows of a round that was shown may be others' is told.
func TestLateReader(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "g", Type: model.Gauge, Layout: LayoutValue})
	if _, err := rows.Add(Series{}); err != nil {
		t.Fatal(err)
	}
	var table Table
	_ = inRound(t, &table, w)
	if err := table.Whole(w); err != nil {
		t.Errorf("nothing was replaced: %v", err)
	}
	rows.Show(1)
	if err := table.Whole(w); !errors.Is(err, ErrReplaced) {
		t.Errorf("the series were replaced: %v", err)
	}
	if got := inRound(t, &table, w); len(got) != 0 {
		t.Errorf("there are the values %d", got)
	}
}

// What is published while records are read counts with them, or not at all: a word that
// was loaded before may say that it is shown.
func TestRoundsOfRecordsToCome(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}})
	add := func(round, value uint64) {
		t.Helper()
		first, err := rows.Add(Series{Labels: `a="1"`, Round: round})
		if err != nil {
			t.Fatal(err)
		}
		first.Store(value)
	}
	add(0, 1)
	var table Table
	_ = inRound(t, &table, w)
	add(1, 2)
	end := w.Used()
	rows.Show(1)
	image := Image(w.Bytes(0, end-8))
	if _, err := table.Next(image, nil, nil); !errors.Is(err, ErrShort) {
		t.Fatalf("the last record is not there, and reading says %v", err)
	}
	if got := valuesOf(t, &table, w); !slices.Equal(got, []uint64{1}) {
		t.Errorf("with a record that is not there, there are the values %d", got)
	}
	if got := inRound(t, &table, w); !slices.Equal(got, []uint64{2}) {
		t.Errorf("there are the values %d", got)
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
