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
	most := int(min(uint64(limit.Cur), 1<<20)) // its type differs from system to system
	return max(0, most-len(open)), true
}
