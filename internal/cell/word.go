package cell

import (
	"math"
	"unsafe"
)

// At returns the i-th word after first, which must exist.
func At(first *Word, i int) *Word {
	return (*Word)(unsafe.Add(unsafe.Pointer(first), i*8))
}

// LoadFloat reads a word as a float64.
func LoadFloat(w *Word) float64 { return math.Float64frombits(w.Load()) }

// StoreFloat sets a word to a float64.
func StoreFloat(w *Word, v float64) { w.Store(math.Float64bits(v)) }

// TryAddFloat adds v to a word and reports true, or false if another writer came
// between.
func TryAddFloat(w *Word, v float64) bool {
	old := w.Load()
	return w.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v))
}

// AddFloat adds v to a word, retrying until no other writer comes between.
func AddFloat(w *Word, v float64) {
	for !TryAddFloat(w, v) {
	}
}

// MostWhole is the value up to which [AddWhole] fills a word. It is so far below
// 2^64 that neither later additions of one nor the sum over all lanes overflows.
const MostWhole = 1 << 56

// coarse is the unit in which AddWhole adds to float64s instead: they hold
// multiples of it exactly up to 2^73.
const coarse = 1 << 20

// AddWhole adds n to w, a word of whole numbers, and returns what the caller
// must add to the float64 word beside it: 0 while w is below [MostWhole]. Above
// that only n modulo coarse is added to w, and from 2*MostWhole on nothing.
// Neither word ever decreases, so no reader sees the sum of both decrease.
func AddWhole(w *Word, n uint64) (rest float64) {
	old := w.Load()
	if n < 1<<32 { // concurrent callers that have all read old cannot fill the word
		if old < MostWhole {
			w.Add(n)
			return 0
		}
	} else {
		for ; old < MostWhole && n < MostWhole-old; old = w.Load() {
			if w.CompareAndSwap(old, old+n) {
				return 0
			}
		}
	}
	if old >= 2*MostWhole {
		return float64(n)
	}
	w.Add(n % coarse)
	return float64(n - n%coarse)
}

const (
	readingsOfCrowd = 100  // readings of a word, about 50 nanoseconds while no other goroutine writes to it
	leastCrowd      = 2    // changes seen meanwhile: a single one may be chance
	readingsOfWait  = 1000 // about a microsecond: some processors keep a word that others want for half as long
)

// Crowded reports whether other goroutines keep writing to a word. Writers call
// it after another writer came between: that happens now and then to every word
// that is written often, and on some processors seldom to words with many
// writers.
func Crowded(w *Word) bool { return changes(w, readingsOfCrowd, leastCrowd) }

// Changes reports whether another goroutine writes to a word within about a
// microsecond.
func Changes(w *Word) bool { return changes(w, readingsOfWait, 1) }

// changes reads a word until it has changed the given number of times, and reports
// whether that took no more than the given number of readings.
func changes(w *Word, readings, times int) bool {
	last := w.Load()
	for range readings {
		now := w.Load()
		if now == last {
			continue
		}
		if times--; times == 0 {
			return true
		}
		last = now
	}
	return false
}

// FightFloat adds v to a word for which another writer contended. It reports
// false, with nothing added, if the word is crowded.
func FightFloat(w *Word, v float64) bool {
	if Crowded(w) {
		return false
	}
	AddFloat(w, v)
	return true
}
