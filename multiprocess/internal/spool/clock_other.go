//go:build !aix && !darwin && !dragonfly && !freebsd && !linux && !openbsd && !solaris

package spool

// Monotonic returns the nanoseconds of the boot's clock that nobody can set, 0 if
// the system does not tell.
func Monotonic() int64 { return 0 }

// MonotonicAtLeast returns what Monotonic does, never behind that clock.
func MonotonicAtLeast() int64 { return 0 }

// Ahead returns by how much the times that this process gives values are ahead of the
// boot's clock, 0 if they go by the wall clock.
func Ahead() int64 { return 0 }
