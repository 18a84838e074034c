package telltale

import (
	"fmt"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"telltale/internal/cell"
	"telltale/model"
)

// Enum is a series that is in one of a few states, exported as a state set: one
// sample a state, 1 for the one it is in. It starts in the first. All methods
// are safe for concurrent use. The zero Enum has no states.
type Enum struct {
	cell atomic.Pointer[cell.Word] // the index of the state; behind it, in a store, since when
	handle
}

// MaxStates is how many states an enum may have. Each series has a line of each
// page for every one.
const MaxStates = 1000

// EnumVec is an enum with labels given by position or by name.
type EnumVec = Vec[Enum]

// EnumOf is an enum with labels given by the struct L.
type EnumOf[L comparable] = Of[L, Enum]

var enums = &kind[Enum]{
	words: func(*definition) int { return 2 },
	bind: func(e *Enum, w *cell.Word, d *definition) {
		e.handle = handle{d}
		e.cell.Store(w)
	},
	share: (*Enum).share,
	part:  (*Enum).part,
	fresh: func(e *Enum) bool { return e.cell.Load().Load() == 0 },
	read: func(e *Enum, d *definition, p *model.Point, _ *scratch) {
		p.Has, p.States = model.PartValue, p.States[:0]
		current := e.state()
		for i, state := range d.states {
			p.States = append(p.States, model.State{Name: state, On: i == current})
		}
	},
}

// NewEnum returns the enum of that name and states, which it creates and
// registers unless an identical one is there. It is an error if the name or an
// option is not valid, or there are no states, more than [MaxStates] or one
// twice, and a [*DuplicateError] if something else holds the name.
func NewEnum(name, help string, states []string, opts ...EnumOption) (*Enum, error) {
	return plain(model.StateSet, name, help, enumSettings(name, states, opts), enums)
}

// NewEnumVec is [NewEnum] for an enum with the given label names.
func NewEnumVec(name, help string, states, labels []string, opts ...EnumOption) (*EnumVec, error) {
	return labelled(model.StateSet, name, help, labels, enumSettings(name, states, opts), enums)
}

// NewEnumOf is [NewEnum] for an enum whose labels are the fields of L.
func NewEnumOf[L comparable](name, help string, states []string, opts ...EnumOption) (*EnumOf[L], error) {
	return typed[L](model.StateSet, name, help, enumSettings(name, states, opts), enums)
}

func enumSettings(name string, states []string, opts []EnumOption) *settings {
	s := settingsOf(opts, EnumOption.applyEnum)
	s.states = slices.Clone(states)
	if n := len(states); n < 1 || n > MaxStates {
		s.err = fmt.Errorf("telltale: enum %q is given %d states, not 1 to %d", name, n, MaxStates)
		return s
	}
	for i, state := range states {
		switch {
		case !utf8.ValidString(state):
			s.err = fmt.Errorf("telltale: state %d of enum %q is not valid UTF-8: %.64q", i+1, name, state)
		case slices.Contains(states[:i], state):
			s.err = fmt.Errorf("telltale: enum %q is given the state %.64q twice", name, state)
		}
	}
	return s
}

// Set changes the state. One that the enum does not have is an error, which is
// counted too, and changes nothing.
func (e *Enum) Set(state string) error {
	if e.family == nil {
		return nil
	}
	i := slices.Index(e.family.states, state)
	if i < 0 {
		err := fmt.Errorf("telltale: enum %q has no state %q; it has %q", e.family.name, state, e.family.states)
		e.family.fault(ReasonUnknownState, func() error { return err })
		return err
	}
	w := e.cell.Load()
	w.Store(uint64(i))
	if e.family.rows() != nil {
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

func (e *Enum) part() *cell.Word {
	row, words := e.cell.Load(), make([]cell.Word, 2)
	words[0].Store(row.Load())
	e.cell.Store(&words[0])
	return row
}

// state returns the number of the state. Nobody else writes in a row, but its
// file is not out of everybody's reach.
func (e *Enum) state() int {
	if i := e.cell.Load().Load(); i < uint64(len(e.family.states)) {
		return int(i)
	}
	return 0
}

// Value returns the state that the enum is in, in this process.
func (e *Enum) Value() string {
	if e.family == nil {
		return ""
	}
	return e.family.states[e.state()]
}
