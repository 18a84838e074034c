package lines

import (
	"errors"
	"fmt"
	"strings"

	"telltale/model"
)

// Drop reports something that was not written because the format cannot hold it,
// or that was written although the format reserves the name or escaping joined
// labels ([Reason.Written]).
type Drop struct {
	Family string // its name in the model
	Sample string // the name of the sample, or "" for the whole family
	Reason Reason
}

// Reason says why something was dropped.
type Reason uint8

// The reasons. Exemplars, units and created times that a format can never hold
// are left out without a report.
const (
	NoName            Reason = iota + 1 // a family or a sample without a name
	ClashingName                        // escaping made a name of the family equal to one of a family before it
	LooseSample                         // a sample that does not fit its family's type
	LongExemplar                        // an exemplar's labels have more than 128 characters
	MisplacedExemplar                   // an exemplar where the format has no place for one, such as above the bound of its bucket
	UnfitSum                            // a sum that is NaN or negative, beside negative bounds, or without a count
	UnfitCount                          // a count that is no number, below zero, below that of the bucket before, not that of the bucket +Inf, or not whole where it must be
	UnfitNative                         // a native histogram with a schema that the format lacks, or whose buckets contradict its spans
	UntimedExemplar                     // an exemplar without a timestamp
	NoCount                             // a histogram or summary whose count, or summary whose sum, is not known
	UnfitQuantile                       // a quantile's value below zero
	MoreExemplars                       // a second exemplar where the format has a place for one
	ReservedName                        // a family's name begins with an underscore; it is written
	ReservedLabel                       // a label's name begins with an underscore; it is written
	ClashingSeries                      // escaping gave the series the labels of another one of its family
	UnfitTotal                          // a counter's total that is NaN or below zero
	JoinedLabels                        // escaping gave two labels of a series one name; they are written as one, with both values
)

var reasons = [...]string{
	NoName:            "it has no name",
	ClashingName:      "its escaped name belongs to another family",
	LooseSample:       "the sample does not fit the family's type",
	LongExemplar:      "the exemplar's labels have more than 128 characters",
	MisplacedExemplar: "the format has no place for an exemplar here",
	UnfitSum:          "the format has no place for a sum that is NaN or negative, beside negative bounds, or without a count",
	UnfitCount:        "a count is no number that the format can hold, or less than that of the bucket before",
	UnfitNative:       "the format has no place for its schema, or its buckets contradict its spans",
	UntimedExemplar:   "the exemplar has no timestamp",
	NoCount:           "its count or its sum is not known",
	UnfitQuantile:     "the value of a quantile is negative, which the format forbids",
	MoreExemplars:     "the format has a place for one exemplar here, and there are more",
	ReservedName:      "its name begins with an underscore, which the format reserves",
	ReservedLabel:     "a label's name begins with an underscore, which the format reserves",
	ClashingSeries:    "its escaped labels are those of another series",
	UnfitTotal:        "the format has no place for a total that is NaN or below zero",
	JoinedLabels:      "two labels of a series have the same name, or get it by escaping, and are written as one",
}

// Written reports whether the item was written nevertheless.
func (r Reason) Written() bool {
	return r == ReservedName || r == ReservedLabel || r == JoinedLabels
}

// loses reports whether something is not on the page as it is: names that the format
// reserves are.
func (r Reason) loses() bool { return r != ReservedName && r != ReservedLabel }

// String returns the reason in words.
func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasons) {
		return "unknown reason"
	}
	return reasons[r]
}

// longestName is the number of bytes of a name that a description has.
const longestName = 1 << 10

// Shortened returns a copy of a name, cut to 1 KiB: sources may reuse their memory, and
// names may come from outside.
func Shortened(name string) string {
	if len(name) > longestName {
		return strings.ToValidUTF8(name[:longestName], "") + "..."
	}
	return strings.Clone(name)
}

// Describe returns what was dropped from a page in a format, in words.
func Describe(d Drop, format string) string {
	what := fmt.Sprintf("family %q", Shortened(d.Family))
	if d.Sample != "" {
		what = fmt.Sprintf("sample %q of %s", Shortened(d.Sample), what)
	}
	verb := "was left out of"
	if d.Reason.Written() {
		verb = "is on"
	}
	return fmt.Sprintf("%s %s a page in %s: %s", what, verb, format, d.Reason)
}

// Passing returns a function for encoders that passes on what a page in the format does
// not hold as it is, as something of which the program is to be told, or not. Names that
// are written although the format reserves them are not passed on.
func Passing(format string, tell bool, report func(family string, tell bool, err func() error)) func(Drop) {
	return func(d Drop) {
		if d.Reason.loses() {
			report(Shortened(d.Family), tell, func() error { return errors.New(Describe(d, format)) })
		}
	}
}

// Drop reports that samples of a part of the family being written are dropped
// or, without a part, the family.
func (p *Page) Drop(part model.Parts, r Reason) {
	if p.dropped == nil {
		return
	}
	sample := ""
	if part != 0 {
		sample = p.family.NameOf(part)
	}
	p.report(sample, r)
}

// tellJoined reports a family of which labels were printed as one.
func (p *Page) tellJoined() {
	if p.names.joined {
		p.Drop(0, JoinedLabels)
	}
}

func (p *Page) report(sample string, r Reason) {
	if p.dropped != nil {
		p.dropped(Drop{Family: p.family.Name, Sample: sample, Reason: r})
	}
}
