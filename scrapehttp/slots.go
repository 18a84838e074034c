package scrapehttp

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// peerBits is the number of bits of an IPv6 address that identify a peer: a
// client that has one address usually has the whole network of that size.
const peerBits = 64

// slots limits the scrapes in progress, in all and by peer. The table of peers
// has only those that hold slots.
type slots struct {
	limit, perPeer int // zero or less means no limit

	mu     sync.Mutex
	held   int
	byPeer map[netip.Prefix]int
}

var (
	allSlotsTaken  = &refusal{http.StatusServiceUnavailable, "too many scrapes at once"}
	peerSlotsTaken = &refusal{http.StatusTooManyRequests, "too many scrapes at once from this address"}
)

// take takes a slot for a peer, or returns why there is none. giveBack returns
// it.
func (s *slots) take(peer netip.Prefix) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := s.perPeer > 0 && peer.IsValid()
	switch {
	case counted && s.byPeer[peer] >= s.perPeer:
		return peerSlotsTaken
	case s.limit > 0 && s.held >= s.limit:
		return allSlotsTaken
	}
	s.held++
	if counted {
		if s.byPeer == nil {
			s.byPeer = make(map[netip.Prefix]int)
		}
		s.byPeer[peer]++
	}
	return nil
}

// giveBack returns a slot that the peer took.
func (s *slots) giveBack(peer netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held--
	if n := s.byPeer[peer]; n > 1 {
		s.byPeer[peer] = n - 1
	} else {
		delete(s.byPeer, peer)
	}
}

// peerOf returns the network of the client: an IPv4 address, the /64 of an IPv6
// address, or a single link-local address, since the machines of a link share
// one /64 of those. It is the zero Prefix if clients have no IP address, as on a
// Unix socket.
func peerOf(r *http.Request) netip.Prefix {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return netip.Prefix{}
	}
	addr, err := netip.ParseAddr(r.RemoteAddr) // which a middleware may have set
	if withPort, portErr := netip.ParseAddrPort(r.RemoteAddr); portErr == nil {
		addr, err = withPort.Addr(), nil
	}
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() && !addr.IsLinkLocalUnicast() {
		bits = peerBits
	}
	return netip.PrefixFrom(addr, bits).Masked()
}
