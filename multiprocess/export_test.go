package multiprocess

import (
	"time"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// NewCollectorWith returns a collector of a directory to which this process
// writes the segments of the names.
func NewCollectorWith(dir string, own func() map[string]segment.Space, opts ...Option) *Collector {
	return newCollector(dir, newSettings(opts), func() (segments []ownSegment) {
		for name, space := range own() {
			own := ownSegment{space: space}
			if name != "" {
				own.name = spool.Parse(name)
			}
			segments = append(segments, own)
		}
		return segments
	})
}

// WithStep has step called before each step of a fold that others can see.
func WithStep(step func(name string)) FoldOption {
	return foldOption(func(s *foldSettings) { s.step = step })
}

// WithProcesses has a fold look for processes elsewhere than in /proc.
func WithProcesses(root string) FoldOption {
	return foldOption(func(s *foldSettings) { s.processes = processes{root} })
}

// Folder is what stores and collectors fold with.
type Folder struct{ *folder }

// NewFolder returns a folder with a clock.
func NewFolder(dir string, now func() time.Time, ended func(*FoldReport, error), opts ...FoldOption) Folder {
	f := newFolder(dir, ended, opts...)
	f.now = now
	f.last = now()
	return Folder{f}
}

// Begun, Saw and Close are those of the folder.
func (f Folder) Begun(dead int) { f.begun(dead) }
func (f Folder) Saw(dead int)   { f.saw(dead) }
func (f Folder) Close()         { f.close() }

// Rest lets so much time pass for a store that rows of removed series are given
// to others.
func Rest(s *Store) {
	for range 20 {
		s.tick()
	}
}

// WithFiles has all operations on files of a collector, a store or a fold pass a
// hook, which can make them fail.
func WithFiles(hook mapped.Hook) SharedOption {
	return sharedOption{
		collector:  func(s *settings) { s.files = hook },
		foldOption: func(s *foldSettings) { s.files = hook },
	}
}

// MergeWith is Merge, and all operations on files pass a hook.
func MergeWith(files []string, accumulate bool, hook mapped.Hook) ([]*model.Family, error) {
	return merge(files, accumulate, hook)
}

// InspectWith is Inspect, and all operations on files pass a hook.
func InspectWith(dir string, hook mapped.Hook) ([]FileReport, error) { return inspect(dir, hook) }

// MarkProcessDeadWith is MarkProcessDead, and all operations on files pass a hook.
func MarkProcessDeadWith(dir string, pid int, hook mapped.Hook) error {
	return markProcessDead(dir, pid, hook)
}

// KeysOf returns how many keys of Python's files a collector has in memory.
func KeysOf(c *Collector) (n int) {
	for _, kind := range c.dir.merger.python {
		n += len(kind.keys)
	}
	return n
}
