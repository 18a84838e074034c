package cell

import (
	"math"
	"sync"
	"sync/atomic"
)

// Level extends a word, on the heap or in a row of a store, so that its float64 can
// be set by one store and added to by many goroutines at once. The word says where
// the value is: it holds the value itself, or the mark of the lanes that hold it.
//
//   - A Set is one store of the word ([SetLevel]): lanes, if any, no longer
//     count. No lane is written.
//   - An Add is one compare-and-swap of the word or, while the word has a mark, of a
//     lane under that mark. One that comes to a lane after a Set took the mark away
//     began before that Set, which erases it.
//   - Spreading moves the value into new lanes and replaces it by their mark in one
//     compare-and-swap. Lanes are never used under a second mark, or only after a
//     rest ([LevelRoom]), so nothing that was added to them late can count later.
//   - A Load reads the word, or the lanes twice until both readings agree while the
//     mark stands. In a store the mark leads other processes to the lanes.
//   - A writer that is killed leaves the word as it was before the step or after it:
//     lanes are complete before their mark is stored.
//
// The zero Level is ready, for one word. Methods are safe for concurrent use; Load and
// Close may be called on a nil Level for a word that no Level ever had.
type Level struct {
	spreading sync.Mutex // held to make lanes
	eras      uint64     // how many times lanes were wanted; under the lock
	fights    uint64     // contentions since then; under the lock
	lanes     atomic.Pointer[Lanes]
}

// LevelRoom allocates lanes for a [Level]: a store's [Rows], or the [Heap].
type LevelRoom interface {
	// LevelLanes returns zeroed lanes of one word each for a level's word, nil if there is
	// no room. Those that it returned for the word earlier are no longer in use. Lanes
	// that other processes are to find have a mark ([LanesUnder]) that they did not have
	// before, and nobody has added to them for seconds.
	LevelLanes(w *Word) *Lanes
}

// LevelLanes implements [LevelRoom].
func (Heap) LevelLanes(*Word) *Lanes { return NewLanes(1) }

// Marks are signaling NaNs, which no arithmetic makes and SetLevel does not store.
const (
	markPrefix = 0x7FF4
	markShift  = 48
	closed     = markPrefix<<markShift | 1<<markShift - 1 // of a word or lane that Close has closed
)

// ClosedState is the bits of a state set's word while its series has left, which are the
// number of no state.
const ClosedState = math.MaxUint64

// IsClosed reports whether a level's bits are those of a word that was closed.
func IsClosed(bits uint64) bool { return bits == closed }

func marked(bits uint64) bool { return bits>>markShift == markPrefix }

// Mark returns the mark with a number of 48 bits, not all of them set.
func Mark(number uint64) uint64 { return markPrefix<<markShift | number }

// Marked returns the number of a mark, or false if a level's bits are a value.
func Marked(bits uint64) (number uint64, ok bool) { return bits & (1<<markShift - 1), marked(bits) }

// SetLevel sets the value to v, which must not be NaN; [SetLevelNaN] stores the
// only NaN that is allowed.
func SetLevel(w *Word, v float64) { w.Store(math.Float64bits(v)) }

// SetLevelNaN sets the value to NaN.
func SetLevelNaN(w *Word) { w.Store(math.Float64bits(math.NaN())) }

// PutLevel sets the value to v, whatever it is.
func PutLevel(w *Word, v float64) {
	if v == v {
		SetLevel(w, v)
	} else {
		SetLevelNaN(w)
	}
}

// TrySetLevel sets the value to v, whatever it is, and reports true, or false if the
// word is closed. It is for words that [Level.Close] closes while others set them.
func TrySetLevel(w *Word, v float64) bool {
	if v != v {
		v = math.NaN()
	}
	for {
		old := w.Load()
		if old == closed {
			return false
		}
		if w.CompareAndSwap(old, math.Float64bits(v)) {
			return true
		}
	}
}

// LoadLevel returns the value if the word itself holds it, as it mostly does.
func LoadLevel(w *Word) (v float64, ok bool) {
	bits := w.Load()
	return math.Float64frombits(bits), !marked(bits)
}

// TryAddLevel adds v to a word and reports true, or false if another writer came
// between or lanes hold the value.
func TryAddLevel(w *Word, v float64) bool {
	old := w.Load()
	return !marked(old) && w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v))
}

