package segment

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/model"
)

func gaugeFamily() Family {
	return Family{Name: "g", Type: model.Gauge, Layout: LayoutValue, Labels: []string{"a"}}
}

// levelRoom is rows as the room of a level.
type levelRoom struct{ *Rows }

func (r levelRoom) LevelLanes(first *cell.Word) *cell.Lanes {
	lanes, err := r.Rows.LevelLanes(first)
	if err != nil {
		return nil
	}
	return lanes
}

// seesLevel checks what readers see of a gauge's row.
func seesLevel(t *testing.T, s Space, rows *Rows, first *cell.Word, want float64) {
	t.Helper()
	parts, ok := rows.Family().Level(s, rows.row(first), nil)
	if got := exact.Sum(parts); !ok || got != want {
		t.Errorf("readers see %v, %v, want %v", got, ok, want)
	}
}

func TestLevelInARow(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, gaugeFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	var level cell.Level
	seesLevel(t, w, rows, first, 0)
	cell.SetLevel(first, 2.5)
	level.Spread(first, levelRoom{rows})
	seesLevel(t, w, rows, first, 2.5)
	level.Add(first, 1)
	seesLevel(t, w, rows, first, 3.5)
	if u, err := UsageOf(w); err != nil || u.Garbage != 0 {
		t.Errorf("%d bytes of garbage, %v: the lanes are in use", u.Garbage, err)
	}
	cell.SetLevel(first, -1)
	seesLevel(t, w, rows, first, -1)
	if u, err := UsageOf(w); err != nil || u.Garbage == 0 {
		t.Errorf("%d bytes of garbage, %v: nobody refers to the lanes", u.Garbage, err)
	}
	for _, v := range []float64{math.Inf(1), math.MaxFloat64, math.SmallestNonzeroFloat64} {
		cell.SetLevel(first, v)
		level.Spread(first, levelRoom{rows})
		seesLevel(t, w, rows, first, v)
	}
}

// Lanes that a gauge does not use any more are another's once they have rested, under
// another mark, and so are those of gauges that were removed.
func TestLevelLanesAreUsedAgain(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, gaugeFamily())
	use := func(first *cell.Word) *cell.Lanes {
		var level cell.Level
		cell.SetLevel(first, 5)
		level.Spread(first, levelRoom{rows})
		level.Add(first, 1)
		seesLevel(t, w, rows, first, 6)
		at, ok := markedLanes(first.Load())
		if l, is := lanesAt(w, at); !ok || !is || l.words != 1 {
			t.Fatalf("%#x marks no lanes", first.Load())
		}
		return nil
	}
	one := mustAdd(t, rows, Series{Labels: `a="1"`})
	use(one)
	before, mark := w.Used(), one.Load()
	use(one) // others: someone may be about to add to those
	if w.Used() == before {
		t.Error("lanes are used again before they have rested")
	}
	before = w.Used()
	for range quarantine {
		w.Tick()
	}
	use(one)
	again := one.Load()
	a, _ := markedLanes(mark)
	if b, _ := markedLanes(again); a != b || again == mark || w.Used() != before {
		t.Errorf("after a rest the marks are %#x and %#x, and %d bytes more are in use", mark, again, w.Used()-before)
	}
	rows.Remove(one)
	for range quarantine {
		w.Tick()
	}
	two := mustAdd(t, rows, Series{Labels: `a="1"`}) // in the same row
	seesLevel(t, w, rows, two, 0)
	before = w.Used()
	use(two)
	if w.Used() != before {
		t.Errorf("the lanes of a removed series are not used again: %d bytes more", w.Used()-before)
	}
}

// However many goroutines add, set and spread, readers see numbers that the gauge had,
// and in the end all of it.
func TestReadersOfALevelThatGrows(t *testing.T) {
	const goroutines, rounds = 4, 3000
	w := newWriter(t, Header{})
	rows := mustRows(t, w, gaugeFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	var level cell.Level
	var done atomic.Bool
	var reading, writing sync.WaitGroup
	reading.Go(func() {
		for last := 0.0; !done.Load(); {
			parts, ok := rows.Family().Level(w, rows.row(first), nil)
			if v := exact.Sum(parts); !ok || v < last {
				t.Errorf("it fell from %v to %v, %v", last, v, ok)
				return
			} else {
				last = v
			}
		}
	})
	for i := range goroutines {
		writing.Go(func() {
			for n := range rounds {
				for level.Add(first, 1) == cell.Fought {
					level.Spread(first, levelRoom{rows})
				}
				if i == 0 && n == rounds/2 {
					level.Spread(first, levelRoom{rows})
				}
			}
		})
	}
	writing.Wait()
	done.Store(true)
	reading.Wait()
	seesLevel(t, w, rows, first, goroutines*rounds)
}

// Values that mark no lanes show nothing, and others no more than there is.
func TestWrongMarks(t *testing.T) {
	w := newWriter(t, Header{})
	rows := mustRows(t, w, gaugeFamily())
	first := mustAdd(t, rows, Series{Labels: `a="1"`})
	for _, tt := range []struct {
		name string
		at   uint64
	}{
		{"nothing", 0},
		{"the header", 8},
		{"a family", HeaderSize},
		{"far away", maxSize - 16},
		{"the end", w.Used()},
		{"lanes without words", layRaw(t, w, lanesRecord, 0, 0, 1, 1).offset},
		{"lanes of more words than there are", layRaw(t, w, lanesRecord, 4, 2, 2, 4).offset},
		{"very many lanes", layRaw(t, w, lanesRecord, 2*mostLanes+2, 1, mostLanes+1, 1).offset},
		{"a table", layRaw(t, w, tableRecord, 4, 4).offset},
	} {
		first.Store(cell.Mark(tt.at / 8))
		b := spaceOf(bytesOf(w))
		if err := try(t, newFence(t, len(b)), b); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if parts, ok := rows.Family().Level(w, rows.row(first), nil); ok {
			t.Errorf("%s: taken for lanes with %v", tt.name, parts)
		}
	}
	lanes := layRaw(t, w, lanesRecord, 1000, 1, 1000, 1)
	for i := range 1000 { // rows that all have the same lanes
		cell.At(mustAdd(t, rows, Series{Labels: `a="x` + string(rune('a'+i%26)) + `"`}), 0).Store(cell.Mark(lanes.offset / 8))
	}
	s, read := new(Rationed), 0
	s.Begin(w)
	s.spent = 2*Published(w) + rationSlack - 100_000
	for _, b := range rows.blocks {
		for i := range b.rows {
			if _, ok := rows.Family().Level(s, cell.At(b.first, int(i)*rows.words), nil); ok {
				read++
			}
		}
	}
	if s.Err() == nil || read > 600 {
		t.Errorf("of the same lanes %d were read, %v", read, s.Err())
	}
}
