package segment

import (
	"math"
	"slices"
	"unsafe"

	"telltale/internal/cell"
)

// The value of a row in LayoutValue is that of a [cell.Level]: a float64, or the mark
// of the lanes that hold it. A mark has where their record lies, divided by 8, in its
// lower 32 bits, and above these how many times they were given out before, modulo
// 2^16.
const givenShift = 32

// levelLanes is lanes of a level, in use or at rest.
type levelLanes struct {
	offset uint64
	given  uint16 // how many times before
	until  uint32 // while at rest: nobody adds to them any more from this tick on
}

func (l *levelLanes) mark() uint64 {
	return cell.Mark(uint64(l.given)<<givenShift | l.offset/8)
}

// markedLanes returns the offset to which the bits of a level lead, or false if they
// are a value.
func markedLanes(bits uint64) (offset uint64, ok bool) {
	number, ok := cell.Marked(bits)
	return number & math.MaxUint32 * 8, ok
}

// LevelLanes returns zeroed lanes for the value of a gauge's row, whose mark the caller
// stores as the value. Lanes that the row had before rest until nobody adds to them any
// more; then another row may get them.
func (r *Rows) LevelLanes(first *cell.Word) (*cell.Lanes, error) {
	w := r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	row := r.row(first)
	r.restLanes(row)
	if again, ok := r.restedBehind(first); ok {
		again.given++
		l, _ := lanesAt((*locked)(w), again.offset)
		return r.useLanes(row, again, l), nil
	}
	rec, err := w.layLanes(1)
	if err != nil {
		return nil, err
	}
	w.publish()
	l, _ := lanesAt((*locked)(w), rec.offset)
	return r.useLanes(row, levelLanes{offset: rec.offset}, l), nil
}

// restedBehind returns lanes that have rested and lie behind the row with the given first
// value, which no other row gets then, or false if there are none. Since they lie behind
// the row, a reader that copies a segment from its beginning on has no mark of lanes that
// it copied before they had the value. The caller holds the lock.
func (r *Rows) restedBehind(first *cell.Word) (levelLanes, bool) {
	w, b := r.writer, r.block(first)
	for i, l := range w.rested {
		if l.until > w.ticks || b == nil {
			break
		}
		if l.offset > b.offset {
			w.rested = slices.Delete(w.rested, i, i+1)
			return l, true
		}
	}
	return levelLanes{}, false
}

// useLanes notes that a row uses lanes, sets them to zero and returns them. The caller
// holds the lock.
func (r *Rows) useLanes(row *cell.Word, use levelLanes, l lanes) *cell.Lanes {
	if r.levels == nil {
		r.levels = make(map[*cell.Word]levelLanes)
	}
	r.levels[row] = use
	words := unsafe.Slice(l.first, l.lanes*l.stride)
	for i := range words {
		words[i].Store(0)
	}
	return cell.LanesUnder(use.mark(), words, l.stride)
}

// restLanes takes the lanes of a row's level, if it has any, out of use. The caller holds
// the lock.
func (r *Rows) restLanes(row *cell.Word) {
	if len(r.levels) == 0 {
		return
	}
	l, ok := r.levels[row]
	if !ok {
		return
	}
	delete(r.levels, row)
	l.until = r.writer.ticks + quarantine
	r.writer.rested = append(r.writer.rested, l)
}

// readings is how often the lanes of a level are read until two readings agree.
const readings = 8

// Level appends to parts numbers whose sum is the value of a gauge's row in LayoutValue,
// and reports whether the row has a value that can be read. If others add to its lanes
// during all readings, the sum lies between two values that the gauge had.
func (f *Family) Level(s Space, row *cell.Word, parts []float64) (value []float64, ok bool) {
	word, n := cell.At(row, LayoutValue.values()), len(parts)
	for reading := 1; ; reading++ {
		bits := word.Load()
		at, spread := markedLanes(bits)
		if !spread {
			return append(parts[:n], math.Float64frombits(bits)), true
		}
		if left, closed := f.Closed(row, bits); closed {
			return append(parts[:n], math.Float64frombits(left)), true
		}
		l, ok := lanesAt(s, at)
		if !ok || l.words == 0 || reading == 1 && !spend(s, uint64(l.lanes)*8) {
			return parts[:n], false
		}
		parts = l.appendFloats(parts[:n])
		if reading == readings {
			return parts, true
		}
		again := l.appendFloats(parts)
		same := slices.EqualFunc(parts[n:], again[len(parts):], func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
		if parts = again[:len(parts)]; same && word.Load() == bits {
			return parts, true
		}
	}
}

// appendFloats appends the first word of each lane.
func (l *lanes) appendFloats(to []float64) []float64 {
	for i := range l.lanes {
		to = append(to, cell.LoadFloat(cell.At(l.first, i*l.stride)))
	}
	return to
}
