//go:build !linux

package spool

// BootID returns the identity of the system's boot, zeros if it is unknown.
func BootID() [16]byte { return [16]byte{} }
