package spool

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// namespaceOffset returns by how much the boot's clock is ahead in this process's time
// namespace, in nanoseconds: containers may have clocks of their own, and share a directory
// with others. It is 0 where the system has no time namespaces, or does not tell.
var namespaceOffset = sync.OnceValue(func() int64 {
	own, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		return 0
	}
	if others, err := os.Readlink("/proc/self/ns/time_for_children"); err != nil || own != others {
		return 0 // the offsets are those of children
	}
	offsets, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(offsets)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "monotonic" {
			continue
		}
		seconds, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		nanoseconds, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return 0
		}
		return seconds*1e9 + nanoseconds
	}
	return 0
})
