//go:build unix

package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// descriptors returns how many descriptors the process may still open, of those
// that its limit allows, and false if that is unknown.
func descriptors() (left int, ok bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0, true // there is none left, or no such directory
	}
	return max(0, bounded(limit.Cur)-len(open)), true
}

// bounded converts a limit whose type differs from system to system.
func bounded[T ~int64 | ~uint64](n T) int { return int(min(uint64(n), 1<<20)) }
