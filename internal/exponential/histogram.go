package exponential

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/cell"
)

// Word is [cell.Word].
type Word = cell.Word

// Options are the settings of histograms; the histograms of a family share them.
type Options struct {
	Schema        int     // the finest schema, with which a histogram begins
	ZeroThreshold float64 // with which a histogram begins

	MaxBuckets       int           // limit of populated buckets, without the zero bucket; 0 for 160
	MaxZeroThreshold float64       // largest threshold to which the zero bucket is widened before resolution is halved
	MinReset         time.Duration // least time from the start or last reset to the next reset; 0 for no resets

	// PowersFrom is a power of two that, like all above it, stays the bound of a bucket:
	// the schema does not fall below 0 nor the zero bucket grow beyond it, and there are
	// more buckets than MaxBuckets, up to 4,200, where observations have such different
	// magnitudes. 0 for none.
	PowersFrom float64
}

const (
	defaultMaxBuckets = 160
	minBuckets        = 2 // the infinities, which the zero bucket never contains
	mostBuckets       = 1 << 20
	mostLanes         = 64
)

func (o *Options) maxBuckets() int {
	if o.MaxBuckets == 0 {
		return defaultMaxBuckets
	}
	return o.MaxBuckets
}

// Validate returns an error that names the invalid option, or nil.
func (o *Options) Validate() error {
	switch {
	case o.Schema < MinSchema || o.Schema > MaxSchema:
		return fmt.Errorf("exponential: schema %d is not between %d and %d", o.Schema, MinSchema, MaxSchema)
	case !validThreshold(o.ZeroThreshold):
		return fmt.Errorf("exponential: zero threshold %v is not a number of at least 0", o.ZeroThreshold)
	case !validThreshold(o.MaxZeroThreshold):
		return fmt.Errorf("exponential: highest zero threshold %v is not a number of at least 0", o.MaxZeroThreshold)
	case o.maxBuckets() < minBuckets || o.maxBuckets() > mostBuckets:
		return fmt.Errorf("exponential: a limit of %d buckets is not between %d and %d", o.MaxBuckets, minBuckets, mostBuckets)
	case o.MinReset < 0:
		return fmt.Errorf("exponential: resets after %v: the duration is negative", o.MinReset)
	case o.PowersFrom == 0:
		return nil
	case !IsPowerOfTwo(o.PowersFrom):
		return fmt.Errorf("exponential: the bound %v is not a power of two", o.PowersFrom)
	case o.Schema < 0:
		return fmt.Errorf("exponential: powers of two are no bounds under schema %d, which is below 0", o.Schema)
	case max(o.ZeroThreshold, o.MaxZeroThreshold) > o.PowersFrom:
		return fmt.Errorf("exponential: the bound %v is below the zero threshold %v", o.PowersFrom, max(o.ZeroThreshold, o.MaxZeroThreshold))
	}
	return nil
}

// IsPowerOfTwo reports whether v is 2 to the power of a whole number.
func IsPowerOfTwo(v float64) bool {
	fraction, _ := math.Frexp(v)
	return fraction == 0.5
}

func validThreshold(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// Histogram counts observations in exponential buckets. Its methods are safe for
// concurrent use. Observe takes no lock and allocates nothing, except when a
// bucket is new, writers begin to contend or the limit is reached.
type Histogram struct {
	current atomic.Pointer[generation] // nil on the heap before the first observation
	options *Options
	given   *given // the caller's words, nil on the heap
	mu      sync.Mutex
}

// New returns a histogram on the heap. The options must be valid.
func New(o *Options) *Histogram {
	h := new(Histogram)
	h.Init(o)
	return h
}

// Init sets up a zero Histogram as [New] does, for one that is a field of a
// struct.
func (h *Histogram) Init(o *Options) { h.options = o }

// InitIn sets up a zero Histogram in words, o.Words() of them, all zero and aligned to
// eight bytes. No other code may write to them. Other processes read them by [Read].
// Once writers contend it calls room for zeroed lanes of the given number of words
// each, which readers find. If room is nil or returns nil there are no lanes.
func (h *Histogram) InitIn(words []Word, room func(words int) *cell.Lanes, o *Options) error {
	return h.initIn(words, room, o, time.Now().UnixNano())
}

func (h *Histogram) initIn(words []Word, room func(words int) *cell.Lanes, o *Options, since int64) error {
	given, err := newGiven(words, room, o)
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

// Count counts v without adding it to the sum, for callers that keep the sum
// elsewhere.
func (h *Histogram) Count(v float64) {
	g := h.current.Load()
	if g == nil || !g.tryCount(g.lane(), g.usual(v)) {
		h.count(g, v)
	}
}

// observe is Observe for new buckets and contention.
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

// crowded reports whether a generation should get lanes: it has none, could have
// some, and other goroutines keep observing.
func (h *Histogram) crowded(g *generation) bool {
	return g.lanes == 1 && (h.given == nil || !h.given.alone.Load()) && cell.Crowded(g.epoch.first)
}

// count counts v in the given generation or a later one, and returns that
// generation and the lane.
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
			if n := old - g.tag; n >= countMask { // frozen, or the area has another generation by now
				if n == countMask {
					return g, lane // the count is saturated
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

// settled returns the generation that has replaced one that no longer counts,
// once it is ready. If that is still the same generation, other code wrote to
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

// Read sets s to the content of the histogram. Reading and observing do not
// block each other. If a reset is due, because buckets were made coarser and
// [Options.MinReset] has passed since, s is the content up to the reset: the
// histogram is empty afterwards, and no observation is missing from both.
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
	h.mu.Lock() // generations came faster than they could be read: the lock holds them up
	defer h.mu.Unlock()
	g := h.current.Load()
	if g.read(s) != nil {
		*s = h.nothing(g.since) // other code wrote to its words
		return
	}
	s.Sum = g.epoch.total()
}

// readAttempts is the number of attempts of a reader that new generations
// overtake.
const readAttempts = 8

// Clear empties the histogram and restores its first schema and zero threshold.
func (h *Histogram) Clear() {
	var last Snapshot
	for g := h.current.Load(); g != nil && !h.reset(g, time.Now().UnixNano(), &last); {
		g = h.current.Load()
	}
}
