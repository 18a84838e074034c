package multiprocess

import (
	"strings"

	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// suffix ends the names of the files that Python's client writes.
const suffix = ".db"

// pythonKindKey is what a file's name says of all that is in it.
type pythonKindKey struct {
	typ  model.Type
	mode gaugeMode // of gauges
}

var pythonTypes = map[string]model.Type{
	"counter": model.Counter, "gauge": model.Gauge, "histogram": model.Histogram, "summary": model.Summary,
}

// parsePythonName reads "{type}_{pid}.db" and "gauge_{mode}_{pid}.db". The pid is
// whatever the service's process identifier is, underscores included; Python's
// own reader cuts a gauge's at the first one. Of a file that was put aside it is
// what it was before.
func parsePythonName(name string) (kind pythonKindKey, pid string, err error) {
	name, _ = withoutAside(name)
	stem, ok := strings.CutSuffix(name, suffix)
	word, rest, cut := strings.Cut(stem, "_")
	typ, known := pythonTypes[word]
	if !ok || !cut || !known {
		return kind, "", defectf(ReasonName, "its name is not {counter,histogram,summary}_{pid}.db or gauge_{mode}_{pid}.db")
	}
	kind.typ = typ
	if typ != model.Gauge {
		return kind, rest, nil
	}
	word, pid, cut = strings.Cut(rest, "_")
	mode, known := parseGaugeMode(word)
	if !cut || !known {
		return kind, "", defectf(ReasonName, "%q is not a mode of gauges", word)
	}
	kind.mode = mode
	return kind, pid, nil
}

// gaugeMode is how the gauges of several processes become one: "all", "min",
// "max", "sum" or "mostrecent", or the same after "live".
type gaugeMode string

// livePrefix begins the modes whose files [MarkProcessDead] deletes, and which
// leave out segments of writers that are dead. Else merging does not tell them
// from their siblings.
const livePrefix = "live"

// gaugeModes are the modes in the order of the numbers that segments give them.
var gaugeModes = [segment.Modes]gaugeMode{
	"all", "min", "max", "sum", "mostrecent", "liveall", "livemin", "livemax", "livesum", "livemostrecent",
}

func parseGaugeMode(s string) (gaugeMode, bool) {
	for _, m := range gaugeModes {
		if string(m) == s {
			return m, true
		}
	}
	return "", false
}

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
