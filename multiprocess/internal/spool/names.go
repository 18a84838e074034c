package spool

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/internal/cell"
)

// Kind says what a file in a directory is, by its name.
type Kind uint8

// The kinds of file.
const (
	Foreign   Kind = iota // not a name that telltale or Python's client gives: never opened
	Writer                // writer-{id}.seg: a process's segment
	Archive               // archive.seg: what dead writers left
	FoldLock              // fold.lock: held while folding
	FoldNotes             // fold.json: since when Python's files have not changed
	SendLock              // send.lock: held by the process that sends the directory's metrics
	Temporary             // .telltale-{writer,archive,notes}-{id}: a file that is not there yet
	Python                // {type}_{pid}.db, gauge_{mode}_{pid}.db: of Python's client
	Aside                 // the same with ~{unique} before .db: put aside to be folded
)

// Name is the name of a file in a directory. [Parse] makes Names, and nothing
// else does. Names are equal if their texts are.
type Name struct {
	text string
	kind Kind
}

// The texts that names are made of.
const (
	SegmentSuffix = ".seg"
	PythonSuffix  = ".db"

	writerPrefix = "writer-"
	asideMark    = "~"
	temporary    = ".telltale-"
	idDigits     = 32
	asideDigits  = 16
)

// fixedNames are the names of which a directory has one.
var fixedNames = map[string]Kind{"archive.seg": Archive, "fold.lock": FoldLock, "fold.json": FoldNotes, "send.lock": SendLock}

// Parse makes a Name of a text. What is not in its whole the name of a kind of file
// is Foreign.
func Parse(text string) Name { return Name{text, kindOf(text)} }

func kindOf(text string) Kind {
	if strings.ContainsAny(text, `/\`) {
		return Foreign // it leads to another directory, on some system
	}
	if kind, ok := fixedNames[text]; ok {
		return kind
	}
	if id, ok := strings.CutPrefix(text, writerPrefix); ok {
		if id, ok = strings.CutSuffix(id, SegmentSuffix); ok && isHex(id, idDigits) {
			return Writer
		}
		return Foreign
	}
	if rest, ok := strings.CutPrefix(text, temporary); ok {
		what, id, _ := strings.Cut(rest, "-")
		if (what == "writer" || what == "archive" || what == "notes") && isHex(id, idDigits) {
			return Temporary
		}
		return Foreign
	}
	if _, _, pid, ok := CutPython(text); !ok || !isPrintable(pid) {
		return Foreign
	}
	if _, aside := cutAside(text); aside {
		return Aside
	}
	return Python
}

// isHex reports whether text is n hexadecimal digits, in lower case.
func isHex(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789abcdef") == ""
}

// CutPython takes the name of one of Python's files apart, whatever characters its
// pid has. The pid is whatever the service's process identifier is, underscores
// included; Python's own reader cuts a gauge's at the first one. The mode is a
// gauge's.
func CutPython(text string) (typ, mode, pid string, ok bool) {
	original, _ := cutAside(text)
	stem, ok := strings.CutSuffix(original, PythonSuffix)
	typ, pid, cut := strings.Cut(stem, "_")
	if !ok || !cut {
		return "", "", "", false
	}
	switch typ {
	case "counter", "histogram", "summary":
		return typ, "", pid, true
	case "gauge":
		mode, pid, cut = strings.Cut(pid, "_")
		return typ, mode, pid, cut && slices.Contains(cell.GaugeModes[:], mode)
	}
	return "", "", "", false
}

// isPrintable reports whether text is UTF-8 of characters that can be seen, and
// spaces: no controls, and none that turn the direction of what follows.
func isPrintable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// cutAside returns the name that a file had before it was put aside.
func cutAside(text string) (original string, aside bool) {
	stem, ok := strings.CutSuffix(text, PythonSuffix)
	i := strings.LastIndex(stem, asideMark)
	if !ok || i < 0 || !isHex(stem[i+len(asideMark):], asideDigits) {
		return text, false // a service's own identifier of a process may have the mark
	}
	return stem[:i] + PythonSuffix, true
}

// String returns the text.
func (n Name) String() string { return n.text }

// Kind returns what the file is.
func (n Name) Kind() Kind { return n.kind }

// ID returns the ID in the name of a Writer, zeros for others.
func (n Name) ID() (id [16]byte) {
	if n.kind == Writer {
		_, _ = hex.Decode(id[:], []byte(n.text[len(writerPrefix):][:idDigits])) // Parse has checked the digits
	}
	return id
}

// Original returns the name that an Aside file had, and other names as they are.
func (n Name) Original() Name {
	if n.kind != Aside {
		return n
	}
	original, _ := cutAside(n.text)
	return Parse(original)
}

// Claimed reports whether a Foreign name looks like that of a file that readers
// merge, as its owner may expect.
func (n Name) Claimed() bool {
	return n.kind == Foreign && !strings.HasPrefix(n.text, ".") &&
		(strings.HasSuffix(n.text, SegmentSuffix) || strings.HasSuffix(n.text, PythonSuffix))
}

// WriterName returns the name of a writer's segment.
func WriterName(id [16]byte) Name {
	return Name{writerPrefix + hex.EncodeToString(id[:]) + SegmentSuffix, Writer}
}

// TemporaryName returns the name of a file that becomes a writer's, the archive or
// the notes: what says which, and id is random.
func TemporaryName(what string, id [16]byte) Name {
	return Parse(temporary + what + "-" + hex.EncodeToString(id[:]))
}

// AsideName returns the name under which a Python file is put aside to be folded.
// Its readers still count it, as the same process's. The random bytes make it
// another one than those of other files.
func AsideName(original Name, random [asideDigits / 2]byte) Name {
	return Parse(strings.TrimSuffix(original.text, PythonSuffix) + asideMark + hex.EncodeToString(random[:]) + PythonSuffix)
}

// The names of which a directory has one.
var (
	ArchiveName   = Parse("archive.seg")
	FoldLockName  = Parse("fold.lock")
	FoldNotesName = Parse("fold.json")
	SendLockName  = Parse("send.lock")
)

// Quote returns text as it is if all of it can be printed, else quoted as Go has
// it: names of files may have line ends and sequences that terminals obey.
func Quote(text string) string {
	if isPrintable(text) {
		return text
	}
	return strconv.Quote(text)
}
