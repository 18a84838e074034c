package multiprocess

import (
	"context"
	"time"

	"telltale/multiprocess/internal/fold"
)

// FoldReport says what a fold did, or would do ([WithDryRun]).
type FoldReport struct {
	// Busy says that another fold is under way in the directory, so that this
	// one did nothing.
	Busy bool `json:"busy"`
	// Epoch is that of the archive.
	Epoch string `json:"epoch"`
	// Generation is that of the archive as it is now, 0 if there is none. It
	// grows by one each time that the archive is replaced.
	Generation uint64 `json:"generation"`
	// Absorbed names the files of dead writers whose numbers are in the archive
	// now.
	Absorbed []string `json:"absorbed"`
	// Dropped names the files of another epoch that were deleted.
	Dropped []string `json:"dropped"`
	// Left names the other files of writers, and why they were left alone.
	Left []LeftFile `json:"left"`
	// Swept names temporary files of processes that died that were deleted.
	Swept []string `json:"swept"`
	// Freed is how many bytes the deleted files took, holes not counted.
	Freed int64 `json:"freed_bytes"`
	// Duration is how long it took.
	Duration time.Duration `json:"duration_ns"`
}

// LeftFile is a file that a fold left alone.
type LeftFile struct {
	Name   string `json:"name"`
	Reason Reason `json:"reason"`
	Why    string `json:"why"`
}

// Fold adds up what dead writers left in dir and puts it into one file there,
// the archive, so that a service whose processes come and go does not collect
// files for ever. Totals stay what they are, for readers that run meanwhile too,
// and whenever the folding process is killed: each file is counted, or the
// archive that took it up, and never both. If dir is empty, the environment
// variable PROMETHEUS_MULTIPROC_DIR names it.
//
// Counters, histograms and summaries of the dead count on for ever, with created
// times and exemplars; gauges keep the meaning of their mode; what is said of
// live processes only, the live modes, infos and enums, is forgotten. Files that
// cannot be read stay where they are and are reported.
//
// Stores and collectors fold by themselves; the files of Python's client are
// folded only where that is asked for, with [WithPythonFiles].
//
// One fold runs in a directory at a time: where another one is under way, the
// report says so and there is no error. An error says that the fold ended early,
// and the report what it did before. Nothing is half done then. It is safe for
// concurrent use.
func Fold(ctx context.Context, dir string, opts ...FoldOption) (*FoldReport, error) {
	dir, err := resolveDirectory(dir)
	if err != nil {
		return &FoldReport{}, err
	}
	report, err := fold.Run(ctx, dir, newFoldSettings(opts))
	return publicReport(report), err
}

// publicReport returns a report as callers know it.
func publicReport(r *fold.Report) *FoldReport {
	var left []LeftFile
	for _, file := range r.Left {
		left = append(left, LeftFile(file))
	}
	return &FoldReport{
		Busy: r.Busy, Epoch: r.Epoch, Generation: r.Generation, Absorbed: r.Absorbed, Dropped: r.Dropped,
		Left: left, Swept: r.Swept, Freed: r.Freed, Duration: r.Duration,
	}
}
