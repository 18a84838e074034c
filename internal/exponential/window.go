package exponential

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const mostAges = 64

// Clock tells the windows of a family which stretch of time it is, a tick, so
// that an observation need not ask for the time. It runs on a timer while there
// are observations, and stops by itself some time after the last.
type Clock struct {
	interval time.Duration
	ages     int64
	start    time.Time
	now      atomic.Int64 // tick << placeBits | its place in a window; 0 while stopped
	mu       sync.Mutex
	used     int64 // the last tick that a window began to count in
}

const placeBits = 8

// NewClock returns a clock for windows that forget observations after maxAge, a
// part at a time: the more ages, 1 to 64, the smoother, and the more memory. It
// is an error if the durations or the ages cannot be.
func NewClock(maxAge time.Duration, ages int) (*Clock, error) {
	if ages < 1 || ages > mostAges {
		return nil, fmt.Errorf("exponential: a window of %d ages: 1 to %d are possible", ages, mostAges)
	}
	if maxAge/time.Duration(ages) < time.Millisecond {
		return nil, fmt.Errorf("exponential: a window of %v is too short for %d ages", maxAge, ages)
	}
	return &Clock{interval: maxAge / time.Duration(ages), ages: int64(ages), start: time.Now()}, nil
}

// tick returns the present tick: so many intervals after 1970, the same in all
// processes. It does not follow later corrections of the system's clock.
func (c *Clock) tick() int64 { return c.elapsed() / int64(c.interval) }

func (c *Clock) elapsed() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// covers reports whether what began to count at one tick is in the window at
// another.
func (c *Clock) covers(since, tick int64) bool { return tick-since < c.ages }

// use notes that a window begins to count, starts the clock if it stands, and
// returns the tick.
func (c *Clock) use() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Load() == 0 {
		c.set(c.tick())
	}
	c.used = c.now.Load() >> placeBits
	return c.used
}

// set shows a tick and comes back for the next. The caller holds the lock.
func (c *Clock) set(tick int64) {
	c.now.Store(tick<<placeBits | tick%c.ages)
	time.AfterFunc(time.Duration((tick+1)*int64(c.interval)-c.elapsed()), c.step)
}

func (c *Clock) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tick := c.tick(); c.covers(c.used, tick) {
		c.set(tick)
	} else {
		c.now.Store(0)
	}
}

// Window is what was observed during the last while, in exponential buckets: one
// histogram for each age, of which the oldest is emptied and used again. Its
// methods are safe for concurrent use. Observe takes no lock, asks for no time
// and allocates nothing but when a bucket is new, an interval is over, writers
// begin to fight or the limit is reached.
type Window struct {
	clock   *Clock
	ages    []Histogram
	crowded atomic.Bool // what begins to count gets lanes
}

// NewWindow returns a window on the heap. The options are to allow no resets.
func NewWindow(c *Clock, o *Options) *Window {
	w := &Window{clock: c, ages: make([]Histogram, c.ages)}
	for i := range w.ages {
		w.ages[i].Init(o)
	}
	return w
}

// NewWindowIn returns a window that lives in words, of which it needs o.Words()
// for each of the clock's ages, see [Histogram.InitIn]. Others see it by
// [ReadWindow].
func NewWindowIn(words []Word, c *Clock, o *Options) (*Window, error) {
	w, n := &Window{clock: c, ages: make([]Histogram, c.ages)}, o.Words()
	if len(words) < n*len(w.ages) {
		return nil, fmt.Errorf("exponential: %d words given, %d needed", len(words), n*len(w.ages))
	}
	for i := range w.ages {
		if err := w.ages[i].initIn(words[i*n:][:n:n], o, 0); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Observe counts v.
func (w *Window) Observe(v float64) {
	now := w.clock.now.Load()
	h := &w.ages[now&(1<<placeBits-1)]
	g := h.current.Load()
	if g == nil || g.since != now>>placeBits || now == 0 {
		h, g = w.turn()
	}
	if !g.tryCount(g.lane(), g.usual(v)) {
		h.count(g, v)
	}
}

// Spread gives the window lanes, because many goroutines observe at once. A window
// cannot tell by itself: they rarely meet in one bucket.
func (w *Window) Spread() {
	if w.crowded.Swap(true) {
		return
	}
	for i := range w.ages {
		if h := &w.ages[i]; h.current.Load() != nil {
			h.spread()
		}
	}
}

// turn returns the histogram that counts now, emptied of what is too old.
func (w *Window) turn() (*Histogram, *generation) {
	tick := w.clock.use()
	h := &w.ages[tick%w.clock.ages]
	for {
		g := h.begin(tick)
		if g.since >= tick { // later if the caller was held up for so long
			if w.crowded.Load() {
				g = h.spread()
			}
			return h, g
		}
		var old Snapshot
		h.reset(g, tick, &old)
	}
}

// Read makes s what is in the window. It needs a second snapshot to work with.
func (w *Window) Read(s, work *Snapshot) {
	s.Reset()
	tick := w.clock.tick()
	for i := range w.ages {
		h := &w.ages[i]
		if h.current.Load() == nil {
			continue
		}
		if h.Read(work); w.clock.covers(work.Since, tick) {
			s.Merge(work)
		}
	}
	s.Since = 0
}

// ReadWindow makes s what is in a window that lives in words, of which each age
// has as many, see [Read]. The clock is one for windows of the same age and ages.
func (c *Clock) ReadWindow(words []Word, s, work *Snapshot) error {
	s.Reset()
	if len(words)%int(c.ages) != 0 {
		return fmt.Errorf("exponential: %d words hold no window of %d ages", len(words), c.ages)
	}
	tick, n := c.tick(), len(words)/int(c.ages)
	for i := range int(c.ages) {
		if err := Read(words[i*n:][:n], work); err != nil {
			return err
		}
		if c.covers(work.Since, tick) {
			s.Merge(work)
		}
	}
	s.Since = 0
	return nil
}
