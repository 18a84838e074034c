package live_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"telltale"
	"telltale/live"
)

// status asks a handler for a path as a server does whose listener has an address.
func status(t *testing.T, h http.Handler, local net.Addr, host, path string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local), "GET", path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK && strings.Contains(w.Body.String(), "\n\n") {
		t.Errorf("%q", w.Body)
	}
	return w.Code
}

// A page of elsewhere whose name is made to lead to this machine reads nothing.
func TestHosts(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	reg := telltale.NewRegistry()
	loopback := []net.Addr{
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, &net.TCPAddr{IP: net.IPv4(127, 0, 1, 1), Port: 80}, &net.TCPAddr{IP: net.IPv6loopback, Port: 80},
		&net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1"), Port: 80},
	}
	others := []net.Addr{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, &net.UnixAddr{Name: "/run/x.sock", Net: "unix"}, &net.TCPAddr{}}
	plain, named := live.Handler(reg), live.Handler(reg, live.WithHosts("Metrics.example.org."), live.WithHosts("other.example"))
	for _, path := range []string{"/live/", "/live/main.js", "/live/data"} {
		for _, host := range []string{
			"127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "[fe80::1%25en0]:80", "192.0.2.7", "localhost", "LocalHost:80", "localhost.", "shop.localhost:80", own, own + ":80", "",
		} {
			for _, at := range loopback {
				if got := status(t, plain, at, host, path); got != http.StatusOK {
					t.Errorf("%s of %s at %s: %d", path, host, at, got)
				}
			}
		}
		for _, host := range []string{
			"evil.example", "evil.example:80", "EVIL.example.", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost", "metrics.example.org", "a:b:c", ":", "[", "127.1", "%00",
		} {
			for _, at := range loopback {
				if got := status(t, plain, at, host, path); got != http.StatusMisdirectedRequest {
					t.Errorf("%s of %s at %s: %d", path, host, at, got)
				}
			}
			for _, at := range others {
				if got := status(t, plain, at, host, path); got != http.StatusOK {
					t.Errorf("%s of %s at %s: %d", path, host, at, got)
				}
			}
		}
		for host, want := range map[string]int{
			"metrics.example.org": http.StatusOK, "METRICS.example.org.:443": http.StatusOK, "other.example": http.StatusOK, "x.other.example": http.StatusMisdirectedRequest,
		} {
			if got := status(t, named, loopback[0], host, path); got != want {
				t.Errorf("%s of %s, with names: %d", path, host, got)
			}
		}
	}
}

// A server of net/http tells the address by itself, and what is refused causes no collection.
func TestHostsOfAServer(t *testing.T) {
	c := &counting{}
	server := httptest.NewServer(live.Handler(c))
	defer server.Close()
	for host, want := range map[string]int{"": http.StatusOK, "evil.example": http.StatusMisdirectedRequest} {
		before := c.runs.Load()
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/data", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if want == http.StatusOK {
			err = json.NewDecoder(answer.Body).Decode(new(any))
		}
		_ = answer.Body.Close()
		if collected := c.runs.Load() != before; answer.StatusCode != want || err != nil || collected != (want == http.StatusOK) {
			t.Errorf("%q: %s, %v, collected: %t", host, answer.Status, err, collected)
		}
	}
}
