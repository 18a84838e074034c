package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"

	"telltale/scrapehttp"
)

// place is where to listen: a TCP address, or unix: and the path of a socket.
type place string

// UnmarshalText is called by kong.
func (p *place) UnmarshalText(text []byte) error {
	if path, ok := strings.CutPrefix(string(text), unixPrefix); ok {
		if path == "" {
			return errors.New("unix: has no path behind it; it should look like unix:/run/telltale/metrics.sock")
		}
		*p = place(text)
		return nil
	}
	var a address
	if err := a.UnmarshalText(text); err != nil {
		return fmt.Errorf("%w, or unix:/run/telltale/metrics.sock", err)
	}
	*p = place(a)
	return nil
}

// permissions are those of a socket, in octal digits.
type permissions fs.FileMode

// UnmarshalText is called by kong.
func (p *permissions) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("%q is not an octal number from 0 to 0777; it should look like 0660", text)
	}
	*p = permissions(n)
	return nil
}

// defaultPlace is where verbs listen unless they are told otherwise.
const defaultPlace = "127.0.0.1:9464"

// listenAt listens at all places, and on the sockets that systemd has opened for this
// process. Without any it listens at the default one.
func listenAt(ctx context.Context, places []place, mode permissions) (all []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range all {
				_ = l.Close()
			}
			all = nil
		}
	}()
	passed, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	for _, l := range passed {
		if l == nil {
			return all, errors.New("systemd has passed a socket that is not of type stream")
		}
		all = append(all, l)
	}
	if len(places) == 0 && len(all) == 0 {
		places = []place{defaultPlace}
	}
	for _, p := range places {
		l, err := scrapehttp.Listen(ctx, string(p), scrapehttp.WithSocketMode(fs.FileMode(mode)))
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	return all, nil
}

// joined is several listeners as one, so that their connections share a server's
// limits.
type joined struct {
	all      []net.Listener
	accepted chan accepted
	closed   chan struct{}
	once     sync.Once
	err      error
}

type accepted struct {
	conn net.Conn
	err  error
}

// joinListeners returns one listener for all.
func joinListeners(all []net.Listener) net.Listener {
	if len(all) == 1 {
		return all[0]
	}
	j := &joined{all: all, accepted: make(chan accepted), closed: make(chan struct{})}
	for _, l := range all {
		go j.acceptFrom(l)
	}
	return j
}

func (j *joined) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case j.accepted <- accepted{conn, err}:
		case <-j.closed:
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept returns the next connection of any of the listeners.
func (j *joined) Accept() (net.Conn, error) {
	select {
	case a := <-j.accepted:
		return a.conn, a.err
	case <-j.closed:
		return nil, net.ErrClosed
	}
}

// Close closes all listeners.
func (j *joined) Close() error {
	j.once.Do(func() {
		close(j.closed)
		for _, l := range j.all {
			j.err = errors.Join(j.err, l.Close())
		}
	})
	return j.err
}

// Addr returns the address of the first.
func (j *joined) Addr() net.Addr { return j.all[0].Addr() }
