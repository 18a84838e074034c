package model

import "fmt"

// Type is the type of a metric family, as OpenMetrics 1.0 lists them
// (section "Metric Types"). The zero value is Unknown.
type Type uint8

// The eight types.
const (
	Unknown        Type = iota // a number of unknown meaning; "untyped" in text 0.0.4
	Counter                    // increases from 0, and may restart from 0
	Gauge                      // any number
	Summary                    // count, sum, and perhaps quantiles
	Histogram                  // count, sum and buckets of observations
	GaugeHistogram             // a histogram whose buckets may decrease
	Info                       // labels that describe, with the value 1
	StateSet                   // a set of named booleans
	numTypes
)

var typeNames = [numTypes]string{"unknown", "counter", "gauge", "summary", "histogram", "gaugehistogram", "info", "stateset"}

// Types returns all types in a fixed order.
func Types() []Type {
	all := make([]Type, numTypes)
	for i := range all {
		all[i] = Type(i)
	}
	return all
}

// String returns the OpenMetrics name of the type.
func (t Type) String() string {
	if t.Valid() {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// Valid reports whether t is one of the eight types.
func (t Type) Valid() bool { return t < numTypes }

// ParseType reads the name of a type; "untyped", the word of text 0.0.4, reads
// as Unknown.
func ParseType(name string) (Type, error) {
	if name == "untyped" {
		return Unknown, nil
	}
	for t, n := range typeNames {
		if n == name {
			return Type(t), nil
		}
	}
	return Unknown, fmt.Errorf("model: invalid metric type %q", name)
}

// Parts is a set of the kinds of sample that a family can have.
// [Family.Restrict] leaves a family with some of them.
type Parts uint16

// The kinds of sample, with the suffix that each adds to the family's name.
const (
	PartValue   Parts             = 1 << iota // no suffix: gauge, unknown, stateset, and a summary's quantiles
	PartTotal                                 // _total
	PartCreated                               // _created
	PartBucket                                // _bucket
	PartCount                                 // _count
	PartSum                                   // _sum
	PartGCount                                // _gcount
	PartGSum                                  // _gsum
	PartInfo                                  // _info
	AllParts    = PartInfo<<1 - 1             // every kind
)

// partSuffixes lists the parts in the order of their bits.
var partSuffixes = [...]string{"", "_total", "_created", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"}

var typeParts = [numTypes]Parts{
	Unknown:        PartValue,
	Counter:        PartTotal | PartCreated,
	Gauge:          PartValue,
	Summary:        PartValue | PartCount | PartSum | PartCreated,
	Histogram:      PartBucket | PartCount | PartSum | PartCreated,
	GaugeHistogram: PartBucket | PartGCount | PartGSum,
	Info:           PartInfo,
	StateSet:       PartValue,
}

// Parts returns the kinds of sample that a family of this type can have.
func (t Type) Parts() Parts {
	if t.Valid() {
		return typeParts[t]
	}
	return PartValue
}

// Suffix returns the suffix that a single part adds to the family's name.
func (p Parts) Suffix() string {
	for i, s := range partSuffixes {
		if p == 1<<i {
			return s
		}
	}
	return ""
}

// Each calls visit with every single part of the set, in a fixed order.
func (p Parts) Each(visit func(Parts)) {
	for i := range partSuffixes {
		if one := Parts(1 << i); p&one != 0 {
			visit(one)
		}
	}
}
