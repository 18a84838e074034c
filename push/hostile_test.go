package push_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// refusal is the error of a client that got no token, as golang.org/x/oauth2 has it.
type refusal struct {
	Response *http.Response
	Body     []byte
}

func (r *refusal) Error() string {
	return fmt.Sprintf("cannot fetch token: %s\nResponse: %s", r.Response.Status, r.Body)
}

// tokens asks a server for a token before each request.
type tokens struct{ server string }

func (c tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"ada"}, "client_secret": {"s3 cret"}}
	asked := must(http.NewRequestWithContext(r.Context(), http.MethodPost, c.server, strings.NewReader(form.Encode())))
	asked.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked.SetBasicAuth("ada", "pa%24word")
	answer, err := http.DefaultTransport.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	return nil, &refusal{answer, must(io.ReadAll(answer.Body))}
}

// What a server of tokens repeats of the secrets that it was asked with is not told, and
// little of the rest.
func TestSecretsOfTokenServers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := string(must(io.ReadAll(r.Body)))
		values := must(url.ParseQuery(form))
		http.Error(w, fmt.Sprintf("%s of %s, %s, %s pa$word for client_credentials%s", values.Get("client_secret"), values.Get("client_id"), form,
			r.Header.Get("Authorization"), strings.Repeat("z", 1<<15)), http.StatusUnauthorized)
	}))
	defer server.Close()
	gateway := must(push.NewGateway("localhost", "j", push.WithClient(&http.Client{Transport: tokens{server.URL}})))
	err := gateway.Push(t.Context(), job(t))
	const want = "cannot fetch token: 401 Unauthorized\nResponse: <secret> of ada, client_id=ada&client_secret=<secret>&grant_type=client_credentials, Basic <secret> <secret> for client_credentials"
	if text := fmt.Sprint(err); !strings.Contains(text, want) || len(text) > 2048 {
		t.Errorf("%d bytes: %.500s", len(text), text)
	}
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