// TryAdd adds v to a lane and reports true, or false if lanes do not hold the
// value of w, which may be nil, or another writer came between. It is the usual case
// of [Level.Add] in few steps.
func (l *Level) TryAdd(w *Word, v float64) bool {
	s := l.lanes.Load()
	if s == nil || w == nil || w.Load() != s.mark {
		return false
	}
	lane := s.Mine()
	old := lane.Load()
	return !marked(old) && lane.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v))
}

// Outcome is what came of an addition to a [Level].
type Outcome uint8

// The outcomes.
const (
	Added  Outcome = iota
	Gone           // nothing was added: the word is closed, or has a mark of another Level
	Fought         // nothing was added yet: the word is crowded, and should be spread first
)

// Add adds v to the value.
func (l *Level) Add(w *Word, v float64) Outcome {
	for {
		old := w.Load()
		if !marked(old) {
			if w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
				return Added
			}
			if Crowded(w) && l.fought() {
				return Fought
			}
			continue
		}
		if lanes := l.under(old); lanes == nil {
			if w.Load() == old {
				return Gone
			}
		} else if lanes.addOpen(v) {
			return Added
		}
	}
}

// fought records contention for the word and reports whether to spread it. Lanes that
// a Set made useless need twice the contention each time, so that a gauge that is both
// set and added to does not keep allocating, and one without room does not keep asking.
func (l *Level) fought() bool {
	if !l.spreading.TryLock() {
		return false
	}
	defer l.spreading.Unlock()
	l.fights++
	return l.fights>>min(l.eras, 63) != 0
}

// Spread moves the value into lanes, unless it is there, w is closed or there is no
// room. The caller makes sure that meanwhile w is not another Level's.
func (l *Level) Spread(w *Word, room LevelRoom) {
	l.spreading.Lock()
	defer l.spreading.Unlock()
	old := w.Load()
	if marked(old) {
		return
	}
	l.eras++
	l.fights = 0
	s := room.LevelLanes(w)
	if s == nil {
		return
	}
	if s.mark == 0 { // which this Level alone has to know
		s.mark = Mark(l.eras)
	}
	s.words[0].Store(old)
	l.lanes.Store(s)
	for !w.CompareAndSwap(old, s.mark) { // until then no goroutine uses the lanes
		if old = w.Load(); marked(old) {
			return
		}
		s.words[0].Store(old)
	}
}

// readings is the number of attempts of a reader to see the same lanes twice.
const readings = 8

// Load returns the value. It reports false if w is closed, or has a mark of
// another Level.
func (l *Level) Load(w *Word) (v float64, ok bool) {
	for attempt := 1; ; attempt++ {
		bits := w.Load()
		if !marked(bits) {
			return math.Float64frombits(bits), true
		}
		s := l.under(bits)
		if s == nil {
			if w.Load() == bits {
				return 0, false
			}
			continue
		}
		v, again := s.SumFloat(0), s.SumFloat(0)
		switch same := v == again || v != v && again != again; {
		case w.Load() != bits:
		case same, attempt >= readings: // additions went on: a value between two true ones
			return again, true
		}
	}
}

// Mend sets the word to 0 if its mark belongs to no lanes of the Level. The Level is
// nil if it never had lanes. The caller makes sure that w is this Level's, and not
// closed.
func (l *Level) Mend(w *Word) {
	if bits := w.Load(); marked(bits) && l.under(bits) == nil {
		w.CompareAndSwap(bits, 0)
	}
}

// Close returns the value and closes the word: no addition that is not in the value
// succeeds any more. A Set still does, and ends the closing.
func (l *Level) Close(w *Word) float64 {
	bits := w.Swap(closed)
	if !marked(bits) {
		return math.Float64frombits(bits)
	}
	if s := l.under(bits); s != nil {
		return s.close()
	}
	return 0 // it was closed
}

// under returns the lanes with the mark, or nil if they are no longer, or never
// were, lanes of the Level.
func (l *Level) under(mark uint64) *Lanes {
	if l == nil {
		return nil
	}
	if s := l.lanes.Load(); s != nil && s.mark == mark {
		return s
	}
	return nil
}

// addOpen adds v to a lane and reports true, or false if the lanes are closed.
func (l *Lanes) addOpen(v float64) bool {
	for w := l.Mine(); ; w = l.after(w) {
		old := w.Load()
		if marked(old) {
			return false
		}
		if w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return true
		}
	}
}

// close closes the first word of every lane and returns what they held.
func (l *Lanes) close() (sum float64) {
	for w := range l.Each() {
		sum += math.Float64frombits(w.Swap(closed))
	}
	return sum
}
