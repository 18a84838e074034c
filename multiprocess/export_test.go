package multiprocess

import (
	"time"

	"telltale/multiprocess/internal/segment"
)

// NewCollectorWith returns a collector of a directory to which this process
// writes the segments of the names.
func NewCollectorWith(dir string, own func() map[string]segment.Space, opts ...Option) *Collector {
	return newCollector(dir, newSettings(opts), func() (segments []ownSegment) {
		for name, space := range own() {
			segments = append(segments, ownSegment{name, space})
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
