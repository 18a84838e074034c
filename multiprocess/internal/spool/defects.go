package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// Reason says in one word why a file is left out, or left alone by a fold.
type Reason string

// The reasons.
const (
	ReasonName       Reason = "name"        // its name ends in .db or .seg, but is not one that a writer gives
	ReasonNotRegular Reason = "not_regular" // a directory, a symbolic link, a pipe
	ReasonPermission Reason = "permission"  // it may not be read
	ReasonVanished   Reason = "vanished"    // it was gone when it was its turn
	ReasonEmpty      Reason = "empty"       // nothing was written yet: no bytes, or zeros
	ReasonTruncated  Reason = "truncated"   // it is shorter than it says
	ReasonCorrupt    Reason = "corrupt"     // what it says cannot be
	ReasonAmbiguous  Reason = "ambiguous"   // it can be read in both layouts, with different results
	ReasonKey        Reason = "key"         // an entry's key is not UTF-8, not JSON or not a key
	ReasonForeign    Reason = "foreign"     // its name is a segment's, but it does not begin like one
	ReasonVersion    Reason = "version"     // a segment of another version of the format, or byte order
	ReasonEpoch      Reason = "epoch"       // a segment whose writer lives, of another epoch than the one that counts
	ReasonRead       Reason = "read"        // the system reports another error, or it has more bytes than can be read
	ReasonCopy       Reason = "copy"        // a segment under another name than its writer's: a copy, or a link
	ReasonSparse     Reason = "sparse"      // most of the bytes that it says are used are not there
	ReasonLinked     Reason = "linked"      // it has several names, so that folds leave it alone
	ReasonReplaced   Reason = "replaced"    // another file has taken its name

	ReasonAlive   Reason = "alive"   // its writer lives
	ReasonUnknown Reason = "unknown" // its writer may live
	ReasonUnfit   Reason = "unfit"   // it has what an archive cannot hold
	ReasonDelete  Reason = "delete"  // its numbers are in the archive, but it cannot be deleted
)

// Defect is what is wrong with a file.
type Defect struct {
	Reason Reason
	Text   string
}

// Error returns the text.
func (d *Defect) Error() string { return d.Text }

// Defectf makes a [*Defect].
func Defectf(reason Reason, format string, args ...any) error {
	return &Defect{reason, fmt.Sprintf(format, args...)}
}

// FileError says that a file was left out, and why. The other files are not
// affected.
type FileError struct {
	Path   string
	Reason Reason
	Err    error // what was found
	Counts bool  // it was not left out: the error is reported, and the file counts
}

// NewFileError finds the reason of an error met with a file.
func NewFileError(path string, err error) *FileError {
	return &FileError{Path: path, Reason: ReasonOf(err), Err: err}
}

// NewDoubt is NewFileError for a file that counts all the same.
func NewDoubt(path string, err error) *FileError {
	return &FileError{Path: path, Reason: ReasonOf(err), Err: err, Counts: true}
}

// Error names the file and what is wrong with it. A name with characters that
// cannot be printed is quoted.
func (e *FileError) Error() string {
	what := "is left out"
	if e.Counts {
		what = "is damaged, and counts"
	}
	return fmt.Sprintf("multiprocess: %s %s: %s", Quote(e.Path), what, Describe(e.Err))
}

// Unwrap returns what was found.
func (e *FileError) Unwrap() error { return e.Err }

// Describe returns the text of an error about a file that is named beside it: of
// errors of the system without the file's path, which may have any characters.
func Describe(err error) string {
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

// ReasonOf returns the reason that an error met with a file is.
func ReasonOf(err error) Reason {
	var d *Defect
	var irregular *mapped.NotRegular
	var corrupt *segment.Corrupt
	switch {
	case errors.As(err, &d):
		return d.Reason
	case errors.As(err, &irregular):
		return ReasonNotRegular
	case errors.Is(err, segment.ErrForeign):
		return ReasonForeign
	case errors.Is(err, segment.ErrVersion):
		return ReasonVersion
	case errors.Is(err, segment.ErrShort):
		return ReasonTruncated
	case errors.As(err, &corrupt):
		return ReasonCorrupt
	case errors.Is(err, mapped.ErrFault), errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonTruncated
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, mapped.ErrReplaced):
		return ReasonVanished
	case errors.Is(err, fs.ErrPermission):
		return ReasonPermission
	}
	return ReasonRead
}

// Cut returns an error met with what is mapped of a file of which so many bytes were in use.
// If the error says that it is corrupt, and stat that it has fewer bytes by now, it is one of
// a truncated file: what is mapped of such a file ends in zeros.
func Cut(err error, used int64, stat func() (mapped.Info, error)) error {
	if used == 0 || ReasonOf(err) != ReasonCorrupt {
		return err
	}
	if info, failed := stat(); failed == nil && info.Size < used {
		return Defectf(ReasonTruncated, "it has %d bytes, and %d were in use a moment ago", info.Size, used)
	}
	return err
}

// Unavailable reports whether an error says that the system could not give a file
// that may be whole: the process has no descriptors left, its permissions have
// changed, or fewer bytes came than the file has. A file that was truncated is not whole.
func Unavailable(err error) bool {
	var d *Defect
	if errors.As(err, &d) || errors.Is(err, mapped.ErrCut) {
		return false
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	reason := ReasonOf(err)
	return reason == ReasonRead || reason == ReasonPermission
}

// Vanished reports whether an error says that a path leads nowhere.
func Vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
