//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package segment

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// fence is a Space whose every answer ends where memory ends: who reads behind
// what was asked for dies.
type fence struct {
	plain
	rooms [8][]byte // used in turn, since several answers are in use at a time
	last  int
}

// newFence makes room for answers of up to size bytes.
func newFence(t testing.TB, size int) *fence {
	t.Helper()
	page := os.Getpagesize()
	size = int(align(uint64(size), uint64(page)))
	f := &fence{}
	for i := range f.rooms {
		room, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Munmap(room) })
		if err := unix.Mprotect(room[size:], unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		f.rooms[i] = room[:size:size]
	}
	return f
}

// around puts a fence around bytes.
func (f *fence) around(b []byte) *fence {
	f.plain = b
	return f
}

func (f *fence) Bytes(offset, n uint64) []byte {
	b := f.plain.Bytes(offset, n)
	if b == nil || n%8 != 0 { // words must be aligned
		return b
	}
	f.last = (f.last + 1) % len(f.rooms)
	room := f.rooms[f.last][len(f.rooms[f.last])-len(b):]
	copy(room, b)
	return room
}
