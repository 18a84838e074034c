//go:build unix

package python

import (
	"os"
	"syscall"
)

// ownerOf returns the user and the group of a file, or of a process given its directory
// in /proc.
func ownerOf(path string) (user, group uint32, ok bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}
