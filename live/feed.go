package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"telltale"
)

// What readers ask for is collected until nobody has asked for it for keepAsked and an
// interval, in which a reader waits for the next collection. askedByAll is how many
// times what one reader may ask for all may.
const (
	keepAsked  = 10 * time.Second
	askedByAll = 8
)

// subject is something that readers ask for beside the index.
type subject struct {
	of     aspect
	family string // empty for writers
}

type aspect uint8

const (
	ofPoints  aspect = iota // the points of a family
	ofLabels                // the values of its labels
	ofWriters               // the processes of the directory
)

// feed collects at most once an interval, for as long as somebody reads.
type feed struct {
	settings
	collector telltale.Collector
	stats     func() telltale.Stats // nil if the collector has none
	start     time.Time

	writers writers // for the collection that is under way

	mu    sync.Mutex
	asked map[subject]time.Time // what is collected, and when it was asked for
	last  *snapshot             // the latest collection, nil before the first
	next  *collection           // the one that is under way or due, nil if there is none
}

// collection is one that readers wait for.
type collection struct {
	done   chan struct{}
	result *snapshot
}

func newFeed(c telltale.Collector, s settings) *feed {
	f := &feed{settings: s, start: time.Now(), asked: make(map[subject]time.Time)}
	if r, ok := c.(interface{ Stats() telltale.Stats }); ok {
		f.stats = r.Stats
	}
	f.collector = telltale.Must(telltale.Merge(c)) // runs a custom collector as a registry does
	return f
}

// read returns a snapshot that is not older than the interval and has the
// subjects, as far as there is room. It waits for a collection if there is none.
func (f *feed) read(ctx context.Context, subjects []subject) (*snapshot, error) {
	var latest *snapshot
	for range 2 { // a collection that began before the subjects were asked for lacks them
		f.mu.Lock()
		now := time.Now()
		f.ask(subjects, now)
		if f.last != nil && now.Sub(f.last.begun) < f.interval && f.last.has(subjects) {
			defer f.mu.Unlock()
			return f.last, f.last.err
		}
		if f.next == nil {
			f.next = &collection{done: make(chan struct{})}
			var due time.Duration
			if f.last != nil {
				due = f.interval - now.Sub(f.last.begun)
			}
			go f.collect(f.next, due)
		}
		next := f.next
		f.mu.Unlock()
		select {
		case <-next.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		latest = next.result
		if latest.has(subjects) {
			break
		}
	}
	return latest, latest.err
}

// ask notes that subjects are asked for, while there is room.
func (f *feed) ask(subjects []subject, now time.Time) {
	for _, s := range subjects {
		if _, known := f.asked[s]; !known && len(f.asked) >= askedByAll*f.maxAsked {
			f.forget(now)
			if len(f.asked) >= askedByAll*f.maxAsked {
				continue
			}
		}
		f.asked[s] = now
	}
}

// forget drops what was not asked for lately.
func (f *feed) forget(now time.Time) {
	for s, last := range f.asked {
		if now.Sub(last) >= keepAsked+f.interval {
			delete(f.asked, s)
		}
	}
}

// collect makes the snapshot that c's readers wait for, once it is due.
func (f *feed) collect(c *collection, due time.Duration) {
	if due > 0 {
		time.Sleep(due)
	}
	f.mu.Lock()
	begun := time.Now()
	f.forget(begun)
	wanted := make(map[subject]bool, len(f.asked))
	for asked := range f.asked {
		wanted[asked] = true
	}
	f.mu.Unlock()

	s := &snapshot{begun: begun, wanted: wanted, err: errEnded}
	defer func() {
		f.mu.Lock()
		f.last, f.next = s, nil
		f.mu.Unlock()
		c.result = s
		close(c.done)
		time.AfterFunc(max(keepAsked, f.interval), func() { f.release(s) })
	}()
	defer func() { // before the readers are answered, who are answered whatever the hook does
		if s.err != nil {
			f.tell(s.err)
		}
	}()
	s.err = f.take(s)
}

// release frees what a snapshot holds if it is still the latest: nobody reads.
func (f *feed) release(s *snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == s {
		f.last = nil
	}
}

var errEnded = errors.New("live: the collection ended its goroutine")

// take collects into s. A panic is an error.
func (f *feed) take(s *snapshot) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("live: the collection panicked: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	w := newWriter(f.settings, s.wanted)
	if err := f.collector.Collect(ctx, w.write); err != nil {
		return fmt.Errorf("live: collecting: %w", err)
	}
	var stats *telltale.Stats
	if f.stats != nil {
		all := f.stats()
		stats = &all
	}
	s.finish(w, f, stats)
	if s.wanted[subject{of: ofWriters}] && f.directory != "" {
		s.writers = f.writers.look(f.directory, s.begun, f.tell)
	}
	return nil
}

// tell calls the hook.
func (f *feed) tell(err error) {
	if f.hook == nil {
		return
	}
	defer func() { _ = recover() }() // a hook must not end the program
	f.hook(err)
}
