package scrapehttp

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// peerBits is the number of bits of an IPv6 address that identify a peer: a
// client that has one address usually has the whole network of that size.
const peerBits = 64

// slotTime is how far behind the least rate a client must be before it can be cut off to
// make room.
const slotTime = time.Second

// slots limits the scrapes in progress, in all and by peer. A scrape for which there is
// no slot gets that of the scrape whose client is furthest behind the least rate, so
// that clients which have vanished without closing their connections keep no others out.
type slots struct {
	limit, perPeer int           // zero or less means no limit
	longest        time.Duration // how long a scrape waits
	line           int           // how many scrapes wait at once

	mu      sync.Mutex
	held    map[*slot]struct{}
	byPeer  map[netip.Prefix]int // of peers that hold slots
	waiting list.List            // of *slot, in the order in which the scrapes came
}

// slot is the place of a scrape.
type slot struct {
	peer  netip.Prefix
	wire  *wire         // to its client
	taken chan struct{} // closed once the scrape has the place
}

var (
	allSlotsTaken  = &refusal{http.StatusServiceUnavailable, "too many scrapes at once"}
	peerSlotsTaken = &refusal{http.StatusTooManyRequests, "too many scrapes at once from this address"}
)

// take takes a slot for a scrape of a peer, or returns why there is none; giveBack
// returns it. If there is none, and one of the scrapes that have them is sending its
// page, take waits until one has ended or can be cut off, for s.longest at most and until
// ctx is done, unless s.line scrapes wait already.
func (s *slots) take(ctx context.Context, w *wire, peer netip.Prefix) (*slot, *refusal) {
	one := &slot{peer, w, make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.waiting.PushBack(one)
	defer s.waiting.Remove(place) // no operation once it was granted
	s.grant()
	end := time.Now().Add(s.longest)
	for waited := false; !one.has(); {
		late, rest := s.furthestBehind(peer)
		left := time.Until(end)
		switch {
		case late != nil && rest <= 0:
			late.wire.cutOff()
			s.leave(late)
		case !waited && (late == nil || s.waiting.Len() > s.line), left <= 0, ctx.Err() != nil:
			return nil, s.refuses(peer)
		default:
			if late != nil {
				left = min(rest, left)
			}
			s.wait(ctx, one, left)
			waited = true
		}
	}
	return one, nil
}

// giveBack returns a slot, unless it was given to another scrape.
func (s *slots) giveBack(one *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(one)
}

// has reports whether a scrape has its place.
func (one *slot) has() bool {
	select {
	case <-one.taken:
		return true
	default:
		return false
	}
}

// wait waits until the scrape has its place, for d at most and until ctx is done. The
// caller holds the lock, which wait releases meanwhile.
func (s *slots) wait(ctx context.Context, one *slot, d time.Duration) {
	s.mu.Unlock()
	defer s.mu.Lock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-one.taken:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// refuses returns why there is no slot for a peer, nil if there is one. The caller holds
// the lock, as for the functions below.
func (s *slots) refuses(peer netip.Prefix) *refusal {
	switch {
	case s.counts(peer) && s.byPeer[peer] >= s.perPeer:
		return peerSlotsTaken
	case s.limit > 0 && len(s.held) >= s.limit:
		return allSlotsTaken
	}
	return nil
}

// counts reports whether a peer has a limit of its own.
func (s *slots) counts(peer netip.Prefix) bool { return s.perPeer > 0 && peer.IsValid() }

// grant gives free slots to the scrapes that wait for them.
func (s *slots) grant() {
	for place := s.waiting.Front(); place != nil; {
		next, one := place.Next(), place.Value.(*slot)
		if s.refuses(one.peer) == nil {
			s.waiting.Remove(place)
			s.enter(one)
		}
		place = next
	}
}

func (s *slots) enter(one *slot) {
	if s.held == nil {
		s.held, s.byPeer = make(map[*slot]struct{}), make(map[netip.Prefix]int)
	}
	s.held[one] = struct{}{}
	if s.counts(one.peer) {
		s.byPeer[one.peer]++
	}
	close(one.taken)
}

// leave ends a scrape's use of its slot, if it has one.
func (s *slots) leave(one *slot) {
	if _, has := s.held[one]; !has {
		return
	}
	delete(s.held, one)
	if n := s.byPeer[one.peer]; n > 1 {
		s.byPeer[one.peer] = n - 1
	} else {
		delete(s.byPeer, one.peer)
	}
	s.grant()
}

// furthestBehind returns, of the scrapes that keep one of the peer out and are sending
// their pages, that whose client is furthest behind, and the time until it can be cut
// off; nil if there is none.
func (s *slots) furthestBehind(peer netip.Prefix) (late *slot, rest time.Duration) {
	ofPeer := s.refuses(peer) == peerSlotsTaken
	for one := range s.held {
		if ofPeer && one.peer != peer {
			continue
		}
		if behind, sends := one.wire.behind(); sends && (late == nil || slotTime-behind < rest) {
			late, rest = one, slotTime-behind
		}
	}
	return late, rest
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
