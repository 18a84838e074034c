package multiprocess

import (
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// Reason says why a file was left out, or left alone by a fold.
type Reason = spool.Reason

// The reasons for leaving out a file.
const (
	ReasonName       = spool.ReasonName       // its name ends in .db or .seg, but is not one that a writer gives
	ReasonNotRegular = spool.ReasonNotRegular // a directory, a symbolic link, a pipe
	ReasonPermission = spool.ReasonPermission // it may not be read
	ReasonVanished   = spool.ReasonVanished   // it was gone when it was its turn
	ReasonEmpty      = spool.ReasonEmpty      // nothing was written yet: no bytes, or zeros
	ReasonTruncated  = spool.ReasonTruncated  // it is shorter than it says
	ReasonCorrupt    = spool.ReasonCorrupt    // its entries do not end where it says
	ReasonAmbiguous  = spool.ReasonAmbiguous  // it can be read in both layouts, with different results
	ReasonKey        = spool.ReasonKey        // an entry's key is not UTF-8, not JSON or not a key
	ReasonForeign    = spool.ReasonForeign    // its name is a segment's, but it does not begin like one
	ReasonVersion    = spool.ReasonVersion    // a segment of another version of the format, or byte order
	ReasonEpoch      = spool.ReasonEpoch      // a segment whose writer lives, of another epoch than the one that counts
	ReasonRead       = spool.ReasonRead       // the system reports another error, or it has more bytes than are read ([WithReadLimit])
	ReasonCopy       = spool.ReasonCopy       // a segment under another name than its writer's: a copy, or a link
	ReasonSparse     = spool.ReasonSparse     // most of the bytes that it says are used are not there
	ReasonLinked     = spool.ReasonLinked     // it has several names, so that folds leave it alone
	ReasonReplaced   = spool.ReasonReplaced   // another file has taken its name
)

// The reasons for which a fold leaves a file alone, beside those for which it
// cannot be read.
const (
	ReasonAlive   = spool.ReasonAlive   // its writer lives
	ReasonUnknown = spool.ReasonUnknown // its writer may live
	ReasonUnfit   = spool.ReasonUnfit   // it has what an archive cannot hold
	ReasonDelete  = spool.ReasonDelete  // its numbers are in the archive, but it cannot be deleted
)

// FileError says that a file was left out, and why. The other files are not
// affected.
type FileError struct {
	Path   string
	Reason Reason
	Err    error // what was found
	Counts bool  // it was not left out: the error is reported, and the file counts
}

// Error names the file and what is wrong with it. A name with characters that
// cannot be printed is quoted.
func (e *FileError) Error() string { return (*spool.FileError)(e).Error() }

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

// Error names the family, both sides and the files.
func (e *ConflictError) Error() string { return (*catalog.Conflict)(e).Error() }

// Unwrap returns the disagreement alone.
func (e *ConflictError) Unwrap() error { return e.Err }

// public returns an error about a file or a conflict as callers know it, and others
// as they are.
func public(err error) error {
	switch e := err.(type) { //nolint:errorlint // they are made as they are, and never wrapped
	case *spool.FileError:
		return (*FileError)(e)
	case *catalog.Conflict:
		return (*ConflictError)(e)
	}
	return err
}
