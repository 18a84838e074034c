//go:build dragonfly || freebsd || netbsd || openbsd

package mapped

import "golang.org/x/sys/unix"

func renameNoReplace(int, string, string) error { return unix.ENOSYS }
