//go:build unix

package main

import (
	"io/fs"
	"syscall"
)

// allocated is how many bytes of the disk a file has, which may have holes.
func allocated(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Blocks) * 512
	}
	return info.Size()
}
