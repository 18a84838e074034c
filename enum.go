package telltale

import (
	"fmt"
	"slices"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/model"
)

// Enum is a series that is in one of a few states, exported as a state set: one
// sample a state, 1 for the one it is in. It starts in the first. All methods
// are safe for concurrent use. The zero Enum has no states.
type Enum struct {
	cell atomic.Pointer[cell.Word] // the index of the state; behind it, in a store, since when
	handle[Enum]
}

// EnumVec is an enum with labels given by position or by name.
type EnumVec = Vec[Enum]

// EnumOf is an enum with labels given by the struct L.
type EnumOf[L comparable] = Of[L, Enum]

var enums = &kind[Enum]{
	typ:   model.StateSet,
	words: func(*definition) int { return 2 },
	bind: func(e *Enum, w *cell.Word, of *core[Enum]) {
		e.core = of
		e.cell.Store(w)
	},
	share:  (*Enum).share,
	toHeap: (*Enum).toHeap,
	fresh:  func(e *Enum) bool { return e.cell.Load().Load() == 0 },
	read: func(e *Enum, p *model.Point, _ *scratch) {
		p.Has, p.States = model.PartValue, p.States[:0]
		current := e.state()
		for i, state := range e.core.states {
			p.States = append(p.States, model.State{Name: state, On: i == current})
		}
	},
}

// NewEnum returns the enum of that name and states, which it creates and
// registers unless an identical one is there. It is an error if the name or an
// option is not valid, or there are no states, more than [MaxStates] or one
// twice, and a [*DuplicateError] if something else holds the name.
func NewEnum(name, help string, states []string, opts ...EnumOption) (*Enum, error) {
	return newPlain(enums, name, help, withStates(states, opts))
}

// NewEnumVec is [NewEnum] for an enum with the given label names.
func NewEnumVec(name, help string, states, labels []string, opts ...EnumOption) (*EnumVec, error) {
	return newVec(enums, name, help, labels, withStates(states, opts))
}

// NewEnumOf is [NewEnum] for an enum whose labels are the fields of L.
func NewEnumOf[L comparable](name, help string, states []string, opts ...EnumOption) (*EnumOf[L], error) {
	return newOf[L](enums, name, help, withStates(states, opts))
}

// withStates returns the options with one for the states before them.
func withStates(states []string, opts []EnumOption) []EnumOption {
	copied := slices.Clone(states)
	return append([]EnumOption{enumOption{func(s *settings) { s.states = copied }}}, opts...)
}

// Set changes the state. It is an error, which is counted and passed to the error
// hook, and nothing changes, if the enum does not have the state.
func (e *Enum) Set(state string) error {
	if e.core == nil {
		return nil
	}
	i := slices.Index(e.core.states, state)
	if i < 0 {
		err := fmt.Errorf("telltale: enum %q has no state %q; it has %q", e.core.name, state, e.core.states)
		e.core.fault(ReasonUnknownState, func() error { return err })
		return err
	}
	w := e.cell.Load()
	w.Store(uint64(i))
	if e.core.rows() != nil {
		raise(cell.At(w, 1))
	}
	return nil
}

// share lets the enum keep its state in a row. Having one is as good as having
// set it.
func (e *Enum) share(row *cell.Word) {
	if old := e.cell.Load(); old != nil {
		row.Store(old.Load())
	}
	raise(cell.At(row, 1))
	e.cell.Store(row)
}

func (e *Enum) toHeap() *cell.Word {
	row, words := e.cell.Load(), make([]cell.Word, 2)
	words[0].Store(row.Load())
	e.cell.Store(&words[0])
	return row
}

// state returns the number of the state. Nobody else writes in a row, but its
// file is not out of everybody's reach.
func (e *Enum) state() int {
	if i := e.cell.Load().Load(); i < uint64(len(e.core.states)) {
		return int(i)
	}
	return 0
}

// Value returns the state that the enum is in, in this process.
func (e *Enum) Value() string {
	if e.core == nil {
		return ""
	}
	return e.core.states[e.state()]
}
