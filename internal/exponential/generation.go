package exponential

import (
	"errors"
	"math"

	"telltale/internal/cell"
)

const (
	countBits = 52
	countMask = 1<<countBits - 1
	frozen    = 1 << 63
	tagMask   = 1<<(63-countBits) - 1

	// The words of a lane, or of an area before the keys.
	zeroAt    = 0
	nanAt     = 1
	firstSlot = 2

	descriptorAt = 0
	thresholdAt  = 1
	sinceAt      = 2
	areaHeader   = 4

	line = 16 // words of two cache lines, since processors fetch them in pairs

	keyBias = 1 << 20 // makes the keys of positive indexes positive, and none zero
)

// shape is the size of a generation's area; slots are a power of two. In given words
// there is one lane: others lie elsewhere.
type shape struct{ slots, lanes int }

func (s shape) stride() int { return s.aligned(firstSlot + s.slots) }

func (s shape) lanesAt() int { return s.aligned(areaHeader + s.slots) }

func (s shape) words() int { return s.lanesAt() + s.lanes*s.stride() }

func (s shape) aligned(words int) int {
	if s.lanes == 1 {
		return words
	}
	return (words + line - 1) / line * line
}

// generation is one state of a histogram's buckets. Only its words change and,
// under the histogram's lock, used.
type generation struct {
	tag     uint64 // in the position that it has in words
	coarser uint   // number of schemas between this and the finest
	lowest  uint64 // bits of the least number that is normal and outside the zero bucket
	keys    []Word // a hash table, see slot
	counts  []Word // by lane, stride words from each to the next
	base    []Word // in given words with lanes elsewhere: counts that no more is added to
	lanes   uint32 // a power of two
	zero    float64
	stride  int
	epoch   *epoch
	header  []Word
	shape   shape
	since   int64
	number  uint64 // number of generations before
	used    int    // slots taken
	choice  cell.Choice
}

func (g *generation) schema() int { return MaxSchema - int(g.coarser) }

// over places a generation's words in an area.
func (g *generation) over(area []Word, s shape) {
	g.header, g.keys = area[:areaHeader], area[areaHeader:areaHeader+s.slots]
	g.counts, g.stride, g.shape = area[s.lanesAt():s.words()], s.stride(), s
}

// beside has the generation count in lanes that lie elsewhere, and leaves the counts
// in its area as they are.
func (g *generation) beside(l lanesOf) {
	g.base, g.counts, g.stride = g.counts, l.counts(g.shape.slots, g.number), l.stride
}

// ofLane returns what a generation counts in a lane.
func (g *generation) ofLane(lane int) []Word {
	return g.counts[lane*g.stride:][:firstSlot+len(g.keys)]
}

// newArea returns zeroed words on the heap.
func newArea(s shape) []Word {
	if s.lanes == 1 {
		return make([]Word, s.words())
	}
	return cell.NewLines(s.words())
}

// keyOf returns the key of the bucket of an index. Buckets sorted by key are
// sorted by their values.
func keyOf(index int, negative bool) int32 {
	if negative {
		return -int32(index + keyBias)
	}
	return int32(index + keyBias)
}

// indexOfKey is the inverse of keyOf.
func indexOfKey(key int32) (index int, negative bool) {
	if key < 0 {
		return int(-key) - keyBias, true
	}
	return int(key) - keyBias, false
}

// usual is place for numbers that are normal and outside the zero bucket, and -1
// for others. It calls no function.
func (g *generation) usual(v float64) int {
	b := math.Float64bits(v) &^ signBit
	if b-g.lowest >= infinity-g.lowest {
		return -1
	}
	return g.slot(keyOf(coarser(finestNormal(b), g.coarser), v < 0))
}

// tryCount adds one to the word of a lane that place or usual returned, and
// reports true, or false if another writer came between or the word is -1.
func (g *generation) tryCount(lane, at int) bool {
	if at < 0 {
		return false
	}
	w := &g.counts[lane*g.stride+at]
	old := w.Load()
	return old-g.tag < countMask && w.CompareAndSwap(old, old+1)
}

// place returns the index in a lane of the word that counts v, or -1 if v's
// bucket has none yet.
func (g *generation) place(v float64) int {
	switch {
	case v != v:
		return nanAt
	case math.Abs(v) <= g.zero:
		return zeroAt
	}
	return g.slot(keyOf(indexOf(v, g.schema()), v < 0))
}

// slot returns the index in a lane of the word that counts the key, or -1.
func (g *generation) slot(key int32) int {
	want, at := g.tag|uint64(uint32(key)), home(key)
	for range g.keys {
		at &= len(g.keys) - 1
		switch g.keys[at].Load() {
		case want:
			return firstSlot + at
		case g.tag:
			return -1
		}
		at += probeStep
	}
	return -1
}

