//go:build darwin || freebsd

package mapped

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// FileSystemOf returns the file system that holds path, which exists. None is
// Proven.
func FileSystemOf(path string) (FileSystem, error) {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(path, &st) }); err != nil {
		return FileSystem{}, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	name := unix.ByteSliceToString(st.Fstypename[:])
	return FileSystem{
		Name:   name,
		Memory: name == "tmpfs",
		Remote: st.Flags&unix.MNT_LOCAL == 0 || strings.Contains(name, "fuse"), // FUSE may claim to be local
	}, nil
}
