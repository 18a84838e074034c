package telltale

import (
	"math"

	"telltale/internal/cell"
	"telltale/internal/series"
)

// A gauge whose series can expire has no word for Set and Add, which therefore go the
// slow way. Its cell is closed while the series is away, so that no Set or Add ends
// there; each notes that it was there, because a gauge may be set to the value that it
// has, and be back at it.

// setOpen sets the gauge, and brings its series back if that has left.
func (g *Gauge) setOpen(v float64) {
	track := series.SlotOf(g).Track()
	for {
		w, e := g.openWord()
		if cell.TrySetLevel(w, v) {
			e.stamp(w)
			if track.Mark(series.Touched); !series.SlotOf(g).Away() {
				return // or the series may have left though it was set to the same value just now
			}
		}
		if to := g.goOn(); to != g {
			to.Set(v)
			return
		}
	}
}

// addOpen adds to the gauge, and brings its series back if that has left. What was
// added before the cell was closed is in the value that the series left with.
func (g *Gauge) addOpen(v float64) {
	series.SlotOf(g).Track().Mark(series.Added | series.Touched)
	if w, e := g.openWord(); cell.TryAddLevel(w, v) {
		e.stamp(w)
		return
	}
	for !g.tryAddOpen(v) {
		if to := g.goOn(); to != g {
			to.Add(v)
			return
		}
	}
}

// tryAddOpen adds v and reports true, or false if the cell is closed.
func (g *Gauge) tryAddOpen(v float64) bool {
	for {
		g.grow()
		w, e := g.openWord()
		if e == nil {
			continue // it has just left a row
		}
		switch e.level.Add(w, v) {
		case cell.Added:
			e.stamp(w)
			return true
		case cell.Fought:
			if e.timed == nil {
				g.spread(w, e)
			}
		case cell.Gone:
			return false
		}
	}
}

// goOn returns the gauge in which the updates of one that is away go on.
func (g *Gauge) goOn() *Gauge {
	if to := g.core.passesOn(g); to != nil {
		return to
	}
	return g.core.counting(g)
}

// heldOpen is held where the cell may be closed: 0 then.
func (g *Gauge) heldOpen() float64 {
	for {
		version := g.core.moving.Began()
		w, e := g.openWord()
		v, _ := e.levelOfWord().Load(w)
		if g.core.moving.Whole(version) {
			return v
		}
	}
}

// updated reports whether the gauge was updated since the last call, or stays for
// another reason: a function, or what was added and is to be subtracted again.
func (g *Gauge) updated(of *series.Track[Gauge]) bool {
	v := g.heldOpen()
	bits := math.Float64bits(v)
	same := !of.Look() && of.Sum == bits
	of.Sum = bits
	return !same || of.Marked(series.Added) && v != 0 || g.function() != nil
}

// leave closes a gauge that is away, unless it was updated. Readers of a row take the
// value that it had, as long as others update the series.
func (g *Gauge) leave(of *series.Track[Gauge]) (from departure, left bool) {
	g.core.moving.Lock()
	defer g.core.moving.Unlock()
	if of.Marked(series.Touched) || g.function() != nil {
		return from, false
	}
	w, e := g.openWord()
	shared := w != &g.cell
	if shared {
		g.core.rows().Leave(w, of.Sum)
	}
	v := e.levelOfWord().Close(w)
	if math.Float64bits(v) != of.Sum || of.Marked(series.Added) && v != 0 {
		cell.PutLevel(w, v)
		return from, false
	}
	if shared {
		g.extra.Store(nil) // its own cell was closed when it came into the store
		from.row = w
	}
	return from, true
}

// openWord returns the word in which a gauge counts whose series can expire, and its
// extra, which may be nil.
func (g *Gauge) openWord() (*cell.Word, *gaugeExtra) {
	e := g.extra.Load()
	if e != nil && e.open != nil {
		return e.open, e
	}
	return &g.cell, e
}

// stamp gives the value of a row the time at which it was set, if it bears one.
func (e *gaugeExtra) stamp(row *cell.Word) {
	if e != nil && e.timed != nil {
		raise(cell.At(row, 1))
	}
}

// shareOpen moves a gauge whose series can expire to a row. The cell that it leaves is
// closed.
func (g *Gauge) shareOpen(row *cell.Word) {
	g.core.moving.Lock()
	defer g.core.moving.Unlock()
	from, old := g.openWord()
	e := &gaugeExtra{open: row}
	if g.timed() {
		e.timed = row
	}
	if old != nil && old.function.Load() != nil {
		e.function.Store(old.function.Load())
		e.row = row
	}
	if v := old.levelOfWord().Close(from); v != 0 || from == row {
		cell.PutLevel(row, v)
		if from != row {
			e.stamp(row)
		}
	}
	g.extra.Store(e)
}

// openOnHeap moves such a gauge to the heap.
func (g *Gauge) openOnHeap(row *cell.Word) {
	g.core.moving.Lock()
	defer g.core.moving.Unlock()
	old, e := g.extra.Load(), new(gaugeExtra)
	e.function.Store(old.function.Load())
	v, _ := old.level.Load(row)
	g.core.rows().Leave(row, math.Float64bits(v))
	v = old.level.Close(row)
	g.extra.Store(e)
	cell.PutLevel(&g.cell, v)
}

// resume opens the row that the series has left.
func (g *Gauge) resume(in cell.Parked) {
	cell.PutLevel(in.Row, math.Float64frombits(in.Left))
	g.shareOpen(in.Row)
}

// enter opens the gauge at 0. One that gets a row is closed until then: a Set or Add
// before that would replace the row's value, or be lost.
func (g *Gauge) enter(of *series.Track[Gauge]) {
	if !g.core.entersStore(of) {
		cell.SetLevel(&g.cell, 0)
	}
}

// pour does nothing: nothing is counted while the cell is closed.
func (g *Gauge) pour(*series.Track[Gauge], *Gauge) {}
