package gather

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telltale/model"
)

// What scrapes, runs and loans hold of each other. The other files have what each of
// them does.

// defaultPatience is the time after which a run counts as hung, if its scrapes
// have neither a deadline nor a server with a limit. Without such a limit it
// also bounds how long a run goes on without scrapes, and how long a scrape may
// read a lent family.
const defaultPatience = time.Minute

// Scrape is one collection of a page, for its custom collectors. One goroutine
// uses it.
type Scrape struct {
	ctx      context.Context //nolint:containedctx // of the scrape
	patience time.Duration   // it does not wait for older runs
	served   bool            // the patience is a server's limit
	fresh    bool            // it shares no run that has begun before it
	within   *run            // the run whose code makes the scrape; nil for most scrapes
	looked   bool            // within has been looked up
}

// Subject names a collector in faults.
type Subject interface{ Name() string }

// Request names the collector that a scrape runs, and what it wants of it.
type Request struct {
	Collector model.Collector // of a type that == can compare
	Subject   Subject         // its name in faults
	Wanted    Names           // names to which a model.Restrictor is restricted; nil means all
	Accounts  Accounts        // the accounts of its faults
	Room      Room            // for copies of its families
	Coalesce  time.Duration   // a run may have begun that long ago though it has ended; zero or less: it may not
}

// Subscription is a scrape's part in a collector's run. One goroutine uses it.
type Subscription struct {
	*Scrape
	Request

	run      *run
	joined   bool      // run had started before
	hung     time.Time // the time at which the run that had started before counts as hung
	position int       // in the run's items
	borrowed *borrower // the loan that the scrape reads now; nil if there is none
	slow     error     // the error of a scrape that was cut off

	unheard   Accounts // accounts to which neither missed nor uncounted was reported
	missed    []Fault
	uncounted Tally
}

// queue is the runs of one collector. Its fields but held are guarded by the
// table's lock.
type queue struct {
	collector model.Collector
	current   *run         // the run in progress
	next      *run         // the run to start when current ends; nil if no scrape waits for one
	reading   int          // number of ended runs whose families are kept or scrapes still read
	kept      *run         // the last run, while later scrapes may read it; nil while another is in progress
	held      atomic.Int64 // bytes of copies that its runs keep for scrapes
}

var (
	errLate     = errors.New("emit was called after Collect had returned")
	errUnwanted = errors.New("telltale: no scrape waits for the collector any more")
)

// run is one collection of a custom collector. Overlapping scrapes share it.
type run struct {
	of       *queue
	subject  Subject
	ctx      context.Context
	cancel   context.CancelFunc
	wanted   Names     // a restriction of a model.Restrictor; nil if everything is wanted
	started  time.Time // zero while it waits for the collector's current run to end
	abandons *time.Timer
	forget   *time.Timer // ends the keeping of a kept run
	ended    func(*run)  // called after the collector's code, once

	room     Room          // the room for copies of the collector's families
	coalesce time.Duration // how long after its beginning later scrapes may read it; the longest of its scrapes

	emitting chan struct{} // full while emit examines or lends a family; a collector may call it from several goroutines
	copying  chunker       // used by emit
	labels   seriesLabels  // likewise

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced at every change
	goroutines []uint64      // goroutines that run the collector's code
	accounts   Accounts      // the accounts of all its scrapes
	items      []*model.Family
	size       int                         // of items, in bytes
	lent       *loan                       // nil once all have returned it
	lentTo     map[*Subscription]*borrower // scrapes that still encode the lent family; empty until the turn of one has come
	watches    []func() bool               // stop watching scrapes that have not come to their turn
	subs       map[*Subscription]bool      // scrapes that share the run; true once it is their turn to emit its families
	deadline   time.Time                   // the latest of the scrapes; zero if one has none
	patience   time.Duration               // the longest of the scrapes: an older run is hung
	grace      time.Duration               // the longest limit of their servers, or defaultPatience, until which it goes on without scrapes
	settled    bool                        // a family was lent to a scrape, so no other can join any more
	unwanted   bool                        // no scrape is left, so none can join and emit fails
	ends       time.Time                   // the time by which it should have ended then
	done       bool
	took       time.Duration // once it is done
	emitted    int           // families
	found      []Fault       // the reported ones
	counted    Tally         // all faults
}

