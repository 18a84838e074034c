package python

import (
	"path/filepath"

	"telltale/multiprocess/internal/spool"
)

// Files is what the files of Python's client share that one reader reads: what
// they have in common is kept once. It is not safe for concurrent use.
type Files struct {
	reading *spool.Reading
	kinds   map[fileKind]*kind
	ramps   map[int][]uint32 // offsets of values that lie one after the other, by width
}

// NewFiles returns no files yet, which are opened as the reading says.
func NewFiles(r *spool.Reading) *Files {
	fs := &Files{reading: r, ramps: make(map[int][]uint32)}
	fs.Forget()
	return fs
}

// Forget forgets all keys: those of files that are opened later are read anew.
// Files that were opened before must be closed.
func (fs *Files) Forget() { fs.kinds = make(map[fileKind]*kind) }

// Keys returns how many keys are known.
func (fs *Files) Keys() (n int) {
	for _, k := range fs.kinds {
		n += len(k.keys)
	}
	return n
}

// File returns the file at a place, whose kind its name tells. Nothing is read.
func (fs *Files) File(at spool.Place) (*File, error) {
	name := at.Name.String()
	if fs.reading.Single(at) {
		name = filepath.Base(at.Path)
	}
	kind, pid, err := parseName(name)
	if err == nil && !fs.reading.Single(at) && at.Name.Kind() == spool.Foreign {
		err = spool.Defectf(spool.ReasonName, "its name has characters that cannot be printed")
	}
	if err != nil {
		return nil, err
	}
	return &File{Place: at, files: fs, kind: fs.kind(kind), pid: pid}, nil
}

func (fs *Files) kind(key fileKind) *kind {
	k, ok := fs.kinds[key]
	if !ok {
		k = &kind{fileKind: key}
		fs.kinds[key] = k
	}
	return k
}

// ramp returns the offsets of n values that lie one after the other.
func (fs *Files) ramp(n, width int) []uint32 {
	ramp := fs.ramps[width]
	for len(ramp) < n {
		ramp = append(ramp, uint32(len(ramp)*width))
	}
	fs.ramps[width] = ramp
	return ramp[:n]
}
