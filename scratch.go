package telltale

// Memory that walks over series share.

import (
	"slices"
	"sync"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// scratch is what the points of an instrument refer to while they are visited.
// Walks hand it on to each other, so that scraping many families allocates no
// more than scraping few.
type scratch struct {
	histogram model.HistogramValue
	native    model.NativeHistogram
	summary   model.SummaryValue
	states    []model.State
	now       time.Time // of the walk, once a series asked for it

	snapshot, work exponential.Snapshot

	functions bool // the walk calls the series' functions

	take    func([]model.Scalar) error // nil if the walk's visitor takes points alone
	scalars [scalarsAtOnce]model.Scalar
	read    int // how many of them wait to be taken
	used    int // how many have ever been in this walk
}

// scalarsAtOnce is how many scalars are handed out together, so many that a call for
// them does not matter and so few that they stay in the fastest cache.
const scalarsAtOnce = 32

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// put gives the scratch to the next walk, which must not keep texts of this one's.
func (s *scratch) put() {
	clear(s.scalars[:min(max(s.used, s.read)+1, len(s.scalars))])
	s.take, s.read, s.used = nil, 0, 0
	scratches.Put(s)
}

// full reports whether no more scalars can be read.
func (s *scratch) full() bool { return s.read == len(s.scalars) }

// pass hands out the scalars that were read.
func (s *scratch) pass() error {
	n := s.read
	if s.read = 0; n == 0 {
		return nil
	}
	s.used = max(s.used, n)
	return s.take(s.scalars[:n])
}

// point returns a point with room for what the definition's series have.
func (s *scratch) point(d *definition) (p model.Point) {
	s.now = time.Time{}
	switch d.typ {
	case model.Histogram:
		p.Histogram = &s.histogram
		if s.histogram.Native = nil; d.native != nil {
			s.histogram.Native = &s.native
		}
	case model.Summary:
		p.Summary = &s.summary
	case model.StateSet:
		s.states = slices.Grow(s.states[:0], len(d.states))
		p.States = s.states
	}
	return p
}
