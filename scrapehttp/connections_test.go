package scrapehttp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

const healthRequest = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"

// healthy reports whether a request on the connection is answered.
func healthy(conn net.Conn) bool {
	if _, err := io.WriteString(conn, healthRequest); err != nil {
		return false
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == 200
}

// open reports whether the server has left a connection open.
func open(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Nanosecond))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	_, err := conn.Read(make([]byte, 1))
	return !errors.Is(err, io.EOF)
}

func TestConnectionsThatWaitMakeRoom(t *testing.T) {
	const limit = 4
	for _, test := range []struct {
		name string
		sent string // by those who then wait
	}{
		{"without a request", ""},
		{"within a header", "GET /-/healthy HTTP/1.1\r\nHos"},
		{"after an answer", healthRequest},
		{"within a later header", healthRequest + "GET /-/hea"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := scrapehttp.NewServer("", shop(t), scrapehttp.WithMaxConnections(limit))
			inBubble(t, server, func(t *testing.T, p *pipes) {
				var waiting []net.Conn
				for range limit {
					conn := p.dial(t, test.sent)
					if len(test.sent) >= len(healthRequest) {
						if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
							t.Fatal(err)
						}
					}
					waiting = append(waiting, conn)
					time.Sleep(time.Millisecond)
				}
				time.Sleep(1100 * time.Millisecond)
				synctest.Wait()
				began := time.Now()
				if !healthy(p.dial(t, "")) || time.Since(began) > 0 {
					t.Errorf("one more client had to wait for %v", time.Since(began))
				}
				for i, conn := range waiting {
					if open(conn) != (i > 0) {
						t.Errorf("connection %d is open: %v", i, i == 0)
					}
				}
			})
		})
	}
}

// Clients that come all at once and have something to ask are all answered.
func TestMoreClientsThanConnections(t *testing.T) {
	const limit, clients = 4, 20
	server := scrapehttp.NewServer("", shop(t), scrapehttp.WithMaxConnections(limit))
	inBubble(t, server, func(t *testing.T, p *pipes) {
		answered := make(chan bool, clients)
		for range clients {
			conn, theirs := net.Pipe()
			t.Cleanup(func() { _ = conn.Close() })
			go func() { p.accepted <- theirs }()
			go func() {
				answered <- healthy(conn)
				_ = conn.Close()
			}()
		}
		for range clients {
			if !<-answered {
				t.Error("a client got no answer")
			}
		}
	})
}

// A connection with a request under way is not closed for another.
func TestConnectionsAtWork(t *testing.T) {
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	c := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
		begun <- struct{}{}
		<-finish
		return nil
	})
	url, stop := serve(t, c, scrapehttp.WithMaxConnections(1))
	status := make(chan int, 1)
	go func() {
		response, _, err := get(t, url+"/metrics")
		if err != nil {
			t.Error(err)
		}
		status <- response.StatusCode
	}()
	<-begun
	other, err := net.Dial("tcp", url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if n, err := other.Read(make([]byte, 1)); err == nil {
		t.Errorf("the other connection got %d bytes", n)
	}
	close(finish)
	if got := <-status; got != 200 {
		t.Errorf("the connection at work got status %d", got)
	}
	client.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Who has no request under way does not keep a server from ending.
func TestShutdownWithConnectionsThatWait(t *testing.T) {
	for _, limit := range []int{0, 10} {
		server := scrapehttp.NewServer("", shop(t), scrapehttp.WithMaxConnections(limit))
		inBubble(t, server, func(t *testing.T, p *pipes) {
			for range 3 {
				p.dial(t, "")
				p.dial(t, "GET /-/hea")
			}
			synctest.Wait()
			began := time.Now()
			if err := server.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v to end", took)
			}
		})
	}
}

// Under TLS, which may not have been spoken yet, and in HTTP/2 it is the same.
func TestConnectionsUnderTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config = scrapehttp.NewServer("", shop(t), scrapehttp.WithMaxConnections(2))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	fetch := func() *http.Response {
		response, err := server.Client().Get(server.URL + "/-/healthy")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return response
	}
	if got := fetch().Proto; got != "HTTP/2.0" {
		t.Errorf("the protocol is %s", got)
	}
	server.Client().CloseIdleConnections() // one that is closed meanwhile may fail a request
	for i := range 4 {                     // who say nothing, before or after the handshake
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if i%2 == 0 {
			encrypted := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the server is this test's
			go func() { _ = encrypted.HandshakeContext(t.Context()) }()
		}
	}
	fetch()
}
