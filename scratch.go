package telltale

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
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

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
