package scrapehttp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// DefaultSocketMode is the mode of Unix sockets without [WithSocketMode]. A process
// that may write to a socket may scrape it.
const DefaultSocketMode fs.FileMode = 0o660

// ListenOption is an option of [Listen], and so of [Serve] too.
type ListenOption interface {
	ServerOption
	applyListen(*listenSettings)
}

// listenSettings holds the options of a listener.
type listenSettings struct{ socketMode fs.FileMode }

type listenOption func(*listenSettings)

func (o listenOption) applyListen(s *listenSettings) { o(s) }
func (o listenOption) applyServer(s *serverSettings) { o(&s.listen) }

// WithSocketMode sets the permissions of a Unix socket, whatever the umask is. They
// have no effect on Windows. The default is [DefaultSocketMode].
func WithSocketMode(mode fs.FileMode) ListenOption {
	return listenOption(func(s *listenSettings) { s.socketMode = mode.Perm() })
}

// unixPrefix is what an address of a Unix socket begins with.
const unixPrefix = "unix:"

// Listen listens on a TCP address, such as "127.0.0.1:9464", or on the Unix socket whose
// path stands behind "unix:", such as "unix:/run/shop/metrics.sock". It is what [Serve]
// does, for programs that run the server of [NewServer] themselves. Prometheus scrapes
// Unix sockets from 3.15 on.
//
// A socket that a dead process has left at the path is replaced. One that a process
// still listens on is an error, and so is any other file there. The listener removes
// the socket when it is closed, unless another one has taken its place. Programs that
// start at once on one path take turns, by a lock of its directory for the time of the
// start: one of them has the path, and the others get an error.
func Listen(ctx context.Context, addr string, opts ...ListenOption) (net.Listener, error) {
	s := listenSettings{socketMode: DefaultSocketMode}
	for _, o := range opts {
		o.applyListen(&s)
	}
	return listen(ctx, addr, s)
}

func listen(ctx context.Context, addr string, s listenSettings) (l net.Listener, err error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		l, err = listenOnSocket(ctx, path, s.socketMode)
	} else {
		var config net.ListenConfig
		l, err = config.Listen(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("scrapehttp: %w", err)
	}
	return l, nil
}

// answerTime is how long a process has to accept a connection to its socket. One that
// takes longer is alive.
const answerTime = time.Second

func listenOnSocket(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	switch {
	case path == "":
		return nil, errors.New("the address unix: has no path")
	case path[0] == '@': // which package net takes for a name without a file, and so without permissions
		path = "./" + path
	}
	unlock, err := lockDirectoryOf(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the directory of the socket %s: %w", path, err)
	}
	defer unlock()
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: modeBeforeBind(mode)}
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	s := &socket{Listener: l, path: path}
	if unix, ok := l.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // it would unlink whatever is at the path by then
	}
	if s.file, err = os.Lstat(path); err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		_ = l.Close()
		_ = os.Remove(path)
		return nil, err
	}
	return s, nil
}

// removeStale removes the socket of a process that does not listen any more. The
// directory is locked.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !isSocket(info):
		return fmt.Errorf("%s is there and is not a socket", path)
	}
	dialer := net.Dialer{Timeout: answerTime}
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return fmt.Errorf("another process listens on %s", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !isRefused(err):
		return fmt.Errorf("it cannot be told whether another process listens on %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// socket is a listener that removes its own file when it is closed.
type socket struct {
	net.Listener
	path   string
	file   fs.FileInfo
	once   sync.Once
	closed error
}

// Close closes the listener and removes its file.
func (s *socket) Close() error {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerTime)
		defer cancel()
		if unlock, err := lockDirectoryOf(ctx, s.path); err == nil {
			defer unlock()
		}
		if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.file) {
			_ = os.Remove(s.path)
		}
		s.closed = s.Listener.Close()
	})
	return s.closed
}
