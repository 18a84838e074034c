package mapped

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Open file description locks (fcntl(2), since Linux 3.15) belong to what was
// opened, not to the process, so closing another descriptor of the file does not
// drop them, and unlike flock's they can be asked for without being taken.

func wholeFile(kind int16) unix.Flock_t { return unix.Flock_t{Type: kind, Whence: unix.SEEK_SET} }

func lock(fd int) (bool, error) {
	whole := wholeFile(unix.F_WRLCK)
	err := retry(func() error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &whole) })
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

// probe asks whether lock would be refused, which needs no descriptor for writing.
func probe(fd int) (bool, error) {
	whole := wholeFile(unix.F_WRLCK)
	err := retry(func() error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &whole) })
	return err == nil && whole.Type != unix.F_UNLCK, err
}

func unlock(fd int) error {
	whole := wholeFile(unix.F_UNLCK)
	return retry(func() error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &whole) })
}
