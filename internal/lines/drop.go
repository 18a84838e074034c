package lines

import "telltale/model"

// Drop reports something that was not written because the format cannot hold it,
// or that was written although the format reserves the name ([Reason.Written]).
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
	ClashingName                        // escaping gave the family the name of one before it
	LooseSample                         // a sample that does not fit its family's type
	LongExemplar                        // an exemplar's labels have more than 128 characters
	MisplacedExemplar                   // an exemplar where the format has no place for one
	UnfitSum                            // a sum that is NaN or negative, beside negative bounds, or without a count
	UnfitCount                          // a count that is no number, below zero, or not whole where it must be
	UnfitNative                         // a native histogram with a schema that the format lacks, or whose buckets contradict its spans
	UntimedExemplar                     // an exemplar without a timestamp
	NoCount                             // a histogram or summary whose count, or summary whose sum, is not known
	UnfitQuantile                       // a quantile's value below zero
	MoreExemplars                       // a second exemplar where the format has a place for one
	ReservedName                        // a family's name begins with an underscore; it is written
	ReservedLabel                       // a label's name begins with an underscore; it is written
)

var reasons = [...]string{
	NoName:            "it has no name",
	ClashingName:      "its escaped name belongs to another family",
	LooseSample:       "the sample does not fit the family's type",
	LongExemplar:      "the exemplar's labels have more than 128 characters",
	MisplacedExemplar: "the format has no place for an exemplar here",
	UnfitSum:          "the format has no place for a sum that is NaN or negative, beside negative bounds, or without a count",
	UnfitCount:        "the count is no number that the format can hold",
	UnfitNative:       "the format has no place for its schema, or its buckets contradict its spans",
	UntimedExemplar:   "the exemplar has no timestamp",
	NoCount:           "its count or its sum is not known",
	UnfitQuantile:     "the value of a quantile is negative, which the format forbids",
	MoreExemplars:     "the format has a place for one exemplar here, and there are more",
	ReservedName:      "its name begins with an underscore, which the format reserves",
	ReservedLabel:     "a label's name begins with an underscore, which the format reserves",
}

// Written reports whether the item was written nevertheless.
func (r Reason) Written() bool { return r == ReservedName || r == ReservedLabel }

// String returns the reason in words.
func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasons) {
		return "unknown reason"
	}
	return reasons[r]
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

func (p *Page) report(sample string, r Reason) {
	if p.dropped != nil {
		p.dropped(Drop{Family: p.family.Name, Sample: sample, Reason: r})
	}
}
