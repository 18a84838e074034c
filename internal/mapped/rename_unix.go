//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mapped

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// RenameNoReplace renames a regular file unless something has the new name
// already, which is an error that is fs.ErrExist. Where the system or the file
// system has no such call, the file gets its new name first and loses the old one
// then: a crash between the two leaves it with both, and a file system without
// hard links refuses.
func RenameNoReplace(old, new string) error {
	err := retry(func() error { return renameNoReplace(old, new) })
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		if err := os.Link(old, new); err != nil {
			return err
		}
		return os.Remove(old)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: old, New: new, Err: err}
	}
	return nil
}

// SyncDir waits until the names of the files in dir are on the disk: those that
// were created, renamed and removed.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read from
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil // or the file system does not sync directories
}
