package exponential

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const mostAges = 64

// Clock gives the windows of a family the current tick, so that an observation
// need not read the time. It runs on a timer while there are observations, and
// stops some time after the last. Methods are safe for concurrent use.
type Clock struct {
	interval time.Duration
	ages     int64
	start    time.Time
	now      atomic.Int64 // tick << placeBits | its index in a window; 0 while stopped
	mu       sync.Mutex
	used     int64 // the last tick in which a window began to count
}

const placeBits = 8

// NewClock returns a clock for windows that forget observations after maxAge,
// one of their ages at a time: more ages, 1 to 64, make forgetting smoother and
// take more memory. It returns an error if the number of ages is out of range or
// maxAge too short.
func NewClock(maxAge time.Duration, ages int) (*Clock, error) {
	if ages < 1 || ages > mostAges {
		return nil, fmt.Errorf("exponential: a window of %d ages; 1 to %d are allowed", ages, mostAges)
	}
	if maxAge/time.Duration(ages) < time.Millisecond {
		return nil, fmt.Errorf("exponential: a window of %v is too short for %d ages", maxAge, ages)
	}
	return &Clock{interval: maxAge / time.Duration(ages), ages: int64(ages), start: time.Now()}, nil
}

// tick returns the present tick, the number of intervals since 1970, which is
// the same in all processes. It does not follow later corrections of the
// system's clock.
func (c *Clock) tick() int64 { return c.elapsed() / int64(c.interval) }

func (c *Clock) elapsed() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// covers reports whether a histogram that began to count at tick since is in the
// window at tick.
func (c *Clock) covers(since, tick int64) bool { return tick-since < c.ages }

// use records that a window begins to count, starts the clock if it is stopped,
// and returns the tick.
func (c *Clock) use() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Load() == 0 {
		c.set(c.tick())
	}
	c.used = c.now.Load() >> placeBits
	return c.used
}

// set publishes a tick and schedules the next. The caller holds the lock.
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

// Window holds the observations of the last maxAge in exponential buckets: one
// histogram for each age, of which the oldest is emptied and reused. Its methods
// are safe for concurrent use. Observe takes no lock, does not read the time and
// allocates nothing, except when a bucket is new, an interval is over, writers
// begin to contend or the limit is reached.
type Window struct {
	clock   *Clock
	ages    []Histogram
	crowded atomic.Bool // histograms get lanes when they begin to count
}

// NewWindow returns a window on the heap. The options must be valid and allow no
// resets.
func NewWindow(c *Clock, o *Options) *Window {
	w := &Window{clock: c, ages: make([]Histogram, c.ages)}
	for i := range w.ages {
		w.ages[i].Init(o)
	}
	return w
}

// NewWindowIn returns a window in words, of which it needs o.Words() for each of
// the clock's ages, see [Histogram.InitIn]. Other processes read it by
// [Clock.ReadWindow].
func NewWindowIn(words []Word, c *Clock, o *Options) (*Window, error) {
	w, n := &Window{clock: c, ages: make([]Histogram, c.ages)}, o.Words()
	if len(words) < n*len(w.ages) {
		return nil, fmt.Errorf("exponential: %d words given, %d needed", len(words), n*len(w.ages))
	}
	for i := range w.ages {
		if err := w.ages[i].initIn(words[i*n:][:n:n], nil, o, 0); err != nil {
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

// Spread gives the window lanes, because many goroutines observe at once. A
// window cannot detect that: goroutines rarely meet in one bucket.
func (w *Window) Spread() {
	if w.crowded.Swap(true) {
		return
	}
	for i := range w.ages {
		w.ages[i].Spread()
	}
}

// turn returns the histogram of the present tick, emptied of observations that
// are too old.
func (w *Window) turn() (*Histogram, *generation) {
	tick := w.clock.use()
	h := &w.ages[tick%w.clock.ages]
	for {
		g := h.begin(tick)
		if g.since >= tick { // later if the caller was delayed that long
			if w.crowded.Load() {
				g = h.spread()
			}
			return h, g
		}
		var old Snapshot
		h.reset(g, tick, &old)
	}
}

// Read sets s to the content of the window. Work is a second snapshot for its
// use.
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

// ReadWindow sets s to the content of a window in words, which are divided
// equally among the ages, see [Read]. The clock must have the window's maxAge
// and ages.
func (c *Clock) ReadWindow(words []Word, s, work *Snapshot) error {
	s.Reset()
	if len(words)%int(c.ages) != 0 {
		return fmt.Errorf("exponential: %d words hold no window of %d ages", len(words), c.ages)
	}
	tick, n := c.tick(), len(words)/int(c.ages)
	for i := range int(c.ages) {
		if err := Read(words[i*n:][:n], nil, work); err != nil {
			return err
		}
		if c.covers(work.Since, tick) {
			s.Merge(work)
		}
	}
	s.Since = 0
	return nil
}
