package multiprocess

import (
	"strings"

	"telltale/model"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// pythonKindKey is what a file's name says of all that is in it.
type pythonKindKey struct {
	typ  model.Type
	mode gaugeMode // of gauges
}

var pythonTypes = map[string]model.Type{
	"counter": model.Counter, "gauge": model.Gauge, "histogram": model.Histogram, "summary": model.Summary,
}

// parsePythonName reads "{type}_{pid}.db" and "gauge_{mode}_{pid}.db". Of a file
// that was put aside it is what it was before.
func parsePythonName(name string) (kind pythonKindKey, pid string, err error) {
	typ, mode, pid, ok := spool.CutPython(name)
	if !ok {
		return kind, "", defectf(ReasonName, "its name is not {counter,histogram,summary}_{pid}.db or gauge_{mode}_{pid}.db")
	}
	return pythonKindKey{pythonTypes[typ], gaugeMode(mode)}, pid, nil
}

// gaugeMode is how the gauges of several processes become one: "all", "min",
// "max", "sum" or "mostrecent", or the same after "live".
type gaugeMode string

// livePrefix begins the modes whose files [MarkProcessDead] deletes, and which
// leave out segments of writers that are dead. Else merging does not tell them
// from their siblings.
const livePrefix = "live"

// liveModes is the number of the first of the modes that count live processes alone,
// which come in the order of the others.
const liveModes = segment.Modes / 2

// gaugeModes are the modes in the order of the numbers that segments give them.
var gaugeModes = func() (modes [segment.Modes]gaugeMode) {
	for i, mode := range spool.GaugeModes {
		modes[i] = gaugeMode(mode)
	}
	return modes
}()

// perProcess reports whether each process has a series of its own.
func (m gaugeMode) perProcess() bool { return m.operation() == opSet }

func (m gaugeMode) operation() operation {
	switch strings.TrimPrefix(string(m), livePrefix) {
	case "min":
		return opMin
	case "max":
		return opMax
	case "sum":
		return opAdd
	case "mostrecent":
		return opLatest
	}
	return opSet
}

func (m gaugeMode) live() bool { return strings.HasPrefix(string(m), livePrefix) }
