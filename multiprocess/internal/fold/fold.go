package fold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/spool"
)

// Settings are the options of a fold.
type Settings struct {
	Epoch     *string // nil: the one that [spool.NewSurvey] finds
	Service   string  // whose directory it has to be; empty if any
	Expiry    time.Duration
	DryRun    bool
	Python    bool
	DeadAfter time.Duration // after how long without a change a Python file counts as dead; 0: only if that is certain
	Remote    bool
	MaxRead   spool.ReadLimit
	Perm      *fs.FileMode // of the archive; nil: as it was, or as the files that it takes up
	Processes python.Processes
	Step      func(string) // called before each step that others can see
	Files     mapped.Hook  // passed by all operations on files; nil but in tests
}

// Report says what a fold did, or would do.
type Report struct {
	// Busy says that another fold is under way in the directory, so that this
	// one did nothing.
	Busy bool
	// Epoch is that of the archive.
	Epoch string
	// Generation is that of the archive as it is now, 0 if there is none. It
	// grows by one each time that the archive is replaced.
	Generation uint64
	// Absorbed names the files of dead writers whose numbers are in the archive
	// now.
	Absorbed []string
	// Dropped names the files of another epoch that were deleted.
	Dropped []string
	// Left names the other files of writers, and why they were left alone.
	Left []leftFile
	// Swept names temporary files of processes that died that were deleted.
	Swept []string
	// Freed is how many bytes the deleted files took, holes not counted.
	Freed int64
	// Duration is how long it took.
	Duration time.Duration
}

// leftFile is a file that a fold left alone.
type leftFile struct {
	Name   string
	Reason spool.Reason
	Why    string
}

// Run folds the directory at the path. An error says that the fold ended early,
// and the report what it did before. It is safe for concurrent use.
func Run(ctx context.Context, path string, s Settings) (*Report, error) {
	began := time.Now()
	f := &folding{Settings: s, report: &Report{}, now: began, clock: spool.Now(), remains: estate.NewRemains()}
	if !mapped.GrowingSupported {
		return f.report, fmt.Errorf("multiprocess: %s cannot be folded: %w", path, errors.ErrUnsupported)
	}
	var err error
	if f.dir, err = spool.Open(path, f.Files); err != nil {
		return f.report, fmt.Errorf("multiprocess: %w", err)
	}
	defer f.dir.Close()
	f.dir.MaxRead = f.MaxRead
	err = f.run(ctx)
	f.report.Generation = f.generation
	f.report.Duration = time.Since(began)
	if err != nil {
		err = fmt.Errorf("multiprocess: %s cannot be folded: %w", path, err)
	}
	return f.report, err
}
