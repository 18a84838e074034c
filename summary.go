package telltale

import (
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/internal/series"
	"telltale/model"
)

// Summary is a series with the count and the sum of observations, and with
// [WithQuantiles] quantiles of the latest. Quantiles cannot be aggregated over
// instances; the buckets of a [Histogram] can. All methods are safe for concurrent
// use, take no lock and allocate nothing in the steady state. Observe of the zero
// Summary does nothing.
type Summary struct {
	cells cell.Accumulator // the sum, then the count
	// window is nil without quantiles, and in a store.
	window atomic.Pointer[exponential.Window]
	handle[Summary]
}

// SummaryVec is a summary with labels given by position or by name.
type SummaryVec = Vec[Summary]

// SummaryOf is a summary with labels given by the struct L.
type SummaryOf[L comparable] = Of[L, Summary]

var summaries = &kind[Summary]{
	typ:   model.Summary,
	sums:  true,
	words: func(*definition) int { return 2 },
	bind: func(m *Summary, w *cell.Word, of *core[Summary]) {
		m.core = of
		m.cells.Init(w)
		m.window.Store(of.window.window())
	},
	share:  (*Summary).share,
	toHeap: (*Summary).toHeap,
	fresh:  func(m *Summary) bool { return m.Count() == 0 },
	read: func(m *Summary, p *model.Point, s *scratch) {
		p.Summary.Count, p.Summary.Sum = float64(m.Count()), m.Sum()
		p.Summary.Quantiles = m.core.window.appendTo(p.Summary.Quantiles[:0], m.window.Load(), &s.snapshot, &s.work)
		if p.Has = model.PartCount | model.PartSum; len(p.Summary.Quantiles) > 0 {
			p.Has |= model.PartValue
		}
	},
	life: life[Summary]{
		updated: func(m *Summary, of *series.Track[Summary]) bool { return accumulated(&m.cells, m.core, of) },
		leave:   func(m *Summary, of *series.Track[Summary]) (departure, bool) { return parted(&m.cells, m.core, of) },
		enter: func(m *Summary, of *series.Track[Summary]) {
			m.window.Store(m.core.window.window())
			entered(&m.cells, m.core, of)
		},
		resume: func(m *Summary, in cell.Parked) {
			m.window.Store(nil)
			m.core.shareWords(m, &m.cells, in.Row, (*cell.Lanes)(in.Kept))
		},
		pour: func(m *Summary, of *series.Track[Summary], to *Summary) {
			m.cells.Pour((*cell.Word)(of.Parked), m.core.words(), &to.cells)
		},
	},
}

// NewSummary returns the summary of that name, which it creates and registers
// unless an identical one is there. It is an error if the name or an option is
// not valid, and a [*DuplicateError] if something else holds the name.
func NewSummary(name, help string, opts ...SummaryOption) (*Summary, error) {
	return newPlain(summaries, name, help, opts)
}

// NewSummaryVec is [NewSummary] for a summary with the given label names.
func NewSummaryVec(name, help string, labels []string, opts ...SummaryOption) (*SummaryVec, error) {
	return newVec(summaries, name, help, labels, opts)
}

// NewSummaryOf is [NewSummary] for a summary whose labels are the fields of L.
func NewSummaryOf[L comparable](name, help string, opts ...SummaryOption) (*SummaryOf[L], error) {
	return newOf[L](summaries, name, help, opts)
}

// Observe counts v and adds it to the sum. NaN counts and makes the sum NaN.
func (m *Summary) Observe(v float64) {
	first := m.cells.First()
	if first == nil {
		if m.core != nil { // its series has left
			m.goOn().Observe(v)
		}
		return
	}
	window := m.window.Load()
	if window != nil {
		window.Observe(v)
	}
	w := m.cells.Mine(first)
	cell.At(w, 1).Add(1)
	if added := cell.TryAddFloat(w, v); !added || m.cells.First() != first {
		m.core.finish(m, &m.cells, cell.Addition{I: 1, V: v, Added: added}, first, w)
		if window != nil && m.cells.Spreads() {
			window.Spread()
		}
		if m.core.away(m) {
			m.core.counting(m)
		}
	}
}

// goOn returns the summary in which the updates of one whose series has left go on.
func (m *Summary) goOn() *Summary {
	if to := m.core.passesOn(m); to != nil {
		return to
	}
	return m.core.counting(m)
}

func (m *Summary) share(row *cell.Word) {
	m.window.Store(nil)
	m.core.shareWords(m, &m.cells, row, nil)
}

func (m *Summary) toHeap() *cell.Word {
	m.window.Store(m.core.window.window())
	m.core.moving.Lock()
	defer m.core.moving.Unlock()
	return m.cells.ToHeap(make([]cell.Word, 2))
}

// Count returns the number of observations in this process.
func (m *Summary) Count() uint64 {
	if m.core == nil {
		return 0
	}
	m = m.core.shown(m)
	for {
		version := m.core.moving.Began()
		if n := m.cells.Count(1); m.core.moving.Whole(version) {
			return n
		}
	}
}

// Sum returns the sum of the observed values in this process.
func (m *Summary) Sum() float64 {
	if m.core == nil {
		return 0
	}
	m = m.core.shown(m)
	return m.core.sum(&m.cells)
}
