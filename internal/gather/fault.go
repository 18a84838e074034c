package gather

import (
	"fmt"
	"slices"
)

// Reason is the kind of a [Fault], one word. Callers have further ones of their
// own.
type Reason string

// The reasons of faults of a run.
const (
	ReasonError          Reason = "error"           // the collector returned an error
	ReasonPanic          Reason = "panic"           // it panicked
	ReasonDeadline       Reason = "deadline"        // a family's source took longer than a scrape may
	ReasonLate           Reason = "late"            // it called emit after Collect had returned
	ReasonInvalidFamily  Reason = "invalid_family"  // it emitted a family that is not valid
	ReasonRepeatedSeries Reason = "repeated_series" // it emitted a series twice
)

// Fault is one thing that went wrong while a collector ran. What it names was
// left out.
type Fault struct {
	Reason    Reason
	Collector string // described
	Family    string // "" where it is not known
	Err       error
}

// Account counts the faults of collecting, and tells of them.
type Account interface {
	// Count adds n faults that are not told of.
	Count(reason Reason, n uint64)
	// Report adds one fault and tells of it.
	Report(Fault)
}

// Accounts are all accounts that one collector's faults belong to.
type Accounts []Account

// With returns the accounts and one more, unless it is among them.
func (a Accounts) With(one Account) Accounts {
	if slices.Contains(a, one) {
		return a
	}
	return append(slices.Clip(a), one)
}

// Count has each account count n faults.
func (a Accounts) Count(reason Reason, n uint64) {
	for _, account := range a {
		account.Count(reason, n)
	}
}

// Report has each account count the fault and tell of it.
func (a Accounts) Report(f Fault) {
	for _, account := range a {
		account.Report(f)
	}
}

// mostTold is how many faults of one reason are told of one collector in one
// collection. A collector may have as many as it has series.
const mostTold = 10

// Tally counts the faults of one collector in one collection, by reason. The zero
// Tally is empty and ready to use.
type Tally map[Reason]uint64

// Add counts a fault. It reports whether to tell of it, which is so for the first
// ten of each reason; the last of those says that more are only counted.
func (t *Tally) Add(f *Fault) (told bool) {
	if *t == nil {
		*t = make(Tally)
	}
	(*t)[f.Reason]++
	n := (*t)[f.Reason]
	if n == mostTold {
		f.Err = fmt.Errorf("%w (more of the reason %q are only counted)", f.Err, f.Reason)
	}
	return n <= mostTold
}

// untold returns how many faults were only counted.
func (t Tally) untold() (rest Tally) {
	for reason, n := range t {
		if n > mostTold {
			if rest == nil {
				rest = make(Tally)
			}
			rest[reason] = n - mostTold
		}
	}
	return rest
}
