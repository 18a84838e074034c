//go:build unix

package main

import (
	"io/fs"
	"syscall"
)

// allocated returns the bytes of the disk that a file takes; it may have holes.
func allocated(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Blocks) * 512
	}
	return info.Size()
}