// home returns where, modulo the slots, the search for a key begins.
// Neighbouring buckets, the usual case, do not collide; higher bits are mixed in
// so that bounds that are powers of two do not collide either.
func home(key int32) int {
	k := uint32(key)
	return int(k ^ (k>>3^k>>6)&7)
}

// probeStep is the step of the search: odd, and longer than most runs of
// buckets.
const probeStep = 0x79B1

// take returns the index in a lane of the word that counts the key, and takes a
// slot if none has it yet. It returns -1 if all slots are taken. The caller
// holds the lock.
func (g *generation) take(key int32) int {
	if at := g.slot(key); at >= 0 {
		return at
	}
	at := home(key)
	for range g.keys {
		at &= len(g.keys) - 1
		if g.keys[at].Load() == g.tag {
			g.keys[at].Store(g.tag | uint64(uint32(key)))
			g.used++
			return firstSlot + at
		}
		at += probeStep
	}
	return -1
}

// lane returns the lane that the calling goroutine should use.
func (g *generation) lane() int {
	if g.lanes == 1 {
		return 0
	}
	return g.choice.Mine()
}

// elsewhere returns the lane after one in which another writer came between.
func (g *generation) elsewhere(lane int) int {
	if g.lanes > 1 {
		g.choice.Met()
	}
	return (lane + 1) & int(g.lanes-1)
}

// clear writes the generation's head, and its tag to all other words. Words that
// have the value already are not written, so that unused memory stays untouched.
func (g *generation) clear() {
	descriptor := g.tag | uint64(g.epoch.number)<<epochShift | uint64(g.schema()-MinSchema)
	if g.base != nil {
		descriptor |= spreadFlag
	}
	g.header[descriptorAt].Store(descriptor)
	g.header[thresholdAt].Store(math.Float64bits(g.zero))
	g.header[sinceAt].Store(uint64(g.since))
	g.fill(g.keys)
	g.fill(g.base)
	for lane := range int(g.lanes) {
		g.fill(g.ofLane(lane))
	}
}

func (g *generation) fill(words []Word) {
	for i := range words {
		if words[i].Load() != g.tag {
			words[i].Store(g.tag)
		}
	}
}

var errOvertaken = errors.New("exponential: the words are another generation's")

// read sets s to the content of the generation, without the sum. It returns an
// error if the words are those of another generation, or damaged.
func (g *generation) read(s *Snapshot) error {
	s.Reset()
	s.Schema, s.ZeroThreshold, s.Since = g.schema(), g.zero, g.since
	var err error
	if s.ZeroCount, err = g.counted(zeroAt); err != nil {
		return err
	}
	if s.NaNCount, err = g.counted(nanAt); err != nil {
		return err
	}
	for i := range g.keys {
		key := g.keys[i].Load()
		if key == g.tag {
			continue
		}
		n, err := g.counted(firstSlot + i)
		if err != nil || key>>countBits != g.tag>>countBits {
			return errOvertaken
		}
		if n > 0 {
			s.buckets = append(s.buckets, bucket{int32(uint32(key)), n})
		}
	}
	s.sort()
	return s.check()
}

// counted returns a word's sum over the lanes.
func (g *generation) counted(at int) (n uint64, err error) {
	if g.base != nil {
		if n, err = g.count(&g.base[at]); err != nil {
			return 0, err
		}
	}
	for ; at < len(g.counts); at += g.stride {
		in, err := g.count(&g.counts[at])
		if err != nil {
			return 0, err
		}
		n += in
	}
	return n, nil
}

// count returns what a word has counted in this generation.
func (g *generation) count(w *Word) (uint64, error) {
	n := w.Load() &^ frozen
	if n>>countBits != g.tag>>countBits {
		return 0, errOvertaken
	}
	return n & countMask, nil
}

// epoch holds the sums from one reset of a histogram to the next.
type epoch struct {
	number int
	first  *Word
	more   []Word // of lanes, one in step words; none as long as all add to the first
	step   int
}

// sum returns the sum to which to add in a lane.
func (e *epoch) sum(lane int) *Word {
	if e.step == 0 {
		return e.first
	}
	return &e.more[lane*e.step]
}

// clear sets the sums to zero.
func (e *epoch) clear() { e.drain() }

// drain sets the sums to zero and returns their total.
func (e *epoch) drain() float64 {
	sum := math.Float64frombits(e.first.Swap(0))
	for i := 0; i < len(e.more); i += e.step {
		sum += math.Float64frombits(e.more[i].Swap(0))
	}
	return sum
}

func (e *epoch) total() float64 {
	sum := cell.LoadFloat(e.first)
	for i := 0; i < len(e.more); i += e.step {
		sum += cell.LoadFloat(&e.more[i])
	}
	return sum
}

// parts appends the sums.
func (e *epoch) parts(to []float64) []float64 {
	to = append(to, cell.LoadFloat(e.first))
	for i := 0; i < len(e.more); i += e.step {
		to = append(to, cell.LoadFloat(&e.more[i]))
	}
	return to
}
