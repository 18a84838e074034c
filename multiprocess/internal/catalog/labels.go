package catalog

import (
	"strings"
	"unsafe"

	"telltale/model"
)

// SortedLabels returns labels sorted by name, of each name one.
func SortedLabels(text string) string { return model.LabelsFromText(text).Sorted().Text() }

// Arena keeps many small texts in few blocks, which live as long as one of their
// texts does.
type Arena struct{ block []byte }

// An arena's blocks are twice as large each time, from the first on up to the largest.
const (
	firstBlock   = 1 << 9
	largestBlock = 1 << 14
)

// Keep copies text.
func (a *Arena) Keep(text []byte) string {
	a.reserve(len(text))
	start := len(a.block)
	a.block = append(a.block, text...)
	return a.since(start)
}

// WithoutPid returns the labels of a definition but for its own pid.
func WithoutPid(d *Definition) string { return withoutPid(d.Labels, d.PidFrom, d.PidTo) }

// withoutPid returns labels without those between two places.
func withoutPid(labels string, from, to uint32) string {
	before, after := labels[:from], labels[to:]
	switch {
	case from == to:
		return labels
	case before != "" && after != "":
		return before + "," + after
	}
	return before + after
}

// withPid puts a process's label between two places among labels.
func (a *Arena) withPid(labels string, from, to uint32, pid string) string {
	before, after := labels[:from], labels[to:]
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

// apart is where the label pid stands among the sorted labels of a series, or would
// stand, and which series is the one without it.
type apart struct {
	from, to uint32
	in       uint32
	quoted   bool // a label name is not a legacy name
	known    bool
}

func apartOf(labels string) apart {
	a := apart{known: true}
	at := 0
	for name, value := range model.LabelsFromText(labels).Raw() {
		from, end := at, at+len(name)+len(`=""`)+len(value)
		at = min(end+1, len(labels)) // behind the comma
		switch a.quoted = a.quoted || name[0] == '"'; {
		case name == PIDLabel:
			a.from, a.to = uint32(max(0, from-1)), uint32(at)
		case strings.Trim(name, `"`) < PIDLabel:
			a.from, a.to = uint32(end), uint32(at)
		}
	}
	return a
}

func (a *Arena) reserve(n int) {
	if n > cap(a.block)-len(a.block) {
		a.block = make([]byte, 0, max(n, firstBlock, min(2*cap(a.block), largestBlock)))
	}
}

func (a *Arena) since(start int) string {
	return unsafe.String(unsafe.SliceData(a.block[start:]), len(a.block)-start)
}
