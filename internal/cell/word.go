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

// MostWhole is up to which value [AddWhole] fills a word. It is so far below
// 2^64 that neither later additions of one nor the sum over the words of all
// lanes wrap around.
const MostWhole = 1 << 56

// coarse is the unit of what AddWhole puts into float64s instead: they hold
// multiples of it exactly up to 2^73.
const coarse = 1 << 20

// AddWhole adds n to w, a word of whole numbers, and returns what the caller must
// add to the float64 word beside it: 0 while w is below [MostWhole]. From there on
// w takes only n modulo coarse, and from 2*MostWhole on nothing. Neither word ever
// falls, so no reader sees the sum of both fall.
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
	readingsOfCrowd = 100 // of a word, which take some 50 nanoseconds while nobody writes to it
	leastCrowd      = 2   // changes seen meanwhile: one other writer may have come by chance
)

// Changes reads a word for some 50 nanoseconds, or until it has changed so many times,
// and returns how many times it did.
func Changes(w *Word, most int) (n int) {
	last := w.Load()
	for range readingsOfCrowd {
		if now := w.Load(); now != last {
			if n++; n == most {
				break
			}
			last = now
		}
	}
	return n
}

// Crowded reports whether other goroutines go on writing to a word. Writers ask it when
// one came between, which happens now and then to all that are written often, and
// on some processors seldom where many write all the time.
func Crowded(w *Word) bool { return Changes(w, leastCrowd) == leastCrowd }

// FightFloat adds v to a word to which another writer came. It reports false, with
// nothing added, if the word is crowded.
func FightFloat(w *Word, v float64) bool {
	if Crowded(w) {
		return false
	}
	AddFloat(w, v)
	return true
}
