package exponential

import (
	"errors"
	"fmt"
	"math"
)

// The words before the areas, see the package documentation.
const (
	layoutAt      = 0
	generationsAt = 1
	sumsAt        = 2

	layoutFormat = 1
	slotsBits    = 32
	formatBits   = 56
)

// given is words that other processes read, divided as a histogram needs them.
type given struct {
	words []Word
	shape shape
}

// Words returns the number of words that [Histogram.InitIn] needs.
func (o *Options) Words() int { return given{shape: o.shape()}.length() }

func (o *Options) shape() shape {
	return shape{slotsFor(o.maxBuckets()), max(1, o.Lanes)}
}

func newGiven(words []Word, o *Options) (*given, error) {
	g := &given{words, o.shape()}
	if len(words) < g.length() {
		return nil, fmt.Errorf("exponential: %d words given, %d needed", len(words), g.length())
	}
	if words[layoutAt].Load() != 0 || words[generationsAt].Load() != 0 {
		return nil, errors.New("exponential: the words given are in use")
	}
	words[layoutAt].Store(layoutFormat<<formatBits | uint64(g.shape.lanes)<<slotsBits | uint64(g.shape.slots))
	return g, nil
}

func (g given) length() int { return g.areasAt() + 2*g.shape.words() }

// sums returns the number of words of an epoch's sums.
func (g given) sums() int {
	if g.shape.lanes == 1 {
		return 1
	}
	return g.shape.lanes * line
}

func (g given) areasAt() int { return g.shape.aligned(sumsAt + 2*g.sums()) }

func (g given) area(number uint64) []Word {
	n := g.shape.words()
	return g.words[g.areasAt()+int(number&1)*n:][:n]
}

func (g given) epoch(number int) *epoch {
	sums := g.words[sumsAt+number*g.sums():][:g.sums()]
	e := &epoch{number: number, first: &sums[0]}
	if len(sums) > 1 {
		e.more = sums[line:]
	}
	return e
}

// Read sets s to the content of a histogram in words of this or another process.
// The writer may be counting meanwhile, or have died at any instruction. Words
// without a histogram give an empty snapshot. It returns an error if the words
// are not a histogram's or are damaged, or if generations replace each other
// faster than they can be read.
func Read(words []Word, s *Snapshot) error {
	s.Reset()
	if len(words) <= sumsAt {
		return fmt.Errorf("exponential: %d words hold no histogram", len(words))
	}
	layout := words[layoutAt].Load()
	if layout == 0 {
		return nil
	}
	slots, lanes := uint32(layout), layout<<8>>8>>slotsBits
	if layout>>formatBits != layoutFormat {
		return fmt.Errorf("exponential: histogram of an unknown format %d", layout>>formatBits)
	}
	if slots == 0 || slots > 2*mostBuckets || slots&(slots-1) != 0 || lanes == 0 || lanes > mostLanes || lanes&(lanes-1) != 0 {
		return fmt.Errorf("exponential: histogram with %d slots and %d lanes", slots, lanes)
	}
	g := given{words, shape{int(slots), int(lanes)}}
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
		if err = g.read(generations-1, s); err == nil {
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
func (g given) read(number uint64, s *Snapshot) error {
	from := generation{tag: number & tagMask << countBits}
	from.over(g.area(number), g.shape)
	descriptor := from.header[descriptorAt].Load()
	schema := MinSchema + int(descriptor&0xff)
	from.coarser = uint(MaxSchema - schema)
	from.zero = math.Float64frombits(from.header[thresholdAt].Load())
	from.since = int64(from.header[sinceAt].Load())
	epoch := (descriptor & countMask) >> 8
	switch {
	case descriptor>>countBits != from.tag>>countBits:
		return errOvertaken
	case schema > MaxSchema || epoch > 1:
		return fmt.Errorf("exponential: damaged generation: descriptor %#x", descriptor)
	case !validThreshold(from.zero):
		return fmt.Errorf("exponential: damaged generation: zero threshold %v", from.zero)
	}
	if err := from.read(s); err != nil {
		return err
	}
	s.Sum = g.epoch(int(epoch)).total()
	if from.header[descriptorAt].Load() != descriptor {
		return errOvertaken
	}
	return nil
}
