//go:build unix && !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package mapped

import "golang.org/x/sys/unix"

func renameNew(int, string, string) error { return unix.ENOTSUP }
