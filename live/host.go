package live

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// misdirected reports whether a request that came in on a loopback address asks for a
// name that is not this machine's. A page of elsewhere can have its own name lead to
// 127.0.0.1 (DNS rebinding): for the browser, what it reads then is of its own origin,
// and neither Sec-Fetch-Site nor the policy prevents it. Only the name gives it away;
// an IP address as host cannot be rebound. Of other addresses nobody here knows the
// names, and who reaches them is settled by the network.
func (s *settings) misdirected(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !isLoopback(local) || r.Host == "" { // a browser always sends a host
		return false
	}
	host := hostOf(r.Host)
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(s.hosts, host) {
		return false
	}
	own, err := os.Hostname() // which Debian's /etc/hosts has lead to 127.0.1.1
	return err != nil || host != hostOf(own)
}

func isLoopback(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// hostOf returns the host of "host" or "host:port", as hosts are compared: in lower
// case, without the dot that may end a name.
func hostOf(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	} else {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}
