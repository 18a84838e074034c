//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package mapped

import (
	"errors"

	"golang.org/x/sys/unix"
)

// The locks of flock(2) belong to what was opened, not to the process.

func lock(fd int) (bool, error) { return flock(fd, unix.LOCK_EX|unix.LOCK_NB) }

// probe reports whether another opening of the file has the exclusive lock: it tries to
// take a shared lock, and gives that up again. The caller has no lock through fd, which
// flock would trade for the shared one.
func probe(fd int) (bool, error) {
	free, err := flock(fd, unix.LOCK_SH|unix.LOCK_NB)
	if err != nil || !free {
		return !free && err == nil, err
	}
	return false, unlock(fd)
}

func unlock(fd int) error {
	_, err := flock(fd, unix.LOCK_UN)
	return err
}

func flock(fd, how int) (bool, error) {
	err := retry(func() error { return unix.Flock(fd, how) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
