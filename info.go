package telltale

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"telltale/internal/cell"
	"telltale/internal/series"
	"telltale/model"
)

// Info is a series with the value 1 whose labels describe something, such as a
// build. Before the first Set it has only the labels of its series. All methods
// are safe for concurrent use. Set of the zero Info does nothing.
type Info struct {
	labels atomic.Pointer[model.Labels]

	mu  sync.Mutex // held to change the labels here and in the row, so that both have the same
	row *cell.Word // in a store; nil if there is none
	handle[Info]
}

// InfoVec is an info with labels given by position or by name.
type InfoVec = Vec[Info]

// InfoOf is an info with labels given by the struct L.
type InfoOf[L comparable] = Of[L, Info]

var infos = &kind[Info]{
	typ:   model.Info,
	words: func(*definition) int { return 0 },
	bind: func(i *Info, _ *cell.Word, of *core[Info]) {
		i.core = of
	},
	share:  (*Info).share,
	toHeap: (*Info).toHeap,
	fresh:  func(i *Info) bool { return i.labels.Load() == nil },
	read: func(i *Info, p *model.Point, _ *scratch) {
		p.Has, p.Value, p.Info = model.PartInfo, 1, model.Labels{}
		if labels := i.labels.Load(); labels != nil {
			p.Info = *labels
		}
	},
	life: life[Info]{
		updated: func(_ *Info, of *series.Track[Info]) bool { return of.Look() },
		leave: func(i *Info, of *series.Track[Info]) (from departure, left bool) {
			i.mu.Lock()
			defer i.mu.Unlock()
			if of.Marked(series.Touched) {
				return from, false
			}
			i.labels.Store(nil)
			from.row, i.row = i.row, nil
			return from, true
		},
		enter: func(*Info, *series.Track[Info]) {},
		pour:  func(*Info, *series.Track[Info], *Info) {},
	},
}

// NewInfo returns the info of that name, which it creates and registers unless
// an identical one is there. Its sample's name ends in "_info", which is not part
// of the name and is stripped: "build" and "build_info" are the same info. It is
// an error if the name or an option is not valid, and a [*DuplicateError] if
// something else holds the name.
func NewInfo(name, help string, opts ...InfoOption) (*Info, error) {
	return newPlain(infos, name, help, opts)
}

// NewInfoVec is [NewInfo] for an info with the given label names.
func NewInfoVec(name, help string, labels []string, opts ...InfoOption) (*InfoVec, error) {
	return newVec(infos, name, help, labels, opts)
}

// NewInfoOf is [NewInfo] for an info whose labels are the fields of L.
func NewInfoOf[L comparable](name, help string, opts ...InfoOption) (*InfoOf[L], error) {
	return newOf[L](infos, name, help, opts)
}

// Set replaces the labels. It is an error, and nothing changes, if a name is
// not valid or is a label of the series already. Values are treated as those of
// other labels are: invalid UTF-8 is replaced, what is longer than
// [WithLabelValueLimit] is cut off, and both are counted.
func (i *Info) Set(labels map[string]string) error {
	if i.core == nil {
		return nil
	}
	names, own := slices.Sorted(maps.Keys(labels)), append(i.core.constLabels.Names(), i.core.labels...)
	for _, name := range own {
		if _, both := labels[name]; both {
			return fmt.Errorf("telltale: info %q has the label %q already", i.core.name, name)
		}
	}
	if err := model.CheckLabelNames(i.core.name, model.Info, append(own, names...)); err != nil {
		return err
	}
	sanitized := make(map[string]string, len(labels))
	for _, name := range names {
		sanitized[name] = i.core.sanitize(name, labels[name], i.core.fault)
	}
	text := model.LabelsOf(sanitized)
	for !i.set(&text) {
		i = i.core.counting(i)
	}
	return nil
}

// set replaces the labels, unless the series is away.
func (i *Info) set(text *model.Labels) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.core.expires {
		slot := series.SlotOf(i)
		if slot.Away() {
			return false
		}
		slot.Track().Mark(series.Touched)
	}
	i.labels.Store(text)
	i.publish()
	return true
}

// share lets the info show its labels in a row too.
func (i *Info) share(row *cell.Word) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.row = row
	i.publish()
}

// toHeap returns the row, in which nothing is written any more.
func (i *Info) toHeap() (row *cell.Word) {
	i.mu.Lock()
	defer i.mu.Unlock()
	row, i.row = i.row, nil
	return row
}

// publish shows the labels to other processes, if the info has labels and a row.
// The caller holds the lock.
func (i *Info) publish() {
	labels, rows := i.labels.Load(), i.core.rows()
	if labels != nil && rows != nil && i.row != nil {
		rows.SetInfo(i.row, *labels)
	}
}

// Value returns a copy of the labels that were set, empty if none were.
func (i *Info) Value() map[string]string {
	if i.core != nil {
		i = i.core.shown(i)
	}
	if labels := i.labels.Load(); labels != nil {
		return labels.Map()
	}
	return map[string]string{}
}
