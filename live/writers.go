package live

import (
	"encoding/json"
	"time"

	"telltale/multiprocess"
)

// A directory is read every readWriters at most, and mostWriters of its files are
// shown.
const (
	readWriters = 5 * time.Second
	mostWriters = 1000
)

// writers are the processes of a directory as they were found last.
type writers struct {
	found time.Time
	text  []byte
}

// writersText is what the page gets.
type writersText struct {
	Time    float64      `json:"time"`
	Failed  bool         `json:"failed"` // the directory could not be read
	LeftOut int          `json:"left_out"`
	Files   []writerText `json:"files"`
}

// writerText is a file of a writer, or the archive.
type writerText struct {
	Kind     multiprocess.FileKind `json:"kind"`
	Alive    multiprocess.Liveness `json:"alive"`
	Name     string                `json:"name"` // that was given to it
	PID      string                `json:"pid"`
	Start    float64               `json:"start"`
	Families int                   `json:"families"`
	Series   int                   `json:"series"`
	Used     int64                 `json:"used"`
	Size     int64                 `json:"size"`
	Absorbed int                   `json:"absorbed"`
	Spilled  uint64                `json:"spilled"`
	Reason   multiprocess.Reason   `json:"reason"` // for which it cannot be read
}

// look returns what the page shows of the directory. It calls tell with the error if
// the directory cannot be read.
func (w *writers) look(dir string, now time.Time, tell func(error)) []byte {
	if w.text != nil && now.Sub(w.found) < readWriters {
		return w.text
	}
	reports, err := multiprocess.Inspect(dir)
	if err != nil {
		tell(err)
	}
	all := writersText{Time: float64(now.UnixMilli()) / 1000, Failed: err != nil, Files: []writerText{}}
	for i := range reports {
		r := &reports[i]
		switch r.Kind {
		case multiprocess.KindWriter, multiprocess.KindArchive, multiprocess.KindPython, multiprocess.KindAside:
		default:
			continue
		}
		if len(all.Files) >= mostWriters {
			all.LeftOut++
			continue
		}
		f := writerText{
			Kind: r.Kind, Alive: r.Alive, Name: r.Writer, PID: r.PID, Families: r.Families, Series: r.Series,
			Used: r.Used, Size: r.Size, Absorbed: r.Absorbed, Spilled: r.Spilled, Reason: r.Reason,
		}
		if !r.Start.IsZero() {
			f.Start = float64(r.Start.UnixMilli()) / 1000
		}
		all.Files = append(all.Files, f)
	}
	text, err := json.Marshal(all)
	if err != nil {
		tell(err)
		return nil
	}
	w.found, w.text = now, text
	return text
}