// runContext is a run's context: done when no scrape waits for it any more, with
// the deadline of the scrape that waits longest.
type runContext struct {
	context.Context
	run *run
}

func (c runContext) Deadline() (time.Time, bool) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	return c.run.deadline, !c.run.deadline.IsZero()
}

func (c runContext) Value(key any) any {
	switch key {
	case runKey{}:
		return c.run
	case wholeKey{}:
		return nil
	}
	return c.Context.Value(key)
}

type runKey struct{}

// loan is a family that is too large to be copied. The collector waits in emit
// while scrapes read it. A goroutine of the run walks the family for each scrape
// and passes on copies of its points, chunk by chunk, so that a failing source
// cannot harm the scrape, and a slow scrape cannot hold up the collector for
// longer than its time.
type loan struct {
	run    *run
	family *model.Family // the collector's own
	legacy bool
	walks  int // number of walks in progress; guarded by the run's lock
}

// borrower is a scrape to which a loan was made. Its fields are guarded by the
// run's lock.
type borrower struct {
	scrape  *Subscription
	cut     chan struct{} // closed when its time is over
	over    bool
	waiting bool        // it waits for the next chunk
	renewed bool        // every chunk gives it new time
	timer   *time.Timer // nil if its context is limit enough
	unwatch func() bool
}

// retainingCollectors is the number of collectors that may each keep copies up
// to the limit of a shared Room.
const retainingCollectors = 4

// Room limits the memory of copies of families.
type Room struct {
	Limit int           // for each collector, in bytes; zero or less means no copies
	Kept  *atomic.Int64 // bytes of copies of all collectors that share this counter, at most four times Limit
}

// retain reserves room for copies of size bytes, or releases it if size is
// negative. It reports whether the room sufficed; the caller must release what
// it reserved in either case.
func (r *run) retain(size int) (ok bool) {
	own, all := r.of.held.Add(int64(size)), r.room.Kept.Add(int64(size))
	return own <= int64(r.room.Limit) && all/retainingCollectors <= int64(r.room.Limit)
}

// change wakes all waiting goroutines. The caller holds the lock.
func (r *run) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// refusal returns an error if no scrape takes families any more.
func (r *run) refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusalLocked()
}

// refusalLocked is refusal for a caller who holds the lock.
func (r *run) refusalLocked() error {
	switch {
	case r.done:
		return errLate
	case r.unwanted:
		return errUnwanted
	}
	return nil
}

// guarded calls f, which is a user's code, and reports its error or panic, or
// that it ended its goroutine.
func guarded(f func() error, report func(Reason, error)) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			report(ReasonPanic, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		} else if !returned {
			report(ReasonPanic, errors.New("its goroutine was ended by runtime.Goexit"))
		}
	}()
	err := f()
	returned = true
	if err != nil {
		report(ReasonError, err)
	}
}

// enter records that the calling goroutine runs the collector's code, until
// leave is called.
func (r *run) enter() (leave func()) {
	id := GoroutineID()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.goroutines = append(r.goroutines, id)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if i := slices.Index(r.goroutines, id); i >= 0 {
			r.goroutines = slices.Delete(r.goroutines, i, i+1)
		}
	}
}

// fault counts a fault of the run in the accounts of all scrapes that share it.
func (r *run) fault(reason Reason, family string, err error) {
	f := Fault{Reason: reason, Source: r.of.collector, Collector: r.subject.Name(), Family: family, Err: err}
	r.mu.Lock()
	accounts, told := r.accounts, r.counted.Add(&f)
	if told {
		r.found = append(r.found, f)
	}
	r.mu.Unlock()
	if told {
		accounts.Report(f)
	} else {
		accounts.Count(reason, r.of.collector, 1)
	}
}
