package cell

import (
	"math"
	"sync/atomic"
)

// Room allocates lanes: a store's [Rows], or the [Heap].
type Room interface {
	// Lanes returns lanes for the given number of words from first on, or nil if
	// there is no room.
	Lanes(first *Word, words int) *Lanes
}

// Heap is the Room of words that are in no store.
type Heap struct{}

// Lanes implements [Room].
func (Heap) Lanes(_ *Word, words int) *Lanes { return NewLanes(words) }

// Accumulator is a group of words that are only added to, on the heap or in a
// row of a store, with lanes once several writers contended for a word. Its
// contract:
//
//   - Each addition is one atomic operation on one word: one of those from first
//     on or, once there are lanes, one of a lane. The value is the sum of all of
//     them.
//   - Lanes are made once and count in addition to the words, which keep their
//     values. So a reader that looks for lanes before or after it reads the
//     words sees every addition that had ended, none twice, and never less than
//     an earlier reader.
//   - A move copies the values of words and lanes to other words, under a
//     [Moving]. A late writer detects it by another first word and moves what it
//     added to the old words ([Accumulator.Follow]); readers read again.
//
// Word 0 is a float64, the others are whole numbers.
type Accumulator struct {
	first atomic.Pointer[Word]
	lanes atomic.Pointer[Lanes]
}

// Init lets the accumulator begin with what the words from first on hold.
func (a *Accumulator) Init(first *Word) { a.first.Store(first) }

// First returns the first word, or nil for the zero Accumulator.
func (a *Accumulator) First() *Word { return a.first.Load() }

// Spreads reports whether there are lanes.
func (a *Accumulator) Spreads() bool { return a.lanes.Load() != nil }

// Mine returns the first of the words to which the calling goroutine should add.
func (a *Accumulator) Mine(first *Word) *Word {
	if lanes := a.lanes.Load(); lanes != nil {
		return lanes.Mine()
	}
	return first
}

// Addition is an observation that is being added: one to word I, and V to word 0
// unless another writer came between, as Added tells.
type Addition struct {
	I     int
	V     float64
	Added bool
}

// Finish ends an addition to the words from w on, which [Accumulator.Mine] returned for
// first. The caller has added one to word d.I of them, and d.V to word 0 if d.Added is
// true; otherwise Finish adds it. Words is the number of words of the accumulator.
func (a *Accumulator) Finish(d Addition, first, w *Word, words int, m *Moving, room Room) {
	switch {
	case d.Added, FightFloat(w, d.V):
	default:
		if lanes := a.Spread(first, words, m, room); lanes != nil {
			lanes.AddFloat(0, d.V)
		} else {
			AddFloat(w, d.V)
		}
	}
}

// Follow moves what an addition left in word 0 and word i of the words from w on, which
// [Accumulator.Mine] returned for first, to the words to which the accumulator has
// moved meanwhile. It moves nothing if left, which it calls while it holds the Moving,
// returns false.
func (a *Accumulator) Follow(i int, first, w *Word, m *Moving, left func() bool) {
	if a.first.Load() == first {
		return
	}
	m.Lock()
	defer m.Unlock()
	if !left() {
		return
	}
	if lanes := a.lanes.Load(); lanes == nil || !lanes.have(w) {
		now := a.first.Load()
		AddFloat(now, math.Float64frombits(w.Swap(0)))
		At(now, i).Add(At(w, i).Swap(0))
	}
}

// ToRow moves the given number of words, and their lanes, to a row, and returns the first
// of the words, nil if there were none. Over has the lanes of a row that has any. The
// caller holds the Moving.
func (a *Accumulator) ToRow(row *Word, over *Lanes, words int) (heap *Word) {
	lanes := a.lanes.Swap(nil) // first: a writer that sees the row must not see lanes of the heap
	if heap = a.first.Swap(row); heap != nil {
		add(row, heap, words, (*Word).Swap)
	}
	for w := range lanes.Each() {
		add(row, w, words, (*Word).Swap)
	}
	a.lanes.Store(over)
	return heap
}

// ToHeap moves the values of a row to words on the heap, and returns the row. A late
// addition to the row stays there until [Accumulator.Follow] moves it. The caller holds
// the Moving.
func (a *Accumulator) ToHeap(words []Word) (row *Word) {
	read := func(w *Word, _ uint64) uint64 { return w.Load() }
	lanes := a.lanes.Swap(nil)
	row = a.first.Swap(&words[0])
	add(&words[0], row, len(words), read)
	for w := range lanes.Each() {
		add(&words[0], w, len(words), read)
	}
	return row
}

// add adds to the words from to on what take returns for each of the words from
// from on.
func add(to, from *Word, words int, take func(w *Word, rest uint64) uint64) {
	AddFloat(to, math.Float64frombits(take(from, 0)))
	for i := 1; i < words; i++ {
		At(to, i).Add(take(At(from, i), 0))
	}
}

// Count returns the value of word i, a whole number.
func (a *Accumulator) Count(i int) (n uint64) {
	if first := a.first.Load(); first != nil {
		n = At(first, i).Load()
	}
	if lanes := a.lanes.Load(); lanes != nil {
		n += lanes.Sum(i)
	}
	return n
}

// AppendCumulative appends, for each of n words from word i on, the sum of what these
// words up to it count.
func (a *Accumulator) AppendCumulative(dst []float64, i, n int) []float64 {
	first, lanes := a.first.Load(), a.lanes.Load()
	var count uint64
	for ; n > 0; i, n = i+1, n-1 {
		if first != nil {
			count += At(first, i).Load()
		}
		if lanes != nil {
			count += lanes.Sum(i)
		}
		dst = append(dst, float64(count))
	}
	return dst
}

// Sum returns the value of word 0.
func (a *Accumulator) Sum() (sum float64) {
	if first := a.first.Load(); first != nil {
		sum = LoadFloat(first)
	}
	if lanes := a.lanes.Load(); lanes != nil {
		sum += lanes.SumFloat(0)
	}
	return sum
}

// Spread returns the lanes of the words from first on, and makes them if there
// are none. It returns nil if there is no room, or if first is no longer the
// first word.
func (a *Accumulator) Spread(first *Word, words int, m *Moving, room Room) (lanes *Lanes) {
	if lanes = a.lanes.Load(); lanes != nil {
		return lanes
	}
	fresh := room.Lanes(first, words)
	m.Hold(func() {
		if a.first.Load() == first && a.lanes.Load() == nil && fresh != nil {
			a.lanes.Store(fresh)
		}
		lanes = a.lanes.Load()
	})
	return lanes
}
