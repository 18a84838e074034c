package multiprocess

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/internal/mapped"
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
	// Freed is how many bytes the deleted files had.
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

// The reasons for which a fold leaves a file alone, beside those for which it
// cannot be read.
const (
	ReasonAlive   Reason = "alive"   // its writer lives
	ReasonUnknown Reason = "unknown" // its writer may live
	ReasonUnfit   Reason = "unfit"   // it has what an archive cannot hold
	ReasonDelete  Reason = "delete"  // its numbers are in the archive, but it cannot be deleted
)

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
	began := time.Now()
	dir, err := resolveDirectory(dir)
	if err != nil {
		return &FoldReport{}, err
	}
	f := &folding{dir: dir, foldSettings: newFoldSettings(opts), report: &FoldReport{}, now: began, remains: newRemains()}
	if !mapped.GrowingSupported {
		return f.report, fmt.Errorf("multiprocess: %s cannot be folded: %w", dir, errors.ErrUnsupported)
	}
	err = f.run(ctx)
	f.report.Generation = f.generation
	f.report.Duration = time.Since(began)
	if err != nil {
		err = fmt.Errorf("multiprocess: %s cannot be folded: %w", dir, err)
	}
	return f.report, err
}

// FoldOption is an option of [Fold].
type FoldOption interface{ applyFold(*foldSettings) }

type foldOption func(*foldSettings)

func (o foldOption) applyFold(s *foldSettings) { o(s) }

// SharedOption is an option of [NewCollector], [Open] and [Fold]: those of one
// directory should be given the same.
type SharedOption interface {
	Option
	FoldOption
}

// DirectoryOption is an option of [Open] and of [Fold].
type DirectoryOption interface {
	StoreOption
	FoldOption
}

type sharedOption struct {
	option
	foldOption
}

// WithEpoch has only segments of that epoch merged, and folded; a fold drops dead
// ones of others. Without it the epoch is that of the writer that started last,
// among those that live if there are any. Python's files have no epoch and are
// always merged.
func WithEpoch(epoch string) SharedOption {
	return sharedOption{
		func(s *settings) { s.epoch = &epoch },
		func(s *foldSettings) { s.epoch = &epoch },
	}
}

// WithExpiry says for how long the series that a process had for itself, of a
// gauge of the mode all, are shown after it was found dead and its segment was
// folded; without it that is an hour.
func WithExpiry(after time.Duration) SharedOption {
	return sharedOption{
		func(s *settings) { s.expiry = after },
		func(s *foldSettings) { s.expiry = after },
	}
}

type foldSettings struct {
	epoch     *string // nil: the one that counts
	expiry    time.Duration
	dryRun    bool
	python    bool
	deadAfter time.Duration // 0: never without being sure
	remote    bool
	processes processes
	step      func(string) // called before each step that others can see
}

func newFoldSettings(opts []FoldOption) foldSettings {
	s := foldSettings{expiry: time.Hour, processes: processes{procRoot}, step: func(string) {}}
	for _, o := range opts {
		o.applyFold(&s)
	}
	return s
}

// WithDryRun has nothing changed: the report says what would be done. It takes no
// lock and needs no permission to write.
func WithDryRun() FoldOption { return foldOption(func(s *foldSettings) { s.dryRun = true }) }

// WithPythonFiles has the files of Python's client folded too. A Python program
// that reads the same directory (MultiProcessCollector) knows nothing of the
// archive and misses what was folded.
//
// A file is folded if its process has certainly ended: if no process of the
// system has it mapped for writing and none has its pid. That can be seen on
// Linux, outside of containers, by root or by a user who owns all that runs;
// where it cannot, [MarkProcessDead] and [WithDeadAfter] say so. What was folded
// counts for the epoch of the archive.
func WithPythonFiles() FoldOption { return foldOption(func(s *foldSettings) { s.python = true }) }

// WithDeadAfter has a file of Python's client taken for that of a dead process if
// its bytes have not changed for d and no process with its pid is in sight. It is
// for places from where not all processes can be seen, and for services whose
// processes are never idle for so long: what a process writes after its file was
// folded is lost. The time counts from when a fold with this option first saw the
// bytes, which the file fold.json keeps. 0, as without the option, means never.
func WithDeadAfter(d time.Duration) FoldOption {
	return foldOption(func(s *foldSettings) { s.deadAfter = max(0, d) })
}
