package telltale

// What a fault is, and its reasons.

import (
	"fmt"
	"strings"
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
	ReasonLabelClash     Reason = "label_clash"     // a series has a label twice or one that it cannot have, or has a label that a view adds
	ReasonTargetInfo     Reason = "target_info"     // target labels are not valid
	ReasonStore          Reason = "store"           // what other processes share could not be read
	ReasonFormat         Reason = "format"          // the format of a page could not hold something, or escaping made names equal

	ReasonNegative     Reason = "negative"      // a counter was to be decreased
	ReasonNaN          Reason = "nan"           // a counter was to be increased by NaN
	ReasonArity        Reason = "arity"         // the wrong number of label values
	ReasonUnknownLabel Reason = "unknown_label" // a label name that is missing or not declared
	ReasonInvalidUTF8  Reason = "invalid_utf8"  // a label value was mended
	ReasonOversized    Reason = "oversized"     // a label value was cut off
	ReasonUnknownState Reason = "unknown_state" // an enum has no such state
	ReasonExemplar     Reason = "exemplar"      // exemplar labels are not valid
	ReasonSeriesLimit  Reason = "series_limit"  // there was no room for a new series
)

// reasons are all reasons, each at the place where it is counted: those of
// collecting, then those of using instruments.
var reasons = [...]Reason{
	ReasonError, ReasonPanic, ReasonDeadline, ReasonStillRunning, ReasonLate, ReasonRecursion, ReasonInvalidFamily,
	ReasonRepeatedFamily, ReasonRepeatedSeries, ReasonLabelClash, ReasonTargetInfo, ReasonStore, ReasonFormat,

	ReasonNegative, ReasonNaN, ReasonArity, ReasonUnknownLabel, ReasonInvalidUTF8, ReasonOversized,
	ReasonUnknownState, ReasonExemplar, ReasonSeriesLimit,
}

// places are the indexes of reasons.
var places = func() map[Reason]int {
	m := make(map[Reason]int, len(reasons))
	for i, reason := range reasons {
		m[reason] = i
	}
	return m
}()

// isMisuse reports whether the reason is one of using instruments.
func (r Reason) isMisuse() bool { return places[r] >= places[ReasonNegative] }

// Fault is an error that stops nothing. What it names was left out, repaired or
// ignored; it is counted, and passed to the registry's error hook or logged
// ([WithErrorHook]).
type Fault struct {
	Reason    Reason
	Collector string // its type and, if known, one of its names; "" for misuse of an instrument
	Family    string // "" where it is not known
	Err       error  // the cause
}

// longestFault is how many bytes of a fault's description are given. It may have names
// and label values in it that clients choose.
const longestFault = 16 << 10

// Error describes the fault, in 16 KiB at most.
func (f *Fault) Error() string { return bounded(f.describe()) }

// bounded cuts a text of a fault to longestFault bytes.
func bounded(text string) string {
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
