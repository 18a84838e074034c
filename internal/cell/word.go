package cell

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// Word is one cell. On 32-bit platforms too it is aligned to eight bytes.
type Word = atomic.Uint64

// At returns the i-th word after first. The caller knows that it is there.
func At(first *Word, i int) *Word {
	return (*Word)(unsafe.Add(unsafe.Pointer(first), i*8))
}

// LoadFloat reads a word as a float64.
func LoadFloat(w *Word) float64 { return math.Float64frombits(w.Load()) }

// StoreFloat sets a word to a float64.
func StoreFloat(w *Word, v float64) { w.Store(math.Float64bits(v)) }

// TryAddFloat adds v to a word unless another writer comes between.
func TryAddFloat(w *Word, v float64) bool {
	old := w.Load()
	return w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v))
}

// AddFloat adds v to a word, however long it takes.
func AddFloat(w *Word, v float64) {
	for !TryAddFloat(w, v) {
	}
}

// patience is how many times in a row a writer lets others come between before
// it asks for lanes.
const patience = 2

// FightFloat adds v to a word that others are writing, and reports true as soon
// as that succeeds. It reports false, with nothing added, when the fight goes on.
func FightFloat(w *Word, v float64) bool {
	for range patience {
		if TryAddFloat(w, v) {
			return true
		}
	}
	return false
}
