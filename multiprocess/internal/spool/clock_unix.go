//go:build aix || darwin || dragonfly || freebsd || openbsd || solaris

package spool

import "golang.org/x/sys/unix"

// Monotonic returns the nanoseconds of the boot's clock that nobody can set, 0 if
// the system does not tell.
func Monotonic() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return t.Nano()
}

// MonotonicAtLeast returns what Monotonic does, never behind that clock.
func MonotonicAtLeast() int64 { return Monotonic() }

// Ahead returns by how much the times that this process gives values are ahead of the
// boot's clock, 0 if they go by the wall clock.
func Ahead() int64 { return 0 }
