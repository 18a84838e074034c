package store

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// identity says who this process is, as far as the system tells. A PID alone
// says little: containers have their own, and they are used again.
func identity() segment.Header {
	h := segment.Header{PID: uint64(os.Getpid()), Host: hostName(), Namespace: pidNamespace(), Boot: spool.BootID()}
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil {
		h.Ticks = startTicks(string(stat))
	}
	return h
}

// pidNamespace returns the inode of this process's PID namespace, 0 if unknown.
func pidNamespace() uint64 {
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &st) != nil {
		return 0
	}
	return st.Ino
}

// startTicks returns the 22nd field of /proc/self/stat; the second is a name in
// parentheses that may have anything in it.
func startTicks(stat string) uint64 {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseUint(fields[19], 10, 64)
	return ticks
}
