package scrapehttp_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"telltale/scrapehttp"
)

// stuck is a writer of a client that does not read, until it is released.
// Refusals it takes at once.
type stuck struct {
	http.ResponseWriter
	begun, release chan struct{}
	passes         bool // refusals, and all after the first write
}

func (w *stuck) WriteHeader(status int) {
	w.passes = status != 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *stuck) Write(p []byte) (int, error) {
	if !w.passes {
		w.passes = true
		w.begun <- struct{}{}
		<-w.release
	}
	return w.ResponseWriter.Write(p)
}

// held is a page whose clients are stuck.
func held(t *testing.T, opts ...scrapehttp.Option) (h http.Handler, begun, release chan struct{}) {
	t.Helper()
	begun, release = make(chan struct{}), make(chan struct{})
	page := scrapehttp.Handler(shop(t), opts...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.ServeHTTP(&stuck{ResponseWriter: w, begun: begun, release: release}, r)
	}), begun, release
}

// from is a request of a peer.
func from(peer string) *http.Request {
	r := request("GET", "/metrics")
	r.RemoteAddr = peer
	return r
}

func TestScrapesOfAPeerAreLimited(t *testing.T) {
	for _, test := range []struct {
		name, first, second string
		one                 bool // whether both are one peer
	}{
		{"one IPv4 address", "192.0.2.1:1000", "192.0.2.1:2000", true},
		{"two IPv4 addresses", "192.0.2.1:1000", "192.0.2.2:1000", false},
		{"IPv4 in IPv6", "192.0.2.1:1000", "[::ffff:192.0.2.1]:1000", true},
		{"two of IPv4 in IPv6", "[::ffff:192.0.2.1]:1000", "[::ffff:192.0.2.2]:1000", false},
		{"one IPv6 address", "[2001:db8::1]:1000", "[2001:db8::1]:2000", true},
		{"one IPv6 network", "[2001:db8::1]:1000", "[2001:db8::ffff:1]:1000", true},
		{"two IPv6 networks", "[2001:db8::1]:1000", "[2001:db8:0:1::1]:1000", false},
		{"IPv6 loopback", "[::1]:1000", "[::1]:2000", true},
		{"one link-local address", "[fe80::1%eth0]:1000", "[fe80::1%eth0]:2000", true},
		{"two link-local addresses", "[fe80::1%eth0]:1000", "[fe80::2%eth0]:1000", false},
		{"without a port", "192.0.2.1", "192.0.2.1:1000", true},
		{"IPv6 without a port", "2001:db8::1", "2001:db8::2", true},
		{"Unix socket", "@", "@", false},
		{"Unix socket without a name", "", "", false},
		{"in memory", "pipe", "pipe", false},
		{"name", "localhost:80", "localhost:80", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, begun, release := held(t, scrapehttp.WithMaxInFlightPerPeer(1))
			answers := make(chan *httptest.ResponseRecorder)
			go func() { answers <- answer(h, from(test.first)) }()
			<-begun
			if test.one {
				w := answer(h, from(test.second))
				wantStatus(t, w, 429)
				wantHeader(t, w, "Retry-After", "1")
				if want := "429 Too Many Requests: too many scrapes at once from this address\n"; w.Body.String() != want {
					t.Errorf("body %q, want %q", w.Body, want)
				}
			}
			close(release)
			wantStatus(t, <-answers, 200)
			go func() { answers <- answer(h, from(test.second)) }()
			<-begun
			wantStatus(t, <-answers, 200)
		})
	}
}

// A peer that is refused takes nothing from others, nor from the limit of all.
func TestLimitsOfPeersAndOfAll(t *testing.T) {
	h, begun, release := held(t, scrapehttp.WithMaxInFlight(3), scrapehttp.WithMaxInFlightPerPeer(2))
	answers := make(chan *httptest.ResponseRecorder)
	for _, peer := range []string{"192.0.2.1:1", "192.0.2.1:2"} {
		go func() { answers <- answer(h, from(peer)) }()
		<-begun
	}
	for range 10 {
		wantStatus(t, answer(h, from("192.0.2.1:3")), 429)
	}
	go func() { answers <- answer(h, from("192.0.2.2:1")) }()
	<-begun
	wantStatus(t, answer(h, from("192.0.2.3:1")), 503)
	wantStatus(t, answer(h, from("@")), 503)
	close(release)
	for range 3 {
		wantStatus(t, <-answers, 200)
	}
}

// Behind a proxy on a Unix socket all peers are one, and have no limit.
func TestPeersOnAUnixSocketHaveNoLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	h, begun, release := held(t, scrapehttp.WithMaxInFlightPerPeer(1))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:80" // as a middleware sets it
		h.ServeHTTP(w, r)
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	defer s.Close()
	over := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer over.CloseIdleConnections()
	statuses := make(chan int)
	for range 3 {
		go func() {
			response, err := over.Get("http://x/")
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	close(release)
	for range 3 {
		<-begun
	}
	for range 3 {
		if status := <-statuses; status != 200 {
			t.Errorf("status %d", status)
		}
	}
}
