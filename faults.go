package telltale

// Faults of a registry: counting them, telling the error hook or the log, reporting
// misuse of instruments.

import (
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/gather"
)

// faults counts a registry's faults and tells its hook or, without one, the log. It
// is a [gather.Account].
type faults struct {
	hook   atomic.Pointer[func(error)] // nil means the log
	strict bool
	counts [len(reasons)]atomic.Uint64 // by the reasons' places
	log    faultLog

	scrapes atomic.Uint64
	stuck   atomic.Int64 // calls of the hook or the log that last longer than hookPatience

	mu      sync.Mutex
	inHook  map[uint64]bool // goroutines that are in the hook
	records records
}

// hookPatience is how long the code that has a fault waits for the error hook or the
// log.
const hookPatience = time.Second

// setHook replaces the hook; nil means the log.
func (f *faults) setHook(hook func(error)) {
	if hook == nil {
		f.hook.Store(nil)
		return
	}
	f.hook.Store(&hook)
}

// Count adds n faults of a collector without telling anybody.
func (f *faults) Count(reason gather.Reason, c Collector, n uint64) {
	f.count(Reason(reason), n)
	f.ofCollector(c, n)
}

// Report counts a fault of a collector and tells the hook. It reports whether there is
// a hook, or strict mode makes the fault an error.
func (f *faults) Report(fault gather.Fault) (told bool) {
	f.ofCollector(fault.Source, 1)
	return f.report(faultOf(fault))
}

// Log logs a fault of a collector that was reported, if a line is due.
func (f *faults) Log(fault gather.Fault) { f.logIfDue(faultOf(fault)) }

// Ran records how a collector's run went.
func (f *faults) Ran(c Collector, o gather.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records.ran(c, o)
}

// ofCollectors returns the statistics of custom collectors.
func (f *faults) ofCollectors() []CollectorStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.records.list()
}

func (f *faults) ofCollector(c Collector, n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records.failed(c, n)
}

// faultOf returns a fault as the hook gets it.
func faultOf(f gather.Fault) *Fault {
	return &Fault{Reason: Reason(f.Reason), Collector: f.Collector, Family: f.Family, Err: f.Err}
}

func (f *faults) count(reason Reason, n uint64) {
	if place, ok := places[reason]; ok {
		f.counts[place].Add(n)
	}
}

// report counts a fault of collecting and tells it to the hook. It reports whether
// there is a hook, or strict mode makes the fault an error.
func (f *faults) report(fault *Fault) (told bool) {
	f.count(fault.Reason, 1)
	hook := f.hook.Load()
	if hook != nil {
		f.tell(func() { f.call(*hook, fault) })
	}
	return hook != nil || f.strict
}

// logIfDue logs a fault if a line of its kind is due.
func (f *faults) logIfDue(fault *Fault) {
	if f.stuck.Load() > 0 {
		return
	}
	if unlogged, due := f.log.due(fault.kind()); due {
		f.tell(func() { fault.log(unlogged) })
	}
}

// tell makes a call to the hook or the log on a goroutine of its own: one that
// blocks, panics or ends its goroutine must not take down a scrape, and one that
// needs a lock which the caller holds must not wait for ever. While a call blocks,
// tell makes no others.
func (f *faults) tell(call func()) {
	if f.stuck.Load() > 0 {
		return
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		defer func() { _ = recover() }()
		call()
	}()
	timer := time.NewTimer(hookPatience)
	defer timer.Stop()
	select {
	case <-called:
	case <-timer.C:
		f.stuck.Add(1)
		go func() {
			<-called
			f.stuck.Add(-1)
		}()
	}
}

// call calls the hook, unless the goroutine is in it already: a hook that misuses an
// instrument would call itself without end.
func (f *faults) call(hook func(error), fault *Fault) {
	id := gather.GoroutineID()
	f.mu.Lock()
	if f.inHook[id] {
		f.mu.Unlock()
		return
	}
	if f.inHook == nil {
		f.inHook = make(map[uint64]bool)
	}
	f.inHook[id] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.inHook, id)
	}()
	hook(fault)
}

// misuse counts a fault of using an instrument and tells it to the hook, on the
// caller's goroutine, or to the log. The fault is described only for a hook, a log line
// or strict mode.
func (f *faults) misuse(reason Reason, family string, describe func() error) {
	f.count(reason, 1)
	hook := f.hook.Load()
	if hook == nil && !f.strict {
		f.logMisuse(reason, family, describe)
		return
	}
	fault := &Fault{Reason: reason, Family: family, Err: describe()}
	if hook != nil {
		func() {
			defer func() { _ = recover() }() // a hook that panics must not take the caller down
			f.call(*hook, fault)
		}()
	}
	if f.strict {
		panic(fault)
	}
}

// logMisuse logs a misuse if a line of its kind is due.
func (f *faults) logMisuse(reason Reason, family string, describe func() error) {
	if f.stuck.Load() > 0 {
		return
	}
	if unlogged, due := f.log.due(faultKind{reason, family}); due {
		fault := &Fault{Reason: reason, Family: family, Err: describe()}
		f.tell(func() { fault.log(unlogged) })
	}
}

// reporting reports a misuse. It calls describe only if the description is needed.
type reporting func(reason Reason, describe func() error)

// reporter reports the misuse of an instrument to the first registry that held
// it.
type reporter struct {
	subject string // the name of the instrument's family
	account atomic.Pointer[faults]
}

// fault reports a misuse: the registry counts it and tells its error hook or the
// log. In strict mode it panics.
func (r *reporter) fault(reason Reason, describe func() error) {
	if f := r.account.Load(); f != nil {
		f.misuse(reason, r.subject, describe)
	}
}

// reportTo has faults counted by a registry unless another has them.
func (r *reporter) reportTo(f *faults) { r.account.CompareAndSwap(nil, f) }

// stopReporting ends reportTo.
func (r *reporter) stopReporting(f *faults) { r.account.CompareAndSwap(f, nil) }

// snapshot returns the faults counted, by reason, without reasons that have none.
func (f *faults) snapshot() map[Reason]uint64 {
	counted := make(map[Reason]uint64)
	for place, reason := range reasons {
		if n := f.counts[place].Load(); n > 0 {
			counted[reason] = n
		}
	}
	return counted
}
