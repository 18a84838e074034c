//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package mapped

import "golang.org/x/sys/unix"

// allocate writes, as these systems have no common call that reserves space.
func allocate(g *Growing, offset, end int64) error { return rewrite(g, offset, end) }

// flush follows POSIX, where only msync is sure to write mapped pages.
func flush(g *Growing) error {
	for _, extent := range g.extents {
		if err := retry(func() error { return unix.Msync(extent, unix.MS_SYNC) }); err != nil {
			return err
		}
	}
	return retry(func() error { return unix.Fsync(g.fd) })
}
