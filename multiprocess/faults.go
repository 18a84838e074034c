package multiprocess

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Reason says why a file was left out.
type Reason string

// The reasons for leaving out a file.
const (
	ReasonName       Reason = "name"        // its name ends in .db or .seg, but is not one that a writer gives
	ReasonNotRegular Reason = "not_regular" // a directory, a symbolic link, a pipe
	ReasonPermission Reason = "permission"  // it may not be read
	ReasonVanished   Reason = "vanished"    // it was gone when it was its turn
	ReasonEmpty      Reason = "empty"       // nothing was written yet: no bytes, or zeros
	ReasonTruncated  Reason = "truncated"   // it is shorter than it says
	ReasonCorrupt    Reason = "corrupt"     // its entries do not end where it says
	ReasonAmbiguous  Reason = "ambiguous"   // it can be read in both layouts, with different results
	ReasonKey        Reason = "key"         // an entry's key is not UTF-8, not JSON or not a key
	ReasonForeign    Reason = "foreign"     // its name is a segment's, but it does not begin like one
	ReasonVersion    Reason = "version"     // a segment of another version of the format, or byte order
	ReasonEpoch      Reason = "epoch"       // a segment whose writer lives, of another epoch than the one that counts
	ReasonRead       Reason = "read"        // the system reports another error
	ReasonCopy       Reason = "copy"        // a segment under another name than its writer's: a copy, or a link
	ReasonSparse     Reason = "sparse"      // most of the bytes that it says are used are not there
	ReasonLinked     Reason = "linked"      // it has several names, so that folds leave it alone
	ReasonReplaced   Reason = "replaced"    // another file has taken its name
)

// FileError says that a file was left out, and why. The other files are not
// affected.
type FileError struct {
	Path   string
	Reason Reason
	Err    error // what was found

	counts bool // it was not left out
}

// Error names the file and what is wrong with it. A name with characters that
// cannot be printed is quoted.
func (e *FileError) Error() string {
	what := "is left out"
	if e.counts {
		what = "is damaged, and counts"
	}
	return fmt.Sprintf("multiprocess: %s %s: %s", spool.Quote(e.Path), what, reported(e.Err))
}

// reported returns the text of an error about a file that is named beside it: of
// errors of the system without the file's path, which may have any characters.
func reported(err error) string {
	var irregular *mapped.NotRegular
	if errors.As(err, &irregular) {
		return irregular.Error()
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Op + ": " + path.Err.Error()
	}
	return err.Error()
}

// Unwrap returns what was found.
func (e *FileError) Unwrap() error { return e.Err }

// ConflictError says that writers disagree on a family.
type ConflictError struct {
	Family string
	About  string // "type", "name", "mode", "help", "unit", "bounds", "states", "native buckets" or "pid"
	Err    error  // both sides, and which one counts
	// Lost reports whether samples are left out because of it. Without, as where
	// help texts differ, all values are counted.
	Lost bool
	// Files has the path of the file that counts, followed by those of the files
	// that differ, at most ten.
	Files []string
	// More is the number of files that differ and are not in Files.
	More int
}

// maxConflictFiles is how many of the files that differ a conflict names.
const maxConflictFiles = 10

// Error names the family, both sides and the files.
func (e *ConflictError) Error() string {
	text := fmt.Sprintf("multiprocess: writers disagree on the %s of %.200q: %v", e.About, e.Family, e.Err)
	if len(e.Files) < 2 {
		return text
	}
	var files strings.Builder
	for i, path := range e.Files[1:] {
		if i > 0 {
			files.WriteString(", ")
		}
		files.WriteString(strconv.Quote(path))
	}
	if e.More > 0 {
		fmt.Fprintf(&files, " and %d more", e.More)
	}
	return fmt.Sprintf("%s (%q counts before %s)", text, e.Files[0], &files)
}

// Unwrap returns the disagreement alone.
func (e *ConflictError) Unwrap() error { return e.Err }

// defectf makes an error that says what is wrong with a file's contents.
func defectf(reason Reason, format string, args ...any) error {
	return spool.Defectf(spool.Reason(reason), format, args...)
}

// unavailable reports whether the system could not give a file that may be whole:
// the process has no descriptors left, or its permissions have changed.
func unavailable(err error) bool {
	var d *spool.Defect
	if errors.As(err, &d) {
		return false
	}
	reason := fileError("", err).Reason
	return reason == ReasonRead || reason == ReasonPermission
}

// fileError finds the reason of an error met with a file.
func fileError(path string, err error) *FileError {
	reason := ReasonRead
	var d *spool.Defect
	var irregular *mapped.NotRegular
	var corrupt *segment.Corrupt
	switch {
	case errors.As(err, &d):
		reason = Reason(d.Reason)
	case errors.As(err, &irregular):
		reason = ReasonNotRegular
	case errors.Is(err, segment.ErrForeign):
		reason = ReasonForeign
	case errors.Is(err, segment.ErrVersion):
		reason = ReasonVersion
	case errors.As(err, &corrupt):
		reason = ReasonCorrupt
	case errors.Is(err, mapped.ErrFault), errors.Is(err, io.ErrUnexpectedEOF):
		reason = ReasonTruncated
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, mapped.ErrReplaced):
		reason = ReasonVanished
	case errors.Is(err, fs.ErrPermission):
		reason = ReasonPermission
	}
	return &FileError{Path: path, Reason: reason, Err: err}
}

// Stats is how a collector found its directory at the last collection.
type Stats struct {
	Files       int            // that were merged
	Bytes       int64          // used in them
	Skipped     map[Reason]int // files that were left out
	Live        int            // writers of segments that were merged
	Dead        int            // writers whose segments were merged and that no archive has taken up yet
	Epoch       string         // of the segments that were merged
	Generation  uint64         // of the archive; 0 if there is none
	Python      int            // of the files, those of Python's client
	Folds       Folds          // in the background, by this collector
	Spilled     int            // series on the heap, because the store's segment could not grow
	Families    int
	Series      int // of which the files tell, whether wanted by a restricted view or not
	Conflicts   int // disagreements of writers on families, by family and subject
	Collisions  int // series left out for those of a newer writer of the same label pid
	MappedFiles int // that stay mapped
	MappedBytes int64
	Collections uint64 // begun so far
	Listings    uint64 // of the directory so far; it is listed only after it changed
	Lost        error  // why the directory could not be listed, so that only what this process writes was shown
}

// Folds is how a collector's folds in the background have fared.
type Folds struct {
	Count    uint64        // that ended, whether there was anything to fold or not
	Files    uint64        // of dead writers that they took up
	Last     time.Time     // when the last one ended
	Duration time.Duration // of the last one
	Err      error         // why the last one failed
}
