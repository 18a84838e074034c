package multiprocess

import (
	"encoding/hex"
	"strings"
)

// The names of what telltale keeps in a directory. All of it is in the files;
// names only tell kinds apart, and no name of a writer's segment is used twice.
const (
	segmentSuffix = ".seg"
	writerPrefix  = "writer-"     // then the writer's id in hexadecimal digits
	archiveName   = "archive.seg" // what dead writers left behind
	foldLockName  = "fold.lock"   // held while folding
	foldNotesName = "fold.json"   // since when Python's files have not changed
	temporary     = ".telltale-"  // begins the names of files that are not there yet
	asideMark     = "~"           // in the name of a Python file that is being folded
)

// writerName returns the name of a writer's segment.
func writerName(id [16]byte) string {
	return writerPrefix + hex.EncodeToString(id[:]) + segmentSuffix
}

// isWriterName reports whether a name is that of a writer's segment.
func isWriterName(name string) bool {
	return strings.HasPrefix(name, writerPrefix) && strings.HasSuffix(name, segmentSuffix)
}

// asideName returns the name under which a Python file is put aside to be
// folded: {type}_{pid}~{unique}.db. Its readers still count it, as the same
// process's.
func asideName(name, unique string) string {
	return strings.TrimSuffix(name, suffix) + asideMark + unique + suffix
}

// asideBytes is how many bytes make the name of a file that is put aside unique.
const asideBytes = 8

// withoutAside returns the name that a Python file had before it was put aside.
func withoutAside(name string) (original string, aside bool) {
	stem := strings.TrimSuffix(name, suffix)
	i := strings.LastIndex(stem, asideMark)
	if i < 0 {
		return name, false
	}
	if unique, err := hex.DecodeString(stem[i+len(asideMark):]); err != nil || len(unique) != asideBytes {
		return name, false // a service's own identifier of a process may have the mark
	}
	return stem[:i] + suffix, true
}
