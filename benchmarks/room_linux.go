package main

import "golang.org/x/sys/unix"

// roomy reports whether there is 1 GiB of room at a path.
func roomy(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Bavail >= 1<<30/uint64(st.Bsize)
}
