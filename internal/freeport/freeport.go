// Package freeport finds addresses for tests of servers whose port has to be known
// before they listen, or stays theirs while they do not. Tests alone use it.
package freeport

import (
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// The ports lie below those that a system gives to sockets that ask for any: from 32768
// on Linux, from 49152 elsewhere. A port that was free a moment ago thus goes to no other
// process by chance, neither to a listener nor to the client's side of a connection.
const (
	first = 10_000
	count = 20_000
	each  = 16 // neighbours that one process takes before others may have the same
)

// taken is how many ports this process has asked for.
var taken atomic.Uint32

// Address returns an address of the loopback interface at which nobody listens.
func Address(t testing.TB) string {
	t.Helper()
	l, err := Listen()
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// Listen listens on such an address.
func Listen() (l net.Listener, err error) {
	for range count {
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(next()))); err == nil {
			return l, nil // else somebody listens there
		}
	}
	return nil, err
}

// Port returns the port of [Address].
func Port(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(Address(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// next returns a port. Processes that run at the same time have different ids, and so
// begin at different ones.
func next() int {
	n := int(taken.Add(1)) - 1
	if n >= each {
		return first + rand.IntN(count)
	}
	return first + (os.Getpid()%(count/each))*each + n
}
