package telltale

import (
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// Summary is a series that counts observations and adds them up, and has
// quantiles of the latest if [WithQuantiles] asks for them. They cannot be
// aggregated; a [Histogram] gives such as can, in queries. All methods are safe for concurrent use, take no lock and allocate
// nothing in the steady state. The zero Summary observes nothing.
type Summary struct {
	cells atomic.Pointer[cell.Word] // the sum, then the count
	lanes atomic.Pointer[cell.Lanes]
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
		m.cells.Store(w)
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
	first := m.cells.Load()
	if first == nil {
		return
	}
	if w := m.window.Load(); w != nil {
		w.Observe(v)
	}
	if lanes := m.lanes.Load(); lanes != nil {
		cell.At(lanes.Mine(), 1).Add(1)
		lanes.AddFloat(0, v)
		return
	}
	cell.At(first, 1).Add(1)
	if !cell.TryAddFloat(first, v) {
		fresh := m.family.addFought(first, first, 0, 2, &m.lanes, v)
		if fresh != nil && m.cells.Load() != first { // it has moved, and the lanes are those of the old row
			m.lanes.CompareAndSwap(fresh, nil)
		}
	}
}

func (m *Summary) share(row *cell.Word) {
	m.window.Store(nil)
	move(row, m.cells.Swap(row), m.lanes.Swap(nil), 2)
}

func (m *Summary) part() *cell.Word {
	words := make([]cell.Word, 2)
	m.window.Store(m.family.window.window())
	row := m.cells.Swap(&words[0])
	move(&words[0], row, m.lanes.Swap(nil), len(words))
	return row
}

// Count returns the number of observations in this process.
func (m *Summary) Count() uint64 {
	first := m.cells.Load()
	if first == nil {
		return 0
	}
	n := cell.At(first, 1).Load()
	if lanes := m.lanes.Load(); lanes != nil {
		n += lanes.Sum(1)
	}
	return n
}

// Sum returns the sum of the observed values in this process.
func (m *Summary) Sum() float64 {
	first := m.cells.Load()
	if first == nil {
		return 0
	}
	sum := cell.LoadFloat(first)
	if lanes := m.lanes.Load(); lanes != nil {
		sum += lanes.SumFloat(0)
	}
	return sum
}
