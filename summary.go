package telltale

import (
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// Summary is a series that counts observations and adds them up, and has
// quantiles of the latest if [WithQuantiles] asks for them. Those cannot be
// aggregated over instances; the buckets of a [Histogram] can. All methods are safe
// for concurrent use, take no lock and allocate nothing in the steady state. The
// zero Summary observes nothing.
type Summary struct {
	cells cell.Accumulator // the sum, then the count
	// window is nil without quantiles, and in a store.
	window atomic.Pointer[exponential.Window]
	handle
}

// SummaryVec is a summary with labels given by position or by name.
type SummaryVec = Vec[Summary]

// SummaryOf is a summary with labels given by the struct L.
type SummaryOf[L comparable] = Of[L, Summary]

var summaries = &kind[Summary]{
	words: func(*definition) int { return 2 },
	bind: func(m *Summary, w *cell.Word, d *definition) {
		m.handle = handle{d}
		m.cells.Init(w)
		m.window.Store(d.window.window())
	},
	share: (*Summary).share,
	part:  (*Summary).part,
	fresh: func(m *Summary) bool { return m.Count() == 0 },
	read: func(m *Summary, d *definition, p *model.Point, s *scratch) {
		p.Summary.Count, p.Summary.Sum = float64(m.Count()), m.Sum()
		p.Summary.Quantiles = d.window.appendTo(p.Summary.Quantiles[:0], m.window.Load(), s)
		if p.Has = model.PartCount | model.PartSum; len(p.Summary.Quantiles) > 0 {
			p.Has |= model.PartValue
		}
	},
}

// NewSummary returns the summary of that name, which it creates and registers
// unless an identical one is there. It is an error if the name or an option is
// not valid, and a [*DuplicateError] if something else holds the name.
func NewSummary(name, help string, opts ...SummaryOption) (*Summary, error) {
	return plain(model.Summary, name, help, summarySettings(opts), summaries)
}

// NewSummaryVec is [NewSummary] for a summary with the given label names.
func NewSummaryVec(name, help string, labels []string, opts ...SummaryOption) (*SummaryVec, error) {
	return labelled(model.Summary, name, help, labels, summarySettings(opts), summaries)
}

// NewSummaryOf is [NewSummary] for a summary whose labels are the fields of L.
func NewSummaryOf[L comparable](name, help string, opts ...SummaryOption) (*SummaryOf[L], error) {
	return typed[L](model.Summary, name, help, summarySettings(opts), summaries)
}

func summarySettings(opts []SummaryOption) *settings {
	return settingsOf(opts, SummaryOption.applySummary)
}

// Observe counts v and adds it to the sum. NaN counts and makes the sum NaN.
func (m *Summary) Observe(v float64) {
	first := m.cells.First()
	if first == nil {
		return
	}
	window := m.window.Load()
	if window != nil {
		window.Observe(v)
	}
	w := m.cells.Mine(first)
	cell.At(w, 1).Add(1)
	if added := cell.TryAddFloat(w, v); !added || m.family.moving.Moved() {
		m.family.finish(&m.cells, cell.Addition{I: 1, V: v, Added: added}, first, w)
		if window != nil && m.cells.Spreads() {
			window.Spread()
		}
	}
}

func (m *Summary) share(row *cell.Word) {
	m.window.Store(nil)
	m.family.moving.Lock()
	defer m.family.moving.Unlock()
	m.cells.ToRow(row, 2)
}

func (m *Summary) part() *cell.Word {
	m.window.Store(m.family.window.window())
	m.family.moving.Lock()
	defer m.family.moving.Unlock()
	return m.cells.ToHeap(make([]cell.Word, 2))
}

// Count returns the number of observations in this process.
func (m *Summary) Count() uint64 {
	if m.family == nil {
		return 0
	}
	for {
		version := m.family.moving.Began()
		if n := m.cells.Count(1); m.family.moving.Whole(version) {
			return n
		}
	}
}

// Sum returns the sum of the observed values in this process.
func (m *Summary) Sum() float64 {
	if m.family == nil {
		return 0
	}
	return m.family.sum(&m.cells)
}
