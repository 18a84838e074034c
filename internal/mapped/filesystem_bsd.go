//go:build darwin || freebsd

package mapped

import (
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystemOf returns the file system on which an open file lies. None is Proven.
func fileSystemOf(fd int) (FileSystem, error) {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(fd, &st) }); err != nil {
		return FileSystem{}, err
	}
	name := unix.ByteSliceToString(st.Fstypename[:])
	return FileSystem{
		Name:   name,
		Memory: name == "tmpfs",
		Remote: st.Flags&unix.MNT_LOCAL == 0 || strings.Contains(name, "fuse"), // FUSE may claim to be local
	}, nil
}
