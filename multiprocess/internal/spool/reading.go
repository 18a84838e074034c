package spool

import (
	"math/bits"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// Place is where a writer's values are: in a file, or in this process's memory.
// Places are equal if their parts are.
type Place struct {
	Path string
	Name Name          // in its directory; the zero Name if it has none
	Dir  *Dir          // of a directory that was given by hand; else it is the Reading's
	Own  segment.Space // nil for a file
}

// Reading is how one reader comes by files, and how much of them it keeps mapped.
// It is not safe for concurrent use.
type Reading struct {
	Dir    *Dir        // of the files; nil if they were given by hand
	Hook   mapped.Hook // passed by operations on files given by hand
	Given  bool        // by hand: nothing is left out silently
	Limits Limits
	// MaxRead is how many bytes a file may have that is not mapped.
	MaxRead ReadLimit
	// Age is for how long it is taken for granted that a writer lives; what is asked
	// for the first time, or given by hand, is asked at once.
	Age time.Duration

	anew   time.Time
	now    time.Time // when the reading began that goes on
	clock  int64     // the same by the boot's clock
	buffer []byte
}

// Begin begins a reading of all files, at a time that it returns: the clocks are read once
// for all of them.
func (r *Reading) Begin() time.Time {
	r.now, r.clock = time.Now(), Monotonic()
	return r.now
}

// Lasts returns for how long the reading has gone on.
func (r *Reading) Lasts() time.Duration { return time.Since(r.now) }

// Room returns a buffer with at least n bytes, aligned as atomic loads need it, with
// what was read into it: it is the same one at each call, for one file at a time.
func (r *Reading) Room(n int) []byte {
	if len(r.buffer) < n {
		grown := mapped.Aligned(n)
		copy(grown, r.buffer)
		r.buffer = grown
	}
	return r.buffer
}

// AskAnew makes the next reading ask of each writer whether it lives, however recently
// that was asked.
func (r *Reading) AskAnew() { r.anew = time.Now() }

// Fresh reports whether a writer may be taken to live without asking again: it was
// found alive a short time ago, at asked, or it noted in its segment a short time ago,
// at alive by the clock of the given boot, that it lives.
func (r *Reading) Fresh(asked time.Time, boot [16]byte, alive int64) bool {
	if r.Given || !asked.After(r.anew) {
		return false
	}
	since := r.clock - alive // not known of other boots, and negative by another namespace's clock
	return r.now.Sub(asked) < r.Age || since >= 0 && since < int64(r.Age) && boot == BootID() && boot != [16]byte{}
}

// Open opens the file at a place, if it is a regular one.
func (r *Reading) Open(at Place) (*mapped.File, error) {
	switch {
	case r.Single(at):
		return mapped.Open(at.Path, r.Hook)
	case at.Dir != nil:
		return at.Dir.Read(at.Name)
	}
	return r.Dir.Read(at.Name)
}

// Single reports whether a place is a file that was given by hand: then it may have
// any name, and links are followed.
func (r *Reading) Single(at Place) bool { return r.Given && at.Dir == nil }

// Stat says what is at a place of the reader's directory.
func (r *Reading) Stat(at Place) (mapped.Info, error) { return r.Dir.Stat(at.Name) }

// KindOf returns the kind of file at a place. A file that was given by hand is a
// Writer's segment if its name ends in .seg, else Foreign.
func (r *Reading) KindOf(at Place) Kind {
	kind := at.Name.Kind()
	switch {
	case at.Own != nil:
		return Writer
	case r.Single(at) && strings.HasSuffix(at.Path, SegmentSuffix):
		return Writer
	}
	return kind
}

// Limits bound what stays mapped. The zero Limits allow nothing.
type Limits struct {
	MaxFiles int
	MaxBytes int64

	files int
	bytes int64
}

// DefaultLimits returns the limits of readers that nobody set others for.
func DefaultLimits() Limits {
	// A process may have 65,530 mappings on Linux, and there is little address
	// space on 32-bit systems.
	if bits.UintSize == 32 {
		return Limits{MaxFiles: 1 << 12, MaxBytes: 256 << 20}
	}
	return Limits{MaxFiles: 1 << 14, MaxBytes: 16 << 30}
}

// Allow reports whether another mapping of n bytes is within the limits.
func (l *Limits) Allow(size int64) bool {
	return mapped.Supported && l.files < l.MaxFiles && l.bytes+size <= l.MaxBytes
}

// Take counts a mapping of n bytes.
func (l *Limits) Take(size int64) {
	l.files++
	l.bytes += size
}

// Release counts one less.
func (l *Limits) Release(size int64) {
	l.files--
	l.bytes -= size
}

// Mapped returns how many files are mapped, and how many bytes of them.
func (l *Limits) Mapped() (files int, bytes int64) { return l.files, l.bytes }

// MappingFor returns how much to map of a file of which so much is used: room to
// grow, but not the large empty rest that some writers put behind a few entries.
func MappingFor(used int) int64 {
	const step = 1 << 16
	return (int64(used) + int64(used)/2 + step) / step * step
}

// Own is a segment that this process writes.
type Own struct {
	Name  Name // of its file in the directory; the zero Name if it has none
	Space segment.Space
}
