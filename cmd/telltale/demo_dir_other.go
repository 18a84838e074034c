//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package main

// holdDemoDir does nothing: without locks removeAbandoned cannot detect
// abandoned directories, and removes nothing.
func holdDemoDir(string) (release func(), err error) { return func() {}, nil }

func removeAbandoned(string) (held bool) { return false }
