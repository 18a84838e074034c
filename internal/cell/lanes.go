package cell

import (
	"iter"
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

const (
	lineWords = 16 // two cache lines of 64 bytes, since processors fetch them in pairs
	maxLanes  = 64 // bounds the memory of a contended value on large machines

	lanesPerProc   = 8
	missesToSpread = 64
)

// Lanes is a group of words repeated on different cache lines, so that
// goroutines adding to the same value rarely touch the same line. The value is
// the sum over the lanes.
type Lanes struct {
	first  unsafe.Pointer // to the first word
	step   uintptr        // bytes from lane to lane
	choice Choice
	words  []Word
	stride int    // words from lane to lane
	mark   uint64 // of a [Level]'s lanes; 0 for other lanes
}

// Choice chooses lanes for goroutines, by a hash of the addresses of their
// stacks. Any choice is correct. Two goroutines with the same lane would keep
// contending as long as their stacks stay where they are, so after some
// contention all goroutines get other lanes.
type Choice struct {
	turn   atomic.Uint32 // by how many bits the hash is rotated, whose last bits choose
	misses atomic.Uint32 // how often two writers met in a lane
	mask   uint64        // the number of lanes less one
}

const (
	// spreadBits is the multiplier of the hash: 2 to the 64 divided by the golden ratio,
	// see Knuth, The Art of Computer Programming, volume 3, section 6.4.
	spreadBits = 0x9E3779B97F4A7C15
	// turnBy is by how many bits more the hash is rotated when goroutines get other
	// lanes. It is odd, so that all 64 rotations come in turn.
	turnBy = 23
)

// Init sets a zero Choice up for the given number of lanes, a power of two.
func (c *Choice) Init(lanes int) {
	c.mask = uint64(lanes - 1)
	c.turn.Store(uint32(bits.Len64(c.mask))) // the first bits of the product, which depend on all of the address
}

// Mine returns the index of the lane that the calling goroutine should use.
func (c *Choice) Mine() int {
	var here struct{}                                    // of no size, so that nothing is stored
	page := uint64(uintptr(unsafe.Pointer(&here))) >> 11 // stacks are at least 2 KiB
	return c.of(page)
}

// of returns the index of the lane for a stack in that page.
func (c *Choice) of(page uint64) int {
	return int(bits.RotateLeft64(page*spreadBits, int(c.turn.Load())) & c.mask)
}

// Met records that two goroutines contended for a lane.
func (c *Choice) Met() {
	if c.misses.Add(1)%missesToSpread == 0 {
		c.Mix()
	}
}

// Mix chooses other lanes for all goroutines.
func (c *Choice) Mix() { c.turn.Add(turnBy) }

// NewLanes returns zeroed lanes of the given number of words each, a few for
// each processor.
func NewLanes(words int) *Lanes {
	n, stride := LaneShape(words)
	return LanesOver(NewLines(n*stride), stride)
}

// NewLines returns n zeroed words that begin a pair of cache lines.
func NewLines(n int) []Word {
	if n == 0 {
		return nil
	}
	all := make([]Word, n+lineWords-1)
	skip := 0
	for uintptr(unsafe.Pointer(&all[skip]))%(lineWords*8) != 0 && skip < lineWords-1 {
		skip++
	}
	return all[skip : skip+n : skip+n]
}

// LaneShape returns the number of lanes to make for the given number of words,
// and the words from the beginning of one lane to that of the next.
func LaneShape(words int) (lanes, stride int) {
	n := 1 << bits.Len(uint(lanesPerProc*runtime.GOMAXPROCS(0)-1))
	return min(n, maxLanes), (words + lineWords - 1) / lineWords * lineWords
}

// LanesOver returns lanes that lie in the given words, a power of two of them,
// and keep their values.
func LanesOver(words []Word, stride int) *Lanes {
	l := new(Lanes)
	l.over(words, stride)
	return l
}

// LanesUnder is LanesOver for lanes of a [Level], which are used while its word has
// the mark.
func LanesUnder(mark uint64, words []Word, stride int) *Lanes {
	l := LanesOver(words, stride)
	l.mark = mark
	return l
}

func (l *Lanes) over(words []Word, stride int) {
	l.first, l.step = unsafe.Pointer(&words[0]), uintptr(stride)*8
	l.words, l.stride = words, stride
	l.choice.Init(len(words) / stride)
}

// Words returns the words of all lanes, and how many lie from the first of one to
// that of the next.
func (l *Lanes) Words() (words []Word, stride int) { return l.words, l.stride }

// Mine returns the first word of the lane that the calling goroutine should use.
func (l *Lanes) Mine() *Word {
	return (*Word)(unsafe.Add(l.first, uintptr(l.choice.Mine())*l.step)) // without bounds check: every update of a spread value passes here
}

// addsToLook is how many additions of whole numbers a lane takes from one look for other
// writers to the next. A look takes as long as a few hundred additions.
const addsToLook = 1 << 16

// AddWhole is [AddWhole] for the first word of some lane.
func (l *Lanes) AddWhole(n uint64) (rest float64) {
	w := l.Mine()
	before := w.Load()
	if rest = AddWhole(w, n); before/addsToLook != w.Load()/addsToLook {
		l.look(w)
	}
	return rest
}

// Added is called after an addition to the lane that begins at w, with the sum that it
// returned, and now and then looks whether other goroutines add to that lane. To read the
// word before the addition would delay it on processors that do not read ahead of the
// atomic operation before it.
func (l *Lanes) Added(w *Word, sum uint64) {
	if sum%addsToLook == 0 {
		l.look(w)
	}
}

// look chooses other lanes for all goroutines if another one adds to the same lane just
// now. An addition of a whole number does not fail when two writers meet, as one of a
// float64 does.
//
//go:noinline // or Added would not be inlined
func (l *Lanes) look(w *Word) {
	if Changes(w) {
		l.choice.Mix()
	}
}

// AddFloat adds v to word i of some lane; it goes on to the next lane if another
// writer comes between.
func (l *Lanes) AddFloat(i int, v float64) {
	if !TryAddFloat(At(l.Mine(), i), v) {
		l.addElsewhere(i, v)
	}
}

// addElsewhere adds to the next lane without contention.
func (l *Lanes) addElsewhere(i int, v float64) {
	for w := l.after(l.Mine()); !TryAddFloat(At(w, i), v); w = l.after(w) {
	}
}

// after returns the first word of the lane after the one that begins at w, in which
// another writer was.
func (l *Lanes) after(w *Word) *Word {
	l.choice.Met()
	return &l.words[(l.at(w)+l.stride)%len(l.words)]
}

func (l *Lanes) at(w *Word) int {
	return int(uintptr(unsafe.Pointer(w))-uintptr(unsafe.Pointer(&l.words[0]))) / 8
}

// have reports whether the word is one of the lanes.
func (l *Lanes) have(w *Word) bool {
	at := l.at(w)
	return at >= 0 && at < len(l.words)
}

// Each walks the first words of the lanes. Nil has none.
func (l *Lanes) Each() iter.Seq[*Word] {
	return func(yield func(*Word) bool) {
		for i := 0; l != nil && i < len(l.words); i += l.stride {
			if !yield(&l.words[i]) {
				return
			}
		}
	}
}

// Sum returns the sum of word i over the lanes, as whole numbers.
func (l *Lanes) Sum(i int) (sum uint64) {
	for ; i < len(l.words); i += l.stride {
		sum += l.words[i].Load()
	}
	return sum
}

// SumFloat returns the sum of word i over the lanes, as float64s.
func (l *Lanes) SumFloat(i int) (sum float64) {
	for ; i < len(l.words); i += l.stride {
		sum += LoadFloat(&l.words[i])
	}
	return sum
}

// Clear sets all words to zero, one after the other.
func (l *Lanes) Clear() {
	for i := range l.words {
		l.words[i].Store(0)
	}
}
