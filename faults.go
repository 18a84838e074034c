package telltale

// Faults: counting them, telling the error hook, reporting misuse of instruments.

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"telltale/internal/gather"
)

// Reason is the kind of a [Fault].
type Reason string

// The reasons of faults: the first group is of collecting, the second of using
// instruments.
const (
	ReasonError          Reason = "error"           // a collector returned an error
	ReasonPanic          Reason = "panic"           // a collector panicked
	ReasonDeadline       Reason = "deadline"        // a collector was not done when the scrape had to be
	ReasonStillRunning   Reason = "still_running"   // a collector hangs since an earlier scrape and was not started again
	ReasonLate           Reason = "late"            // a collector emitted a family after it had returned
	ReasonRecursion      Reason = "recursion"       // a collector collects a registry that collects it
	ReasonInvalidFamily  Reason = "invalid_family"  // a family's name, type or unit is not valid
	ReasonRepeatedFamily Reason = "repeated_family" // a family's name was on the page already
	ReasonRepeatedSeries Reason = "repeated_series" // a family had a series twice
	ReasonLabelClash     Reason = "label_clash"     // a view adds a label that a series has
	ReasonTargetInfo     Reason = "target_info"     // target labels are not valid
	ReasonStore          Reason = "store"           // what other processes share could not be read

	ReasonNegative     Reason = "negative"      // a counter was to be decreased
	ReasonNaN          Reason = "nan"           // a counter was to be increased by NaN
	ReasonArity        Reason = "arity"         // the wrong number of label values
	ReasonUnknownLabel Reason = "unknown_label" // a label name that is missing or not declared
	ReasonInvalidUTF8  Reason = "invalid_utf8"  // a label value was mended
	ReasonOversized    Reason = "oversized"     // a label value was cut off
	ReasonUnknownState Reason = "unknown_state" // an enum has no such state
	ReasonExemplar     Reason = "exemplar"      // exemplar labels are not valid
)

// Fault is an error that stops nothing. What it names was left out, repaired or
// ignored; it is counted and passed to the registry's error hook.
type Fault struct {
	Reason    Reason
	Collector string // its type and, if known, one of its names; "" for misuse of an instrument
	Family    string // "" where it is not known
	Err       error  // the cause
}

// longestFault is how many bytes of a fault's description are given. It may have
// names and label values in it that somebody makes up.
const longestFault = 16 << 10

// Error describes the fault, in 16 KiB at most.
func (f *Fault) Error() string {
	text := f.describe()
	if len(text) > longestFault {
		rest := fmt.Sprintf("... (%d bytes in all)", len(text))
		text = strings.ToValidUTF8(text[:longestFault-len(rest)], "") + rest
	}
	return text
}

func (f *Fault) describe() string {
	switch {
	case f.Collector == "":
		return f.Err.Error()
	case f.Family == "":
		return fmt.Sprintf("telltale: collector %s: %v", f.Collector, f.Err)
	}
	return fmt.Sprintf("telltale: collector %s, family %q: %v", f.Collector, f.Family, f.Err)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// faults counts a registry's faults and tells them to its hook. It is a
// [gather.Account].
type faults struct {
	hook   func(error)
	strict bool

	mu     sync.Mutex
	counts map[Reason]uint64

	scrapes atomic.Uint64
	stuck   atomic.Int64 // calls of the hook that last longer than hookPatience
}

// hookPatience is how long collecting waits for a call of the error hook.
const hookPatience = time.Second

// Count adds n faults without telling the hook.
func (f *faults) Count(reason gather.Reason, n uint64) { f.count(Reason(reason), n) }

// Report counts a fault of a collector and tells the hook.
func (f *faults) Report(fault gather.Fault) { f.report(faultOf(fault)) }

// faultOf returns a fault as the hook gets it.
func faultOf(f gather.Fault) *Fault {
	return &Fault{Reason: Reason(f.Reason), Collector: f.Collector, Family: f.Family, Err: f.Err}
}

func (f *faults) count(reason Reason, n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = make(map[Reason]uint64)
	}
	f.counts[reason] += n
}

// report counts a fault of collecting and tells it to the hook, on a goroutine of
// its own: a hook that blocks, panics or ends its goroutine must not take a
// scrape down. While a call blocks faults are only counted.
func (f *faults) report(fault *Fault) {
	f.count(fault.Reason, 1)
	if f.hook == nil || f.stuck.Load() > 0 {
		return
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		defer func() { _ = recover() }()
		f.hook(fault)
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

// misuse counts a fault of using an instrument and tells it to the hook, on the
// caller's goroutine. The fault is described only if somebody is told.
func (f *faults) misuse(reason Reason, family string, describe func() error) {
	f.count(reason, 1)
	if f.hook == nil && !f.strict {
		return
	}
	fault := &Fault{Reason: reason, Family: family, Err: describe()}
	if f.hook != nil {
		func() {
			defer func() { _ = recover() }() // a hook that panics must not take the caller down
			f.hook(fault)
		}()
	}
	if f.strict {
		panic(fault)
	}
}

// reporting reports a misuse. It calls describe only if somebody is told.
type reporting func(reason Reason, describe func() error)

// reporter reports the misuse of an instrument to the first registry that held
// it.
type reporter struct {
	subject string // the name of the instrument's family
	account atomic.Pointer[faults]
}

// fault reports a misuse: the registry counts it and tells its error hook. In strict
// mode it panics.
func (r *reporter) fault(reason Reason, describe func() error) {
	if f := r.account.Load(); f != nil {
		f.misuse(reason, r.subject, describe)
	}
}

// reportTo has faults counted by a registry unless another has them.
func (r *reporter) reportTo(f *faults) { r.account.CompareAndSwap(nil, f) }

// stopReporting ends reportTo.
func (r *reporter) stopReporting(f *faults) { r.account.CompareAndSwap(f, nil) }

func (f *faults) snapshot() map[Reason]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}
