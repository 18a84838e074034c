package segsource

import (
	"time"

	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Files is what the segments share that one reader reads: what they have in common is
// read once. It is not safe for concurrent use.
type Files struct {
	reading  *spool.Reading
	expiry   time.Duration // of a dead process's own gauges
	plan     segment.Plan
	bindings map[*catalog.Claim]*binding
	kept     int // bytes of files that are not mapped
	ration   segment.Rationed
	clock    spool.Clock    // when segments or their values are read
	contents spool.Contents // of the file that is being read

	parts     []part // room for one file's
	stretches []segment.Stretch
}

// NewFiles returns no segments yet, which are opened as the reading says. Series of
// single processes that died are merged for the time of the expiry.
func NewFiles(r *spool.Reading, expiry time.Duration) *Files {
	return &Files{reading: r, expiry: expiry, bindings: make(map[*catalog.Claim]*binding)}
}

// At says when segments are brought up to date, or their values read, by the clocks.
func (fs *Files) At(now spool.Clock) { fs.clock = now }

// Forget forgets what segments have in common. Those that were opened before must be
// closed.
func (fs *Files) Forget() {
	fs.plan = segment.Plan{}
	clear(fs.bindings)
}

// File returns the segment at a place. Nothing is read.
func (fs *Files) File(at spool.Place) *File {
	f := &File{Place: at, files: fs}
	f.writer.File = f
	return f
}
