//go:build unix

package python

import (
	"os"
	"syscall"
)

// ownerOf returns the user and the group who own a file, or whose a process is.
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
