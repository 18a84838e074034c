package scrapehttp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory. In a bubble of synctest they
// have the bubble's time, and nothing is buffered between client and server.
type pipes struct {
	accepted chan net.Conn
	done     chan struct{}
	close    func()
}

func newPipes() *pipes {
	done := make(chan struct{})
	return &pipes{make(chan net.Conn), done, sync.OnceFunc(func() { close(done) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// dial connects and sends text, in a goroutine of its own.
func (p *pipes) dial(t *testing.T, text string) net.Conn {
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	p.accepted <- server
	go func() { _, _ = io.WriteString(client, text) }()
	return client
}

// inBubble runs f in a bubble with a server that answers on pipes.
func inBubble(t *testing.T, server *http.Server, f func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(p) }()
		defer func() {
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		}()
		f(t, p)
	})
}

// readSteadily reads from conn n bytes at each step of time until the other side
// closes the connection, and returns what it got.
func readSteadily(conn net.Conn, n int, step time.Duration) []byte {
	var got []byte
	buffer := make([]byte, n)
	for {
		k, err := io.ReadFull(conn, buffer)
		got = append(got, buffer[:k]...)
		if err != nil {
			return got
		}
		time.Sleep(step)
	}
}

// responses counts the responses on a connection until it is closed.
func responses(t *testing.T, conn io.Reader) (statuses []int) {
	t.Helper()
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses
		}
		statuses = append(statuses, response.StatusCode)
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Errorf("response %d ended with %v", len(statuses), err)
		}
	}
}
