package exponential

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"telltale/internal/cell"
)

// The words before the areas, see the package documentation.
const (
	layoutAt      = 0
	generationsAt = 1
	sumsAt        = 2

	laneSums = 2 // words of a lane before its counts

	layoutFormat = 1
	slotsBits    = 32
	formatBits   = 56

	// The lower bits of a generation's descriptor are its schema.
	epochShift = 8
	spreadFlag = 1 << 9
)

// given is words that other processes read, divided as a histogram needs them.
type given struct {
	words []Word
	shape shape
	room  func(words int) *cell.Lanes
	alone atomic.Bool // there is no room for lanes
	lanes lanesOf     // none before the histogram was spread
}

// lanesOf is lanes of given words, which lie elsewhere. Each begins with two sums, of
// one epoch and the other, and then has the counts of one area and the other.
type lanesOf struct {
	words  []Word
	stride int
}

// LaneWords returns the number of words that a lane has, see [Histogram.InitIn].
func (o *Options) LaneWords() int { return laneWords(o.shape().slots) }

// laneWords returns how many words a lane has for tables of so many slots.
func laneWords(slots int) int { return laneSums + 2*(firstSlot+slots) }

// counts returns the counts of a generation in the first lane, and all words behind.
func (l lanesOf) counts(slots int, number uint64) []Word {
	return l.words[laneSums+int(number&1)*(firstSlot+slots):]
}

// fit reports whether the lanes have the words that they need.
func (l lanesOf) fit(slots int) bool {
	return l.stride >= laneWords(slots) && len(l.words) > 0 && len(l.words)%l.stride == 0
}

// Words returns the number of words that [Histogram.InitIn] needs.
func (o *Options) Words() int { return (&given{shape: o.shape()}).length() }

func (o *Options) shape() shape { return shape{slotsFor(o.maxBuckets()), 1} }

func newGiven(words []Word, room func(words int) *cell.Lanes, o *Options) (*given, error) {
	g := &given{words: words, shape: o.shape(), room: room}
	if len(words) < g.length() {
		return nil, fmt.Errorf("exponential: %d words given, %d needed", len(words), g.length())
	}
	if words[layoutAt].Load() != 0 || words[generationsAt].Load() != 0 {
		return nil, errors.New("exponential: the words given are in use")
	}
	g.alone.Store(room == nil)
	words[layoutAt].Store(layoutFormat<<formatBits | 1<<slotsBits | uint64(g.shape.slots))
	return g, nil
}

// spread makes lanes, if there are none and there is room, and reports whether there
// are.
func (g *given) spread() bool {
	if g.lanes.words == nil && !g.alone.Load() {
		lanes := g.room(laneWords(g.shape.slots))
		if lanes == nil {
			g.alone.Store(true)
			return false
		}
		g.lanes.words, g.lanes.stride = lanes.Words()
	}
	return g.lanes.words != nil
}

func (g *given) length() int { return g.areasAt() + 2*g.shape.words() }

func (g *given) areasAt() int { return sumsAt + 2 }

func (g *given) area(number uint64) []Word {
	n := g.shape.words()
	return g.words[g.areasAt()+int(number&1)*n:][:n]
}

// epoch returns an epoch, with the sums of lanes if there are any.
func (g *given) epoch(number int, lanes lanesOf) *epoch {
	e := &epoch{number: number, first: &g.words[sumsAt+number]}
	if lanes.words != nil {
		e.more, e.step = lanes.words[number:], lanes.stride
	}
	return e
}

// Read sets s to the content of a histogram in words of this or another process.
// The writer may be counting meanwhile, or have died at any instruction. Lanes finds
// the words of its lanes, with how many lie from the beginning of one to that of the
// next; it is called if there are any, and may be nil where there are none. Words
// without a histogram give an empty snapshot. It returns an error if the words are
// not a histogram's or are damaged, or if generations replace each other faster than
// they can be read.
func Read(words []Word, lanes func() (words []Word, stride int), s *Snapshot) error {
	s.Reset()
	if len(words) <= sumsAt {
		return fmt.Errorf("exponential: %d words hold no histogram", len(words))
	}
	layout := words[layoutAt].Load()
	if layout == 0 {
		return nil
	}
	slots, n := uint32(layout), layout<<8>>8>>slotsBits
	if layout>>formatBits != layoutFormat {
		return fmt.Errorf("exponential: histogram of an unknown format %d", layout>>formatBits)
	}
	if slots == 0 || slots > 2*mostBuckets || slots&(slots-1) != 0 || n != 1 {
		return fmt.Errorf("exponential: histogram with %d slots and %d lanes", slots, n)
	}
	g := given{words: words, shape: shape{int(slots), 1}}
	if len(words) < g.length() {
		return fmt.Errorf("exponential: a histogram of %d words is cut off after %d", g.length(), len(words))
	}
	var err error
	for range readAttempts {
		generations := words[generationsAt].Load()
		if generations == 0 {
			s.Reset()
			return nil
		}
		if err = g.read(generations-1, lanes, s); err == nil {
			return nil
		}
		s.Reset()
		if generations == words[generationsAt].Load() {
			return err // not overtaken
		}
	}
	return err
}

// read sets s to the content of a generation.
func (g *given) read(number uint64, lanes func() ([]Word, int), s *Snapshot) error {
	from := generation{tag: number & tagMask << countBits, number: number}
	from.over(g.area(number), g.shape)
	descriptor := from.header[descriptorAt].Load()
	schema := MinSchema + int(descriptor&0xff)
	from.coarser = uint(MaxSchema - schema)
	from.zero = math.Float64frombits(from.header[thresholdAt].Load())
	from.since = int64(from.header[sinceAt].Load())
	switch {
	case descriptor>>countBits != from.tag>>countBits:
		return errOvertaken
	case schema > MaxSchema || descriptor&countMask >= 2*spreadFlag:
		return fmt.Errorf("exponential: damaged generation: descriptor %#x", descriptor)
	case !validThreshold(from.zero):
		return fmt.Errorf("exponential: damaged generation: zero threshold %v", from.zero)
	}
	var beside lanesOf
	if descriptor&spreadFlag != 0 {
		if lanes != nil && g.lanes.words == nil {
			g.lanes.words, g.lanes.stride = lanes()
		}
		if beside = g.lanes; !beside.fit(g.shape.slots) {
			return errors.New("exponential: the lanes of a histogram are not there")
		}
		from.beside(beside)
	}
	if err := from.read(s); err != nil {
		return err
	}
	epoch := g.epoch(int(descriptor>>epochShift)&1, beside)
	if s.Sum = epoch.total(); beside.words != nil {
		s.parts = epoch.parts(s.parts)
	}
	if from.header[descriptorAt].Load() != descriptor {
		return errOvertaken
	}
	return nil
}
