package catalog

import (
	"unsafe"

	"telltale/model"
)

// SortedLabels returns labels sorted by name, of each name one.
func SortedLabels(text string) string {
	last := ""
	for name := range model.LabelsFromText(text).All() {
		if name <= last {
			return model.LabelsFromText(text).Sorted().Text()
		}
		last = name
	}
	return text
}

// Arena keeps many small texts in few blocks, which live as long as one of their
// texts does.
type Arena struct{ block []byte }

const arenaBlock = 1 << 14

// Keep copies text.
func (a *Arena) Keep(text []byte) string {
	a.reserve(len(text))
	start := len(a.block)
	a.block = append(a.block, text...)
	return a.since(start)
}

// WithoutPid returns the labels of a definition but for its own pid.
func WithoutPid(d *Definition) string {
	before, after := d.Labels[:d.PidFrom], d.Labels[d.PidTo:]
	switch {
	case d.PidFrom == d.PidTo:
		return d.Labels
	case before != "" && after != "":
		return before + "," + after
	}
	return before + after
}

// withPid puts a process's label among the others, instead of one of its name.
func (a *Arena) withPid(d *Definition, pid string) string {
	before, after := d.Labels[:d.PidFrom], d.Labels[d.PidTo:]
	a.reserve(len(before) + len(pid) + len(after) + 2)
	start := len(a.block)
	if a.block = append(a.block, before...); before != "" {
		a.block = append(a.block, ',')
	}
	if a.block = append(a.block, pid...); after != "" {
		a.block = append(a.block, ',')
	}
	a.block = append(a.block, after...)
	return a.since(start)
}

func (a *Arena) reserve(n int) {
	if n > cap(a.block)-len(a.block) {
		a.block = make([]byte, 0, max(n, arenaBlock))
	}
}

func (a *Arena) since(start int) string {
	return unsafe.String(unsafe.SliceData(a.block[start:]), len(a.block)-start)
}
