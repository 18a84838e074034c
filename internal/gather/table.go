package gather

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"telltale/model"
)

// runs holds the runs of all custom collectors of this process. There is one
// table for the process, so that a collector runs once at a time, even if
// several registries, views and pages ask for it.
var runs = &table{queues: make(map[model.Collector]*queue)}

// table holds the collectors that run or whose families scrapes still read.
type table struct {
	mu     sync.Mutex
	queues map[model.Collector]*queue
}

// subscribe makes a scrape join the collector's run, or starts one, or makes it
// wait for the next if it cannot join. It returns ErrRunning if the run is hung,
// and ErrRecursion if the run would wait for the scrape.
func (t *table) subscribe(s *Subscription) error {
	err := t.join(s)
	for _, f := range s.missed {
		s.unheard.Report(f)
	}
	for reason, n := range s.uncounted {
		s.unheard.Count(reason, s.Collector, n)
	}
	s.missed, s.uncounted, s.unheard = nil, nil, nil
	return err
}

func (t *table) join(s *Subscription) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[s.Collector]
	if q == nil {
		q = &queue{collector: s.Collector}
		t.queues[s.Collector] = q
	}
	r := q.current
	if r == nil {
		if !s.fresh && q.kept.share(s) {
			return nil
		}
		q.current = newRun(s, q, t.ended)
		t.drop(q.kept)
		q.current.start()
		return nil
	}
	if s.within.waitsFor(s.Collector, make(map[*run]bool)) {
		return ErrRecursion
	}
	if s.hung = r.hungFor(s); !time.Now().Before(s.hung) {
		return ErrRunning
	}
	s.joined = !s.fresh && r.join(s)
	switch {
	case s.joined:
	case q.next == nil:
		q.next = newRun(s, q, t.ended)
	default:
		q.next.joinWaiting(s)
	}
	return nil
}

// hungFor returns the time at which the run counts as hung for a scrape: when it
// has lasted as long as the scrape's server allows a scrape to take, or, without
// a server, as long as this scrape or another that shares the run may take. A
// run that was just given up has time to end.
func (r *run) hungFor(s *Subscription) time.Time {
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

// join makes a scrape share a run that has started. It reports false if the run
// leaves out what the scrape wants, some of its families are gone, or it was
// given up.
func (r *run) join(s *Subscription) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled || r.unwanted || !r.wanted.cover(s.Wanted) {
		return false
	}
	r.add(s)
	if r.lent != nil {
		r.watch(s)
	}
	return true
}

// joinWaiting makes a scrape share a run that has not started, and widens the
// run to what all of its scrapes want.
func (r *run) joinWaiting(s *Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wanted.cover(s.Wanted) {
		r.wanted = r.wanted.union(s.Wanted)
	}
	r.add(s)
}

// waitsFor reports whether a run of the collector waits, directly or through
// others, for r: r is such a run, or a scrape that a run's code makes waits for
// r. A run that has ended waits for nothing, whatever goes on with its context.
// The caller holds the table's lock.
func (r *run) waitsFor(collector model.Collector, seen map[*run]bool) bool {
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
	return slices.ContainsFunc(waiting, func(s *Subscription) bool { return s.within.waitsFor(collector, seen) })
}

// scrapes returns the subscriptions that wait for the run.
func (r *run) scrapes() []*Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.subs))
}

// within returns the run whose code makes a scrape with the context, or nil if
// none does. The run is found by the context or, if the collector has made a
// context of its own, by the goroutine: the collector's or one that it has
// started.
func (t *table) within(ctx context.Context) *run {
	if r, ok := ctx.Value(runKey{}).(*run); ok && !t.hasEnded(r) {
		return r
	}
	if !t.busy() {
		return nil
	}
	ids := goroutineAndCreator() // too slow to hold the lock meanwhile
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		for _, q := range t.queues {
			if q.current != nil && q.current.isRunBy(id) {
				return q.current
			}
		}
	}
	return nil
}

func (t *table) hasEnded(r *run) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return r.done
}

// busy reports whether any collector runs.
func (t *table) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		if q.current != nil {
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

// ended removes a run that has ended, and starts the next.
func (t *table) ended(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := r.of
	if q.current = q.next; q.current != nil {
		q.next = nil
		if len(q.current.scrapes()) > 0 {
			q.current.start()
		} else {
			q.current.cancel()
			q.current = nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.took = true, time.Since(r.started)
	if r.abandons != nil {
		r.abandons.Stop()
	}
	r.change()
	q.reading++
	t.keep(r)
	t.release(r)
}

// left removes a scrape from a run that it no longer reads.
func (t *table) left(r *run, s *Subscription) {
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

// release drops the families of an ended run once no scrape reads them, and the
// collector once it has no runs. The caller holds the table's lock and the
// run's.
func (t *table) release(r *run) {
	q := r.of
	if !r.done || len(r.subs) > 0 || q.kept == r {
		return
	}
	r.retain(-r.size)
	q.reading--
	r.size, r.items = 0, nil
	if q.current == nil && q.next == nil && q.reading == 0 {
		delete(t.queues, q.collector)
	}
}

// keep keeps a run that has just ended, if its scrapes allow that and all of it can
// be read again. The caller holds the table's lock and the run's.
func (t *table) keep(r *run) {
	rest := r.coalesce - time.Since(r.started)
	if q := r.of; rest > 0 && q.current == nil && !r.unwanted && r.emitted == len(r.items) {
		q.kept = r
		r.forget = time.AfterFunc(rest, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if q.kept == r {
				t.drop(r)
			}
		})
	}
}

// drop ends the keeping of a queue's kept run, nil if it has none. The caller holds
// the table's lock.
func (t *table) drop(r *run) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget.Stop()
	r.of.kept = nil
	t.release(r)
}

// Hung reports whether a run of the collector has lasted longer than any of its
// scrapes may take.
func Hung(c model.Collector) bool {
	runs.mu.Lock()
	defer runs.mu.Unlock()
	q := runs.queues[c]
	if q == nil || q.current == nil {
		return false
	}
	r := q.current
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.started) >= r.patience
}
