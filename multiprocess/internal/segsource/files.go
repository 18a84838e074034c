package segsource

import (
	"time"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Files is what the segments share that one reader reads: what they have in common is
// read once. It is not safe for concurrent use.
type Files struct {
	reading *spool.Reading
	expiry  time.Duration // of a dead process's own gauges
	plan    segment.Plan
	kept    int // bytes of files that are not mapped
	ration  segment.Rationed
	late    late
	clock   spool.Clock // when values are read

	parts     []part // room for one file's
	stretches []segment.Stretch
}

// NewFiles returns no segments yet, which are opened as the reading says. Series of
// single processes that died are merged for the time of the expiry.
func NewFiles(r *spool.Reading, expiry time.Duration) *Files {
	return &Files{reading: r, expiry: expiry}
}

// At says when values are read, by the clocks.
func (fs *Files) At(now spool.Clock) { fs.clock = now }

// Forget forgets what segments have in common. Those that were opened before must be
// closed.
func (fs *Files) Forget() { fs.plan = segment.Plan{} }

// File returns the segment at a place. Nothing is read.
func (fs *Files) File(at spool.Place) *File { return &File{Place: at, files: fs} }
