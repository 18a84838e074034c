package scrapehttp

import (
	"container/list"
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// requestTime is how long a connection may be without a request before it can be
// closed to make room for another.
const requestTime = time.Second

// connections limits the connections of a server, so that clients which only
// connect cannot use up the program's file descriptors. Room for a new one is
// made by closing the one that has been without a request for the longest time.
// [http.Server.ConnState] reports the connections to it.
type connections struct {
	limit int
	freed chan struct{} // has an element after a connection has gone

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // in waiting; nil while a request is answered
	waiting list.List                  // of waitingConn, the longest first
}

// waitingConn is a connection without a request.
type waitingConn struct {
	net.Conn
	since time.Time
}

func newConnections(limit int) *connections {
	if limit <= 0 {
		limit = math.MaxInt
	}
	return &connections{limit: limit, freed: make(chan struct{}, 1), open: make(map[net.Conn]*list.Element)}
}

// note is the server's ConnState. While a new connection waits for room here,
// the server accepts no other.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.keep(conn, state)
	if state == http.StateNew {
		c.makeRoom()
	}
}

func (c *connections) keep(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, open := c.open[conn]
	if !open && state != http.StateNew {
		return // it was closed to make room
	}
	if place != nil {
		c.waiting.Remove(place)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.open[conn] = c.waiting.PushBack(waitingConn{conn, time.Now()})
	case http.StateActive:
		c.open[conn] = nil
	default:
		delete(c.open, conn)
		select {
		case c.freed <- struct{}{}:
		default:
		}
	}
}

// shutDown closes the connections without a request, for which
// [http.Server.Shutdown] would wait, and refuses new ones.
func (c *connections) shutDown() {
	c.mu.Lock()
	c.limit = 0
	var waiting []net.Conn
	for place := c.waiting.Front(); place != nil; place = place.Next() {
		waiting = append(waiting, place.Value.(waitingConn).Conn)
	}
	c.mu.Unlock()
	for _, conn := range waiting {
		c.keep(conn, http.StateClosed)
		closeAtOnce(conn)
	}
}

// makeRoom waits until the number of connections is within the limit, and closes
// those that have been without a request for too long.
func (c *connections) makeRoom() {
	for {
		over, wait := c.longestWaiting()
		switch {
		case over == nil:
			return
		case wait <= 0:
			c.keep(over, http.StateClosed)
			closeAtOnce(over)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-c.freed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// longestWaiting returns the connection to close if there are too many, and the
// time that it still has for its request; nil if there are not too many, or if
// all have requests.
func (c *connections) longestWaiting() (conn net.Conn, rest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) <= c.limit || c.waiting.Len() == 0 {
		return nil, 0
	}
	longest := c.waiting.Front().Value.(waitingConn)
	return longest.Conn, time.Until(longest.since.Add(requestTime))
}

// closeAtOnce closes a connection without a TLS alert to the client, which could
// take a while.
func closeAtOnce(conn net.Conn) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	_ = conn.Close()
}
