package freeport_test

import (
	"net"
	"strconv"
	"testing"

	"telltale/internal/freeport"
)

// Addresses are free, and each is returned once as long as somebody listens there.
func TestAddressesAreFree(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		address := freeport.Address(t)
		if seen[address] {
			t.Errorf("%s is returned twice", address)
		}
		seen[address] = true
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
	}
}

// No socket that asks for any port gets one of these on a system as it comes.
func TestPortsAreBelowThoseOfTheSystem(t *testing.T) {
	for range 100 {
		if port, err := strconv.Atoi(freeport.Port(t)); err != nil || port < 10_000 || port >= 30_000 {
			t.Errorf("port %d, %v", port, err)
		}
	}
}
