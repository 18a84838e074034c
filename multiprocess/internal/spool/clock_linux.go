package spool

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/cell"
)

// Asking the system for the boot's clock takes a system call, most of what it costs to
// make or remove a series. Go's own clock is the same one, which the process reads
// without a call, but tells only differences.

// comparison is a reading of Go's clock, and between which readings of the boot's clock
// it was made.
type comparison struct {
	at            time.Time
	after, before int64
}

// comparisons is how many are made, of which the closest is taken: the process may have
// to wait for a processor in the middle of one.
const comparisons = 16

var compared = sync.OnceValue(func() *comparison {
	var best comparison
	for i := range comparisons {
		c := comparison{after: systemClock()}
		c.at = time.Now()
		if c.before = systemClock(); i == 0 || c.before-c.after < best.before-best.after {
			best = c
		}
	}
	return &best
})

// systemClock asks the system for the boot's clock.
func systemClock() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return t.Nano() - namespaceOffset()
}

// Monotonic returns the nanoseconds of the boot's clock that nobody can set. It may be
// about a microsecond behind that clock, but never ahead.
func Monotonic() int64 {
	c := compared()
	return c.after + int64(time.Since(c.at))
}

// MonotonicAtLeast returns what Monotonic does, but never behind that clock: about a
// microsecond ahead of it at most.
func MonotonicAtLeast() int64 {
	c := compared()
	return c.before + int64(time.Since(c.at))
}

// Ahead returns by how much the times that this process gives values are ahead of the
// boot's clock, 0 if they go by the wall clock.
func Ahead() int64 {
	now, c := time.Now(), compared()
	return cell.TimeAt(now) - c.after - int64(now.Sub(c.at))
}
