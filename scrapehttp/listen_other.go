//go:build !unix

package scrapehttp

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
)

// lockDirectoryOf locks nothing: directories cannot be locked here.
func lockDirectoryOf(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func modeBeforeBind(fs.FileMode) func(network, address string, c syscall.RawConn) error { return nil }

// isSocket reports whether a file may be a socket, which Windows shows as irregular or
// as a socket.
func isSocket(info fs.FileInfo) bool {
	return info.Mode().Type()&(fs.ModeSocket|fs.ModeIrregular) != 0
}

// isRefused reports whether nobody listens: the system's number of that is not one of
// package syscall (WSAECONNREFUSED).
func isRefused(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) && number == 10061
}
