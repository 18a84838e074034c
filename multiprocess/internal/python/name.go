package python

import (
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// fileKind is what a file's name says of all that is in it.
type fileKind struct {
	typ  model.Type
	mode catalog.Mode // of gauges
}

var types = map[string]model.Type{
	"counter": model.Counter, "gauge": model.Gauge, "histogram": model.Histogram, "summary": model.Summary,
}

// parseName reads "{type}_{pid}.db" and "gauge_{mode}_{pid}.db". Of a file
// that was put aside it is what it was before.
func parseName(name string) (kind fileKind, pid string, err error) {
	typ, mode, pid, ok := spool.CutPython(name)
	if !ok {
		return kind, "", spool.Defectf(spool.ReasonName, "its name is not {counter,histogram,summary}_{pid}.db or gauge_{mode}_{pid}.db")
	}
	return fileKind{types[typ], catalog.Mode(mode)}, pid, nil
}
