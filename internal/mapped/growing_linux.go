package mapped

import (
	"errors"

	"golang.org/x/sys/unix"
)

// allocate reserves space for the bytes from offset to end, in steps: on some
// kernels a signal, such as the profiler's hundred a second, makes tmpfs undo all
// of a call.
func allocate(g *Growing, offset, end int64) error {
	for offset < end {
		n := min(end-offset, 4<<20)
		err := retry(func() error { return unix.Fallocate(g.fd, 0, offset, n) })
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
			return rewrite(g, offset, end)
		}
		if err != nil {
			return err
		}
		offset += n
	}
	return nil
}

// flush needs no msync: Linux's fsync writes pages that were dirtied through a
// mapping too, and msync calls it.
func flush(g *Growing) error { return retry(func() error { return unix.Fsync(g.fd) }) }
