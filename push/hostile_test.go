package push_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"telltale/push"
)

// saying returns the address of a server that answers each request with a text, as it
// is, of the request's credentials, and then waits for the connection to end.
func saying(t *testing.T, answer func(credentials string) string) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(c, answer(r.Header.Get("Authorization")))
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l.Addr().String()
}

// A server that goes over to another protocol, which nobody asked for, keeps nobody
// waiting.
func TestSwitchedProtocols(t *testing.T) {
	address := saying(t, func(string) string {
		return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
	})
	err := must(push.NewGateway(address, "j")).Push(t.Context(), job(t))
	if err == nil || !strings.Contains(err.Error(), "101 Switching Protocols") {
		t.Error(err)
	}
}

// What is told of an answer that breaks HTTP is short and has no secrets.
func TestBrokenAnswers(t *testing.T) {
	long := strings.Repeat("z", 1<<15)
	for name, answer := range map[string]string{
		"status":   "HTTP/1.1 200OK%s" + long + "\r\n\r\n",
		"header":   "HTTP/1.1 200 OK\r\n%s" + long + "\r\n\r\n",
		"redirect": "HTTP/1.1 302 Found\r\nLocation: http://%%zz%s" + long + "\r\n\r\n",
		"endless":  "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: %[1]s"+long+"\r\n", 1<<10),
	} {
		address := saying(t, func(credentials string) string { return fmt.Sprintf(answer, credentials) })
		err := must(push.NewGateway(address, "j", push.WithBasicAuth("ada", `s3"cret`))).Push(t.Context(), job(t))
		if text := fmt.Sprint(err); err == nil || len(text) > 2048 || strings.Contains(text, "YWRhOnMz") || strings.Contains(text, "s3") {
			t.Errorf("%s: %d bytes: %.300s", name, len(text), text)
		}
	}
}

// An error is the same text each time, without the port of the sender.
func TestErrorsAreAlike(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}()
	gateway := must(push.NewGateway(l.Addr().String(), "j"))
	for range 3 {
		if err := gateway.Push(t.Context(), job(t)); err == nil || strings.Contains(err.Error(), "->") {
			t.Error(err)
		}
	}
}

// authorized adds credentials to requests, as a client of the caller's may.
type authorized struct{ headers http.Header }

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range a.headers {
		r.Header[name] = values
	}
	return http.DefaultTransport.RoundTrip(r)
}

// What a client of the caller's adds to requests is not told where the server repeats it.
func TestSecretsOfClients(t *testing.T) {
	for name, test := range map[string]struct {
		headers http.Header
		want    string
	}{
		"token":  {http.Header{"Authorization": {"Bearer t0ken"}}, `Bearer <secret> of text/plain`},
		"basic":  {http.Header{"Authorization": {"Basic YWRhOnMzY3JldA=="}}, `Basic <secret> of text/plain`},
		"plain":  {http.Header{"Authorization": {"t0ken"}}, `<secret> of text/plain`},
		"header": {http.Header{"X-Api-Key": {"k3y"}}, `<secret> of text/plain`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, password, _ := r.BasicAuth()
			http.Error(w, strings.TrimSpace(r.Header.Get("Authorization")+r.Header.Get("X-Api-Key")+" of "+r.Header.Get("Content-Type")+" "+password), http.StatusUnauthorized)
		}))
		gateway := must(push.NewGateway(server.URL, "j", push.WithClient(&http.Client{Transport: authorized{test.headers}})))
		err := gateway.Push(context.Background(), job(t))
		server.Close()
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
