package exponential

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
)

// Word is a cell's word.
type Word = cell.Word

// Options say how histograms count; the histograms of a family share them.
type Options struct {
	Schema        int     // the finest, which a histogram begins with
	ZeroThreshold float64 // likewise

	MaxBuckets       int           // limit of populated buckets, without the zero bucket; 0 for 160
	MaxZeroThreshold float64       // how far the zero bucket may be widened before resolution is halved
	MinReset         time.Duration // how long after its start or last reset a histogram may be emptied; 0 for never

	// Lanes is the number of counts and sums that keep writers apart in given
	// words, a power of two, or 0 for one. On the heap they come by themselves.
	Lanes int
}

const (
	defaultMaxBuckets = 160
	minBuckets        = 2 // the infinities, which no zero bucket takes in
	mostBuckets       = 1 << 20
	mostLanes         = 64
)

func (o *Options) maxBuckets() int {
	if o.MaxBuckets == 0 {
		return defaultMaxBuckets
	}
	return o.MaxBuckets
}

// Validate returns an error that says which option cannot be.
func (o *Options) Validate() error {
	switch {
	case o.Schema < MinSchema || o.Schema > MaxSchema:
		return fmt.Errorf("exponential: schema %d is not between %d and %d", o.Schema, MinSchema, MaxSchema)
	case !validThreshold(o.ZeroThreshold):
		return fmt.Errorf("exponential: zero threshold %v is not a number from 0 on", o.ZeroThreshold)
	case !validThreshold(o.MaxZeroThreshold):
		return fmt.Errorf("exponential: highest zero threshold %v is not a number from 0 on", o.MaxZeroThreshold)
	case o.maxBuckets() < minBuckets || o.maxBuckets() > mostBuckets:
		return fmt.Errorf("exponential: a limit of %d buckets is not between %d and %d", o.MaxBuckets, minBuckets, mostBuckets)
	case o.MinReset < 0:
		return fmt.Errorf("exponential: resets after %v: the duration is negative", o.MinReset)
	case o.Lanes < 0 || o.Lanes > mostLanes || o.Lanes&(o.Lanes-1) != 0:
		return fmt.Errorf("exponential: %d lanes are not a power of two up to %d", o.Lanes, mostLanes)
	}
	return nil
}

func validThreshold(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// Histogram counts observations in exponential buckets. Its methods are safe
// for concurrent use. Observe takes no lock and allocates nothing but when a
// bucket is new, writers begin to fight or the limit is reached.
type Histogram struct {
	current atomic.Pointer[generation] // nil on the heap before the first observation
	options *Options
	given   *given // the words to live in, nil on the heap
	mu      sync.Mutex
}

// New returns a histogram on the heap. Valid options are the caller's to see to.
func New(o *Options) *Histogram {
	h := new(Histogram)
	h.Init(o)
	return h
}

// Init makes a zero Histogram that lies in something else what [New] returns.
func (h *Histogram) Init(o *Options) { h.options = o }

// InitIn makes a zero Histogram one that lives in words, of which it needs
// o.Words(), all zero and aligned to eight bytes; lanes lie best if the words
// begin on a cache line. Nobody else may write there. Others see it by [Read].
func (h *Histogram) InitIn(words []Word, o *Options) error {
	return h.initIn(words, o, time.Now().UnixNano())
}

func (h *Histogram) initIn(words []Word, o *Options, since int64) error {
	given, err := newGiven(words, o)
	if err != nil {
		return err
	}
	h.options, h.given = o, given
	h.begin(since)
	return nil
}

// Observe counts v and adds it to the sum.
func (h *Histogram) Observe(v float64) {
	g := h.current.Load()
	if g == nil {
		h.observe(g, v)
		return
	}
	at, lane := g.usual(v), g.lane()
	if !g.tryCount(lane, at) {
		h.observe(g, v)
	} else if !cell.TryAddFloat(g.epoch.sum(lane), v) {
		h.add(g, lane, v)
	}
}

// Count counts v and leaves the sum alone, for who has it elsewhere.
func (h *Histogram) Count(v float64) {
	g := h.current.Load()
	if g == nil || !g.tryCount(g.lane(), g.usual(v)) {
		h.count(g, v)
	}
}

// observe is Observe for new buckets and fights.
func (h *Histogram) observe(g *generation, v float64) {
	g, lane := h.count(g, v)
	h.add(g, lane, v)
}

// add adds v to the sum.
func (h *Histogram) add(g *generation, lane int, v float64) {
	for !cell.TryAddFloat(g.epoch.sum(lane), v) {
		if lane = g.elsewhere(lane); h.crowded(g) {
			h.spread()
		}
	}
}

// crowded reports whether a generation should get lanes: it has none, could have some,
// and others go on observing.
func (h *Histogram) crowded(g *generation) bool {
	return g.lanes == 1 && (h.given == nil || h.given.shape.lanes > 1) && cell.Crowded(g.epoch.first)
}

// count counts v in the generation given or one that came after it, and returns
// where.
func (h *Histogram) count(g *generation, v float64) (*generation, int) {
	for {
		if g == nil {
			g = h.begin(time.Now().UnixNano())
		}
		at := g.place(v)
		if at < 0 {
			g = h.claim(g, v)
			continue
		}
		lane := g.lane()
		for {
			w := &g.counts[lane*g.stride+at]
			old := w.Load()
			if n := old - g.tag; n >= countMask { // frozen, or the area is another's by now
				if n == countMask {
					return g, lane // as far as it can count
				}
				g = h.settled(g)
				break
			}
			if w.CompareAndSwap(old, old+1) {
				return g, lane
			}
			if lane = g.elsewhere(lane); h.crowded(g) {
				g = h.spread()
				break
			}
		}
	}
}

// settled returns the generation that counts instead of one that was found not
// to, once it is ready. If that still is the one given, somebody else wrote to
// its words.
func (h *Histogram) settled(g *generation) *generation {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.current.Load(); now != g {
		return now
	}
	var lost Snapshot
	return h.restart(g, time.Now().UnixNano(), &lost)
}

// Read makes s what the histogram holds. Reading and observing do not stop each
// other. If a reset is due, because buckets were made coarser and
// [Options.MinReset] has passed since, what is read is the last of it: the
// histogram is empty afterwards, and no observation is lost to both.
func (h *Histogram) Read(s *Snapshot) {
	for range readAttempts {
		g := h.current.Load()
		if g == nil {
			s.Reset()
			s.Schema, s.ZeroThreshold = h.options.Schema, h.options.ZeroThreshold
			return
		}
		if h.recovers(g) {
			if h.reset(g, time.Now().UnixNano(), s) {
				return
			}
			continue
		}
		if g.read(s) == nil {
			s.Sum = g.epoch.total()
			return
		}
	}
	h.mu.Lock() // generations came faster than they could be read: now none can
	defer h.mu.Unlock()
	g := h.current.Load()
	if g.read(s) != nil {
		*s = h.nothing(g.since) // somebody else wrote to its words
		return
	}
	s.Sum = g.epoch.total()
}

// readAttempts is how often a reader whom new generations overtook starts again.
const readAttempts = 8

// Clear empties the histogram and gives it back its first schema and zero
// threshold.
func (h *Histogram) Clear() {
	var last Snapshot
	for g := h.current.Load(); g != nil && !h.reset(g, time.Now().UnixNano(), &last); {
		g = h.current.Load()
	}
}
