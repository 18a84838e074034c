package telltale

import (
	"fmt"
	"slices"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/series"
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
	life: life[Enum]{
		updated: func(_ *Enum, of *series.Track[Enum]) bool { return of.Look() },
		leave:   (*Enum).leave,
		enter: func(e *Enum, of *series.Track[Enum]) {
			if !e.core.entersStore(of) { // else it is closed until it has its row
				e.cell.Load().Store(0)
			}
		},
		resume: func(e *Enum, in cell.Parked) {
			in.Row.Store(in.Left)
			e.share(in.Row)
		},
		pour: func(*Enum, *series.Track[Enum], *Enum) {},
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
	if e.core.expires {
		e.setOpen(uint64(i))
		return nil
	}
	e.setSettled(uint64(i))
	return nil
}

// setSettled sets an enum whose series does not expire. A store that a move has come
// between may be lost, and is repeated.
func (e *Enum) setSettled(i uint64) {
	moving := &e.core.moving
	for whole := false; !whole; {
		version := moving.Began()
		w := e.cell.Load()
		w.Store(i)
		if e.core.rows() != nil {
			raise(cell.At(w, 1))
		}
		whole = moving.Whole(version)
	}
}

// noState is in the word of an enum whose series has left.
const noState = cell.ClosedState

// leave closes an enum that is away, unless it was set. Readers of a row take the state
// that it had, as long as others set it.
func (e *Enum) leave(of *series.Track[Enum]) (from departure, left bool) {
	e.core.moving.Lock()
	defer e.core.moving.Unlock()
	w := e.cell.Load()
	if e.core.shared() {
		e.core.rows().Leave(w, w.Load())
	}
	state := w.Swap(noState)
	switch {
	case of.Marked(series.Touched):
		w.Store(state)
		return from, false
	case e.core.shared():
		away := make([]cell.Word, 2)
		away[0].Store(noState)
		e.cell.Store(&away[0])
		from.row = w
	}
	return from, true
}

// setOpen sets the enum, and brings its series back if that has left.
func (e *Enum) setOpen(i uint64) {
	slot := series.SlotOf(e)
	for {
		w := e.cell.Load()
		if old := w.Load(); old != noState && w.CompareAndSwap(old, i) {
			if e.core.shared() {
				raise(cell.At(w, 1))
			}
			if slot.Track().Mark(series.Touched); !slot.Away() {
				return
			}
		}
		if to := e.core.counting(e); to != e {
			to.setOpen(i)
			return
		}
	}
}

// share moves the state into a row. The row gets a time though Set was never called:
// the first state counts as set.
func (e *Enum) share(row *cell.Word) {
	e.core.moving.Lock()
	defer e.core.moving.Unlock()
	old := e.cell.Load()
	if !e.core.expires {
		if old != nil {
			row.Store(old.Load())
		}
		raise(cell.At(row, 1))
	} else if old != nil { // a row that is resumed has its state and its time
		if state := old.Swap(noState); state != noState && state != 0 {
			row.Store(state)
			raise(cell.At(row, 1))
		}
	}
	cell.At(row, 1).CompareAndSwap(0, uint64(cell.Now()))
	e.cell.Store(row)
}

// toHeap moves the enum to the heap and returns the row that it leaves.
func (e *Enum) toHeap() *cell.Word {
	e.core.moving.Lock()
	defer e.core.moving.Unlock()
	row, words := e.cell.Load(), make([]cell.Word, 2)
	if e.core.expires {
		e.core.rows().Leave(row, row.Load())
		words[0].Store(row.Swap(noState))
	} else {
		words[0].Store(row.Load())
	}
	e.cell.Store(&words[0])
	return row
}

// state returns the index of the state, or 0 if the word holds no index: the series has
// left, or another program has damaged the file of the row.
func (e *Enum) state() int {
	if i := e.cell.Load().Load(); i < uint64(len(e.core.states)) {
		return int(i)
	}
	return 0
}

// Value returns the state that the enum is in, in this process; "" of the zero Enum.
func (e *Enum) Value() string {
	if e.core == nil {
		return ""
	}
	e = e.core.shown(e)
	return e.core.states[e.state()]
}
