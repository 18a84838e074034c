package mapped

import "golang.org/x/sys/unix"

// noReserve is the flag of mmap(2) with which memory that is never touched does not count
// as used.
const noReserve = unix.MAP_NORESERVE
