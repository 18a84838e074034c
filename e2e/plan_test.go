package e2e

import (
	"math"
	"strings"
)

// A plan is the content of a registry, described by types of this package alone.
// Telltale is built from it in one place (build_test.go) and the expected
// reading is derived from it in another (expect_test.go), so that a fault of
// telltale's model cannot hide itself.
type plan struct {
	seed     uint64
	families []familyPlan
}

// source is the way by which a family comes into the registry.
type source int

const (
	built      source = iota // a custom collector with a builder of model
	flat                     // a custom collector with AddSample
	instrument               // an instrument of the registry
	target                   // the registry's target info
)

func (s source) String() string { return [...]string{"built", "flat", "instrument", "target"}[s] }

type familyPlan struct {
	index   int
	source  source
	typ     string // as OpenMetrics names it
	given   string // the name telltale is given, perhaps without the unit or with _total
	name    string // the name in OpenMetrics
	literal bool   // a counter whose samples bear the family's name
	help    string
	unit    string
	consts  []label // constant labels of an instrument, sorted; part of every series' labels
	series  []seriesPlan

	// unlawful says what OpenMetrics forbids here, "" for nothing. Its pages are
	// without such values, which other formats have.
	unlawful string
}

type label struct{ name, value string }

// A moment is a time in nanoseconds since the epoch. Instruments take their own
// times; all that is known of those is that they are recent.
type moment struct {
	ns     int64
	recent bool
}

type seriesPlan struct {
	labels   []label
	at       *moment
	created  *moment
	value    float64 // of counters, gauges and unknowns
	exemplar *exemplarPlan

	buckets      []bucketPlan
	count, sum   *float64 // nil: there is none
	quantiles    []quantilePlan
	states       []statePlan
	info         []label
	observations []float64 // what an instrument is fed
}

type exemplarPlan struct {
	labels []label
	value  float64
	at     *moment
}

type bucketPlan struct {
	upper, cumulative float64
	exemplar          *exemplarPlan
}

type quantilePlan struct{ q, v float64 }

type statePlan struct {
	name string
	on   bool
}

// everyExemplar visits the family's exemplars.
func (f *familyPlan) everyExemplar(visit func(*exemplarPlan)) {
	for i := range f.series {
		s := &f.series[i]
		if s.exemplar != nil {
			visit(s.exemplar)
		}
		for j := range s.buckets {
			if s.buckets[j].exemplar != nil {
				visit(s.buckets[j].exemplar)
			}
		}
	}
}

// anyTime reports whether a timestamp of a sample or, if asked, of an exemplar
// fits the condition.
func (f *familyPlan) anyTime(exemplars bool, fits func(ns int64) bool) bool {
	found := false
	for _, s := range f.series {
		found = found || s.at != nil && !s.at.recent && fits(s.at.ns)
	}
	if exemplars {
		f.everyExemplar(func(e *exemplarPlan) {
			found = found || e.at != nil && !e.at.recent && fits(e.at.ns)
		})
	}
	return found
}

// anyLabelName reports whether the name of a label fits the condition; labels
// of exemplars count if asked.
func (f *familyPlan) anyLabelName(exemplars bool, fits func(name string) bool) bool {
	found := false
	look := func(labels []label) {
		for _, l := range labels {
			found = found || fits(l.name)
		}
	}
	for _, s := range f.series {
		look(s.labels)
		look(s.info)
	}
	if exemplars {
		f.everyExemplar(func(e *exemplarPlan) { look(e.labels) })
	}
	return found
}

// anyExemplarValue reports whether a label value of an exemplar fits the
// condition.
func (f *familyPlan) anyExemplarValue(fits func(value string) bool) bool {
	found := false
	f.everyExemplar(func(e *exemplarPlan) {
		for _, l := range e.labels {
			found = found || fits(l.value)
		}
	})
	return found
}

// mended returns text with invalid UTF-8 as telltale writes it.
func mended(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// lastBound returns the upper bound of the last bucket, or NaN.
func (s *seriesPlan) lastBound() float64 {
	if len(s.buckets) == 0 {
		return math.NaN()
	}
	return s.buckets[len(s.buckets)-1].upper
}

// negative reports whether there is a bucket for values below zero only.
func (s *seriesPlan) negative() bool { return len(s.buckets) > 0 && s.buckets[0].upper < 0 }

// fractional reports whether a bucket holds fractions of observations.
func (s *seriesPlan) fractional() bool {
	for _, b := range s.buckets {
		if b.cumulative != math.Trunc(b.cumulative) {
			return true
		}
	}
	return false
}
