package telltale

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"telltale/internal/cell"
	"telltale/model"
)

// Info is a series of labels that describe something, with the value 1. Before
// the first Set it has none beside those of its series. All methods are safe
// for concurrent use.
type Info struct {
	labels atomic.Pointer[model.Labels]
	row    atomic.Pointer[cell.Word] // in a store; nil if there is none
	handle
}

// InfoVec is an info with labels given by position or by name.
type InfoVec = Vec[Info]

// InfoOf is an info with labels given by the struct L.
type InfoOf[L comparable] = Of[L, Info]

var infos = &kind[Info]{
	words: func(*definition) int { return 0 },
	bind: func(i *Info, _ *cell.Word, d *definition) {
		i.handle = handle{d}
	},
	share: (*Info).share,
	part:  func(i *Info) *cell.Word { return i.row.Swap(nil) },
	fresh: func(i *Info) bool { return i.labels.Load() == nil },
	read: func(i *Info, _ *definition, p *model.Point, _ *scratch) {
		p.Has, p.Value, p.Info = model.PartInfo, 1, model.Labels{}
		if labels := i.labels.Load(); labels != nil {
			p.Info = *labels
		}
	},
}

// NewInfo returns the info of that name, which it creates and registers unless
// an identical one is there. Its sample's name ends in "_info". It is an error
// if the name or an option is not valid, and a [*DuplicateError] if something
// else holds the name.
func NewInfo(name, help string, opts ...InfoOption) (*Info, error) {
	return plain(model.Info, name, help, infoSettings(opts), infos)
}

// NewInfoVec is [NewInfo] for an info with the given label names.
func NewInfoVec(name, help string, labels []string, opts ...InfoOption) (*InfoVec, error) {
	return labelled(model.Info, name, help, labels, infoSettings(opts), infos)
}

// NewInfoOf is [NewInfo] for an info whose labels are the fields of L.
func NewInfoOf[L comparable](name, help string, opts ...InfoOption) (*InfoOf[L], error) {
	return typed[L](model.Info, name, help, infoSettings(opts), infos)
}

func infoSettings(opts []InfoOption) *settings {
	s := newSettings()
	for _, o := range opts {
		o.applyInfo(s)
	}
	return s
}

// Set replaces the labels. It is an error, and nothing changes, if a name is
// not valid or is a label of the series already.
func (i *Info) Set(labels map[string]string) error {
	if i.family == nil {
		return nil
	}
	names := slices.Sorted(maps.Keys(labels))
	if err := model.CheckLabelNames(i.family.name, model.Info, names); err != nil {
		return err
	}
	for _, name := range append(i.family.constLabels.Names(), i.family.labels...) {
		if _, both := labels[name]; both {
			return fmt.Errorf("telltale: info %q has the label %q already", i.family.name, name)
		}
	}
	for name, value := range labels {
		if !utf8.ValidString(value) { // LabelsOf replaces it
			i.family.fault(ReasonInvalidUTF8, "telltale: the value of %q of info %q is not valid UTF-8: %.64q", name, i.family.name, value)
		}
	}
	text := model.LabelsOf(labels)
	i.labels.Store(&text)
	i.publish(text)
	return nil
}

func (i *Info) share(row *cell.Word) {
	i.row.Store(row)
	if labels := i.labels.Load(); labels != nil {
		i.publish(*labels)
	}
}

// publish shows the labels to other processes, if the info has a row.
func (i *Info) publish(labels model.Labels) {
	if rows, row := i.family.rows(), i.row.Load(); rows != nil && row != nil {
		rows.SetInfo(row, labels)
	}
}

// Value returns a copy of the labels that were set.
func (i *Info) Value() map[string]string {
	if labels := i.labels.Load(); labels != nil {
		return labels.Map()
	}
	return map[string]string{}
}
