package gather

import (
	"fmt"
	"slices"
	"time"

	"telltale/model"
)

// Reason is the kind of a [Fault], one word. Callers may have more kinds.
type Reason string

// The reasons of faults of a run.
const (
	ReasonError          Reason = "error"           // the collector returned an error
	ReasonPanic          Reason = "panic"           // the collector panicked
	ReasonDeadline       Reason = "deadline"        // a family's source took longer than a scrape may take
	ReasonLate           Reason = "late"            // the collector called emit after Collect had returned
	ReasonInvalidFamily  Reason = "invalid_family"  // the collector emitted a family that is not valid
	ReasonRepeatedSeries Reason = "repeated_series" // the collector emitted a series twice
	ReasonLabelClash     Reason = "label_clash"     // the collector emitted a series with a label twice, or with one that is not its to have
)

// Fault is an error of a collector's run. The family or series that it names was
// left out.
type Fault struct {
	Reason    Reason
	Source    model.Collector // that ran; nil for a step that runs none
	Collector string          // the collector's name
	Family    string          // "" where it is not known
	Err       error
}

// Outcome says how a run went for a scrape.
type Outcome struct {
	Whole    bool          // nothing of it was left out
	Read     bool          // the scrape had a run to read; else Took and Families say nothing
	Took     time.Duration // until it ended or the scrape gave up
	Families int           // that it emitted until then
}

// Account counts and reports the faults of collecting.
type Account interface {
	// Count adds n faults of a collector that are not reported.
	Count(reason Reason, source model.Collector, n uint64)
	// Report adds one fault and tells the program, and reports whether it could.
	Report(Fault) (told bool)
	// Log logs a fault that Report has added.
	Log(Fault)
	// Ran notes how a collector's run went.
	Ran(source model.Collector, o Outcome)
}

// Accounts are all accounts to which one collector's faults belong, the outermost
// first.
type Accounts []Account

// With returns the accounts and one more, unless it is among them.
func (a Accounts) With(one Account) Accounts {
	if slices.Contains(a, one) {
		return a
	}
	return append(slices.Clip(a), one)
}

// Count makes each account count n faults.
func (a Accounts) Count(reason Reason, source model.Collector, n uint64) {
	for _, account := range a {
		account.Count(reason, source, n)
	}
}

// Report makes each account count and report the fault. If none can tell the
// program, the first logs it.
func (a Accounts) Report(f Fault) {
	told := false
	for _, account := range a {
		told = account.Report(f) || told
	}
	if !told && len(a) > 0 {
		a[0].Log(f)
	}
}

// Ran makes each account note how a run went.
func (a Accounts) Ran(source model.Collector, o Outcome) {
	for _, account := range a {
		account.Ran(source, o)
	}
}

// mostTold is the most faults of one reason that one collection reports for one
// collector. A collector may have as many faults as series.
const mostTold = 10

// Tally counts the faults of one collector in one collection, by reason. The zero
// Tally is empty and ready to use.
type Tally map[Reason]uint64

// Add counts a fault. It reports whether the fault should be reported, as the
// first ten of each reason should; the text of the tenth says that more are only
// counted.
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

// untold returns the numbers of faults that were counted but not reported.
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
