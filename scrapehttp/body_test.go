package scrapehttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/scrapehttp"
)

type heldBody struct {
	name, request, header string
	byServer              bool // whether net/http answers, if it can
}

func (b heldBody) String() string {
	return b.request + " HTTP/1.1\r\nHost: x\r\n" + b.header + "\r\n\r\n"
}

// Requests that announce a body which never comes, or not all of it.
var heldBodies = []heldBody{
	{"page", "GET /metrics", "Content-Length: 1", false},
	{"page of names", "GET /metrics?name[]=orders", "Content-Length: 1", false},
	{"page, HEAD", "HEAD /metrics", "Content-Length: 1", false},
	{"page, OPTIONS", "OPTIONS /metrics", "Content-Length: 1", false},
	{"page, POST", "POST /metrics", "Content-Length: 1", false},
	{"page, PUT", "PUT /metrics", "Content-Length: 1", false},
	{"bad query", "GET /metrics?name[]=%zz", "Content-Length: 1", false},
	{"long Accept", "GET /metrics", "Content-Length: 1\r\nAccept: " + strings.Repeat("a", 9<<10), false},
	{"longest body", "GET /metrics", "Content-Length: 9223372036854775807", false},
	{"longer than net/http reads", "POST /metrics", "Content-Length: 1000000", false},
	{"chunked", "GET /metrics", "Transfer-Encoding: chunked", false},
	{"chunked, POST", "POST /metrics", "Transfer-Encoding: chunked", false},
	{"chunked, cut short", "GET /metrics", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", false},
	{"chunked, without trailers", "GET /metrics", "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", false},
	{"chunked, malformed", "GET /metrics", "Transfer-Encoding: chunked\r\n\r\nZZZ", false},
	{"chunked with length", "GET /metrics", "Transfer-Encoding: chunked\r\nContent-Length: 1", false},
	{"to be continued", "GET /metrics", "Content-Length: 1\r\nExpect: 100-continue", false},
	{"to be continued, POST", "POST /metrics", "Content-Length: 1\r\nExpect: 100-continue", false},
	{"strange expectation", "GET /metrics", "Content-Length: 1\r\nExpect: miracles", true},
	{"kept alive", "GET /metrics", "Content-Length: 1\r\nConnection: keep-alive", false},
	{"upgrade", "GET /metrics", "Content-Length: 1\r\nConnection: upgrade\r\nUpgrade: websocket", false},
	{"health", "GET /-/healthy", "Content-Length: 1", false},
	{"health, POST", "POST /-/healthy", "Content-Length: 1", false},
	{"landing page", "GET /", "Content-Length: 1", false},
	{"favicon", "GET /favicon.ico", "Content-Length: 1", false},
	{"nowhere", "GET /nowhere", "Content-Length: 1", false},
	{"redirected", "GET //metrics", "Content-Length: 1", false},
	{"server", "OPTIONS *", "Content-Length: 1", true},
}

// A body that does not come holds up neither the answer nor, for long, the
// connection.
func TestHeldBodiesEnd(t *testing.T) {
	servers := map[string]func() *http.Server{
		"ours":       func() *http.Server { return scrapehttp.NewServer("", shop(t)) },
		"stranger's": func() *http.Server { return &http.Server{Handler: scrapehttp.Handler(shop(t))} },
	}
	for name, server := range servers {
		for _, b := range heldBodies {
			if name != "ours" && b.byServer {
				continue
			}
			t.Run(name+" "+b.name, func(t *testing.T) {
				inBubble(t, server(), func(t *testing.T, p *pipes) {
					conn, began := p.dial(t, b.String()), time.Now()
					reader := bufio.NewReader(conn)
					response, err := http.ReadResponse(reader, &http.Request{Method: strings.Fields(b.request)[0]})
					if err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > 0 {
						t.Errorf("the answer took %v", took)
					}
					if !response.Close {
						t.Error("the answer does not say that the connection is closed")
					}
					if _, err := io.Copy(io.Discard, reader); err != nil {
						t.Error(err)
					}
					if took := time.Since(began); took > 11*time.Second {
						t.Errorf("the connection was closed after %v", took)
					}
				})
			})
		}
	}
}

// Over TCP, in the project's server and in a stranger's: the slot is free as soon
// as the page is out, and the connection is closed.
func TestHeldBodiesHoldNoSlot(t *testing.T) {
	page := func(opts ...scrapehttp.Option) http.Handler {
		return scrapehttp.Handler(shop(t), append(opts, scrapehttp.WithMaxInFlight(1))...)
	}
	longest, short := scrapehttp.WithBodyTimeout(time.Hour), scrapehttp.WithBodyTimeout(time.Millisecond)
	for _, test := range []struct {
		name    string
		handler http.Handler
		closes  bool
	}{
		{"closed soon", page(short), true},
		{"closed late", page(longest), false},
		{"without a timeout", page(scrapehttp.WithBodyTimeout(0)), false},
		{"in a server of its own", scrapehttp.NewServer("", shop(t), short, scrapehttp.WithMaxInFlight(1)).Handler, true},
		{"behind a writer that hides its connection", hidden(page(short)), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := listen(t, test.handler)
			for _, body := range []string{"Content-Length: 1", "Transfer-Encoding: chunked"} {
				conn, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
					t.Fatal(err)
				}
				_, _ = fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", body)
				reader := bufio.NewReader(conn)
				response, err := http.ReadResponse(reader, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(response.Body); err != nil || string(got) != shopPage || !response.Close {
					t.Errorf("%s: %v, %v, page %q", body, err, response.Header, got)
				}
				status := 503 // the slot is given back after the last byte of the page
				for deadline := time.Now().Add(2 * time.Minute); status == 503 && time.Now().Before(deadline); {
					response, _, _ := get(t, s.URL+"/metrics")
					status = response.StatusCode
				}
				if status != 200 {
					t.Errorf("%s: the next scrape has status %d", body, status)
				}
				if !test.closes {
					continue
				}
				if _, err := reader.ReadByte(); err != io.EOF {
					t.Errorf("%s: reading on gave %v", body, err)
				}
			}
		})
	}
}

