//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mapped

import "golang.org/x/sys/unix"

func renameNew(fd int, from, to string) error {
	err := renameNoReplace(fd, from, to)
	if err == unix.EINVAL || err == unix.ENOSYS || err == unix.ENOTSUP { //nolint:errorlint // unix returns bare numbers
		if err = unix.Linkat(fd, from, fd, to, 0); err == nil {
			err = unix.Unlinkat(fd, from, 0)
		}
	}
	return err
}
