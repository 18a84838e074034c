//go:build unix

package scrapehttp

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lockWait is how long a directory may be locked by others.
const lockWait = 10 * time.Second

// lockDirectoryOf locks the directory of a path against other processes, and other
// goroutines, that do the same. The lock ends with the process, and leaves no file.
func lockDirectoryOf(ctx context.Context, path string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	dir, err := unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(dir, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = unix.Close(dir) }, nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			_ = unix.Close(dir)
			return nil, err
		}
		select {
		case <-ctx.Done():
			_ = unix.Close(dir)
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// modeBeforeBind gives the socket its permissions before it has a name, where the
// system heeds that (Linux), so that at no time it has more.
func modeBeforeBind(mode fs.FileMode) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), uint32(mode)) }) // it is set by name, too
	}
}

func isSocket(info fs.FileInfo) bool { return info.Mode().Type() == fs.ModeSocket }

func isRefused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }
