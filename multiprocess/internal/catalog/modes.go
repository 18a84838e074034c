package catalog

import (
	"strings"

	"telltale/internal/cell"
	"telltale/model"
)

// Mode is how the gauges of several processes become one: "all", "min",
// "max", "sum" or "mostrecent", or the same after "live".
type Mode string

// livePrefix begins the modes of which Python's files are deleted when their process
// ends, and which leave out segments of writers that are dead. Else merging does not tell them
// from their siblings.
const livePrefix = "live"

// LiveModes is the number of the first of the modes that count live processes alone,
// which come in the order of the others.
const LiveModes = len(Modes) / 2

// Modes are the modes in the order of the numbers that segments give them.
var Modes = func() (modes [len(cell.GaugeModes)]Mode) {
	for i, mode := range cell.GaugeModes {
		modes[i] = Mode(mode)
	}
	return modes
}()

// PerProcess reports whether each process has a series of its own.
func (m Mode) PerProcess() bool { return m.Operation() == OpSet }

// Operation returns how values of the mode are merged.
func (m Mode) Operation() Operation {
	switch strings.TrimPrefix(string(m), livePrefix) {
	case "min":
		return OpMin
	case "max":
		return OpMax
	case "sum":
		return OpAdd
	case "mostrecent":
		return OpLatest
	}
	return OpSet
}

// Live reports whether processes that live alone count.
func (m Mode) Live() bool { return strings.HasPrefix(string(m), livePrefix) }

// PIDLabel is the label by which the series of processes differ.
const PIDLabel = "pid"

// Outlives reports whether series of a family outlive the process that counted them: what
// is said of live writers only does not.
func Outlives(t model.Type, mode uint8, merge model.Merge) bool {
	switch t {
	case model.Counter, model.Summary, model.Histogram:
		return merge != model.MergeEach
	case model.Gauge:
		return !Modes[mode].Live()
	}
	return false
}
