//go:build unix

package scrapehttp_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"telltale/scrapehttp"
)

// socketDir returns a directory with a path short enough for the name of a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// overSocket returns a client that reaches the socket whatever the URL's host is.
func overSocket(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: 2 * time.Minute, Transport: transport}
}

func mustListen(t *testing.T, path string, opts ...scrapehttp.ListenOption) net.Listener {
	t.Helper()
	l, err := scrapehttp.Listen(t.Context(), "unix:"+path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestServeOnASocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "metrics.sock")
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- scrapehttp.Serve(ctx, "unix:"+path, &asked{name: "depth"}, scrapehttp.WithListening(func(a net.Addr) { ready <- a }))
	}()
	select {
	case a := <-ready:
		if a.Network() != "unix" || a.String() != path {
			t.Errorf("it listens on %v", a)
		}
	case err := <-ended:
		t.Fatal(err)
	}
	response, err := overSocket(t, path).Get("http://shop/metrics")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(page), "depth") {
		t.Errorf("%v: %s", err, page)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestSocketModes(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for want, opts := range map[fs.FileMode][]scrapehttp.ListenOption{
		scrapehttp.DefaultSocketMode: nil,
		0o600:                        {scrapehttp.WithSocketMode(0o600)},
		0o666:                        {scrapehttp.WithSocketMode(0o666)},
	} {
		path := filepath.Join(socketDir(t), "s")
		mustListen(t, path, opts...)
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%v, %v, want %v", err, info.Mode(), want)
		}
	}
}

// stale leaves a socket at the path on which nobody listens.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSocketOfADeadProcessIsReplaced(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	stale(t, path)
	l := mustListen(t, path)
	go func() {
		if conn, err := l.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestPathsThatAreTaken(t *testing.T) {
	dir := socketDir(t)
	live, file, link := filepath.Join(dir, "live"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	mustListen(t, live)
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		live:                              "another process listens on " + live,
		file:                              "is not a socket",
		link:                              "is not a socket",
		dir:                               "is not a socket",
		"":                                "has no path",
		filepath.Join(dir, "none", "s"):   "no such file",
		filepath.Join(dir, "file", "s"):   "not a directory",
		strings.Repeat("x", 200):          "invalid argument",
		filepath.Join(dir, "nul\x00byte"): "invalid argument",
	} {
		if l, err := scrapehttp.Listen(t.Context(), "unix:"+path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", path, l, err, want)
		}
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "kept" {
		t.Errorf("the file is now %q, %v", content, err)
	}
	conn, err := net.Dial("unix", live)
	if err != nil {
		t.Fatalf("the live socket: %v", err)
	}
	_ = conn.Close()
}

// A listener whose socket another one has replaced leaves that one alone.
func TestCloseRemovesOwnSocketOnly(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	first := mustListen(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustListen(t, path)
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the second socket: %v", err)
	} else {
		_ = conn.Close()
	}
}

// Of many that start at once on the socket of a dead process one gets it, and it is
// the one that can be reached.
func TestSocketsThatStartAtOnce(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	for range 20 {
		stale(t, path)
		var mu sync.Mutex
		var won []net.Listener
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				l, err := scrapehttp.Listen(t.Context(), "unix:"+path)
				if err != nil {
					if !strings.Contains(err.Error(), "another process listens") {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				won = append(won, l)
				mu.Unlock()
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d listen on one path", len(won))
		}
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if err := won[0].Close(); err != nil {
			t.Error(err)
		}
	}
}
