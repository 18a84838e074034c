package segsource

import (
	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// mostLate is how many bytes of records are read from a file, in one reading of its
// values, that are not in the image. To look for one counts as much as eachLate bytes.
const (
	mostLate = 64 << 20
	eachLate = 1 << 10
)

// late is the Space in which the values of a mapped segment are read, and what was removed.
// Its writer goes on meanwhile, and rows refer to lanes and texts that it has published
// behind the image, and the list of removed series to such series: these are read from the
// file.
type late struct {
	of   *File
	file *mapped.File // nil before the first of them
	left uint64       // bytes that may still be read
}

// Bytes implements [segment.Space].
func (l *late) Bytes(offset, n uint64) []byte {
	b := l.of.image.Bytes(offset, n)
	if b != nil || segment.Published(&l.of.image) <= uint64(len(l.of.image)) || n > mostLate || n+eachLate > l.left {
		return b
	}
	l.left -= n + eachLate
	if l.file == nil && !l.open() {
		return nil
	}
	return spool.CurrentOf(l.file).Bytes(offset, n)
}

// open opens the file, and reports whether it is the one that is mapped.
func (l *late) open() bool {
	file, err := l.of.files.reading.Open(l.of.Place)
	if err != nil {
		l.left = 0
		return false
	}
	l.file = file
	if info, err := file.Stat(); err != nil || info.Identity != l.of.identity {
		l.left = 0
	}
	return l.left > 0
}

// close closes the file, and lets go of all.
func (l *late) close() {
	if l.file != nil {
		l.file.Close()
	}
	*l = late{}
}