// What an honest client sends along does not cost it the page.
func TestBodiesThatCome(t *testing.T) {
	for _, size := range []int{1, 100 << 10, 10 << 20} {
		url, stop := serve(t, filled(t, 2_000))
		_, want, err := get(t, url+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", size)), io.LimitReader(zeros{}, int64(size))} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/metrics", body)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(r)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			got, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || string(got) != want {
				t.Errorf("%d bytes: %v, page of %d bytes, want %d", size, err, len(got), len(want))
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A body is never taken for the connection's next request, and requests without
// one may follow each other.
func TestRequestsOnOneConnection(t *testing.T) {
	const page, health = "GET /metrics HTTP/1.1\r\nHost: x\r\n", "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, test := range []struct {
		name, text string
		want       []int
	}{
		{"pipelined", page + "\r\n" + health + page + "Connection: close\r\n\r\n", []int{200, 200, 200}},
		{"request in a body", page + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(health)) + health + health, []int{200}},
		{"behind a chunked body", page + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + health, []int{200}},
		{"chunked with a length", page + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + health, []int{200}},
		{"two lengths", page + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + health, []int{400}},
		{"strange coding", page + "Transfer-Encoding: chunked, identity\r\n\r\n" + health, []int{501}},
		{"folded length", page + "Content-Length:\r\n 5\r\n\r\nhello" + health, []int{200}},
		{"expected", page + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + health, []int{200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := scrapehttp.NewServer("", shop(t))
			inBubble(t, server, func(t *testing.T, p *pipes) {
				conn := p.dial(t, test.text)
				if got := responses(t, conn); !slices.Equal(got, test.want) {
					t.Errorf("responses %v, want %v", got, test.want)
				}
			})
		})
	}
}

// A server's read timeout is for the request: a page may take longer.
func TestReadTimeoutDoesNotEndTheScrape(t *testing.T) {
	slow := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		select {
		case <-time.After(9 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		return emit(&model.Family{Name: "slow", Type: model.Gauge})
	})
	server := &http.Server{Handler: scrapehttp.Handler(slow), ReadTimeout: time.Second}
	inBubble(t, server, func(t *testing.T, p *pipes) {
		conn := p.dial(t, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if got, err := io.ReadAll(conn); err != nil || !strings.Contains(string(got), "TYPE slow gauge") {
			t.Errorf("%v, got %q", err, got)
		}
	})
}

// In HTTP/2 a body holds nothing, and the connection serves other requests.
func TestBodiesInHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(scrapehttp.Handler(shop(t), scrapehttp.WithMaxInFlight(1)))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	for i := range 3 {
		body, unsent := io.Pipe()
		reused := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.ProtoMajor != 2 || string(page) != shopPage || reused != (i > 0) {
			t.Errorf("%v, %s, page %q, connection used again: %v", err, response.Proto, page, reused)
		}
		_ = unsent.Close()
	}
}
