//go:build !aix && !darwin && !dragonfly && !freebsd && !linux && !openbsd && !solaris

package spool

// Monotonic returns the nanoseconds of the boot's clock that nobody can set, 0 if
// the system does not tell.
func Monotonic() int64 { return 0 }

// MonotonicAtLeast returns what Monotonic does, never behind that clock.
func MonotonicAtLeast() int64 { return 0 }
