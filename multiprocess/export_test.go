package multiprocess

import (
	"time"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/fold"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// NewCollectorWith returns a collector of a directory to which this process
// writes the segments of the names.
func NewCollectorWith(dir string, own func() map[string]segment.Space, opts ...Option) *Collector {
	return newCollector(dir, newSettings(opts), func() (segments []spool.Own) {
		for name, space := range own() {
			own := spool.Own{Space: space}
			if name != "" {
				own.Name = spool.Parse(name)
			}
			segments = append(segments, own)
		}
		return segments
	})
}

// WithStep has step called before each step of a fold that others can see.
func WithStep(step func(name string)) FoldOption {
	return foldOption(func(s *fold.Settings) { s.Step = step })
}

// WithProcesses has a fold look for processes elsewhere than in /proc.
func WithProcesses(root string) FoldOption {
	return foldOption(func(s *fold.Settings) { s.Processes = python.Processes{Root: root} })
}

// WithAge sets for how long a writer that lived when it was asked is taken to live, in
// place of a second. Tests do not wait.
func WithAge(age time.Duration) Option { return option(func(s *settings) { s.age = age }) }

// Folder is what stores and collectors fold with.
type Folder struct{ *fold.Folder }

// NewFolder returns a folder with a clock.
func NewFolder(dir string, now func() time.Time, ended func(*FoldReport, error), opts ...FoldOption) Folder {
	f := fold.NewFolder(dir, func(r *fold.Report, err error) { ended(publicReport(r), err) }, newFoldSettings(opts))
	f.Now = now
	f.Last = now()
	return Folder{f}
}

// Rest lets so much time pass for a store that rows of removed series are given
// to others.
func Rest(s *Store) {
	for range 20 {
		s.kept.Tick()
	}
}

// WithFiles has all operations on files of a collector, a store or a fold pass a
// hook, which can make them fail.
func WithFiles(hook mapped.Hook) SharedOption {
	return sharedOption{
		collector:  func(s *settings) { s.files = hook },
		foldOption: func(s *fold.Settings) { s.Files = hook },
	}
}

// MergeWith is Merge, and all operations on files pass a hook.
func MergeWith(files []string, accumulate bool, hook mapped.Hook) ([]*model.Family, error) {
	return mergeWith(files, accumulate, hook)
}

// InspectWith is Inspect, and all operations on files pass a hook.
func InspectWith(dir string, hook mapped.Hook) ([]FileReport, error) { return inspect(dir, hook) }

// MarkProcessDeadWith is MarkProcessDead, and all operations on files pass a hook.
func MarkProcessDeadWith(dir string, pid int, hook mapped.Hook) error {
	return python.MarkDead(dir, pid, hook)
}

// KeysOf returns how many keys of Python's files a collector has in memory.
func KeysOf(c *Collector) int { return c.gatherer.Keys() }

// MaxCarried is how many tombstones an archive carries at most.
const MaxCarried = fold.MaxCarried
