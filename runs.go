package telltale

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// runs has the runs of all custom collectors of this process. It is one table,
// because through however many registries, views and pages a collector is asked
// for, it is to run once at a time.
var runs = &runTable{slots: make(map[Collector]*collecting)}

// runTable has the collectors that run or whose families scrapes still read.
type runTable struct {
	mu    sync.Mutex
	slots map[Collector]*collecting
}

// collecting is the runs of one collector. Its fields but held are guarded by the
// table's lock.
type collecting struct {
	collector Collector
	current   *run         // under way
	next      *run         // to be started when current ends; nil if no scrape waits for that
	reading   int          // runs that have ended and whose families scrapes still read
	held      atomic.Int64 // bytes of families that its runs keep for scrapes
}

// subscribe lets a scrape join the collector's run, or start one, or wait for the
// next if it cannot join. It returns errRunning if the run is hung, and
// errRecursion if the run would wait for the scrape.
func (t *runTable) subscribe(s *subscription) error {
	err := t.join(s)
	for _, f := range s.missed {
		s.unheard.report(f)
	}
	for reason, n := range s.uncounted {
		s.unheard.count(reason, n)
	}
	s.missed, s.uncounted, s.unheard = nil, nil, nil
	return err
}

func (t *runTable) join(s *subscription) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl := t.slots[s.collector]
	if sl == nil {
		sl = &collecting{collector: s.collector}
		t.slots[s.collector] = sl
	}
	r := sl.current
	if r == nil {
		sl.current = newRun(s, sl)
		sl.current.start()
		return nil
	}
	if s.within.waitsFor(s.collector, make(map[*run]bool)) {
		return errRecursion
	}
	if s.hung = r.hungFor(s); !time.Now().Before(s.hung) {
		return errRunning
	}
	s.joined = r.join(s)
	switch {
	case s.joined:
	case sl.next == nil:
		sl.next = newRun(s, sl)
	default:
		sl.next.joinWaiting(s)
	}
	return nil
}

// hungFor returns when the run counts as hung for a scrape: when it has lasted as
// long as the scrape's server lets a scrape take, or, without a server, as long
// as this scrape or another that shares the run may take. One that was given up a
// moment ago has time to end.
func (r *run) hungFor(s *subscription) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	patience := s.patience
	if !s.served {
		patience = max(patience, r.patience)
	}
	hung := r.started.Add(patience)
	if r.unwanted && hung.Before(r.ends) {
		return r.ends
	}
	return hung
}

// join lets a scrape share a run that is under way, unless it leaves out what the
// scrape wants, some of its families are gone already, or it was given up.
func (r *run) join(s *subscription) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled || r.unwanted || !r.wanted.cover(s.wanted) {
		return false
	}
	r.add(s)
	if r.lent != nil {
		r.watch(s)
	}
	return true
}

// joinWaiting lets a scrape share a run that has not started, which will do what
// all of its scrapes want.
func (r *run) joinWaiting(s *subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wanted == nil || s.wanted == nil {
		r.wanted = nil
	} else if !r.wanted.cover(s.wanted) {
		r.wanted = maps.Clone(r.wanted)
		maps.Copy(r.wanted, s.wanted)
	}
	r.add(s)
}

// cover reports whether a run that is restricted to n has all of wanted. Nil
// stands for everything.
func (n names) cover(wanted names) bool {
	if n == nil || wanted == nil {
		return n == nil
	}
	for name := range wanted {
		if !n.has(name) {
			return false
		}
	}
	return true
}

// waitsFor reports whether something that a run of the collector waits for waits
// for r: r is such a run, or a scrape that a run's code makes waits for r. A run
// that has ended waits for nothing, whatever goes on with its context. The caller
// holds the table's lock.
func (r *run) waitsFor(collector Collector, seen map[*run]bool) bool {
	if r == nil || r.done || seen[r] {
		return false
	}
	seen[r] = true
	if r.of.collector == collector {
		return true
	}
	waiting := r.scrapes()
	if next := r.of.next; next != nil && r == r.of.current {
		waiting = append(waiting, next.scrapes()...)
	}
	return slices.ContainsFunc(waiting, func(s *subscription) bool { return s.within.waitsFor(collector, seen) })
}

// scrapes returns who waits for the run.
func (r *run) scrapes() []*subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.subs))
}

// within returns the run whose code makes a scrape with the context, nil if none
// does. It is known by the context, or, where the collector has made one of its
// own, by the goroutine: the collector's or one that this has started.
func (t *runTable) within(ctx context.Context) *run {
	if r, ok := ctx.Value(runKey{}).(*run); ok && !t.hasEnded(r) {
		return r
	}
	if !t.busy() {
		return nil
	}
	ids := goroutineAndCreator() // which takes too long to hold the lock meanwhile
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		for _, sl := range t.slots {
			if sl.current != nil && sl.current.isRunBy(id) {
				return sl.current
			}
		}
	}
	return nil
}

func (t *runTable) hasEnded(r *run) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return r.done
}

// busy reports whether any collector runs.
func (t *runTable) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sl := range t.slots {
		if sl.current != nil {
			return true
		}
	}
	return false
}

func (r *run) isRunBy(goroutine uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.goroutines, goroutine)
}

// ended takes a run out that has ended, and starts the next.
func (t *runTable) ended(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl := r.of
	if sl.current = sl.next; sl.current != nil {
		sl.next = nil
		if len(sl.current.scrapes()) > 0 {
			sl.current.start()
		} else {
			sl.current.cancel()
			sl.current = nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	if r.abandons != nil {
		r.abandons.Stop()
	}
	r.change()
	sl.reading++
	t.release(r)
}

// left takes a scrape out of a run that it does not read any more.
func (t *runTable) left(r *run, s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, shares := r.subs[s]; !shares {
		return
	}
	delete(r.subs, s)
	r.returned(s)
	if len(r.subs) == 0 {
		r.change()
		r.abandoned()
		t.release(r)
	}
}

// release forgets the families of a run that has ended, once no scrape reads
// them, and the collector, once nothing is left of its runs. The caller holds the
// table's lock and the run's.
func (t *runTable) release(r *run) {
	if !r.done || len(r.subs) > 0 {
		return
	}
	sl := r.of
	r.retain(-r.size)
	sl.reading--
	r.size, r.items = 0, nil
	if sl.current == nil && sl.next == nil && sl.reading == 0 {
		delete(t.slots, sl.collector)
	}
}

// hung reports whether a run of the collector has lasted longer than any of its
// scrapes may.
func (t *runTable) hung(c Collector) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl := t.slots[c]
	if sl == nil || sl.current == nil {
		return false
	}
	r := sl.current
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.started) >= r.patience
}
